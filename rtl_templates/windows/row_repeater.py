"""Give each word of a row several times, and each row several times."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.cost import MemoryKind, Part
from hwgen.rtl_templates.memory import MEMORY_ATTRIBUTES, style_of
from hwgen.rtl_templates.windows.loop_nest import LoopNest

__all__ = ["RowRepeater"]


class RowRepeater(wiring.Component):
    """Keeps a row in a circular memory and replays it, every pixel ``pixel_repeats`` times in each of ``row_repeats`` passes.

    A word is on offer 2 cycles after it came in; while the first pass may wait for words, the later ones do not. The
    transfer of a word for the last time gives up its room. But for the waits a word leaves in every cycle.

    Parameters
    ----------
    width : int
        Bits of a word.
    words : int
        Words of a pixel.
    columns : int
        Pixels of a row.
    pixel_repeats, row_repeats : int
        How often each is given.
    capacity : int
        Words that the memory holds, at least a row.

    Members
    -------
    i, o : ``stream.Signature(width)``

    Raises
    ------
    ValueError
        If a row does not fit.
    """

    READ_LATENCY = 2
    """Cycles from a word's transfer in to its first transfer out."""

    def __init__(
        self, *, width: int, words: int, columns: int, pixel_repeats: int, row_repeats: int, capacity: int
    ) -> None:
        if capacity < words * columns:
            raise ValueError(f"The memory must hold a row of {words * columns} words, not {capacity}")
        self.width = width
        self.words = words
        self.columns = columns
        self.pixel_repeats = pixel_repeats
        self.row_repeats = row_repeats
        self.capacity = capacity
        super().__init__({"i": In(stream.Signature(unsigned(width))), "o": Out(stream.Signature(unsigned(width)))})

    @staticmethod
    def bill(
        name: str, *, width: int, words: int, columns: int, pixel_repeats: int, row_repeats: int, capacity: int
    ) -> Bill:
        """Give what it is made of: the loops, the words not read yet, the room, the walk through the memory, and the memory."""
        bill, bits = LoopNest.bill([words, pixel_repeats, columns, row_repeats, capacity]), capacity.bit_length()
        bill.add(Part.UNIT, 1)
        for _ in range(2):
            bill.counter(capacity + 1)
        bill.add(Part.WALK_BIT, bits * (1 if capacity & (capacity - 1) == 0 else 2))
        bill.register(bits + 2)
        bill.memory(name, max(2, capacity), width, MemoryKind.WINDOW)
        return bill

    def elaborate(self, platform: object) -> Module:
        """Walk the memory with the loops; count the words not read yet, and the room."""
        m = Module()
        style = style_of(self.capacity, self.width)
        m.submodules.memory = memory = Memory(
            shape=self.width, depth=max(2, self.capacity), init=[], attrs=MEMORY_ATTRIBUTES[style]
        )
        write, read = memory.write_port(), memory.read_port()
        take, step, give, is_new, frees = Signal(), Signal(), Signal(), Signal(), Signal()
        loops = LoopNest(
            m,
            step,
            {
                "word": self.words,
                "repeat": self.pixel_repeats,
                "column": self.columns,
                "row_repeat": self.row_repeats,
            },
        )
        unread, room = Signal(range(self.capacity + 1)), Signal(range(self.capacity + 1), init=self.capacity)
        moves_on, gives_up = Signal(), Signal()
        m.d.comb += [
            is_new.eq((loops.index["repeat"] == 0) & (loops.index["row_repeat"] == 0)),
            self.i.ready.eq(room != 0),
            take.eq(self.i.valid & self.i.ready),
            step.eq((~is_new | (unread != 0)) & (~self.o.valid | self.o.ready)),
            give.eq(self.o.valid & self.o.ready),
            moves_on.eq(step & is_new),
            gives_up.eq(give & frees),
        ]
        with m.If(take != moves_on):
            m.d.sync += unread.eq(Mux(take, unread + 1, unread - 1))
        with m.If(take != gives_up):
            m.d.sync += room.eq(Mux(take, room - 1, room + 1))
        with m.If(give):
            m.d.sync += self.o.valid.eq(0)
        with m.If(step):
            m.d.sync += [self.o.valid.eq(1), frees.eq(loops.is_last["repeat"] & loops.is_last["row_repeat"])]

        stored = LoopNest(m, take, {"stored": self.capacity})
        address = loops.walk(
            "address",
            {"word": 1, "column": self.words},
            period=self.words * self.columns,
            start=0,
            modulus=self.capacity,
        )
        m.d.comb += [
            write.en.eq(take),
            write.addr.eq(stored.index["stored"]),
            write.data.eq(self.i.payload),
            read.en.eq(step),
            read.addr.eq(address),
            self.o.payload.eq(read.data),
        ]
        return m
