"""Find how many of its levels a number reaches, one bit of the count a pipeline stage."""

from collections.abc import Iterator, Mapping
from functools import cached_property

import numpy as np
from amaranth.hdl import Cat, Module, Shape, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.compute.channel_table import read_rom, read_rom_bill
from hwgen.rtl_templates.compute.compare import as_level, reaches, reaches_bill
from hwgen.rtl_templates.cost import Part
from hwgen.rtl_templates.memory import MemoryStyle
from hwgen.rtl_templates.registers.write_bus import Contents, fan_out, write_port
from hwgen.rtl_templates.streams.elastic import held

__all__ = ["LevelSearch", "SearchTables"]


class SearchTables:
    """What the stages of a `LevelSearch` compare with; parameters are those of the unit."""

    def __init__(self, in_shape: Shape, levels: np.ndarray, falling: np.ndarray, *, writable: bool = False) -> None:
        self.addresses, self.lanes, steps = levels.shape
        self.stages = LevelSearch.stages_of(steps)
        self.always = always = -(1 << in_shape.width - 1) if in_shape.signed else 0
        self.never = never = always + (1 << in_shape.width)
        self._falling = falling
        self._levels = _completed(np.clip(levels, always, never), self.stages, falling, always, never)
        highest = never if writable else max(never - 1, int(self._levels.max()))
        self.level_shape = Shape.cast(range(always, highest + 1))
        self.any_falls = writable or bool(falling.any())

    @property
    def word_width(self) -> int:
        """Bits of a field: a level, and whether its channel falls if any may."""
        return self.level_shape.width + self.any_falls

    def levels(self, stage: int) -> np.ndarray:
        """Give the levels that a stage compares with, by address, lane and the bits of the count known so far."""
        paths = np.arange(1 << stage)
        reached = np.where(self._falling[:, :, None], paths[::-1], paths)
        index = (2 * reached + 1) * (1 << self.stages - 1 - stage) - 1
        return np.take_along_axis(self._levels, index, axis=2)

    def fields(self, stage: int) -> np.ndarray:
        """Give what a stage reads, `word_width` bits a field: int64 (addresses, lanes, bits of the count known so far)."""
        falling = self._falling[:, :, None].astype(np.int64) << self.level_shape.width
        return as_level(self.levels(stage), self.level_shape) | falling

    def memories(self, stage: int) -> list[tuple[list[int], int]]:
        """Give words and width of each memory of a stage: one for all lanes as long as all read the same address."""
        width, packed = self.word_width, self.fields(stage)
        if stage > 0:
            return [(packed[:, lane].ravel().tolist(), width) for lane in range(self.lanes)]
        return [
            (
                [sum(word << lane * width for lane, word in enumerate(row)) for row in packed[..., 0].tolist()],
                width * self.lanes,
            )
        ]


