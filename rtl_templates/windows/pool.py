"""Running maximum or minimum of the taps of a window."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Mux, Shape, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.cost import Part
from hwgen.rtl_templates.streams.output_queue import OutputQueue
from hwgen.rtl_templates.windows.loop_nest import LoopNest, by_index

__all__ = ["PoolUnit"]


class PoolUnit(wiring.Component):
    """Reduces every ``taps`` beats to one, lane by lane, to the largest number or to the smallest.

    Takes a beat a cycle, but for the last of a window while every output slot is taken. The result can leave
    ``OutputQueue.latency`` cycles after the last beat.

    Parameters
    ----------
    shape : Shape
        Of a lane's number: unsigned or signed; a bipolar code ranks as its bit does.
    lanes : int
        Numbers in a beat.
    taps : int
        Beats of a window.
    minimum : sequence of bool
        For each channel: give the smallest. Windows follow one another in channel order, ``lanes`` channels each.
    slots : int
        Depth of the output FIFO.

    Members
    -------
    i, o : ``stream.Signature(lanes * shape.width)``

    Raises
    ------
    ValueError
        If the channels are not whole windows.
    """

    def __init__(self, *, shape: Shape, lanes: int, taps: int, minimum: Sequence[bool], slots: int) -> None:
        if not minimum or len(minimum) % lanes:
            raise ValueError(f"{len(minimum)} channels do not make whole beats of {lanes} lanes")
        self.shape = Shape.cast(shape)
        self.lanes = lanes
        self.taps = taps
        self.groups = [list(minimum[first : first + lanes]) for first in range(0, len(minimum), lanes)]
        width = lanes * self.shape.width
        self.slots = slots
        super().__init__({"i": In(stream.Signature(unsigned(width))), "o": Out(stream.Signature(unsigned(width)))})

    @staticmethod
    def bill(name: str, *, shape: Shape, lanes: int, taps: int, minimum: Sequence[bool], slots: int) -> Bill:
        """Give what it is made of: the output queue, the loops, what each channel seeks, and for each lane the best number, a comparison and a choice."""
        width = lanes * shape.width
        bill = OutputQueue.bill(f"{name}.queue", width, slots)
        bill.include(LoopNest.bill([taps]))
        if len(set(minimum)) > 1:
            groups = len(minimum) // lanes
            bill.include(LoopNest.bill([groups]))
            leaves = -(-groups // 16)
            bill.add(Part.TABLE_LUT, lanes * leaves)
            bill.add(Part.TABLE_STACK, lanes * (leaves - 1))
        bill.register(width + 1)
        bill.add(Part.SHIFT_BIT, width)
        bill.rank(shape.width, lanes, signed=shape.signed)
        return bill

    def elaborate(self, platform: object) -> Module:
        """Keep the best of each lane; the last tap's goes straight into the output FIFO."""
        m = Module()
        bits, width = self.shape.width, self.lanes * self.shape.width
        m.submodules.queue = queue = OutputQueue(width, self.slots)
        take, is_first, is_last = Signal(), Signal(init=1), Signal()
        loops = LoopNest(m, take, {"tap": self.taps, "group": len(self.groups)})
        best, running = [], Signal(width)
        for lane in range(self.lanes):
            field = slice(lane * bits, (lane + 1) * bits)
            new, old = (Signal(self.shape, name=f"{name}_{lane}") for name in ("new", "old"))
            takes_smallest = by_index(
                m, f"takes_smallest_{lane}", loops.index["group"], [int(group[lane]) for group in self.groups]
            )
            m.d.comb += [new.eq(self.i.payload[field]), old.eq(running[field])]
            best.append(Mux(is_first | ((new > old) ^ takes_smallest), new, old)[:bits])

        m.d.comb += [
            is_last.eq(loops.is_last["tap"]),
            self.i.ready.eq(~is_last | queue.ready),
            take.eq(self.i.valid & self.i.ready),
            queue.reserve.eq(take & is_last),
            queue.push.eq(take & is_last),
            queue.data.eq(Cat(best)),
            self.o.valid.eq(queue.o.valid),
            self.o.payload.eq(queue.o.payload),
            queue.o.ready.eq(self.o.ready),
        ]
        with m.If(take):
            m.d.sync += [running.eq(Cat(best)), is_first.eq(is_last)]
        return m
