"""What units are made of, counted from their parameters: the quantities that a family's resource model prices.

A bill says how many of each `Part` a unit has, and which memories. Flip-flops are counted, not estimated; what a LUT holds depends on the
family, so the prices of the other parts are fitted to measurements (`benchmarks/resources.py`). Every function follows the unit of the same name in
``rtl_templates/``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hwgen.fold import MemoryStyle
from hwgen.layers.costs import Chain, MemoryKind, MemoryShape, Part, Product, Resources
from hwgen.layers.sum_bill import Sums
from hwgen.layers.table_bill import style_of, table_shape
from hwgen.rtl_templates.compute.level_search import SearchTables
from hwgen.rtl_templates.compute.storage import suits_block_ram
from hwgen.rtl_templates.streams.elastic import ElasticPipeline
from hwgen.rtl_templates.streams.fifo import REGISTER_DEPTH
from hwgen.rtl_templates.windows.loop_nest import loop_moves
from hwgen.rtl_templates.windows.sliding_window import SlidingWindow
from hwgen.rtl_templates.windows.window_axis import Axis, moves_ahead, moves_behind

__all__ = ["Bill", "narrowing", "widening"]


@dataclass
class Bill:
    """Parts, carry chains, memories and multipliers, added up unit by unit."""

    parts: dict[Part, float] = field(default_factory=dict)
    chains: dict[Chain, float] = field(default_factory=dict)
    memories: list[MemoryShape] = field(default_factory=list)
    products: list[Product] = field(default_factory=list)

    def add(self, part: Part, number: float) -> None:
        """Add so many of a part."""
        if number:
            self.parts[part] = self.parts.get(part, 0) + number

    def register(self, bits: float) -> None:
        """Add flip-flops without logic of their own."""
        self.add(Part.FLIPFLOP, bits)

    def chain(
        self, part: Part, bits: int, number: float = 1, *, carries_in: bool = False, carries_out: bool = False
    ) -> None:
        """Add carry chains of so many bits, beside one that only brings in a carry; the top bit may be a carry out."""
        if bits > 0 and number:
            chain = Chain(part, bits + carries_in, carries_in, carries_out)
            self.chains[chain] = self.chains.get(chain, 0) + number

    def sums(self, sums: Sums) -> None:
        """Add the carry chains and flip-flops of sums."""
        for (bits, carries_in, carries_out), number in sums.adders.items():
            self.chain(Part.ADDER_BIT, bits, number, carries_in=carries_in, carries_out=carries_out)
        self.register(sums.flipflops)

    def level(self, values: int) -> None:
        """Add a register that counts up and down, and what tells it to."""
        self.chain(Part.COUNTER_BIT, _bits(values))
        self.register(_bits(values))
        self.add(Part.OTHER, 1)

    def pointer(self, values: int) -> None:
        """Add a register that counts through so many values; where they are not a power of two, it is compared and cleared."""
        bits = _bits(values)
        self.chain(Part.COUNTER_BIT, bits)
        self.register(bits)
        if values & (values - 1):
            self.chain(Part.CLEARED_BIT, bits)
            self.add(Part.OTHER, _joining(bits))

    def counter(self, values: int) -> None:
        """Add a register that counts through so many values, and is compared and cleared at the last."""
        bits = _bits(values)
        self.chain(Part.COUNTER_BIT, bits)
        self.chain(Part.CLEARED_BIT, bits)
        self.register(bits)
        self.add(Part.OTHER, _joining(bits))

    def twin(self, values: int) -> None:
        """Add a counter through a power of two of values that is always equal to the lowest bits of another one."""
        self.chain(Part.TWIN_BIT, _bits(values))

    def loop(self, rounds: int) -> None:
        """Add a loop of a `LoopNest`: its counter, and a register that tells the last round, which of two is the counter."""
        self.counter(rounds)
        if rounds > 1:
            self.register(rounds > 2)
            self.chain(Part.TWIN_BIT, rounds == 2)
            self.add(Part.OTHER, 1)

    def include(self, other: Bill, times: float = 1) -> None:
        """Add all of another bill, so many times; its memories and products once."""
        for part, number in other.parts.items():
            self.add(part, number * times)
        for chain, number in other.chains.items():
            self.chains[chain] = self.chains.get(chain, 0) + number * times
        self.memories += other.memories
        self.products += other.products

    # Queues and buffers

    def fifo(self, name: str, width: int, depth: int) -> None:
        """Add a `Fifo`."""
        # Whether it is full, and whether it holds a word, are two LUTs each.
        self.add(Part.OTHER, 4)
        self.register(2)
        self.level(depth + 1)
        if suits_block_ram(depth, width):
            self.level(depth + 1)
            self.register(1)
            self.add(Part.OTHER, 2)
            self._pointers(depth)
            self.memories.append(MemoryShape(name, depth, width, MemoryStyle.BLOCK))
        elif depth > REGISTER_DEPTH:
            self._pointers(depth)
            self.memories.append(MemoryShape(name, depth, width, MemoryStyle.DISTRIBUTED, MemoryKind.QUEUE))
        else:
            self.register(width * depth)
            # Each word but the last takes the one behind it or the new one; it is told which, and when.
            self.add(Part.SHIFT_BIT, width * (depth - 1))
            self.add(Part.OTHER, 2 * depth - 1)

    def _pointers(self, depth: int) -> None:
        for _ in range(2):
            self.pointer(depth)
            self.add(Part.OTHER, 1)

    def queue(self, name: str, width: int, slots: int) -> None:
        """Add an `OutputQueue`; with a single slot all its state is one bit."""
        if slots == 1:
            self.add(Part.TWIN_BIT, 4)
            self.add(Part.OTHER, 7)
            self.register(1 + width)
            return
        self.level(slots + 1)
        self.register(1)
        self.add(Part.OTHER, 2)
        self.fifo(name, width, slots)

    def elastic(self, name: str, width: int, stages: int, slots: int | None) -> None:
        """Add the handshakes of an `ElasticPipeline` and the FIFO behind it."""
        self.register(stages)
        self.add(Part.OTHER, stages)
        self.fifo(name, width, ElasticPipeline.timing(stages, width, slots)[1] - stages)

    def levels(self, name: str, search: SearchTables, bits: int, style: MemoryStyle, *, writable: bool) -> None:
        """Add a `LevelSearch` with these tables, of numbers of so many bits."""
        for stage in range(search.stages):
            fields = search.fields(stage)
            lanes = [fields.reshape(len(fields), -1)] if stage == 0 else fields.swapaxes(0, 1)
            for lane, words in enumerate(lanes):
                words = words.reshape(-1, 1) if stage else words
                where = f"{name}.levels_{stage}_{lane}"
                self.table(where, words, search.word_width, style, writable=writable)
            self.compare(
                search.levels(stage).swapaxes(1, 2).reshape(-1, search.lanes), max(bits, search.level_shape.width)
            )
            self.add(Part.OTHER, search.lanes * search.level_shape.signed)
            self.register(fields.shape[1] * (bits + stage))

    def compare(self, levels: np.ndarray, bits: int) -> None:
        """Add comparisons of numbers of so many bits with levels, int64 (words, comparisons); a level's lowest zeros are not compared."""
        for column in levels.T:
            level = int(column[0])
            zeros = (level & -level).bit_length() - 1 if level and np.all(column == level) else 0
            self.chain(Part.LEVEL_BIT, max(1, bits + 1 - zeros))

    def rank(self, bits: int, number: float, *, signed: bool) -> None:
        """Add comparisons of two numbers; the sign of a difference is known from the last two carries."""
        if bits > 1:
            self.chain(Part.RANK_BIT, bits, number)
            self.add(Part.OTHER, number * (3 if signed else 1))

    def vector_buffer(self, name: str, width: int, length: int, repeats: int, capacity: int) -> None:
        """Add a `VectorBuffer`."""
        self.add(Part.UNIT, 1)
        self.register(2 + 4)
        self.add(Part.OTHER, 7)
        self.level(capacity + 1)
        # What a vector's end frees is added to what came in.
        self.level(capacity + 1)
        self.add(Part.OTHER, bin(length).count("1"))
        self.counter(repeats)
        for _ in range(2):
            self.pointer(capacity)
        # The column of a vector is part of the row's address where both are powers of two.
        (self.twin if capacity == 2 * length and length & (length - 1) == 0 else self.counter)(length)
        self.add(Part.SHIFT_BIT, _bits(capacity))
        self.register(_bits(capacity))
        style = MemoryStyle.BLOCK if suits_block_ram(capacity, width) else MemoryStyle.DISTRIBUTED
        self.memories.append(MemoryShape(name, capacity, width, style))

    # Constant tables

    def rom(self, name: str, fields: np.ndarray, bits: int, style: MemoryStyle, latency: int = 2) -> None:
        """Add a `Rom` of words of fields, int64 (words, fields a word), each of so many bits."""
        shape = table_shape(name, fields, bits, style, MemoryKind.ROM)
        if shape is None:
            return
        self.memories.append(shape)
        if shape.style is MemoryStyle.BLOCK:
            self.register(shape.width * (latency - 1))
        else:
            self.register(shape.logic.columns if shape.logic else shape.width)
            self.register(_bits(shape.depth) * (latency - 1))

    def table(self, name: str, fields: np.ndarray, bits: int, style: MemoryStyle, *, writable: bool) -> None:
        """Add a table that ``read_rom`` reads, of words of fields, int64 (words, fields a word)."""
        if writable:
            depth, lanes = fields.shape
            self.memories.append(
                MemoryShape(name, depth, lanes * bits, style_of(style, depth, lanes, bits), written=True)
            )
            return
        shape = table_shape(name, fields, bits, style, MemoryKind.TABLE)
        if shape is not None:
            self.memories.append(shape)

    def written(self, name: str, depth: int, width: int, style: MemoryStyle) -> None:
        """Add a `Rom` that can be written: a memory and the register behind it, or registers alone."""
        self.register(width)
        if depth > 1:
            self.memories.append(MemoryShape(name, depth, width, style, written=True))

    def position(self, rows: Sequence[int], columns: Sequence[int], groups: int) -> None:
        """Add a `ChannelAddress`."""
        self.counter(groups)
        for classes in (rows, columns):
            kinds = len(set(classes))
            if kinds > 1:
                self.counter(len(classes))
                self.add(Part.CASE, kinds)
                self.counter(max(classes) * groups + 1)

    # Windows

    def sliding_window(
        self,
        name: str,
        width: int,
        rows: Axis,
        columns: Axis,
        *,
        words: int,
        capacity: int,
        replays: int,
        parts: int = 1,
        paddings: int = 1,
        output_register: bool = False,
    ) -> None:
        """Add a `SlidingWindow`; ``paddings`` is how many different words stand in the padding."""
        self.add(Part.UNIT, 1)
        counts = {
            "word": words // parts,
            "tap_column": columns.kernel,
            "tap_row": rows.kernel,
            "replay": replays,
            "part": parts,
            "column": columns.windows,
            "row": rows.windows,
        }
        for count in counts.values():
            self.loop(count)
        reach = capacity + 2 * rows.size * columns.size * words
        # Neither count goes further than the memory: the bits above are its sign.
        self.chain(Part.ADDER_BIT, capacity.bit_length() + 1, 2)
        self.add(Part.TWIN_BIT, 2 * (reach.bit_length() - capacity.bit_length()))
        self.register(2 * (capacity.bit_length() + 1) + 2)
        for moves in (moves_ahead(rows, columns, words), moves_behind(rows, columns, words)):
            self.add(Part.CASE, sum(len(set(values)) - 1 for values in moves))
            moved = np.bitwise_or.reduce([*moves.steps, *moves.turns])
            self.add(Part.ROOM_BIT, int(moved).bit_count())
        self.register(int(moved).bit_count())
        self.loop(capacity)
        strides = SlidingWindow.strides(rows, columns, words, words // parts)
        self._walk(counts, strides, rows.size * columns.size * words, capacity)
        for name, axis in (("row", rows), ("column", columns)):
            if axis.is_padded:
                self._walk(counts, {f"tap_{name}": axis.dilation, name: axis.stride}, 0, 1 << axis.padded.bit_length())
                self.add(Part.OTHER, _joining(axis.padded.bit_length()))
        beside = 0
        if rows.is_padded or columns.is_padded:
            beside = 1 + (width if paddings > 1 else 0)
            self.add(Part.PADDING_BIT, width)
        self.register(beside)
        self.window_memory(name, max(2, capacity), width)
        if output_register:
            # Of the word as well, where it is not the block RAM's own, and of the room that it gives back.
            self.register(width + beside + 2)

    def _walk(self, counts: Mapping[str, int], strides: Mapping[str, int], period: int, modulus: int) -> None:
        """Add a walk of a `LoopNest`: an adder, another one that wraps and a choice between them, and the loops' choice of what is added."""
        bits = _bits(modulus)
        self.register(bits)
        moves, last = loop_moves(counts, strides, period, modulus)
        distances = [*moves.values(), last]
        self.chain(Part.ADDER_BIT, bits)
        wraps = modulus & (modulus - 1) > 0
        if wraps:
            self.chain(Part.ADDER_BIT, bits + 2)
            self.add(Part.WALK_BIT, bits)
        patterns = set()
        for moved in (0, modulus) if wraps else (0,):
            for bit in range(bits + 2 * wraps):
                column = [(distance - moved) >> bit & 1 for distance in distances]
                patterns.add(tuple(choice ^ column[0] for choice in column))
        # A bit depends on the loops up to where its pattern changes last.
        changes = (max((place for place, turned in enumerate(pattern) if turned), default=0) for pattern in patterns)
        self.add(Part.WALK_BIT, sum(map(_joining, changes)))

    def parallel_window(
        self, name: str, width: int, rows: Axis, columns: Axis, *, words: int, replays: int, depth: int
    ) -> None:
        """Add a `ParallelWindow`."""
        self.add(Part.UNIT, 1)
        self.fifo(f"{name}.queue", width, depth)
        for count in (replays, words, columns.walked, rows.walked):
            self.loop(count)
        for axis in (rows, columns):
            if not axis.span == axis.stride == 1:
                self.counter(max(axis.span, axis.stride))
            self.add(Part.CASE, axis.is_padded)
        self.register(1)
        if rows.is_padded or columns.is_padded:
            self.add(Part.PADDING_BIT, width)
        delays = {
            "lines": ((rows.kernel - 1) * width, rows.dilation * columns.walked * words),
            "columns": (rows.kernel * (columns.span - 1) * width, words),
        }
        for kind, (bits, shifts) in delays.items():
            if bits and shifts > 1:
                self.counter(shifts)
                self.window_memory(f"{name}.{kind}", shifts, bits)
            else:
                self.register(bits)

    def window_memory(self, name: str, depth: int, width: int) -> None:
        """Add a memory that gives old words."""
        style = MemoryStyle.BLOCK if suits_block_ram(depth, width) else MemoryStyle.DISTRIBUTED
        self.memories.append(MemoryShape(name, depth, width, style, MemoryKind.WINDOW))

    def resources(self) -> Resources:
        """Give the cost of all of it."""
        return Resources.of_parts(self.parts, tuple(self.memories), tuple(self.products), self.chains)


def widening(width: int, ratio: int) -> Resources:
    """Give the cost of an `UpConverter`: ready, valid, the last part, and when beat and parts move."""
    bill = Bill()
    bill.counter(ratio)
    bill.add(Part.OTHER, 5)
    bill.register(width * (2 * ratio - 1) + 2)
    return bill.resources()


def narrowing(width: int, ratio: int) -> Resources:
    """Give the cost of a `DownConverter`."""
    bill = Bill()
    bill.counter(ratio + 1)
    bill.add(Part.OTHER, 6)
    bill.add(Part.SHIFT_BIT, width * (ratio - 1))
    bill.register(width * ratio + 2)
    return bill.resources()


def _bits(values: int) -> int:
    """Give the bits that tell so many values apart."""
    return max(0, values - 1).bit_length()


def _joining(bits: int) -> int:
    """Give the LUTs of a function of so many bits that is a single gate."""
    return max(0, -(-(bits - 1) // 3))
