"""Straight lines by pieces in fixed point: multiply, add, shift and clip, each channel with its own tables, or one for each class of positions."""

from collections.abc import Callable, Sequence

import numpy as np
from amaranth.hdl import Cat, Const, Module, Shape, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.compute.adder_tree import range_shape
from hwgen.rtl_templates.compute.channel_table import ChannelAddress, read_rom
from hwgen.rtl_templates.compute.level_search import LevelSearch
from hwgen.rtl_templates.streams.elastic import ElasticPipeline, held
from hwgen.rtl_templates.windows.lines import Lines, signed_digits

__all__ = ["SegmentsUnit"]


class SegmentsUnit(wiring.Component):
    """Gives ``clip((factor * x + offset) >> shift, low, high)`` of each number x.

    A search finds the number's piece, a memory its factor and offset; product, sum and clipped code each have a register, and so
    have the operands of a multiplier and, where these are wider than one multiplier, the products of their parts. What
    the tables show to be constant, zero or a power of two is left out.

    A beat is taken in every cycle. Latency and slots: ``ElasticPipeline.timing(lines.stages, width_out, slots)``.

    Parameters
    ----------
    lanes : int
        Channels a beat; divides the channel count.
    lines : Lines
    out_bits : int
        Width of a code.
    rows, columns : sequence of int
        Class of each row and column of the map, see `ChannelAddress`; ``lines`` have the channels of class after class.
    style : str
        Memory of the tables, see `read_rom`.
    slots : int or None
        See `ElasticPipeline`.

    Members
    -------
    i : ``In(stream.Signature(lanes * width of lines.number))``
    o : ``Out(stream.Signature(lanes * out_bits))``
    """

    def __init__(
        self,
        *,
        lanes: int,
        lines: Lines,
        out_bits: int,
        rows: Sequence[int] = (0,),
        columns: Sequence[int] = (0,),
        style: str = "auto",
        slots: int | None = None,
    ) -> None:
        self.lanes = lanes
        self.lines = lines
        self.out_bits = out_bits
        self.width_out = lanes * out_bits
        self.slots = slots
        self._addresses = len(lines.factors) // lanes
        self._rows, self._columns = tuple(rows), tuple(columns)
        self._style = style
        super().__init__(
            {
                "i": In(stream.Signature(unsigned(lanes * lines.number.width))),
                "o": Out(stream.Signature(unsigned(self.width_out))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Search, fetch, multiply, add, clip; each step takes the next registers of the pipeline."""
        m = Module()
        lines = self.lines
        m.submodules.pipeline = pipeline = ElasticPipeline(lines.stages, self.width_out, self.slots)
        wiring.connect(m, wiring.flipped(self.o), pipeline.o)
        m.d.comb += [pipeline.i_valid.eq(self.i.valid), self.i.ready.eq(pipeline.i_ready)]
        stage = 0

        def hold(name: str, value: Value, ahead: int = 0) -> Signal:
            """Register a value of the present stage."""
            return held(m, name, pipeline.moves[stage + ahead], value)

        address: Value = Cat()
        if lines.depends_on_beat(self.lanes):
            folds = self._addresses // ((max(self._rows) + 1) * (max(self._columns) + 1))
            m.submodules.position = position = ChannelAddress(self._rows, self._columns, folds)
            m.d.comb += position.step.eq(self.i.valid & self.i.ready)
            address = position.address
        numbers, pieces = self.i.payload, [Cat()] * self.lanes
        if lines.pieces > 1:
            numbers, pieces = self._search(m, pipeline, address)
            for stage in range(lines.search_stages):
                address = hold(f"address_{stage}", address) if len(address) else address
            stage = lines.search_stages
        words = [Const(0, 0)] * self.lanes
        if lines.varies:
            words = self._tables(m, pipeline.moves[stage], address, pieces)
            numbers = hold("numbers_beside_table", numbers)
            stage += 1
            words = [hold(f"entries_{lane}", word) for lane, word in enumerate(words)]
        if lines.fetch_stages:
            numbers = hold("operands", numbers)
            stage += 1
        entries = [self._entries(word) for word in words]
        codes = []
        first = stage
        for lane, (factor, offset) in enumerate(entries):
            stage = first
            number = _as(numbers.word_select(lane, lines.number.width), lines.number)
            product = self._product(m, lane, number, factor, hold)
            for ahead in range(lines.product_stages):
                offset = offset if isinstance(offset, Const) else hold(f"offset_{ahead}_{lane}", offset, ahead)
            stage += lines.product_stages
            total = product
            if lines.sum_stages:
                total = Signal(range_shape(*lines.sums), name=f"following_sum_{lane}")
                m.d.comb += total.eq(product + offset)
                total = hold(f"sum_{lane}", total)
                stage += 1
            codes.append(hold(f"code_{lane}", self._clipped(m, lane, total)))
        m.d.comb += pipeline.data.eq(Cat(*codes))
        return m

    def _search(self, m: Module, pipeline: ElasticPipeline, address: Value) -> tuple[Value, list[Value]]:
        """Find the piece of each lane's number."""
        breaks = self.lines.breaks.reshape(self._addresses, self.lanes, -1)
        if not len(address):
            breaks = breaks[:1]
        m.submodules.search = search = LevelSearch(
            in_shape=self.lines.number, levels=breaks, falling=np.zeros(breaks.shape[:2], dtype=bool), style=self._style
        )
        m.d.comb += [
            search.moves.eq(pipeline.moves[: search.stages]),
            search.address.eq(address),
            search.numbers.eq(self.i.payload),
        ]
        return search.beside, [search.counts.word_select(lane, search.stages) for lane in range(self.lanes)]

    def _tables(self, m: Module, moves: Value, address: Value, pieces: list[Value]) -> list[Value]:
        """Read each lane's factor and offset: one memory for all lanes, if all read the same address."""
        (factors, factor), (offsets, offset) = (
            (bits.reshape(self._addresses, self.lanes, -1), width) for bits, width in self.lines.fields
        )
        width = factor + offset
        words = factors.astype(object) | (offsets.astype(object) << factor)
        words = words if len(address) else words[:1]
        if self.lines.pieces == 1:
            together = [sum(word << lane * width for lane, word in enumerate(row)) for row in words[..., 0].tolist()]
            word = read_rom(m, "lines", together, width * self.lanes, address, self._style, moves)
            return [word.word_select(lane, width) for lane in range(self.lanes)]
        words = words[..., np.minimum(np.arange(1 << len(pieces[0])), self.lines.pieces - 1)]
        return [
            read_rom(m, f"lines_{lane}", table.ravel().tolist(), width, Cat(piece, address), self._style, moves)
            for lane, (table, piece) in enumerate(zip(words.swapaxes(0, 1), pieces, strict=True))
        ]

    def _entries(self, word: Value) -> tuple[Value, Value]:
        """Take a lane's word apart; what is the same everywhere is a constant."""
        lines, ((_, factor), (_, offset)) = self.lines, self.lines.fields
        return (
            _as(word[:factor], lines.factor) if factor else Const(int(lines.factors[0, 0]), lines.factor),
            _as(word[factor:], lines.offset) if offset else Const(int(lines.offsets[0, 0]), lines.offset),
        )

    def _product(self, m: Module, lane: int, number: Value, factor: Value, hold: Callable[..., Signal]) -> Value:
        """Multiply; the result stands ``product_stages`` registers behind the operands."""
        lines = self.lines
        shape = range_shape(*lines.products)

        def wire(name: str, value: Value, shape: Shape = shape) -> Signal:
            signal = Signal(shape, name=f"{name}_{lane}")
            m.d.comb += signal.eq(value)
            return signal

        if lines.constant is not None:
            terms = [
                number << place if sign > 0 else -(number << place) for place, sign in signed_digits(lines.constant)
            ]
            product = wire("following_product", sum(terms, Const(0, 0)))
            return hold(f"product_{lane}", product) if lines.product_stages else product
        if lines.exponents is not None:
            union: Value = Const(0, 0)
            for exponent, bit in zip(lines.exponents, factor, strict=True):
                union = union | (wire(f"times_{1 << exponent}", number << exponent)[:] & bit.replicate(shape.width))
            return hold(f"product_{lane}", wire("following_product", union))
        bits = lines.part_bits
        numbers, factors = (_parts(x, count, bits) for x, count in zip((number, factor), lines.parts, strict=True))
        products = [
            (hold(f"product_{a}_{b}_{lane}", x * y), (a + b) * bits)
            for a, x in enumerate(numbers)
            for b, y in enumerate(factors)
        ]
        if len(products) == 1:
            return products[0][0]
        joined = wire("following_product", sum((part << place for part, place in products), Const(0, 0)))
        return hold(f"product_{lane}", joined, 1)

    def _clipped(self, m: Module, lane: int, total: Value) -> Value:
        """Shift, and replace what is out of range."""
        lines = self.lines
        least, greatest = (bound >> lines.shift for bound in lines.sums)
        value = Signal(range_shape(least, greatest), name=f"shifted_{lane}")
        m.d.comb += value.eq(total >> lines.shift)
        code = Signal(self.out_bits, name=f"following_code_{lane}")
        m.d.comb += code.eq(value)
        if greatest > lines.high:
            with m.If(_exceeds(value, lines.high)):
                m.d.comb += code.eq(lines.high)
        if least < lines.low:
            with m.If(_falls_below(value, lines.low)):
                m.d.comb += code.eq(lines.low)
        return code


def _as(value: Value, shape: Shape) -> Value:
    """Read bits as a number of a shape."""
    return value.as_signed() if shape.signed else value


def _parts(value: Value, count: int, bits: int) -> list[Value]:
    """Cut a number into parts, lowest first; only the last has the number's sign."""
    last = value[(count - 1) * bits :]
    return [value[part * bits : (part + 1) * bits] for part in range(count - 1)] + [_as(last, value.shape())]


def _exceeds(value: Value, high: int) -> Value:
    """Tell whether a number is above a bound that it can exceed; above ``2**n - 1`` it has higher bits."""
    shape = value.shape()
    if high < 0 or high & (high + 1):
        return value > high
    beyond = value[high.bit_length() : shape.width - shape.signed].any()
    return ~value[-1] & beyond if shape.signed else beyond


def _falls_below(value: Value, low: int) -> Value:
    """Tell whether a number is below a bound that it can fall below; below ``-2**n`` it lacks higher bits."""
    if low > 0 or -low & (-low - 1):
        return value < low
    return value[-1] & ~value[(-low).bit_length() - 1 :].all() if low else value[-1]
