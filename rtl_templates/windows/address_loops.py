"""Nested loops over the words of two banks, as a writer or a reader of these goes: an address, and when a bank is done."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from amaranth.hdl import Cat, Module, Signal, Value

from hwgen.rtl_templates.bill import Bill, bits_of, gates_of
from hwgen.rtl_templates.cost import Part
from hwgen.rtl_templates.windows.loop_nest import LoopNest

__all__ = ["AddressLoops"]


class AddressLoops:
    """Counters of nested loops over a bank of ``length`` words, the other bank in every second turn.

    Where all rounds are powers of two, and strides those of fields of bits, one number counts all loops, and the address is some of its bits: no adder, no
    choice of what it adds, and no counter of a loop that waits for another one. Elsewhere it is a walk of a `LoopNest`.

    Parameters
    ----------
    m : Module
        Gets the counters.
    name : str
        Of the address.
    step : Value
        The present step is done.
    counts : mapping of str to int
        Rounds of each loop by its name, innermost first.
    strides : mapping of str to int
        Words by which a round of a loop moves the address; a loop that is not among them does not.
    length : int
    """

    def __init__(
        self, m: Module, name: str, step: Value, counts: Mapping[str, int], strides: Mapping[str, int], length: int
    ) -> None:
        self.index: dict[str, Value] = {}
        if not self.are_fields(counts, strides, length):
            nest = LoopNest(m, step, counts)
            self.index = nest.index
            self.ends: Value = nest.wraps[list(counts)[-1]]
            """The last step of a bank is done."""
            self.address = nest.walk(name, strides, period=length, start=0, modulus=2 * length)
            return
        total, first = prod(counts.values()), 0
        count, is_last = Signal(range(2 * total), name=f"{name}_steps"), Signal(name=f"{name}_is_last", init=total == 1)
        for loop, rounds in counts.items():
            self.index[loop] = count[first : first + bits_of(rounds)]
            first += bits_of(rounds)
        with m.If(step):
            m.d.sync += count.eq(count + 1)
            if total > 1:
                m.d.sync += is_last.eq(count[:-1] == total - 2)
        self.ends = step & is_last
        moving = sorted((stride, loop) for loop, stride in strides.items() if stride and counts.get(loop, 1) > 1)
        self.address = Cat(*(self.index[loop] for _, loop in moving), count[-1])

    @staticmethod
    def are_fields(counts: Mapping[str, int], strides: Mapping[str, int], length: int) -> bool:
        """Tell whether all loops are fields of bits of one number, and those with a stride all of the address but its bank."""
        place = 1
        for stride, rounds in sorted((strides.get(loop, 0), rounds) for loop, rounds in counts.items() if rounds > 1):
            if rounds & (rounds - 1) or stride not in (0, place):
                return False
            place *= rounds if stride else 1
        return place == length

    @classmethod
    def bill(cls, counts: Mapping[str, int], strides: Mapping[str, int], length: int) -> Bill:
        """Give what they are made of."""
        if not cls.are_fields(counts, strides, length):
            bill = LoopNest.bill(counts.values())
            bill.include(LoopNest.walk_bill(counts, strides, period=length, modulus=2 * length))
            return bill
        bill, total = Bill(), prod(counts.values())
        bill.pointer(2 * total)
        if total > 1:
            bill.register(1)
            bill.add(Part.OTHER, 1 + gates_of(bits_of(total)))
        return bill
