"""Replay vectors: the buffer that holds a dense layer's input while its row folds are computed."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill, bits_of
from hwgen.rtl_templates.cost import Part
from hwgen.rtl_templates.memory import MEMORY_ATTRIBUTES, NO_COLLISION, style_of
from hwgen.rtl_templates.streams.fifo import wrapping

__all__ = ["VectorBuffer"]


class VectorBuffer(wiring.Component):
    """Hands each vector of ``length`` beats on ``repeats`` times in a row, and takes the following ones in meanwhile.

    In the first pass a beat follows its arrival by `READ_LATENCY` cycles; later passes wait for nothing. The room of a vector is free in the
    cycle after its last beat left for the last time. The output is a register, so that whoever reads may decide late.

    Parameters
    ----------
    width : int
        Bits of a beat.
    length : int
        Beats of a vector.
    repeats : int
        How often each vector is handed on.
    capacity : int
        Beats that the buffer holds, at least ``length``; with two vectors it never costs a cycle.

    Members
    -------
    i : ``In(stream.Signature(width))``
    o : ``Out(stream.Signature(width))``

    Raises
    ------
    ValueError
        If not even one vector has room.
    """

    READ_LATENCY = 2

    def __init__(self, width: int, length: int, repeats: int, capacity: int) -> None:
        if capacity < length:
            raise ValueError(f"A buffer of {capacity} beats cannot hold a vector of {length}")
        self.width = width
        self.length = length
        self.repeats = repeats
        self.capacity = capacity
        super().__init__({"i": In(stream.Signature(unsigned(width))), "o": Out(stream.Signature(unsigned(width)))})

    @staticmethod
    def bill(name: str, width: int, length: int, repeats: int, capacity: int) -> Bill:
        """Give what it is made of: the counts of used and of unseen rows, the counters of a vector, the pointers, and the memory."""
        bill = Bill()
        bill.add(Part.UNIT, 1)
        bill.register(2 + 4)
        bill.add(Part.OTHER, 7)
        bill.level(capacity + 1)
        # What a vector's end frees is added to what came in.
        bill.level(capacity + 1)
        bill.add(Part.OTHER, bin(length).count("1"))
        bill.counter(repeats)
        for _ in range(2):
            bill.pointer(capacity)
        # The column of a vector is part of the row's address where both are powers of two.
        (bill.twin if capacity == 2 * length and length & (length - 1) == 0 else bill.counter)(length)
        bill.add(Part.SHIFT_BIT, bits_of(capacity))
        bill.register(bits_of(capacity))
        bill.memory(name, capacity, width)
        return bill

    def elaborate(self, platform: object) -> Module:
        """Two sides on one memory: the writer counts used rows, the reader counts beats that it has not seen yet."""
        m = Module()
        attributes = MEMORY_ATTRIBUTES[style_of(self.capacity, self.width)] | NO_COLLISION
        m.submodules.beats = memory = Memory(shape=self.width, depth=self.capacity, init=[], attrs=attributes)
        write = memory.write_port()
        read = memory.read_port(domain="comb")  # with the register `beat` it is a block RAM's read port, too
        beat = Signal(self.width, reset_less=True)
        # Whether there is room, and whether the next beat may be read, are registers of their own: nothing is compared behind a handshake.
        used, full = Signal(range(self.capacity + 1)), Signal()
        unseen, may_read = Signal(range(self.capacity + 1)), Signal()
        column = Signal(range(self.length))
        repeat, first_pass = Signal(range(self.repeats)), Signal(init=1)
        write_pointer = Signal(range(self.capacity))
        read_pointer = Signal(range(self.capacity))
        vector_start = Signal(range(self.capacity))
        valid = Signal()
        final = Signal()
        put, fetch, sees, last_pass, last_column, frees, sees_more, knows_next = (
            Signal(name=name)
            for name in ("put", "fetch", "sees", "last_pass", "last_column", "frees", "sees_more", "knows_next")
        )

        m.d.comb += [
            self.i.ready.eq(~full),
            put.eq(self.i.valid & self.i.ready),
            write.en.eq(put),
            write.addr.eq(write_pointer),
            write.data.eq(self.i.payload),
            read.addr.eq(read_pointer),
            self.o.payload.eq(beat),
            last_pass.eq(repeat == self.repeats - 1),
            last_column.eq(column == self.length - 1),
            fetch.eq((~valid | self.o.ready) & may_read),
            sees.eq(fetch & first_pass),
            self.o.valid.eq(valid),
            frees.eq(valid & self.o.ready & final),
            # Once the present beat is read: whether beats are left that were not seen yet, and whether the next one was.
            sees_more.eq(unseen[1:].any() | (unseen[0] & ~first_pass)),
            knows_next.eq(Mux(last_column, ~last_pass, ~first_pass)),
        ]
        with m.If(fetch):
            m.d.sync += beat.eq(read.data)

        with m.If(~valid | self.o.ready):
            m.d.sync += valid.eq(fetch)
        with m.If(put):
            m.d.sync += write_pointer.eq(wrapping(write_pointer, self.capacity))
        m.d.sync += [
            used.eq(used + put - Mux(frees, self.length, 0)),
            full.eq(~frees & (full | (put & (used == self.capacity - 1)))),
            may_read.eq(put | Mux(fetch, sees_more | knows_next, may_read)),
        ]
        with m.If(put != sees):
            m.d.sync += unseen.eq(unseen + Mux(put, 1, -1))
        with m.If(fetch):
            m.d.sync += [
                final.eq(last_pass & last_column),
                column.eq(Mux(last_column, 0, column + 1)),
                read_pointer.eq(wrapping(read_pointer, self.capacity)),
            ]
            with m.If(last_column & last_pass):
                m.d.sync += [repeat.eq(0), first_pass.eq(1), vector_start.eq(wrapping(read_pointer, self.capacity))]
            with m.Elif(last_column):
                m.d.sync += [repeat.eq(repeat + 1), first_pass.eq(0), read_pointer.eq(vector_start)]
        return m
