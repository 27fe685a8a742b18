"""Straight lines by pieces in fixed point: multiply, add, shift and clip, each channel with its own tables, or one for each class of positions."""

from collections.abc import Callable, Sequence

import numpy as np
from amaranth.hdl import Cat, Const, Module, Shape, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.compute.adder_tree import range_shape
from hwgen.rtl_templates.compute.channel_table import ChannelAddress, read_rom, read_rom_bill
from hwgen.rtl_templates.compute.level_search import LevelSearch
from hwgen.rtl_templates.cost import Part, Product
from hwgen.rtl_templates.memory import MemoryStyle
from hwgen.rtl_templates.streams.elastic import ElasticPipeline, held
from hwgen.rtl_templates.windows.lines import Lines, signed_digits

__all__ = ["SegmentsUnit"]


class SegmentsUnit(wiring.Component):
    """Gives ``clip((factor * x + offset) >> shift, low, high)`` of each number x, without an odd code of a sum that loses only zeros if ``even``.

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
    style : MemoryStyle
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
        style: MemoryStyle = MemoryStyle.AUTO,
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

    @classmethod
    def bill(
        cls,
        name: str,
        *,
        lanes: int,
        lines: Lines,
        out_bits: int,
        rows: Sequence[int] = (0,),
        columns: Sequence[int] = (0,),
        style: MemoryStyle = MemoryStyle.AUTO,
        slots: int | None = None,
    ) -> Bill:
        """Give what it is made of: the pipeline's handshakes, search, tables, product, sum, and what clips."""
        bill = ElasticPipeline.bill(f"{name}.queue", lines.stages, lanes * out_bits, slots)
        addresses = len(lines.factors) // lanes
        read = addresses if lines.depends_on_beat(lanes) else 1
        if read > 1:
            bill.include(ChannelAddress.bill(rows, columns, cls._folds(addresses, rows, columns)))
            bill.register(lines.search_stages * (addresses - 1).bit_length())
        if lines.pieces > 1:
            breaks = lines.breaks.reshape(addresses, lanes, -1)[:read]
            falling = np.zeros(breaks.shape[:2], dtype=bool)
            bill.include(LevelSearch.bill(name, in_shape=lines.number, levels=breaks, falling=falling, style=style))
        (_, factor), (_, offset) = lines.fields
        if lines.varies:
            bill.include(cls._table_bill(name, lanes, lines, read, style))
            bill.register(lanes * (factor + offset))
        bill.register(lanes * lines.number.width * lines.fetch_stages)
        bill.include(cls._product_bill(lanes, lines))
        total = range_shape(*lines.sums).width
        bill.register(lanes * (offset * lines.product_stages + total * lines.sum_stages + out_bits))
        # Of the bits that the shift drops only the carry is left, and whether all are zero.
        bill.add(Part.OTHER, lanes * max(0, total - lines.shift) * lines.sum_stages)
        bill.add(Part.OTHER, lanes * lines.even * (lines.shift / 3 + 1))
        clips = (lines.sums[1] >> lines.shift > lines.high) + (lines.sums[0] >> lines.shift < lines.low)
        bill.add(Part.OTHER, lanes * (out_bits + (total - lines.shift - out_bits) / 2) * (clips > 0))
        return bill

    @staticmethod
    def _folds(addresses: int, rows: Sequence[int], columns: Sequence[int]) -> int:
        """Give the beats of a pixel."""
        return addresses // ((max(rows) + 1) * (max(columns) + 1))

    @staticmethod
    def _table_bill(name: str, lanes: int, lines: Lines, rows: int, style: MemoryStyle) -> Bill:
        """Give the memories of factors and offsets: one for all lanes, if all read the same address."""
        bill = Bill()
        places = np.minimum(np.arange(1 << lines.search_stages), lines.pieces - 1)
        bits = [field.reshape(-1, lanes, lines.pieces)[:rows, :, places] for field, _ in lines.fields]
        width = max(width for _, width in lines.fields)
        entries = np.stack(bits, axis=-1).swapaxes(1, 2).reshape(rows * len(places), lanes, 2)
        if lines.pieces == 1:
            bill.include(read_rom_bill(f"{name}.lines", entries.reshape(rows, -1), width, style))
            return bill
        for lane in range(lanes):
            bill.include(read_rom_bill(f"{name}.lines_{lane}", entries[:, lane], width, style))
        return bill

    @staticmethod
    def _product_bill(lanes: int, lines: Lines) -> Bill:
        """Give what multiplies: nothing, adders, choices among shifted numbers, or multipliers and what joins their parts."""
        bill, bits = Bill(), range_shape(*lines.products).width
        if lines.exponents is not None:
            bill.add(Part.OTHER, lanes * bits * -(-len(lines.exponents) // 2))
        elif lines.multiplies:
            numbers, factors = lines.parts
            left, right = -(-lines.number.width // numbers), -(-lines.factor.width // factors)
            bill.products.append(Product(lanes * numbers * factors, left, right, left + right))
            bill.add(Part.OTHER, lanes * (bits - lines.part_bits) * (numbers * factors - 1))
            bill.register(lanes * numbers * factors * (left + right))
        else:
            bill.add(Part.ADDER_BIT, lanes * bits * lines.product_stages)
        bill.register(lanes * bits * lines.product_stages)
        return bill

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
            folds = self._folds(self._addresses, self._rows, self._columns)
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
        least -= least & lines.even
        value = Signal(range_shape(least, greatest), name=f"shifted_{lane}")
        m.d.comb += value.eq(total >> lines.shift)
        if lines.even:
            lost = total[: min(lines.shift, len(total))]
            m.d.comb += value[0].eq((total >> lines.shift)[0] & lost.any())
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
