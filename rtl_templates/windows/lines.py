"""Straight lines by pieces in integers: what is left to compute once all that tables show beforehand is taken out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from amaranth.hdl import Shape

from hwgen.rtl_templates.compute.adder_tree import range_shape
from hwgen.rtl_templates.compute.level_search import LevelSearch

__all__ = ["MULTIPLIER_BITS", "Lines", "signed_digits"]

MULTIPLIER_BITS = 16
"""Widest operands of one hardware multiplier (iCE40 16x16, ECP5 and Gowin 18x18); wider ones are split."""

FEW_DIGITS = 2
"""Signed digits up to which a constant factor is sums of shifted numbers."""

FEW_SHIFTS = 4
"""Different powers of two up to which a factor chooses among shifted numbers."""


def signed_digits(number: int) -> list[tuple[int, int]]:
    """Give the fewest powers of two, (exponent, sign), whose signed sum is a number: its non-adjacent form."""
    digits, exponent = [], 0
    while number:
        if number & 1:
            sign = 2 - (number & 3)
            digits.append((exponent, sign))
            number -= sign
        number >>= 1
        exponent += 1
    return digits


@dataclass(frozen=True, eq=False)
class Lines:
    """``clip((factor * x + offset) >> shift, low, high)``, factor and offset being those of the piece in which x lies.

    If ``even``, a sum of which the shift drops only zeros gives an even code: an odd one loses its lowest bit.

    Parameters
    ----------
    bounds : (int, int)
        Least and greatest x.
    breaks : int array, shape (rows, pieces - 1)
        First x of each piece but the lowest, rising; a row for each channel, of each class of positions in turn.
    factors, offsets : int arrays, shape (rows, pieces)
    shift, low, high : int
    even : bool
    """

    bounds: tuple[int, int]
    breaks: np.ndarray
    factors: np.ndarray
    offsets: np.ndarray
    shift: int
    low: int
    high: int
    even: bool = False

    @property
    def pieces(self) -> int:
        """Lines a row."""
        return int(self.factors.shape[1])

    @property
    def number(self) -> Shape:
        """Shape of x."""
        return range_shape(*self.bounds)

    def _ends(self) -> tuple[np.ndarray, np.ndarray]:
        """Give the least and greatest x of each piece; a piece without any has the greater first."""
        low, high = self.bounds
        inner = np.clip(self.breaks, low, high + 1)
        edge = np.ones((len(inner), 1), dtype=np.int64)
        return np.hstack([low * edge, inner]), np.hstack([inner - 1, high * edge])

    def reduced(self) -> Lines:
        """Give the same function with fewer pieces and narrower numbers.

        Pieces that no x reaches take the place of a neighbour, equal neighbours become one piece, and powers of two that all
        factors share come off the shift.
        """
        first, last = self._ends()
        reached = first <= last
        number = np.maximum.accumulate(np.where(reached, np.arange(self.pieces), -1), axis=1)
        source = np.where(number < 0, np.argmax(reached, axis=1)[:, None], number)
        factors, offsets = (np.take_along_axis(table, source, axis=1) for table in (self.factors, self.offsets))
        changes = np.any((np.diff(factors) != 0) | (np.diff(offsets) != 0), axis=0)
        kept = np.concatenate([[True], changes])
        factors, offsets = factors[:, kept], offsets[:, kept]
        common = int(np.gcd.reduce(factors, axis=None))
        if self.even:
            # Only zeros may go, as it is seen whether all that is dropped is zero; one bit is left to see.
            common = int(np.gcd(common, np.gcd.reduce(offsets, axis=None)))
        most = self.shift - self.even
        zeros = min(most, (common & -common).bit_length() - 1) if common else most
        return replace(
            self,
            breaks=self.breaks[:, changes],
            factors=factors >> zeros,
            offsets=offsets >> zeros,
            shift=self.shift - zeros,
        )

    def _bounds(self, offsets: np.ndarray) -> tuple[int, int]:
        first, last = self._ends()
        reached = first <= last
        ends = np.stack([self.factors * first + offsets, self.factors * last + offsets])[:, reached]
        return int(ends.min()), int(ends.max())

    @cached_property
    def products(self) -> tuple[int, int]:
        """Least and greatest product."""
        return self._bounds(np.zeros_like(self.offsets))

    @cached_property
    def sums(self) -> tuple[int, int]:
        """Least and greatest sum."""
        return self._bounds(self.offsets)

    @cached_property
    def constant(self) -> int | None:
        """The factor, if it is the same everywhere and of few signed digits."""
        first = int(self.factors.flat[0])
        few = np.all(self.factors == first) and len(signed_digits(first)) <= FEW_DIGITS
        return first if few else None

    @cached_property
    def exponents(self) -> list[int] | None:
        """The exponents of all factors, if these are powers of two, or 0, and few different ones."""
        powers = [int(factor) for factor in np.unique(self.factors) if factor]
        if self.constant is not None or len(powers) > FEW_SHIFTS or any(f < 0 or f & (f - 1) for f in powers):
            return None
        return [factor.bit_length() - 1 for factor in powers]

    @property
    def multiplies(self) -> bool:
        """Whether there is a multiplier."""
        return self.constant is None and self.exponents is None

    @cached_property
    def factor(self) -> Shape:
        """Shape of a factor as the table holds it: a bit for each exponent, where these are few."""
        if self.exponents is not None:
            return Shape(len(self.exponents))
        return range_shape(int(self.factors.min()), int(self.factors.max()))

    @cached_property
    def offset(self) -> Shape:
        """Shape of an offset."""
        return range_shape(int(self.offsets.min()), int(self.offsets.max()))

    @property
    def varies(self) -> bool:
        """Whether factors or offsets differ from piece to piece or row to row."""
        return any(bool(np.any(table != table[0, 0])) for table in (self.factors, self.offsets))

    def depends_on_beat(self, lanes: int) -> bool:
        """Tell whether any table differs from one beat of a frame to the next."""
        tables = (self.breaks, self.factors, self.offsets)
        return any(bool(np.any(table != np.tile(table[:lanes], (len(table) // lanes, 1)))) for table in tables)

    @cached_property
    def fields(self) -> list[tuple[np.ndarray, int]]:
        """The entries of factors and of offsets as bits, shape (rows, pieces), and their width: none for a constant."""
        factors = self.factors
        if self.exponents is not None:
            places = np.arange(len(self.exponents))
            factors = np.sum((factors[..., None] >> self.exponents & 1) << places, axis=-1)
        fields = []
        for table, shape in ((factors, self.factor), (self.offsets, self.offset)):
            width = shape.width if np.any(table != table[0, 0]) else 0
            fields.append((table & ((1 << width) - 1), width))
        return fields

    @property
    def part_bits(self) -> int:
        """Bits of each part of a multiplier's operand but the last; where any number has a sign, a part without one takes its bit."""
        return MULTIPLIER_BITS - (self.number.signed or self.factor.signed)

    @property
    def parts(self) -> tuple[int, int]:
        """Into how many parts a multiplier's operands are split."""
        number, factor = (
            max(1, -(-(shape.width - shape.signed) // self.part_bits)) for shape in (self.number, self.factor)
        )
        return number, factor

    @property
    def search_stages(self) -> int:
        """Registers of the search for the piece."""
        return LevelSearch.stages_of(self.pieces - 1)

    @property
    def fetch_stages(self) -> int:
        """Registers in front of the product: the table's and the operands'."""
        return 2 if self.varies else int(self.multiplies)

    @property
    def product_stages(self) -> int:
        """Registers of the product: none where it is a shifted number, one more where parts are added."""
        if self.constant is not None:
            return int(len(signed_digits(self.constant)) > 1)
        return 1 + int(self.multiplies and self.parts != (1, 1))

    @property
    def sum_stages(self) -> int:
        """Registers of the sum: none where nothing is added."""
        return int(bool(np.any(self.offsets)))

    @property
    def stages(self) -> int:
        """Registers from x to its code."""
        return self.search_stages + self.fetch_stages + self.product_stages + self.sum_stages + 1
