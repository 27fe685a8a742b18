"""Reduce a whole map to one pixel, channel by channel, while it streams by."""

from enum import Enum
from itertools import pairwise

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.cost import Part
from hwgen.rtl_templates.memory import MEMORY_ATTRIBUTES, NO_COLLISION, style_of
from hwgen.rtl_templates.streams.fifo import wrapping
from hwgen.rtl_templates.streams.output_queue import OutputQueue
from hwgen.rtl_templates.windows.loop_nest import LoopNest

__all__ = ["GlobalReduceUnit", "Reduction"]

RING_GROUPS = 8
"""Groups of channels up to which the running results go round in registers; more lie in a memory."""


class Reduction(Enum):
    """How all pixels become one."""

    SUM = "sum"
    MAX = "max"
    MIN = "min"


class GlobalReduceUnit(wiring.Component):
    """Gives the sum, the largest or the smallest of each channel's numbers.

    A beat is taken in every cycle but the first after a reset, frame after frame, but for a beat of the last pixel while
    every output slot is taken. Latency from that beat: ``pipeline(groups) + OutputQueue.latency(width_out, slots)``.

    Parameters
    ----------
    lanes : int
        Numbers in a beat.
    shape : Shape
        Of a number.
    groups : int
        Beats of a pixel.
    pixels : int
        Pixels of a map.
    reduction : Reduction
    result : Shape
        Of a result: holds every sum.
    bipolar : bool
        The numbers are bits, of which 0 stands for -1 in a sum.
    slots : int or None
        Depth of the output FIFO; None: the least for a beat in every cycle.

    Members
    -------
    i : ``In(stream.Signature(lanes * width of shape))``
    o : ``Out(stream.Signature(lanes * width of result))``
    """

    def __init__(
        self,
        *,
        lanes: int,
        shape: Shape,
        groups: int,
        pixels: int,
        reduction: Reduction,
        result: Shape,
        bipolar: bool = False,
        slots: int | None = None,
    ) -> None:
        self.lanes = lanes
        self.shape = Shape.cast(shape)
        self.groups = groups
        self.pixels = pixels
        self.reduction = reduction
        self.result = Shape.cast(result)
        # Ones are counted from half the least sum on, in steps of two: the lowest bit is that of the number of pixels.
        self.halves = bipolar and reduction is Reduction.SUM
        self.width = self.result.width - self.halves
        self.start = self._start()
        self._wakes = Signal(name="wakes", init=1)
        width_out = lanes * self.result.width
        least = self.least_slots(width_out, groups, pixels)
        self.slots = least if slots is None else slots
        super().__init__(
            {
                "i": In(stream.Signature(unsigned(lanes * self.shape.width))),
                "o": Out(stream.Signature(unsigned(width_out))),
            }
        )

    @staticmethod
    def pipeline(groups: int) -> int:
        """Cycles from taking a last pixel's beat to its result at the output FIFO: those of the memory's registers if there is one."""
        return 0 if groups <= RING_GROUPS else 2

    @classmethod
    def least_slots(cls, width_out: int, groups: int, pixels: int) -> int:
        """Give the fewest slots for a beat in every cycle."""
        return OutputQueue.least_slots(width_out, cls.pipeline(groups), groups * pixels, burst=groups)

    def _start(self) -> int:
        """Give the result of no pixel at all, as bits: the neutral number."""
        bits, signed = self.shape.width, self.shape.signed
        neutral = {
            Reduction.SUM: -((self.pixels + 1) // 2) if self.halves else 0,
            Reduction.MAX: -(1 << bits - 1) if signed else 0,
            Reduction.MIN: (1 << bits - signed) - 1,
        }
        return neutral[self.reduction] & ((1 << self.width) - 1)

    @staticmethod
    def bill(
        name: str,
        *,
        lanes: int,
        shape: Shape,
        groups: int,
        pixels: int,
        reduction: Reduction,
        result: Shape,
        slots: int,
    ) -> Bill:
        """Give what it is made of: the output queue, the loops, an adder or a comparison a lane, and the ring or memory of running results."""
        width = lanes * result.width
        bill = OutputQueue.bill(f"{name}.queue", width, slots)
        bill.include(LoopNest.bill([groups, pixels]))
        if reduction is Reduction.SUM:
            bill.add(Part.OTHER, width)
        else:
            bill.rank(shape.width, lanes, signed=shape.signed)
            bill.add(Part.OTHER, 1.5 * lanes * shape.width)
        if groups <= RING_GROUPS:
            bill.register(groups * width)
            return bill
        bill.memory(f"{name}.results", groups, width)
        bill.add(Part.OTHER, width + 12)
        bill.register(2 * width + lanes * shape.width + 2 * (groups - 1).bit_length() + 5)
        bill.counter(groups)
        return bill

    def elaborate(self, platform: object) -> Module:
        """Join each number with its channel's result so far; the last pixel's go out."""
        m = Module()
        m.submodules.queue = queue = OutputQueue(self.lanes * self.result.width, self.slots)
        wiring.connect(m, wiring.flipped(self.o), queue.o)
        take, leaves = Signal(), Signal()
        loops = LoopNest(m, take, {"group": self.groups, "pixel": self.pixels})
        m.d.sync += self._wakes.eq(0)
        m.d.comb += [
            self.i.ready.eq(~self._wakes & (~loops.is_last["pixel"] | queue.ready)),
            take.eq(self.i.valid & self.i.ready),
            leaves.eq(take & loops.is_last["pixel"]),
            queue.reserve.eq(leaves),
        ]
        keep = self._ring if self.groups <= RING_GROUPS else self._memory
        push, results = keep(m, loops, take, leaves)
        fields = [results.word_select(lane, self.width) for lane in range(self.lanes)]
        m.d.comb += [
            queue.push.eq(push),
            queue.data.eq(Cat(Cat(Const(self.pixels & 1, 1), x) if self.halves else x for x in fields)),
        ]
        return m

    def _ring(self, m: Module, loops: LoopNest, take: Value, leaves: Value) -> tuple[Value, Value]:
        """Let the results of all groups go round: the oldest is that of the beat at hand, and starts anew when it leaves."""
        starts = self._starts()
        ring = [Signal(len(starts), name=f"results_{n}", reset_less=True) for n in range(self.groups)]
        joined = self._joined(m, self.i.payload, ring[-1])
        with m.If(take):
            m.d.sync += ring[0].eq(joined)
            m.d.sync += [register.eq(before) for before, register in pairwise(ring)]
        # One way to the start for both reasons: the flip-flops' own reset, or every bit would cost a LUT.
        with m.If(self._wakes | leaves):
            m.d.sync += ring[0].eq(starts)
        with m.If(self._wakes):
            m.d.sync += [register.eq(starts) for register in ring[1:]]
        return leaves, joined

    def _memory(self, m: Module, loops: LoopNest, take: Value, leaves: Value) -> tuple[Value, Value]:
        """Fetch the next group's results beforehand; a register stands behind the memory, another in front of it."""
        starts, group = self._starts(), loops.index["group"]
        attributes = MEMORY_ATTRIBUTES[style_of(self.groups, len(starts))] | NO_COLLISION
        m.submodules.results = memory = Memory(shape=len(starts), depth=self.groups, init=[], attrs=attributes)
        write, read = memory.write_port(), memory.read_port()

        def delayed(name: str, value: Value, *, control: bool = False) -> Signal:
            register = Signal(len(value), name=name, reset_less=not control)
            m.d.sync += register.eq(value)
            return register

        is_first = Signal(init=1)
        with m.If(loops.wraps["group"]):
            m.d.sync += is_first.eq(loops.is_last["pixel"])
        m.d.comb += [read.en.eq(take), read.addr.eq(wrapping(group, self.groups))]
        so_far = delayed("so_far", read.data)
        with m.If(is_first):
            m.d.sync += so_far.eq(starts)
        joins = delayed("joins", take, control=True)
        beat, place, leaving = delayed("beat", self.i.payload), delayed("place", group), delayed("leaving", leaves)
        joined = delayed("joined", self._joined(m, beat, so_far))
        m.d.comb += [
            write.en.eq(delayed("is_joined", joins, control=True)),
            write.addr.eq(delayed("joined_place", place)),
            write.data.eq(joined),
        ]
        return delayed("has_left", leaving & joins, control=True), joined

    def _starts(self) -> Const:
        """Give the result of no pixel in every lane."""
        return Const(sum(self.start << lane * self.width for lane in range(self.lanes)), self.lanes * self.width)

    def _joined(self, m: Module, beat: Value, so_far: Value) -> Value:
        """Join a beat with the results so far."""
        joined = []
        for lane in range(self.lanes):
            bits, before = beat.word_select(lane, self.shape.width), so_far.word_select(lane, self.width)
            number, old = (x.as_signed() if self.shape.signed else x for x in (bits, before))
            result = Signal(self.width, name=f"joined_{lane}")
            if self.reduction is Reduction.SUM:
                m.d.comb += result.eq(old + number)
            else:
                new_wins = number > old if self.reduction is Reduction.MAX else number < old
                m.d.comb += result.eq(Mux(new_wins, bits, before))
            joined.append(result)
        return Cat(*joined)
