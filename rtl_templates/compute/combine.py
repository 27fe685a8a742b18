"""Add or multiply the numbers of several streams, lane by lane."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.compute.adder_tree import range_shape
from hwgen.rtl_templates.compute.channel_table import ChannelAddress, read_rom, read_rom_bill
from hwgen.rtl_templates.compute.number import Coding, field
from hwgen.rtl_templates.cost import Part, Product
from hwgen.rtl_templates.memory import MemoryStyle
from hwgen.rtl_templates.streams.elastic import ElasticPipeline

__all__ = ["CombineUnit"]


class CombineUnit(wiring.Component):
    """Takes a beat of every stream at once, and gives the sum of factor times number, or the product of the numbers.

    Two operands meet in each level of a tree with a register behind every level. Factors that are a lane's own in every beat are constants; they cost a
    register only where one is no power of two. Other factors are read from a memory. A beat is taken in every cycle. Latency and slots:
    ``ElasticPipeline.timing(CombineUnit.pipeline(...), width_out, slots)``.

    Parameters
    ----------
    lanes : int
        Numbers a beat; divides the channel count.
    codings : sequence of Coding
        How the numbers of each stream are coded.
    factors : int array, shape (streams, channels), or None
        None: multiply the numbers.
    out_coding : Coding
        Holds every result; bipolar only for a product of bipolar numbers.
    style : MemoryStyle
        Memory of factors that change from beat to beat, see `read_rom`.
    slots : int or None
        See `ElasticPipeline`.

    Members
    -------
    i_0, i_1, ... : ``In(stream.Signature(lanes * codings[k].bits))``
    o : ``Out(stream.Signature(lanes * out_coding.bits))``
    """

    def __init__(
        self,
        *,
        lanes: int,
        codings: Sequence[Coding],
        factors: np.ndarray | None,
        out_coding: Coding,
        style: MemoryStyle = MemoryStyle.AUTO,
        slots: int | None = None,
    ) -> None:
        self.lanes = lanes
        self.codings = tuple(codings)
        self.out_coding = out_coding
        self.width_out = lanes * out_coding.bits
        self.slots = slots
        self._factors = None if factors is None else factors.reshape(len(self.codings), -1, lanes)
        self._style = style
        inputs = {f"i_{k}": In(stream.Signature(unsigned(lanes * coding.bits))) for k, coding in enumerate(codings)}
        super().__init__({**inputs, "o": Out(stream.Signature(unsigned(self.width_out)))})

    @classmethod
    def pipeline(cls, lanes: int, streams: int, factors: np.ndarray | None) -> int:
        """Give the registers from the beats to their result: reading factors, scaling, and the tree; factors by (stream, channel)."""
        scaling = 0 if factors is None else cls._scaling(factors.reshape(streams, -1, lanes))
        return scaling + int(ceil_log2(streams))

    @staticmethod
    def _scaling(factors: np.ndarray) -> int:
        """Give the cycles before the first addition, factors by (stream, fold, lane)."""
        if np.any(factors != factors[:, :1]):
            return 2
        sizes = np.abs(factors)
        return int(np.any(sizes & (sizes - 1)))

    @classmethod
    def bill(
        cls,
        name: str,
        *,
        lanes: int,
        codings: Sequence[Coding],
        factors: np.ndarray | None,
        out_coding: Coding,
        style: MemoryStyle = MemoryStyle.AUTO,
        slots: int | None = None,
    ) -> Bill:
        """Give what it is made of: the pipeline's handshakes, the adders or multipliers of each lane, and the registers behind them."""
        bits, streams = out_coding.bits, len(codings)
        stages = cls.pipeline(lanes, streams, factors)
        bill = ElasticPipeline.bill(f"{name}.queue", stages, lanes * bits, slots)
        bill.register(lanes * bits * max(stages, streams - 1))
        if factors is None:
            numbers = [coding.bits for coding in codings if not coding.bipolar]
            bill.add(Part.ADD_SUB_BIT, lanes * bits * (streams - max(len(numbers), 1)))
            bill.products += [Product(lanes, left, right, bits) for left, right in pairwise(numbers)]
            return bill
        bill.add(Part.ADDER_BIT, lanes * bits * (streams - 1))
        for number, (coding, scales) in enumerate(zip(codings, factors.reshape(streams, -1, lanes), strict=True)):
            width = range_shape(int(min(scales.min(), 0)), int(scales.max(initial=0))).width
            varying = [bool(np.any(lane != lane[0])) for lane in scales.T]
            if any(varying):
                bill.products.append(Product(sum(varying), coding.bits, width, coding.bits + width))
                bill.include(read_rom_bill(f"{name}.factors_{number}", scales[:, varying], width, style))
            scaled = np.abs(scales[0])[np.invert(varying)]
            bill.add(Part.ADDER_BIT, bits * int(np.count_nonzero(scaled & (scaled - 1))))
        return bill

    def elaborate(self, platform: object) -> Module:
        """Take all streams together; scale; join neighbours, level by level."""
        m = Module()
        stages = self.pipeline(self.lanes, len(self.codings), self._factors)
        m.submodules.pipeline = pipeline = ElasticPipeline(stages, self.width_out, self.slots)
        wiring.connect(m, wiring.flipped(self.o), pipeline.o)
        ports = [getattr(self, f"i_{k}") for k in range(len(self.codings))]
        m.d.comb += pipeline.i_valid.eq(Cat(port.valid for port in ports).all())
        for k, port in enumerate(ports):
            others = (other.valid for other in ports[:k] + ports[k + 1 :])
            m.d.comb += port.ready.eq(Cat(pipeline.i_ready, *others).all())

        moves = iter(pipeline.moves)
        rows = [
            [_Term.of(port.payload, lane, c) for port, c in zip(ports, self.codings, strict=True)]
            for lane in range(self.lanes)
        ]

        def register(name: str) -> None:
            """Put all terms behind registers."""
            move = next(moves)
            for lane, row in enumerate(rows):
                rows[lane] = [term.registered(m, f"{name}_{lane}_{k}", move) for k, term in enumerate(row)]

        if self._factors is not None:
            cycles = self._scaling(self._factors)
            factors = self._read_factors(m, pipeline, self._factors)
            if cycles == 2:
                register("read")
            rows = [[term.times(f) for term, f in zip(*both, strict=True)] for both in zip(rows, factors, strict=True)]
            if cycles:
                register("scaled")
        for level in range(int(ceil_log2(len(ports)))):
            rows = [[self._joined(row[k : k + 2]) for k in range(0, len(row), 2)] for row in rows]
            register(f"joined_{level}")
        for lane, (result,) in enumerate(rows):
            # A product of bits is a bit; where the output holds wider numbers, it is -1 or +1 in them.
            bit = result.bipolar and not self.out_coding.bipolar
            value = field(result.value, 0, Coding(1, bipolar=True)) if bit else result.value
            m.d.comb += pipeline.data.word_select(lane, self.out_coding.bits).eq(value)
        return m

    def _joined(self, pair: list["_Term"]) -> "_Term":
        """Give the sum or product of two terms; one without a neighbour stays."""
        if len(pair) == 1:
            return pair[0]
        return pair[0].times(pair[1]) if self._factors is None else pair[0].plus(pair[1])

    def _read_factors(self, m: Module, pipeline: ElasticPipeline, factors: np.ndarray) -> list[list["_Term"]]:
        """Give the factors by lane and stream: constants, or words of a memory that follows the beats, a cycle later."""
        address: Value = Const(0, 0)
        if self._scaling(factors) == 2:
            m.submodules.position = position = ChannelAddress((0,), (0,), factors.shape[1])
            m.d.comb += position.step.eq(pipeline.i_valid & pipeline.i_ready)
            address = position.address

        def factor(stream: int, lane: int) -> _Term:
            values = factors[stream, :, lane].tolist()
            low, high = min(values), max(values)
            if low == high:
                return _Term(Const(low), low, high)
            shape = range_shape(low, high)
            words = [value & ((1 << shape.width) - 1) for value in values]
            word = read_rom(m, f"factors_{stream}_{lane}", words, shape.width, address, self._style, pipeline.moves[0])
            return _Term(word.as_signed() if shape.signed else word, low, high)

        return [[factor(stream, lane) for stream in range(len(self.codings))] for lane in range(self.lanes)]


