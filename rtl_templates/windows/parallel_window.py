"""Sliding window unit that hands over a whole window in each beat."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.cost import MemoryKind, Part
from hwgen.rtl_templates.memory import MEMORY_ATTRIBUTES, NO_COLLISION, style_of
from hwgen.rtl_templates.streams.fifo import Fifo, wrapping
from hwgen.rtl_templates.windows.loop_nest import LoopNest
from hwgen.rtl_templates.windows.window_axis import Axis

__all__ = ["ParallelWindow"]


class ParallelWindow(wiring.Component):
    """Takes a map pixel by pixel, moves it through line buffers and window registers, and gives every window whole.

    The unit visits the padded map in raster order, and at each position the words of its pixel, one a cycle. Padding
    is shifted in without input. At a position that completes a window each word stays for ``replays`` transfers of the
    window as far as it lies in that word's channels. A frame starts when its first word is in the input queue.

    Cycles a frame: ``words * (rows.walked * columns.walked + windows * (replays - 1))``.

    Parameters
    ----------
    width : int
        Bits of a word.
    rows, columns : Axis
        The windows in both directions.
    words : int
        Words of a pixel.
    replays : int
        How many times each word's window is given.
    pad_word : int
        Every word of the pixels in the padding.
    depth : int
        Words that the input queue holds; from 2 on it takes one in every cycle.

    Members
    -------
    i : ``In(stream.Signature(width))``
        The map, without padding.
    o : ``Out(stream.Signature(width * kernel area))``
        The windows: the word of kernel row 0 and column 0 in the lowest bits, then along the row.
    busy : Out(1)
        A step is taken: a position is passed, or a window is handed over once more.
    """

    def __init__(
        self,
        *,
        width: int,
        rows: Axis,
        columns: Axis,
        words: int = 1,
        replays: int = 1,
        pad_word: int = 0,
        depth: int = 2,
    ) -> None:
        self.width = width
        self.words = words
        self.rows = rows
        self.columns = columns
        self.replays = replays
        self.pad_word = pad_word
        self.depth = depth
        window = width * rows.kernel * columns.kernel
        super().__init__(
            {
                "i": In(stream.Signature(unsigned(width))),
                "o": Out(stream.Signature(unsigned(window))),
                "busy": Out(1),
            }
        )

    @staticmethod
    def bill(
        name: str, *, width: int, rows: Axis, columns: Axis, words: int = 1, replays: int = 1, depth: int = 2
    ) -> Bill:
        """Give what it is made of: the input queue, the loops, padding, the line buffers and the registers of the window."""
        bill = Fifo.bill(f"{name}.queue", width, depth)
        bill.add(Part.UNIT, 1)
        bill.include(LoopNest.bill([replays, words, columns.walked, rows.walked]))
        for axis in (rows, columns):
            if not axis.span == axis.stride == 1:
                bill.counter(max(axis.span, axis.stride))
            bill.add(Part.CASE, axis.is_padded)
        bill.register(1)
        if rows.is_padded or columns.is_padded:
            bill.add(Part.PADDING_BIT, width)
        delays = {
            "lines": ((rows.kernel - 1) * width, rows.dilation * columns.walked * words),
            "columns": (rows.kernel * (columns.span - 1) * width, words),
        }
        for kind, (bits, shifts) in delays.items():
            if bits and shifts > 1:
                bill.counter(shifts)
                bill.memory(f"{name}.{kind}", shifts, bits, MemoryKind.WINDOW)
            else:
                bill.register(bits)
        return bill

    def elaborate(self, platform: object) -> Module:
        """Follow the position and its words; shift wherever the present one has nothing left to give."""
        m = Module()
        m.submodules.queue = queue = Fifo(self.width, self.depth)
        wiring.connect(m, wiring.flipped(self.i), queue.i)
        shift, give = Signal(), Signal()
        replay = LoopNest(m, give, {"replay": self.replays})
        position = LoopNest(m, shift, {"word": self.words, "column": self.columns.walked, "row": self.rows.walked})
        outside = self._outside("column", self.columns, position) | self._outside("row", self.rows, position)
        completes = Signal()
        m.d.comb += completes.eq(
            self._completes(m, "column", self.columns, position) & self._completes(m, "row", self.rows, position)
        )

        is_padding, is_start, is_here = Signal(), Signal(init=1), Signal()
        with m.If(shift):
            m.d.sync += is_start.eq(position.wraps["row"])
        m.d.comb += [
            is_padding.eq(outside),
            is_here.eq(queue.o.valid | (is_padding & ~is_start)),
            self.o.valid.eq(is_here & completes),
            give.eq(self.o.valid & self.o.ready),
            shift.eq(Mux(completes, replay.wraps["replay"], is_here)),
            queue.o.ready.eq(shift & ~is_padding),
            self.busy.eq(shift | give),
        ]
        pixel = Signal(self.width)
        m.d.comb += pixel.eq(Mux(is_padding, self.pad_word, queue.o.payload))
        m.d.comb += self.o.payload.eq(self._window(m, self._column(m, pixel, shift), shift))
        return m

    @staticmethod
    def _outside(name: str, axis: Axis, position: LoopNest) -> Value:
        """Tell whether the position lies in the padding."""
        if not axis.is_padded:
            return Const(0)
        index = position.index[name]
        behind = index >= axis.before + axis.size
        return behind | (index < axis.before) if axis.before else behind

    @staticmethod
    def _completes(m: Module, name: str, axis: Axis, position: LoopNest) -> Value:
        """Tell whether the position is a window's last: count down to the first one, and then from stride to stride."""
        if axis.span == axis.stride == 1:
            return Const(1)
        wait = Signal(range(max(axis.span, axis.stride)), name=f"{name}_wait", init=axis.span - 1)
        step = position.wraps["word" if name == "column" else "column"]
        with m.If(step):
            m.d.sync += wait.eq(Mux(wait == 0, axis.stride - 1, wait - 1))
        with m.If(position.wraps[name]):
            m.d.sync += wait.eq(axis.span - 1)
        return wait == 0

    def _column(self, m: Module, pixel: Value, shift: Value) -> list[Value]:
        """Give the words of the present column that the kernel's rows tap: those above come from the line buffers."""
        lines = self.rows.kernel - 1
        if lines == 0:
            return [pixel]
        above = Signal(lines * self.width)
        following = Cat(above, pixel)[self.width :]
        self._delay(m, "lines", above, following, self.rows.dilation * self.columns.walked * self.words, shift)
        return [above.word_select(line, self.width) for line in range(lines)] + [pixel]

    def _window(self, m: Module, column: list[Value], shift: Value) -> Value:
        """Keep the columns before the present one, and pick the taps."""
        before, width = self.columns.span - 1, self.width
        if before == 0:
            return Cat(column)
        # For each kernel row the words of the columns before, the newest lowest.
        kept = Signal(len(column) * before * width)
        rows = [Cat(newest, kept.word_select(n, before * width)) for n, newest in enumerate(column)]
        following = Cat(row[: before * width] for row in rows)
        self._delay(m, "columns", kept, following, self.words, shift)
        ages = range(before, -1, -self.columns.dilation)
        return Cat(row.word_select(age, width) for row in rows for age in ages)

    @staticmethod
    def _delay(m: Module, name: str, delayed: Signal, following: Value, depth: int, shift: Value) -> None:
        """Drive a signal with what ``following`` was ``depth`` shifts before: from a register, or round a memory."""
        if depth == 1:
            register = Signal.like(delayed, name=f"{name}_register")
            with m.If(shift):
                m.d.sync += register.eq(following)
            m.d.comb += delayed.eq(register)
            return
        # The row that is read is the one behind the row that is written.
        attributes = MEMORY_ATTRIBUTES[style_of(depth, len(delayed))] | NO_COLLISION
        m.submodules[name] = memory = Memory(shape=len(delayed), depth=depth, init=[], attrs=attributes)
        write, read = memory.write_port(), memory.read_port()
        address = Signal(range(depth), name=f"{name}_address")
        m.d.comb += [
            write.en.eq(shift),
            write.addr.eq(address),
            write.data.eq(following),
            read.en.eq(shift),
            read.addr.eq(wrapping(address, depth)),
            delayed.eq(read.data),
        ]
        with m.If(shift):
            m.d.sync += address.eq(read.addr)
