"""Read-only memory, pipelined."""

from collections.abc import Sequence

from amaranth.hdl import Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.storage import ROM_ATTRIBUTES, suits_block_ram

__all__ = ["Rom"]


class Rom(wiring.Component):
    """Gives the word at ``address`` ``latency`` cycles later; a memory of equal words is a constant.

    The outputs of block RAMs are slow (2 ns on iCE40, 6 ns on ECP5), so a register follows them; a table in LUTs has that register in front.

    Parameters
    ----------
    words : sequence of int
    width : int
        Bits of a word.
    block : bool or None
        In block RAM (True), in LUTs (False), or where its size suits (None).
    latency : int
        `LATENCY`, or 1 where there is no time for the second register.

    Members
    -------
    address : In(range(len(words)))
    data : Out(width)
    """

    LATENCY = 2

    def __init__(self, words: Sequence[int], width: int, *, block: bool | None = None, latency: int = LATENCY) -> None:
        self.words = words
        self.latency = latency
        self.block = suits_block_ram(len(words), width) if block is None else block
        super().__init__({"address": In(range(len(words))), "data": Out(width)})

    def elaborate(self, platform: object) -> Module:
        """Place the registers around the memory as its kind needs them."""
        m = Module()
        if self.words.count(self.words[0]) == len(self.words):
            m.d.comb += self.data.eq(Const(self.words[0], len(self.data)))
            return m
        m.submodules.words = memory = Memory(
            shape=len(self.data), depth=len(self.words), init=self.words, attrs=ROM_ATTRIBUTES[self.block]
        )
        read = memory.read_port(domain="sync" if self.block else "comb")
        two = self.latency > 1
        address = Signal.like(self.address, name="address_register", reset_less=True)
        word = Signal(len(self.data), name="word", reset_less=True)
        m.d.sync += [address.eq(self.address), word.eq(read.data)]
        m.d.comb += [
            read.addr.eq(address if two and not self.block else self.address),
            self.data.eq(word if two or not self.block else read.data),
        ]
        return m
