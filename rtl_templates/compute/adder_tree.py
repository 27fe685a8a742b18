"""Balanced adder tree with exact widths, registers between its levels, and a third operand bit in every adder."""

from collections.abc import Collection, Sequence
from functools import lru_cache

from amaranth.hdl import Cat, Const, Module, Shape, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hwgen.rtl_templates.sum_bill import Sums

__all__ = ["AdderTree", "range_shape"]


def range_shape(low: int, high: int) -> Shape:
    """Give the narrowest shape that holds ``low .. high``, at least one bit wide."""
    shape = Shape.cast(range(low, high + 1))
    return shape if shape.width else Shape(1, signed=shape.signed)


class AdderTree(wiring.Component):
    """Adds operands of known ranges in ``levels(operands)`` levels of two-input adders.

    A bit of ``carries`` rides on an adder's carry input, where it costs nothing: a tree of n operands adds n - 1 more bits.
    A new sum can start in every cycle; it takes as many cycles as there are registered levels.

    Parameters
    ----------
    ranges : sequence of (int, int)
        Least and greatest value of each operand.
    carries : int
        Single bits added besides, at most ``len(ranges) - 1``; the operands are then unsigned.
    registers : collection of int
        Levels behind which registers stand; level 0 is the operands themselves.
    height : int or None
        Levels that the sum runs through, at least ``levels(operands)``; None: those.

    Members
    -------
    i : In(bits)
        The operands, the first in the lowest bits, each in `range_shape` of its range.
    carry : In(carries)
    o : Out(range_shape(*bounds))

    Raises
    ------
    ValueError
        If there are more carries than adders, or carries beside negative operands.
    """

    def __init__(
        self,
        ranges: Sequence[tuple[int, int]],
        *,
        carries: int = 0,
        registers: Collection[int] = (),
        height: int | None = None,
    ) -> None:
        if carries > len(ranges) - 1:
            raise ValueError(
                f"A tree of {len(ranges)} operands takes at most {len(ranges) - 1} carry bits, not {carries}"
            )
        if carries and min(low for low, _ in ranges) < 0:
            raise ValueError("A tree with carry bits needs operands that are not negative")
        self.ranges = list(ranges)
        self.carries = carries
        self.registers = frozenset(registers)
        self.height = self.levels(len(ranges)) if height is None else height
        self.bounds = (sum(low for low, _ in ranges), sum(high for _, high in ranges) + carries)
        width = sum(range_shape(*bounds).width for bounds in ranges)
        super().__init__({"i": In(width), "carry": In(carries), "o": Out(range_shape(*self.bounds))})

    @staticmethod
    def levels(operands: int) -> int:
        """Levels of adders above ``operands`` numbers."""
        return int(ceil_log2(operands))

    @classmethod
    @lru_cache(maxsize=4096)
    def sums(cls, low: int, high: int, operands: int, registers: tuple[int, ...]) -> Sums:
        """Give what a tree of so many equal operands is made of."""
        sums = Sums()
        cls.add_sums(sums, [(low, high)] * operands, 0, registers, cls.levels(operands))
        return sums

    @staticmethod
    def add_sums(
        sums: Sums, ranges: Sequence[tuple[int, int]], carries: int, registers: Collection[int], height: int
    ) -> None:
        """Add what a tree is made of."""
        terms = list(ranges)
        sizes, lone = [range_shape(*bounds).width for bounds in terms], len(terms)
        for level in range(height + 1):
            if level:
                added, widths = [], []
                for (a_low, a_high), (b_low, b_high) in zip(terms[::2], terms[1::2], strict=False):
                    carry = int(carries > 0)
                    carries -= carry
                    added.append((a_low + b_low, a_high + b_high + carry))
                    widths.append(range_shape(*added[-1]).width)
                    widest = max(sizes[2 * len(added) - 2 : 2 * len(added)])
                    sums.adders[widths[-1], bool(carry), widths[-1] > widest] += 1
                lone = min(lone & 1, len(terms) & 1)
                terms, sizes = added + terms[len(terms) & ~1 :], widths + sizes[len(terms) & ~1 :]
            if level in registers:
                sums.flipflops += sum(sizes) + carries
                sums.lone += sum(sizes[len(sizes) - lone :]) + carries

    def elaborate(self, platform: object) -> Module:
        """Add neighbours, level by level."""
        m = Module()
        terms, offset = [], 0
        for bounds in self.ranges:
            shape = range_shape(*bounds)
            field = self.i[offset : offset + shape.width]
            terms.append((field.as_signed() if shape.signed else field, bounds))
            offset += shape.width
        carries = list(self.carry)

        def place(value: Value, bounds: tuple[int, int], level: int, name: str) -> Signal:
            """Give a number its name at a level, behind a register or not."""
            signal = Signal(range_shape(*bounds), name=f"{name}_{level}", reset_less=True)
            m.d["sync" if level in self.registers else "comb"] += signal.eq(value)
            return signal

        for level in range(self.height + 1):
            if level:
                added = []
                for (a, (a_low, a_high)), (b, (b_low, b_high)) in zip(terms[::2], terms[1::2], strict=False):
                    if carries:
                        total = (Cat(Const(1, 1), a) + Cat(carries.pop(0), b))[1:]
                        added.append((total, (a_low + b_low, a_high + b_high + 1)))
                    else:
                        added.append((a + b, (a_low + b_low, a_high + b_high)))
                terms = added + terms[len(terms) & ~1 :]
            terms = [(place(value, bounds, level, f"sum{n}"), bounds) for n, (value, bounds) in enumerate(terms)]
            if level in self.registers:
                carries = [place(bit, (0, 1), level, f"carry{n}") for n, bit in enumerate(carries)]
        m.d.comb += self.o.eq(terms[0][0])
        return m
