"""Largest or smallest of all taps of a window at once."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Mux, Shape, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.cost import Part
from hwgen.rtl_templates.streams.elastic import ElasticPipeline, held

__all__ = ["ParallelPool"]


class ParallelPool(wiring.Component):
    """Reduces a window in every beat, lane by lane, to the largest number or to the smallest: a tree with a register behind each level.

    A beat is taken in every cycle. Latency and slots: ``ElasticPipeline.timing(stages(taps), width of o, slots)``.

    Parameters
    ----------
    shape : Shape
        Of a lane's number: unsigned or signed; a bipolar code ranks as its bit does.
    taps : int
        Pixels of a window.
    minimum : sequence of bool
        For each lane of a pixel: give the smallest.
    slots : int or None
        See `ElasticPipeline`.

    Members
    -------
    i : ``In(stream.Signature(taps * lanes * shape.width))``
        A window, tap after tap.
    o : ``Out(stream.Signature(lanes * shape.width))``
    """

    def __init__(self, *, shape: Shape, taps: int, minimum: Sequence[bool], slots: int | None = None) -> None:
        self.shape = Shape.cast(shape)
        self.taps = taps
        self.minimum = list(minimum)
        self.slots = slots
        width = len(self.minimum) * self.shape.width
        super().__init__(
            {"i": In(stream.Signature(unsigned(taps * width))), "o": Out(stream.Signature(unsigned(width)))}
        )

    @staticmethod
    def stages(taps: int) -> int:
        """Registers from a window to its result: one a level of the tree, at least one."""
        return max(1, (taps - 1).bit_length())

    @classmethod
    def bill(cls, name: str, *, shape: Shape, taps: int, minimum: Sequence[bool], slots: int | None = None) -> Bill:
        """Give what it is made of: the pipeline's handshakes, and at each level comparisons, choices and the registers behind them."""
        lanes, stages = len(minimum), cls.stages(taps)
        width = lanes * shape.width
        bill = ElasticPipeline.bill(f"{name}.queue", stages, width, slots)
        for _ in range(stages):
            bill.add(Part.SHIFT_BIT, taps // 2 * width)
            bill.rank(shape.width, taps // 2 * lanes, signed=shape.signed)
            taps = -(-taps // 2)
            bill.register(taps * width)
        return bill

    def elaborate(self, platform: object) -> Module:
        """Halve the number of taps at each level."""
        m = Module()
        bits, lanes = self.shape.width, len(self.minimum)
        stages = self.stages(self.taps)
        m.submodules.pipeline = pipeline = ElasticPipeline(stages, lanes * bits, self.slots)
        wiring.connect(m, wiring.flipped(self.o), pipeline.o)
        m.d.comb += [pipeline.i_valid.eq(self.i.valid), self.i.ready.eq(pipeline.i_ready)]
        taps = [self.i.payload.word_select(tap, lanes * bits) for tap in range(self.taps)]
        for level in range(stages):
            pairs = [taps[first : first + 2] for first in range(0, len(taps), 2)]
            winners = [self._winner(pair) for pair in pairs]
            taps = [held(m, f"level_{level}_{n}", pipeline.moves[level], winner) for n, winner in enumerate(winners)]
        m.d.comb += pipeline.data.eq(taps[0])
        return m

    def _winner(self, pair: list[Value]) -> Value:
        """Choose lane by lane between two pixels."""
        bits = self.shape.width
        chosen = []
        for lane, smallest in enumerate(self.minimum):
            one, other = (pixel.word_select(lane, bits) for pixel in (pair[0], pair[-1]))
            left, right = (x.as_signed() if self.shape.signed else x for x in (one, other))
            chosen.append(one if len(pair) == 1 else Mux((left > right) ^ smallest, one, other))
        return Cat(*chosen)
