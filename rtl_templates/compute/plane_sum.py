"""Count ones of different significance: a popcount for each power of two, then adders that are only as wide as they overlap."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hwgen.rtl_templates.compute.popcount import Popcount
from hwgen.rtl_templates.sum_bill import Sums

__all__ = ["PlaneSum"]


class _Term(NamedTuple):
    """A number of which a one counts ``2**plane``."""

    value: Value
    greatest: int
    plane: int


class PlaneSum(wiring.Component):
    """Sums ``2**e`` times the ones among the bits of plane e, over all planes.

    Planes of more than two bits leave one of theirs to the carry input of the adder that joins them to the lower planes.
    A new sum can start in every cycle; it takes as many cycles as there are registered levels. The popcounts of all planes have the same number
    of levels, those of the adders that join the planes follow.

    Parameters
    ----------
    sizes : sequence of int
        Bits of each plane, at least one.
    spare : bool
        Leave one bit of plane 0 out of ``o`` and hand it on as ``carry``.
    registers : collection of int
        Levels behind which registers stand, from 1 on.

    Members
    -------
    i : In(all bits)
        Plane 0 in the lowest bits.
    o : Out(range)
    carry : Out(1)
        The bit left out, in the cycle of ``o``; 0 without ``spare``.
    """

    def __init__(self, sizes: Sequence[int], *, spare: bool = False, registers: Collection[int] = ()) -> None:
        self.sizes = list(sizes)
        self.registers = frozenset(registers)
        self.height = self.height_of(sizes, spare)
        self.spares = self.spares_of(sizes, spare)
        inner = [level for level in self.registers if level <= self.height]
        self.counts = [
            Popcount(size, spare=left, registers=inner, height=self.height)
            for size, left in zip(sizes, self.spares, strict=True)
        ]
        greatest = sum(size << plane for plane, size in enumerate(sizes)) - spare
        super().__init__({"i": In(sum(sizes)), "o": Out(range(greatest + 1)), "carry": Out(1)})

    @staticmethod
    def spares_of(sizes: Sequence[int], spare: bool) -> list[bool]:
        """Tell which planes leave a bit: with one or two bits in one of them, not every join has an adder to take it."""
        return [spare, *[min(sizes) > 2] * (len(sizes) - 1)]

    @classmethod
    def height_of(cls, sizes: Sequence[int], spare: bool) -> int:
        """Give the levels of every plane's popcount."""
        return max(Popcount.levels(*plane) for plane in zip(sizes, cls.spares_of(sizes, spare), strict=True))

    @classmethod
    def levels(cls, sizes: Sequence[int], spare: bool) -> int:
        """Levels of adders: those of the highest popcount, and those that join the planes."""
        return cls.height_of(sizes, spare) + int(ceil_log2(len(sizes)))

    @classmethod
    def popcount_sums(cls, sizes: Sequence[int], plane: int, spare: bool, registers: Sequence[int]) -> Sums:
        """Give what the popcount of one plane is made of."""
        sums, height = Sums(), cls.height_of(sizes, spare)
        inner = [level for level in registers if level <= height]
        Popcount.add_sums(sums, sizes[plane], cls.spares_of(sizes, spare)[plane], inner, height)
        return sums

    @classmethod
    @lru_cache(maxsize=4096)
    def sums(cls, sizes: tuple[int, ...], spare: bool, registers: tuple[int, ...]) -> Sums:
        """Give what it is made of."""
        height, spares = cls.height_of(sizes, spare), cls.spares_of(sizes, spare)
        inner = tuple(level for level in registers if level <= height)
        sums = Sums()
        for size, left in zip(sizes, spares, strict=True):
            Popcount.add_sums(sums, size, left, inner, height)
        terms = [(size - left, plane) for plane, (size, left) in enumerate(zip(sizes, spares, strict=True))]
        level = height
        while len(terms) > 1:
            level += 1
            joined = []
            for (low, plane), (high, upper) in zip(terms[::2], terms[1::2], strict=False):
                distance = upper - plane
                greatest = low + (high + spares[upper] << distance)
                if low.bit_length() > distance:
                    bits = greatest.bit_length() - distance
                    widest = max(low.bit_length() - distance, high.bit_length())
                    sums.adders[bits, spares[upper], bits > widest] += 1
                joined.append((greatest, plane))
            terms = joined + terms[len(terms) & ~1 :]
            if level in registers:
                sums.flipflops += sum(greatest.bit_length() for greatest, _ in terms) + len(terms) - 1 + spare
        return sums

    def elaborate(self, platform: object) -> Module:
        """Join neighbouring planes, level by level; each plane but the lowest is the upper one of a single join."""
        m = Module()
        terms, carries, first = [], {}, 0
        for plane, (count, size, spare) in enumerate(zip(self.counts, self.sizes, self.spares, strict=True)):
            m.submodules[f"plane_{plane}"] = count
            m.d.comb += count.i.eq(self.i[first : first + size])
            terms.append(_Term(count.o, size - spare, plane))
            carries[plane] = count.carry
            first += size
        level = self.height
        while len(terms) > 1:
            level += 1
            domain = "sync" if level in self.registers else "comb"
            joined = []
            for low, high in zip(terms[::2], terms[1::2], strict=False):
                value, greatest = self._join(low, high, carries.pop(high.plane))
                joined.append(_Term(value, greatest, low.plane))
            terms = joined + terms[len(terms) & ~1 :]
            for number, (value, greatest, plane) in enumerate(terms):
                total = Signal(range(greatest + 1), name=f"planes_{level}_{plane}", reset_less=True)
                m.d[domain] += total.eq(value)
                terms[number] = _Term(total, greatest, plane)
            if level in self.registers:
                for plane, carry in carries.items():
                    carries[plane] = delayed = Signal(name=f"carry_{level}_{plane}", reset_less=True)
                    m.d.sync += delayed.eq(carry)
        m.d.comb += [self.o.eq(terms[0].value), self.carry.eq(carries[0])]
        return m

    def _join(self, low: _Term, high: _Term, carry: Value) -> tuple[Value, int]:
        """Add two neighbours of different significance: the bits below the upper one pass by the adder."""
        distance = high.plane - low.plane
        greatest = low.greatest + (high.greatest + self.spares[high.plane] << distance)
        if len(low.value) == distance:  # at least: every plane has a bit
            return Cat(low.value, high.value), greatest
        above = low.value[distance:]
        if not self.spares[high.plane]:
            return Cat(low.value[:distance], above + high.value), greatest
        return Cat(low.value[:distance], (Cat(Const(1, 1), above) + Cat(carry, high.value))[1:]), greatest
