"""Find the indices of the k best channels of each pixel."""

from amaranth.hdl import Cat, Module, Mux, Shape, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.cost import Part
from hwgen.rtl_templates.streams.output_queue import OutputQueue
from hwgen.rtl_templates.windows.loop_nest import LoopNest

__all__ = ["TopKUnit"]


class TopKUnit(wiring.Component):
    """Gives the indices of the k largest, or smallest, channels, the best first; of equal ones the lowest comes first.

    The best so far stand in a row of cells in their order. A channel is taken in every cycle and inserted in front of the first
    cell that it beats, and only the last of a pixel waits for a slot. Latency from that beat:
    ``PIPELINE + OutputQueue.latency(width_out, slots)``.

    Parameters
    ----------
    shape : Shape
        Of a number.
    channels : int
        Channels of a pixel.
    k : int
        At most ``channels``.
    largest : bool
        The largest are best.
    slots : int or None
        Depth of the output FIFO; None: the least for a beat in every cycle.

    Members
    -------
    i : ``In(stream.Signature(width of shape))``
    o : ``Out(stream.Signature(k * bits of channels - 1, at least k))``
        The best channel's index in the lowest bits.
    """

    PIPELINE = 1
    """Cycles from taking a pixel's last channel to the indices at the output FIFO: the insertion."""

    def __init__(self, *, shape: Shape, channels: int, k: int, largest: bool = True, slots: int | None = None) -> None:
        self.shape = Shape.cast(shape)
        self.channels = channels
        self.k = k
        self.largest = largest
        self.index_bits = max(1, (channels - 1).bit_length())
        width_out = k * self.index_bits
        self.slots = OutputQueue.least_slots(width_out, self.PIPELINE, channels) if slots is None else slots
        super().__init__(
            {
                "i": In(stream.Signature(unsigned(self.shape.width))),
                "o": Out(stream.Signature(unsigned(width_out))),
            }
        )

    @classmethod
    def bill(cls, name: str, *, shape: Shape, channels: int, k: int, slots: int | None = None) -> Bill:
        """Give what it is made of: the output queue, the count of channels, and the cells with a comparison each."""
        bits, index = shape.width, max(1, (channels - 1).bit_length())
        slots = OutputQueue.least_slots(k * index, cls.PIPELINE, channels) if slots is None else slots
        bill = OutputQueue.bill(f"{name}.queue", k * index, slots)
        bill.include(LoopNest.bill([channels]))
        bill.register(k * (bits + index + 1) + 2)
        bill.rank(bits, k, signed=shape.signed)
        bill.add(Part.SHIFT_BIT, (k - 1) * (bits + index))
        bill.add(Part.OTHER, 10 * k)
        return bill

    def elaborate(self, platform: object) -> Module:
        """Shift the cells behind the first beaten one; at a pixel's first channel all count as empty."""
        m = Module()
        m.submodules.queue = queue = OutputQueue(self.k * self.index_bits, self.slots)
        wiring.connect(m, wiring.flipped(self.o), queue.o)
        take, is_first, is_last, done = Signal(), Signal(init=1), Signal(), Signal()
        loops = LoopNest(m, take, {"channel": self.channels})
        number = Signal(self.shape)
        m.d.comb += [
            number.eq(self.i.payload),
            is_last.eq(loops.is_last["channel"]),
            self.i.ready.eq(~is_last | queue.ready),
            take.eq(self.i.valid & self.i.ready),
            queue.reserve.eq(take & is_last),
            queue.push.eq(done),
        ]
        m.d.sync += done.eq(take & is_last)
        with m.If(take):
            m.d.sync += is_first.eq(is_last)

        cells = [
            (
                Signal(self.shape, name=f"best_{n}"),
                Signal(self.index_bits, name=f"index_{n}"),
                Signal(name=f"is_full_{n}"),
            )
            for n in range(self.k)
        ]
        before = None
        for n, (best, index, is_full) in enumerate(cells):
            beaten = Signal(name=f"beaten_{n}")
            better = number > best if self.largest else number < best
            m.d.comb += beaten.eq(is_first | ~is_full | better)
            with m.If(take & beaten):
                if before is None:
                    m.d.sync += [best.eq(number), index.eq(loops.index["channel"])]
                else:
                    front_beaten, front_best, front_index, _ = before
                    m.d.sync += [
                        best.eq(Mux(front_beaten, front_best, number)),
                        index.eq(Mux(front_beaten, front_index, loops.index["channel"])),
                    ]
            with m.If(take):
                m.d.sync += is_full.eq(1 if before is None else before[3] & ~is_first)
            before = (beaten, best, index, is_full)
        m.d.comb += queue.data.eq(Cat(index for _, index, _ in cells))
        return m