class LevelSearch(wiring.Component):
    """Counts the levels that each lane's number has reached (a falling channel: has not reached), by binary search.

    The levels are sorted, so one comparator for each bit of the count does: stage ``k`` compares with one of ``2**k``
    levels, chosen by the ``k`` bits known so far. A channel with fewer levels than the search has room for gets levels
    that are never reached (a falling one: always).

    Parameters
    ----------
    in_shape : Shape
        Of one number.
    levels : int array, shape (addresses, lanes, steps)
        Rising along the last axis; at least one step.
    falling : bool array, shape (addresses, lanes)
        Count the levels that are not reached.
    style : MemoryStyle
        Memory of the levels, see `read_rom`.
    writable : bool
        Whether levels, and which channels fall, can be written.

    Members
    -------
    moves : In(stages)
        Register n of the pipeline takes what stands before it.
    address : In(range(addresses))
        The row of levels that holds for ``numbers``.
    numbers : In(lanes * width of in_shape)
    beside : Out(lanes * width of in_shape)
        The numbers once more, as late as the counts.
    counts : Out(lanes * stages)
        ``stages`` registers behind the numbers.
    write : ``In(write_port(memories))``
        Only if writable.
    """

    def __init__(
        self,
        *,
        in_shape: Shape,
        levels: np.ndarray,
        falling: np.ndarray,
        style: MemoryStyle = MemoryStyle.AUTO,
        writable: bool = False,
    ) -> None:
        self.addresses, self.lanes, steps = levels.shape
        self.in_shape = Shape.cast(in_shape)
        self.stages = self.stages_of(steps)
        self._style = style
        self._tables = SearchTables(self.in_shape, levels, falling, writable=writable)
        self.writable = writable
        numbers = self.lanes * self.in_shape.width
        ports = {
            "moves": In(self.stages),
            "address": In(range(self.addresses)),
            "numbers": In(numbers),
            "beside": Out(numbers),
            "counts": Out(self.lanes * self.stages),
        }
        super().__init__(ports | ({"write": In(write_port(self.memories))} if writable else {}))

    @cached_property
    def memories(self) -> Mapping[str, Contents]:
        """The levels of each stage, by the names of the memories."""
        return {
            self._memory_name(stage, lane): Contents(words, width)
            for stage in range(self.stages)
            for lane, (words, width) in enumerate(self._tables.memories(stage))
        }

    @staticmethod
    def _memory_name(stage: int, lane: int) -> str:
        return f"levels_{stage}" + f"_{lane}" * (stage > 0)

    @staticmethod
    def stages_of(steps: int) -> int:
        """Registers from a number to its count: one a bit of the count."""
        return int(steps).bit_length()

    def memory_shapes(self) -> Iterator[tuple[int, int, int]]:
        """Give (stage, words, bits a word) of each memory that is not a constant; stages after the first have one a lane."""
        for stage in range(self.stages):
            for words, width in self._tables.memories(stage):
                if self.writable or len(set(words)) > 1:
                    yield stage, len(words), width

    @property
    def needs_address(self) -> bool:
        """Whether any memory is more than a function of the bits known so far."""
        return self.addresses > 1 and any(True for _ in self.memory_shapes())

    @staticmethod
    def bill(
        name: str,
        *,
        in_shape: Shape,
        levels: np.ndarray,
        falling: np.ndarray,
        style: MemoryStyle = MemoryStyle.AUTO,
        writable: bool = False,
    ) -> Bill:
        """Give what it is made of: for each stage its tables, a comparison a lane, and the registers of numbers and counts."""
        bill, tables = Bill(), SearchTables(in_shape, levels, falling, writable=writable)
        for stage in range(tables.stages):
            fields = tables.fields(stage)
            lanes = [fields.reshape(len(fields), -1)] if stage == 0 else fields.swapaxes(0, 1)
            for lane, words in enumerate(lanes):
                words = words.reshape(-1, 1) if stage else words
                where = f"{name}.levels_{stage}_{lane}"
                bill.include(read_rom_bill(where, words, tables.word_width, style, writable=writable))
            compared = tables.levels(stage).swapaxes(1, 2).reshape(-1, tables.lanes)
            bill.include(reaches_bill(compared, max(in_shape.width, tables.level_shape.width)))
            bill.add(Part.OTHER, tables.lanes * (tables.level_shape.signed + tables.any_falls))
            bill.register(tables.lanes * (in_shape.width + stage))
        return bill

    def elaborate(self, platform: object) -> Module:
        """Read the level while the number waits in a register, compare, append the bit, repeat."""
        m = Module()

        numbers, address = self.numbers, self.address if self.needs_address else Cat()
        ports: list[wiring.PureInterface] | None = [] if self.writable else None
        codes: list[Value] = [Cat() for _ in range(self.lanes)]
        for stage, moves in enumerate(self.moves):
            addresses = [Cat(code, address) for code in codes[: 1 if stage == 0 else None]]
            words = Cat(
                read_rom(
                    m,
                    self._memory_name(stage, lane),
                    memory,
                    width,
                    addresses[lane],
                    self._style,
                    moves,
                    ports,
                )
                for lane, (memory, width) in enumerate(self._tables.memories(stage))
            )
            numbers = held(m, f"numbers_{stage}", moves, numbers)
            if stage > 0:
                codes = [held(m, f"code_{stage}_{lane}", moves, code) for lane, code in enumerate(codes)]
            if stage + 1 < self.stages and len(address):
                address = held(m, f"address_{stage}", moves, address)
            found = [self._compare(m, stage, lane, numbers, words) for lane in range(self.lanes)]
            codes = [Cat(bit, code) for bit, code in zip(found, codes, strict=True)]
        m.d.comb += [self.counts.eq(Cat(*codes)), self.beside.eq(numbers)]
        if ports is not None:
            fan_out(m, self.write, ports)
        return m

    def _compare(self, m: Module, stage: int, lane: int, numbers: Value, words: Value) -> Signal:
        """Give the next bit of one lane's count."""
        reached = Signal(name=f"reached_{stage}_{lane}")
        known = np.unique(self._tables.levels(stage)[:, lane])
        if not self.writable and len(known) == 1 and known[0] in (self._tables.always, self._tables.never):
            # A comparison whose outcome is certain would stand in the Verilog as one, and every tool would warn of it.
            m.d.comb += reached.eq(int(known[0] == self._tables.always))
        else:
            m.d.comb += reached.eq(self._at_least(numbers, words, lane))
        if not self._tables.any_falls:
            return reached
        bit = Signal(name=f"bit_{stage}_{lane}")
        m.d.comb += bit.eq(reached ^ words[(lane + 1) * self._tables.word_width - 1])
        return bit

    def _at_least(self, numbers: Value, words: Value, lane: int) -> Value:
        """Compare one lane's number with its level."""
        number = numbers.word_select(lane, self.in_shape.width)
        number = number.as_signed() if self.in_shape.signed else number
        word = words.word_select(lane, self._tables.word_width)
        return reaches(number, word[: self._tables.level_shape.width], self._tables.level_shape)


def _completed(levels: np.ndarray, stages: int, falling: np.ndarray, always: int, never: int) -> np.ndarray:
    """Fill every channel up to ``2**stages - 1`` levels that leave its count as it is."""
    addresses, lanes, steps = levels.shape
    missing = (1 << stages) - 1 - steps
    below = np.full((addresses, lanes, missing), always)
    above = np.full((addresses, lanes, missing), never)
    return np.where(
        falling[:, :, None], np.concatenate([below, levels], axis=2), np.concatenate([levels, above], axis=2)
    )
