"""The state of a recurrent cell: the one that is read while the next one is written."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill, bits_of
from hwgen.rtl_templates.cost import MemoryShape, Part
from hwgen.rtl_templates.memory import MEMORY_ATTRIBUTES, NO_COLLISION, style_of
from hwgen.rtl_templates.windows.loop_nest import LoopNest

__all__ = ["StateBank"]


class StateBank(wiring.Component):
    """Two banks: columns of a state are read from one, in any order, while the beats of the next state go into the other.

    A frame begins with a state that is loaded into the bank that its first step reads. A beat can be read in the cycle after it came.

    Parameters
    ----------
    bits : int
        Of a code.
    pe, simd : int
        Codes of a beat that is written, and of one that is read; one divides the other.
    beats : int
        Beats of a state, as they are written.

    Members
    -------
    load : In(1)
        ``data`` is a beat of the state with which a frame begins.
    put : In(1)
        ``data`` is a beat of a step's state; never together with ``load``, unless ``last``.
    last : In(1)
        That step is the frame's last one, whose state nobody reads.
    data : In(pe * bits)
    read : In(1)
        Give part ``part`` of word ``word`` in the next cycle.
    part, word : In
    ends : In(1)
        With this, the step has read all; the next one reads the other bank.
    is_last : In(1)
        The step that ends is the frame's last one.
    columns : Out(simd * bits)
    """

    def __init__(self, *, bits: int, pe: int, simd: int, beats: int) -> None:
        self.bits, self.pe, self.simd = bits, pe, simd
        self.pieces, self.parts, self.words = self.sizes(pe, simd, beats)
        super().__init__(
            {
                **dict.fromkeys(("load", "put", "last", "read", "ends", "is_last"), In(1)),
                "data": In(pe * bits),
                "part": In(range(self.parts)),
                "word": In(range(self.words)),
                "columns": Out(simd * bits),
            }
        )

    @staticmethod
    def sizes(pe: int, simd: int, beats: int) -> tuple[int, int, int]:
        """Give the beats that make up a word, the parts that it is read in, and the words of a state."""
        word = max(pe, simd)
        return word // pe, word // simd, beats * pe // word

    @classmethod
    def bill(cls, name: str, *, bits: int, pe: int, simd: int, beats: int) -> Bill:
        """Give what it is made of: the places of what is loaded and of what is written, both banks' numbers, the memory, and its register."""
        pieces, parts, words = cls.sizes(pe, simd, beats)
        bill = Bill()
        for _ in range(2):
            bill.include(LoopNest.bill([pieces, words]))
        bill.register(2)
        bill.add(Part.OTHER, 4 + pieces + 2 * bits_of(2 * words))
        depth, width = 2 * words, max(pe, simd) * bits
        bill.memories.append(MemoryShape(name, depth, width, style_of(depth, width), piece=pe * bits))
        bill.register(width + bits_of(parts))
        if parts > 1:
            bill.add(Part.OTHER, simd * bits * (parts - 1))
        return bill

    def elaborate(self, platform: object) -> Module:
        """Count both sides' places; the banks change at the end of a state."""
        m = Module()
        width, depth = self.pieces * self.pe * self.bits, 2 * self.words
        attributes = MEMORY_ATTRIBUTES[style_of(depth, width)] | NO_COLLISION
        m.submodules.states = memory = Memory(shape=unsigned(width), depth=depth, init=[], attrs=attributes)
        write = memory.write_port(granularity=self.pe * self.bits if self.pieces > 1 else None)
        read = memory.read_port(domain="comb")  # with the register `held` it is a block RAM's read port, too
        first = LoopNest(m, self.load, {"first_piece": self.pieces, "first_word": self.words})
        own = LoopNest(m, self.put, {"piece": self.pieces, "own_word": self.words})
        read_bank, write_bank = Signal(), Signal(init=1)
        with m.If(self.ends):
            m.d.sync += read_bank.eq(~self.is_last & ~read_bank)
        with m.If(own.wraps["own_word"] & own.is_last["own_word"]):
            m.d.sync += write_bank.eq(self.last | ~write_bank)
        piece = Mux(self.load, first.index["first_piece"], own.index["piece"])
        keep = self.load | (self.put & ~self.last)
        held, part = Signal(width, reset_less=True), Signal(range(self.parts), reset_less=True)
        with m.If(self.read):
            m.d.sync += [held.eq(read.data), part.eq(self.part)]
        m.d.comb += [
            write.addr.eq(
                Mux(self.load, first.index["first_word"], Mux(write_bank, self.words, 0) + own.index["own_word"])
            ),
            write.data.eq(self.data.replicate(self.pieces)),
            write.en.eq(Cat(keep & (piece == n) for n in range(self.pieces)) if self.pieces > 1 else keep),
            read.addr.eq(Mux(read_bank, self.words, 0) + self.word),
            self.columns.eq(held.word_select(part, self.simd * self.bits) if self.parts > 1 else held),
        ]
        return m
