"""First in, first out: registers when small, LUT RAM in between, block RAM when large."""

from amaranth.hdl import Module, Mux, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.cost import MemoryKind, MemoryShape, Part
from hwgen.rtl_templates.memory import MEMORY_ATTRIBUTES, NO_COLLISION, MemoryStyle, suits_block_ram

__all__ = ["FULL_RATE_DEPTH", "Fifo", "wrapping"]

FULL_RATE_DEPTH = 2
"""Words from which a FIFO takes and gives one in every cycle."""

REGISTER_DEPTH = 4
"""Words up to which a chain of registers costs no more than a memory and its read multiplexer."""


def wrapping(pointer: Value, depth: int) -> Value:
    """Give the pointer that follows, round a memory of ``depth`` rows."""
    if depth & (depth - 1) == 0:
        return (pointer + 1)[: len(pointer)]
    return Mux(pointer == depth - 1, 0, pointer + 1)


class Fifo(wiring.Component):
    """Queue of exactly ``depth`` words; takes and gives one in every cycle (from `FULL_RATE_DEPTH` on).

    A word taken in cycle t can be transferred from cycle ``t + Fifo.latency(depth, width)`` on. Neither ``i.ready`` nor ``o.valid`` depends on the other
    side's signals in the same cycle.

    Parameters
    ----------
    width : int
        Bits of a word.
    depth : int
        Words, at least 1.

    Members
    -------
    i : ``In(stream.Signature(width))``
    o : ``Out(stream.Signature(width))``

    Raises
    ------
    ValueError
        If the depth is less than 1.
    """

    def __init__(self, width: int, depth: int) -> None:
        if depth < 1:
            raise ValueError(f"A FIFO holds at least 1 word, not {depth}")
        self.width = width
        self.depth = depth
        super().__init__({"i": In(stream.Signature(unsigned(width))), "o": Out(stream.Signature(unsigned(width)))})

    @staticmethod
    def latency(depth: int, width: int) -> int:
        """Cycles from taking a word to the first cycle in which it can leave: 2 through block RAM, else 1."""
        return 2 if suits_block_ram(depth, width) else 1

    @staticmethod
    def bill(name: str, width: int, depth: int) -> Bill:
        """Give what it is made of: whether it is full, and whether it holds a word, are two LUTs each."""
        bill = Bill()
        bill.add(Part.OTHER, 4)
        bill.register(2)
        bill.level(depth + 1)
        if suits_block_ram(depth, width):
            bill.level(depth + 1)
            bill.register(1)
            bill.add(Part.OTHER, 2)
            bill.memories.append(MemoryShape(name, depth, width, MemoryStyle.BLOCK))
        elif depth > REGISTER_DEPTH:
            bill.memories.append(MemoryShape(name, depth, width, MemoryStyle.DISTRIBUTED, MemoryKind.QUEUE))
        else:
            bill.register(width * depth)
            # Each word but the last takes the one behind it or the new one; it is told which, and when.
            bill.add(Part.SHIFT_BIT, width * (depth - 1))
            bill.add(Part.OTHER, 2 * depth - 1)
        for _ in range(2 * len(bill.memories)):
            bill.pointer(depth)
            bill.add(Part.OTHER, 1)
        return bill

    def elaborate(self, platform: object) -> Module:
        """Count the words inside; the kind of storage decides where they are."""
        m = Module()
        level = Signal(range(self.depth + 1))
        full = Signal()
        put = Signal()
        take = Signal()
        m.d.comb += [
            self.i.ready.eq(~full),
            put.eq(self.i.valid & self.i.ready),
            take.eq(self.o.valid & self.o.ready),
        ]
        # Whether the queue is full or holds a word are registers of their own: no comparison delays a handshake.
        m.d.sync += full.eq(~take & (full | (put & (level == self.depth - 1))))
        # No enable: it would be one more wire behind both handshakes.
        m.d.sync += level.eq(level + put - take)
        if suits_block_ram(self.depth, self.width):
            self._store_in_block_ram(m, put)
        elif self.depth > REGISTER_DEPTH:
            self._store_in_lut_ram(m, self._holds(m, level, put, take), put, take)
        else:
            self._store_in_registers(m, level, put, take)
        return m

    @staticmethod
    def _holds(m: Module, level: Value, put: Value, take: Value) -> Signal:
        """Give whether ``level`` is not 0."""
        holds = Signal()
        m.d.sync += holds.eq(put | (holds & ~(take & (level == 1))))
        return holds

    def _store_in_registers(self, m: Module, level: Value, put: Value, take: Value) -> None:
        """Shift towards the output; a new word goes behind the last."""
        words = [Signal(self.width, name=f"word_{n}", reset_less=True) for n in range(self.depth)]
        m.d.comb += [self.o.valid.eq(self._holds(m, level, put, take)), self.o.payload.eq(words[0])]
        for n, word in enumerate(words):
            # The word in front of the queue's end may be overwritten freely: nobody reads it before the next put.
            if n + 1 == len(words):
                with m.If(put):
                    m.d.sync += word.eq(self.i.payload)
                continue
            behind = Signal(name=f"ends_before_{n + 1}")
            m.d.comb += behind.eq((level <= n) | ((level == n + 1) & take))
            with m.If(take | behind):
                m.d.sync += word.eq(Mux(behind, self.i.payload, words[n + 1]))

    def _store_in_lut_ram(self, m: Module, holds: Value, put: Value, take: Value) -> None:
        attributes = MEMORY_ATTRIBUTES[MemoryStyle.DISTRIBUTED] | NO_COLLISION
        m.submodules.words = memory = Memory(shape=self.width, depth=self.depth, init=[], attrs=attributes)
        write = memory.write_port()
        read = memory.read_port(domain="comb")
        m.d.comb += [
            write.en.eq(put),
            write.data.eq(self.i.payload),
            self.o.valid.eq(holds),
            self.o.payload.eq(read.data),
        ]
        self._move_pointers(m, write.addr, put, read.addr, take)

    def _store_in_block_ram(self, m: Module, put: Value) -> None:
        """The RAM's output register is the output word; it is filled as soon as it is free."""
        attributes = MEMORY_ATTRIBUTES[MemoryStyle.BLOCK] | NO_COLLISION
        m.submodules.words = memory = Memory(shape=self.width, depth=self.depth, init=[], attrs=attributes)
        write = memory.write_port()
        read = memory.read_port(domain="comb")
        word = Signal(self.width, reset_less=True)
        stored = Signal(range(self.depth + 1))
        fetch = Signal()
        valid = Signal()
        m.d.comb += [
            write.en.eq(put),
            write.data.eq(self.i.payload),
            fetch.eq(self._holds(m, stored, put, fetch) & (~valid | self.o.ready)),
            self.o.valid.eq(valid),
            self.o.payload.eq(word),
        ]
        with m.If(fetch):
            m.d.sync += word.eq(read.data)
        with m.If(~valid | self.o.ready):
            m.d.sync += valid.eq(fetch)
        with m.If(put != fetch):
            m.d.sync += stored.eq(stored + Mux(put, 1, -1))
        self._move_pointers(m, write.addr, put, read.addr, fetch)

    def _move_pointers(self, m: Module, write: Value, put: Value, read: Value, take: Value) -> None:
        for name, address, moves in (("write_pointer", write, put), ("read_pointer", read, take)):
            pointer = Signal(range(self.depth), name=name)
            m.d.comb += address.eq(pointer)
            with m.If(moves):
                m.d.sync += pointer.eq(wrapping(pointer, self.depth))
