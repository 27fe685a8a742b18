"""Find the greatest channel of each pixel: its index, or its number."""

from collections.abc import Callable

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.cost import Part
from hwgen.rtl_templates.streams.output_queue import OutputQueue

__all__ = ["ArgMaxUnit"]


class ArgMaxUnit(wiring.Component):
    """Gives the index of the greatest of all channels of a pixel, of equal ones the lowest or the highest; or the greatest number itself.

    A tree with a register behind each level finds the greatest lane of a beat; it is then compared with the best of the
    pixel's earlier
    beats. A beat is taken in every cycle, and only the last of a pixel waits for a slot. Latency from that beat:
    ``pipeline(lanes) + OutputQueue.latency(width_out, slots)``.

    Parameters
    ----------
    lanes : int
        Channels a beat; divides ``channels``.
    shape : Shape
        Of one number.
    channels : int
        Channels of a pixel.
    last : bool
        Of equal channels the highest index wins.
    gives_number : bool
        Give the number, not its index.
    slots : int or None
        Depth of the output FIFO; None: the least for a beat in every cycle.

    Members
    -------
    i : ``In(stream.Signature(lanes * width of shape))``
    o : ``Out(stream.Signature(bits of channels - 1, at least 1))``
        Or as wide as a number.
    """

    def __init__(
        self,
        *,
        lanes: int,
        shape: Shape,
        channels: int,
        last: bool = False,
        gives_number: bool = False,
        slots: int | None = None,
    ) -> None:
        self.lanes = lanes
        self.shape = Shape.cast(shape)
        self.channels = channels
        self.last = last
        self.gives_number = gives_number
        self.width_out = self.shape.width if gives_number else self.index_bits(channels)
        self.slots = self.least_slots(lanes, channels, self.width_out) if slots is None else slots
        super().__init__(
            {
                "i": In(stream.Signature(unsigned(lanes * self.shape.width))),
                "o": Out(stream.Signature(unsigned(self.width_out))),
            }
        )

    @staticmethod
    def pipeline(lanes: int) -> int:
        """Cycles from taking a pixel's last beat to the index at the output FIFO: one a level of the tree, and one to compare with the best."""
        return (lanes - 1).bit_length() + 1

    @staticmethod
    def index_bits(channels: int) -> int:
        """Give the bits of an index."""
        return max(1, (channels - 1).bit_length())

    @classmethod
    def least_slots(cls, lanes: int, channels: int, width_out: int) -> int:
        """Give the fewest slots for a beat in every cycle."""
        return OutputQueue.least_slots(width_out, cls.pipeline(lanes), channels // lanes)

    @classmethod
    def bill(
        cls,
        name: str,
        *,
        lanes: int,
        shape: Shape,
        channels: int,
        gives_number: bool = False,
        slots: int | None = None,
    ) -> Bill:
        """Give what it is made of: the output queue, both counters, the tree with its registers, and the best so far."""
        bits, index = shape.width, 0 if gives_number else cls.index_bits(channels)
        width = index or bits
        slots = cls.least_slots(lanes, channels, width) if slots is None else slots
        bill = OutputQueue.bill(f"{name}.queue", width, slots)
        bill.add(Part.UNIT, 1)
        for _ in range(2 if channels > lanes else 0):
            bill.counter(channels)
        entrants, level = lanes, 0
        while entrants > 1:
            bill.rank(bits, entrants // 2, signed=shape.signed)
            bill.add(Part.SHIFT_BIT, entrants // 2 * (bits + level * (index > 0)))
            entrants, level = -(-entrants // 2), level + 1
            bill.register(entrants * (bits + level * (index > 0)) + 1)
        bill.rank(bits, 1, signed=shape.signed)
        bill.add(Part.SHIFT_BIT, index)
        bill.add(Part.UNIT, level > 0)
        bill.register(bits + index + 1)
        return bill

    def elaborate(self, platform: object) -> Module:
        """Count beats of a pixel where they enter the tree and again where they leave it."""
        m = Module()
        m.submodules.queue = queue = OutputQueue(self.width_out, self.slots)
        wiring.connect(m, wiring.flipped(self.o), queue.o)
        folds = self.channels // self.lanes

        def beat_counter(name: str, step: Value) -> tuple[Value, Value]:
            """Give the index of a beat's first channel, and whether the beat is a pixel's last."""
            first = Signal(range(max(2, self.channels)), name=f"{name}_first")
            final = Signal(name=f"{name}_final")
            m.d.comb += final.eq(first == (folds - 1) * self.lanes)
            with m.If(step):
                m.d.sync += first.eq(Mux(final, 0, first + self.lanes))
            return first, final

        take = Signal()
        _, entering_final = beat_counter("entering", take)
        m.d.comb += [
            self.i.ready.eq(~entering_final | queue.ready),
            take.eq(self.i.valid & self.i.ready),
            queue.reserve.eq(take & entering_final),
        ]

        def wins(value: Value, over: Value) -> Value:
            return value >= over if self.last else value > over

        def number(lane: int) -> Value:
            bits = self.i.payload.word_select(lane, self.shape.width)
            return bits.as_signed() if self.shape.signed else bits

        valid: Value = take
        entrants: list[tuple[Value, Value]] = [(number(lane), Const(0, 0)) for lane in range(self.lanes)]
        level = 0
        while len(entrants) > 1:
            entrants = [
                self._winner(m, f"level_{level}_{place}", level, entrants[2 * place : 2 * place + 2], wins)
                for place in range((len(entrants) + 1) // 2)
            ]
            following = Signal(name=f"valid_{level}")
            m.d.sync += following.eq(valid)
            valid = following
            level += 1

        ((greatest, lane),) = entrants
        first, final = beat_counter("leaving", valid)
        best = Signal(self.shape, reset_less=True)
        index = Signal(self.width_out, reset_less=True)
        done = Signal()
        with m.If(valid & ((first == 0) | wins(greatest, best))):
            m.d.sync += [best.eq(greatest), index.eq(first + lane)]
        m.d.sync += done.eq(valid & final)
        m.d.comb += [queue.push.eq(done), queue.data.eq(best if self.gives_number else index)]
        return m

    def _winner(
        self, m: Module, name: str, level: int, pair: list[tuple[Value, Value]], wins: Callable[[Value, Value], Value]
    ) -> tuple[Value, Value]:
        """Register the winner of one or two entrants and the bits of its lane known so far."""
        value = Signal(self.shape, name=f"{name}_value", reset_less=True)
        lane = Signal(level + 1, name=f"{name}_lane", reset_less=True)
        low, high = pair[0], pair[-1]
        upper = Signal(name=f"{name}_upper")
        if len(pair) == 2:
            m.d.comb += upper.eq(wins(high[0], low[0]))
        m.d.sync += [
            value.eq(Mux(upper, high[0], low[0])),
            lane.eq(Cat(Mux(upper, high[1], low[1]) if level else Const(0, 0), upper)),
        ]
        return value, lane
