"""Sliding window unit that hands over a whole window in each beat."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.fifo import Fifo, wrapping
from hwgen.rtl_templates.loop_nest import LoopNest
from hwgen.rtl_templates.storage import MEMORY_ATTRIBUTES, suits_block_ram
from hwgen.rtl_templates.window_axis import Axis

__all__ = ["ParallelWindow"]


class ParallelWindow(wiring.Component):
    """Takes a map pixel by pixel, moves it through line buffers and window registers, and gives every window whole.

    The unit visits the padded map in raster order, a position a cycle. Padding is shifted in without input. A position
    that completes a window stays for ``replays`` transfers of it. A frame starts when its first pixel is in the input
    queue.

    Cycles a frame: ``rows.walked * columns.walked + windows * (replays - 1)``.

    Parameters
    ----------
    width : int
        Bits of a pixel.
    rows, columns : Axis
        The windows in both directions.
    replays : int
        How many times a window is given.
    pad_word : int
        The pixel that stands in the padding.
    depth : int
        Pixels that the input queue holds; from 2 on it takes one in every cycle.

    Members
    -------
    i : ``In(stream.Signature(width))``
        The map, without padding.
    o : ``Out(stream.Signature(width * kernel area))``
        The windows: the pixel of kernel row 0 and column 0 in the lowest bits, then along the row.
    """

    def __init__(
        self, *, width: int, rows: Axis, columns: Axis, replays: int = 1, pad_word: int = 0, depth: int = 2
    ) -> None:
        self.width = width
        self.rows = rows
        self.columns = columns
        self.replays = replays
        self.pad_word = pad_word
        self.depth = depth
        window = width * rows.kernel * columns.kernel
        super().__init__({"i": In(stream.Signature(unsigned(width))), "o": Out(stream.Signature(unsigned(window)))})

    def elaborate(self, platform: object) -> Module:
        """Follow the position; shift wherever the present one has nothing left to give."""
        m = Module()
        m.submodules.queue = queue = Fifo(self.width, self.depth)
        wiring.connect(m, wiring.flipped(self.i), queue.i)
        shift, give = Signal(), Signal()
        replay = LoopNest(m, give, {"replay": self.replays})
        position = LoopNest(m, shift, {"column": self.columns.walked, "row": self.rows.walked})
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
        step = position.step if name == "column" else position.wraps["column"]
        with m.If(step):
            m.d.sync += wait.eq(Mux(wait == 0, axis.stride - 1, wait - 1))
        with m.If(position.wraps[name]):
            m.d.sync += wait.eq(axis.span - 1)
        return wait == 0

    def _column(self, m: Module, pixel: Value, shift: Value) -> list[Value]:
        """Give the pixels of the present column that the kernel's rows tap: those above come from the line buffers."""
        lines = self.rows.kernel - 1
        if lines == 0:
            return [pixel]
        width, depth = lines * self.width, self.rows.dilation * self.columns.walked
        above = Signal(width)
        following = Cat(above, pixel)[self.width :]
        if depth == 1:
            with m.If(shift):
                m.d.sync += above.eq(following)
        else:
            attributes = MEMORY_ATTRIBUTES[suits_block_ram(depth, width)]
            m.submodules.lines = memory = Memory(shape=width, depth=depth, init=[], attrs=attributes)
            write, read = memory.write_port(), memory.read_port()
            address = Signal(range(depth))
            m.d.comb += [
                write.en.eq(shift),
                write.addr.eq(address),
                write.data.eq(following),
                read.en.eq(shift),
                read.addr.eq(wrapping(address, depth)),
                above.eq(read.data),
            ]
            with m.If(shift):
                m.d.sync += address.eq(read.addr)
        return [above[line * self.width : (line + 1) * self.width] for line in range(lines)] + [pixel]

    def _window(self, m: Module, column: list[Value], shift: Value) -> Value:
        """Keep the columns before the present one, and pick the taps."""
        taps = []
        for number, newest in enumerate(column):
            seen = [newest]
            for age in range(1, self.columns.span):
                register = Signal(self.width, name=f"row_{number}_before_{age}")
                with m.If(shift):
                    m.d.sync += register.eq(seen[-1])
                seen.append(register)
            taps += seen[:: -self.columns.dilation]
        return Cat(taps)