@dataclass(frozen=True)
class _Term:
    """A number in one lane, and its range; a bipolar one is a bit."""

    value: Value
    low: int
    high: int
    bipolar: bool = False

    @classmethod
    def of(cls, beat: Value, lane: int, coding: Coding) -> "_Term":
        """Take a number out of a beat."""
        if coding.bipolar:
            return cls(beat[lane], -1, 1, bipolar=True)
        return cls(field(beat, lane, coding), coding.low, coding.high)

    def registered(self, m: Module, name: str, moves: Value) -> "_Term":
        """Give the number behind a register that takes it whenever ``moves``."""
        signal = Signal(1 if self.bipolar else range_shape(self.low, self.high), name=name, reset_less=True)
        with m.If(moves):
            m.d.sync += signal.eq(self.value)
        return replace(self, value=signal)

    def times(self, other: "_Term") -> "_Term":
        """Multiply; by a bit: negate or not."""
        if self.bipolar and other.bipolar:
            return replace(self, value=~(self.value ^ other.value))
        if self.bipolar:
            return other.times(self)
        corners = [x * y for x in (self.low, self.high) for y in (other.low, other.high)]
        low, high = min(corners), max(corners)
        if other.bipolar:
            return _Term(Mux(other.value, self.value, -self.value), low, high)
        if (other.low, other.high) in ((1, 1), (-1, -1)):
            return _Term(self.value if low == self.low else -self.value, low, high)
        return _Term(self.value * other.value, low, high)

    def plus(self, other: "_Term") -> "_Term":
        """Add."""
        return _Term(self.value + other.value, self.low + other.low, self.high + other.high)
