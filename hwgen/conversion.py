"""How real numbers become integers: what a user chooses, and a network keeps."""

from __future__ import annotations

from dataclasses import dataclass

from hwgen.errors import OptionError

__all__ = ["Conversion"]


@dataclass(frozen=True)
class Conversion:
    """How real numbers become integers; another model is made alike by the same.

    Parameters
    ----------
    strict : bool
        Refuse a Sign that can see exactly 0, instead of taking +1.
    exact : bool
        Refuse whatever is no exact calculation of integers.
    fixed_bits : int
        Bits of a stream of real numbers.
    weight_bits : int
        Bits of real weights.
    ranges : tuple of (str, float, float)
        Least and greatest value of tensors, from data; a tensor that is not named takes its full reachable range.

    Raises
    ------
    OptionError
        If a number of bits is out of range.
    """

    strict: bool = False
    exact: bool = False
    fixed_bits: int = 16
    weight_bits: int = 8
    ranges: tuple[tuple[str, float, float], ...] = ()

    def __post_init__(self) -> None:
        if not 4 <= self.fixed_bits <= 24:
            raise OptionError(f"Streams of real numbers take 4 to 24 bits, not {self.fixed_bits} (--fixed-bits)")
        if not 2 <= self.weight_bits <= 16:
            raise OptionError(f"Real weights take 2 to 16 bits, not {self.weight_bits} (--weight-bits)")

    def range_of(self, tensor: str) -> tuple[float, float] | None:
        """Give the least and the greatest value of a tensor; None where no data told them."""
        return next(((low, high) for name, low, high in self.ranges if name == tensor), None)
