"""Streams of constants: words that are given again and again, beside streams that come from elsewhere."""

from collections.abc import Mapping, Sequence

import numpy as np
from amaranth.hdl import Const, Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.compute.channel_table import read_rom, read_rom_bill
from hwgen.rtl_templates.cost import Part
from hwgen.rtl_templates.memory import MemoryStyle

__all__ = ["Replay", "Supplied"]


class Replay(wiring.Component):
    """Gives words in turn, from the last one back to the first; a word is there in every cycle, from reset on.

    Words that repeat themselves are kept once.

    Parameters
    ----------
    words : sequence of int
    width : int
        Bits of a word.
    style : MemoryStyle
        Memory of the words, see `read_rom`.

    Members
    -------
    o : ``Out(stream.Signature(width))``
    """

    def __init__(self, words: Sequence[int], width: int, style: MemoryStyle = MemoryStyle.AUTO) -> None:
        self.words = _once(words)
        self.width = width
        self.style = style
        super().__init__({"o": Out(stream.Signature(unsigned(width)))})

    @staticmethod
    def bill(name: str, words: Sequence[int], width: int, style: MemoryStyle = MemoryStyle.AUTO) -> Bill:
        """Give what it is made of: the memory, its address, and the first word after reset; nothing if all words are equal."""
        bill, kept = Bill(), _once(words)
        if len(kept) > 1:
            bits = np.array([[word >> bit & 1 for bit in range(width)] for word in kept], dtype=np.int64)
            bill.include(read_rom_bill(name, bits, 1, style))
            bill.counter(len(kept))
            bill.register(1)
            bill.add(Part.OTHER, width)
        return bill

    def elaborate(self, platform: object) -> Module:
        """Read the next word as the present one leaves; what leaves first is a constant, as nothing was read before."""
        m = Module()
        depth, first = len(self.words), Const(self.words[0], self.width)
        m.d.comb += self.o.valid.eq(1)
        if depth == 1:
            m.d.comb += self.o.payload.eq(first)
            return m
        following = Signal(range(depth), init=1)
        begins = Signal(init=1)
        word = read_rom(m, "words", self.words, self.width, following, self.style, self.o.ready)
        m.d.comb += self.o.payload.eq(Mux(begins, first, word))
        with m.If(self.o.ready):
            m.d.sync += [following.eq(Mux(following == depth - 1, 0, following + 1)), begins.eq(0)]
        return m


class Supplied(wiring.Component):
    """A unit some of whose streams are constants, and the others its ports.

    Parameters
    ----------
    unit : Component
        With ports ``i_0``, ``i_1``, ... and ``o``.
    count : int
        Streams that it reads.
    constants : mapping of int to Replay
        What gives some of them.

    Members
    -------
    i, or i_0, i_1, ... : In
        The others, in their order.
    o : Out
    """

    def __init__(self, unit: wiring.Component, count: int, constants: Mapping[int, Replay]) -> None:
        self._unit = unit
        self._constants = dict(constants)
        free = [f"i_{k}" for k in range(count) if k not in constants]
        self._ports = {port: "i" if len(free) == 1 else f"i_{k}" for k, port in enumerate(free)}
        members = unit.signature.members
        super().__init__({**{outer: members[inner] for inner, outer in self._ports.items()}, "o": members["o"]})

    def elaborate(self, platform: object) -> Module:
        """Connect each port and each constant."""
        m = Module()
        m.submodules.unit = self._unit
        for inner, outer in self._ports.items():
            wiring.connect(m, wiring.flipped(getattr(self, outer)), getattr(self._unit, inner))
        for k, constant in self._constants.items():
            m.submodules[f"constant_{k}"] = constant
            wiring.connect(m, constant.o, getattr(self._unit, f"i_{k}"))
        wiring.connect(m, self._unit.o, wiring.flipped(self.o))
        return m


def _once(words: Sequence[int]) -> list[int]:
    """Give the shortest sequence that is the words when repeated."""
    count = len(words)
    return next(
        list(words[:size])
        for size in range(1, count + 1)
        if count % size == 0 and all(word == words[place % size] for place, word in enumerate(words))
    )
