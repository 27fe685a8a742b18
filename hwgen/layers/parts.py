"""What units are made of, counted from their parameters: the quantities that a family's resource model prices.

A bill says how many of each `Part` a unit has, and which memories. Flip-flops are counted, not estimated; what a LUT holds depends on the
family, so the prices of the other parts are fitted to measurements (`benchmarks/resources.py`). Every function follows the unit of the same name in
``rtl_templates/``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from hwgen.fold import MemoryStyle
from hwgen.layers.costs import MemoryKind, MemoryShape, Part, Product, Resources
from hwgen.rtl_templates.adder_tree import AdderTree, range_shape
from hwgen.rtl_templates.elastic import ElasticPipeline
from hwgen.rtl_templates.fifo import REGISTER_DEPTH
from hwgen.rtl_templates.level_search import SearchTables
from hwgen.rtl_templates.plane_sum import PlaneSum
from hwgen.rtl_templates.popcount import Popcount
from hwgen.rtl_templates.storage import suits_block_ram
from hwgen.rtl_templates.window_axis import Axis

__all__ = ["Bill", "narrowing", "table_shape", "widening"]


@dataclass
class Bill:
    """Parts, memories and multipliers, added up unit by unit."""

    parts: dict[Part, float] = field(default_factory=dict)
    memories: list[MemoryShape] = field(default_factory=list)
    products: list[Product] = field(default_factory=list)

    def add(self, part: Part, number: float) -> None:
        """Add so many of a part."""
        if number:
            self.parts[part] = self.parts.get(part, 0) + number

    def register(self, bits: float) -> None:
        """Add flip-flops without logic of their own."""
        self.add(Part.FLIPFLOP, bits)

    def counter(self, values: int, part: Part = Part.COUNTER_BIT) -> None:
        """Add a register that counts through so many values."""
        bits = _bits(values)
        self.add(part, bits)
        self.register(bits)

    def include(self, other: Bill, times: float = 1) -> None:
        """Add all of another bill, so many times; its memories and products once."""
        for part, number in other.parts.items():
            self.add(part, number * times)
        self.memories += other.memories
        self.products += other.products

    # Queues and buffers

    def fifo(self, name: str, width: int, depth: int) -> None:
        """Add a `Fifo`."""
        self.counter(depth + 1)
        if suits_block_ram(depth, width):
            self.counter(depth + 1)
            self._pointers(depth)
            self.memories.append(MemoryShape(name, depth, width, MemoryStyle.BLOCK))
        elif depth > REGISTER_DEPTH:
            self._pointers(depth)
            self.memories.append(MemoryShape(name, depth, width, MemoryStyle.DISTRIBUTED, MemoryKind.QUEUE))
        else:
            self.register(width * depth)
            self.add(Part.SHIFT_BIT, width * (depth - 1))

    def _pointers(self, depth: int) -> None:
        for _ in range(2):
            self.counter(depth)

    def queue(self, name: str, width: int, slots: int) -> None:
        """Add an `OutputQueue`."""
        self.counter(slots + 1)
        self.fifo(name, width, slots)

    def elastic(self, name: str, width: int, stages: int, slots: int | None) -> None:
        """Add the handshakes of an `ElasticPipeline` and the FIFO behind it."""
        self.add(Part.UNIT, 1)
        self.register(stages)
        self.add(Part.COUNTER_BIT, stages)
        self.fifo(name, width, ElasticPipeline.timing(stages, width, slots)[1] - stages)

    def levels(self, name: str, search: SearchTables, bits: int, style: MemoryStyle, *, writable: bool) -> None:
        """Add a `LevelSearch` with these tables, of numbers of so many bits in all lanes."""
        for stage in range(search.stages):
            fields = search.fields(stage)
            lanes = [fields.reshape(len(fields), -1)] if stage == 0 else fields.swapaxes(0, 1)
            read = False
            for lane, words in enumerate(lanes):
                words = words.reshape(-1, 1) if stage else words
                where = f"{name}.levels_{stage}_{lane}"
                read |= self.table(where, words, search.word_width, style, writable=writable)
            # A level from a memory is compared by a carry chain alone, whose end is a LUT a lane.
            self.add(Part.LEVEL_BIT if read else Part.CONSTANT_LEVEL_BIT, bits)
            self.add(Part.OTHER, fields.shape[1] if read else 0)
            self.register(bits + fields.shape[1] * stage)

    def vector_buffer(self, name: str, width: int, length: int, repeats: int, capacity: int) -> None:
        """Add a `VectorBuffer`."""
        self.add(Part.UNIT, 1)
        self.register(2)
        for values in (capacity + 1, capacity + 1, repeats, capacity, capacity):
            self.counter(values)
        # The column of a vector is part of the row's address where both are powers of two.
        if capacity != 2 * length or length & (length - 1):
            self.counter(length)
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
            self.register(shape.columns or 0)
            self.register(_bits(shape.depth) * (latency - 1))

    def table(self, name: str, fields: np.ndarray, bits: int, style: MemoryStyle, *, writable: bool) -> bool:
        """Add a table that ``read_rom`` reads, of words of fields, int64 (words, fields a word); tell whether it is one, or constants."""
        if writable:
            depth, lanes = fields.shape
            self.memories.append(
                MemoryShape(name, depth, lanes * bits, style_of(style, depth, lanes, bits), written=True)
            )
            return True
        shape = table_shape(name, fields, bits, style, MemoryKind.TABLE)
        if shape is not None:
            self.memories.append(shape)
        return shape is not None

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

    # Matrix-vector units

    def lanes(
        self, planes: Sequence[int], *, spare: bool, constant: int, registers: range, halves: bool = False
    ) -> None:
        """Add the lanes of planes of one of ``constant`` rows whose weights do not change, or of a row (0) whose weights are read.

        Of two words, the ``halves`` of a table in logic, a weight is a constant, the bit that chooses, or its complement, which
        a group of three takes as its fourth input.
        """
        bits, flipflops, triples, pairs = _planes(tuple(planes), spare, tuple(registers))
        if constant:
            self.add(Part.SHARED_SUM_BIT, bits + flipflops)
            # Rows with the same signs at three lanes share their count: of 8 patterns only so many are different.
            triples *= _different(8, constant) / constant
            pairs *= _different(4, constant) / constant
        else:
            self.add(Part.ADDER_BIT, bits)
            self.register(flipflops)
            self.add(Part.XNOR, 0 if halves else sum(planes))
        self.add(Part.GROUP, triples)
        self.add(Part.PAIR, pairs)

    def tree(self, bounds: tuple[int, int], operands: int, registers: range) -> None:
        """Add an `AdderTree` of equal operands."""
        bits, flipflops = _tree(((*bounds, operands),), 0, tuple(registers))
        self.add(Part.ADDER_BIT, bits)
        self.register(flipflops)

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
        for count in (columns.kernel, rows.kernel, words // parts, replays, parts, columns.windows, rows.windows):
            self.counter(count, Part.LOOP_BIT)
        reach = capacity + 2 * rows.size * columns.size * words
        self.add(Part.ROOM_BIT, 2 * _bits(2 * reach + 1))
        self.register(2 * _bits(2 * reach + 1) + 4)
        self.counter(capacity)
        self.register(_bits(capacity))
        self.add(Part.WALK_BIT, _bits(capacity) * (1 if capacity & (capacity - 1) == 0 else 2))
        for axis in (rows, columns):
            self.add(Part.CASE, len(set(axis.last)) < axis.windows)
            if axis.is_padded:
                self.add(Part.WALK_BIT, axis.padded.bit_length())
                self.register(axis.padded.bit_length())
        beside = 0
        if rows.is_padded or columns.is_padded:
            beside = 1 + (width if paddings > 1 else 0)
            self.add(Part.PADDING_BIT, width)
        self.register(beside)
        self.window_memory(name, max(2, capacity), width)
        if output_register:
            # Of the word as well, where it is not the block RAM's own, and of the room that it gives back.
            self.register(width + beside + 2)

    def parallel_window(
        self, name: str, width: int, rows: Axis, columns: Axis, *, words: int, replays: int, depth: int
    ) -> None:
        """Add a `ParallelWindow`."""
        self.add(Part.UNIT, 1)
        self.fifo(f"{name}.queue", width, depth)
        for count in (replays, words, columns.walked, rows.walked):
            self.counter(count, Part.LOOP_BIT)
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
        return Resources.of_parts(self.parts, tuple(self.memories), tuple(self.products))


def widening(width: int, ratio: int) -> Resources:
    """Give the cost of an `UpConverter`."""
    bill = Bill()
    bill.counter(ratio)
    bill.add(Part.OTHER, 4)
    bill.register(width * (2 * ratio - 1) + 1)
    return bill.resources()


def narrowing(width: int, ratio: int) -> Resources:
    """Give the cost of a `DownConverter`."""
    bill = Bill()
    bill.counter(ratio + 1)
    bill.add(Part.SHIFT_BIT, width * ratio)
    bill.register(width * ratio)
    return bill.resources()


def table_shape(name: str, fields: np.ndarray, bits: int, style: MemoryStyle, kind: MemoryKind) -> MemoryShape | None:
    """Give the shape of a constant table: bits that never change are wires, and equal ones are stored once in logic.

    Parameters
    ----------
    name : str
    fields : ndarray of int64, shape (words, fields)
    bits : int
        Of a field, the lowest ones of its two's complement.
    style : MemoryStyle
        Where it is asked to be; AUTO: where its whole size suits.
    kind : MemoryKind

    Returns
    -------
    MemoryShape or None
        None: nothing changes.
    """
    depth, lanes = fields.shape
    style = style_of(style, depth, lanes, bits)
    planes = [(fields >> bit) & 1 for bit in range(bits)]
    varying = sum(int(np.count_nonzero(np.any(plane != plane[:1], axis=0))) for plane in planes)
    if varying == 0:
        return None
    columns = varying
    if style is not MemoryStyle.BLOCK:
        packed = np.concatenate([np.packbits(plane.astype(np.uint8), axis=0) for plane in planes], axis=1)
        columns = len(np.unique(np.ascontiguousarray(packed.T).view(f"V{packed.shape[0]}")))
        columns -= len(
            np.unique(np.concatenate([plane.max(axis=0)[np.all(plane == plane[:1], axis=0)] for plane in planes]))
        )
    return MemoryShape(name, depth, varying, style, kind, columns)


def style_of(style: MemoryStyle, depth: int, fields: int, bits: int) -> MemoryStyle:
    """Give where a table of words of fields goes: AUTO as its size suits, CONSTANT into LUTs."""
    if style is MemoryStyle.AUTO:
        return MemoryStyle.BLOCK if suits_block_ram(depth, fields * bits) else MemoryStyle.DISTRIBUTED
    return MemoryStyle.DISTRIBUTED if style is MemoryStyle.CONSTANT else style


def _bits(values: int) -> int:
    """Give the bits that tell so many values apart."""
    return max(0, values - 1).bit_length()


def _different(kinds: int, drawn: int) -> float:
    """Give how many of equally likely kinds are expected among so many draws."""
    return kinds * (1 - (1 - 1 / kinds) ** drawn)


@lru_cache(maxsize=4096)
def _planes(planes: tuple[int, ...], spare: bool, registers: tuple[int, ...]) -> tuple[float, float, float, float]:
    """Give adder bits, flip-flops, groups of three and of two of a `PlaneSum`."""
    height = PlaneSum.height_of(planes, spare)
    spares = PlaneSum.spares_of(planes, spare)
    inner = tuple(level for level in registers if level <= height)
    bits = flipflops = triples = pairs = 0
    for size, left in zip(planes, spares, strict=True):
        sizes, carries = Popcount.shares(size, left)
        operands = tuple((0, group, sizes.count(group)) for group in sorted(set(sizes), reverse=True))
        added, kept = _tree(operands, carries, inner, height)
        bits, flipflops = bits + added, flipflops + kept + len(inner) * left
        triples, pairs = triples + sizes.count(3), pairs + sizes.count(2)
    terms = [(size - left, plane) for plane, (size, left) in enumerate(zip(planes, spares, strict=True))]
    level = height
    while len(terms) > 1:
        level += 1
        joined = []
        for (low, plane), (high, upper) in zip(terms[::2], terms[1::2], strict=False):
            distance = upper - plane
            greatest = low + (high + spares[upper] << distance)
            bits += max(0, greatest.bit_length() - distance) if low.bit_length() > distance else 0
            joined.append((greatest, plane))
        terms = joined + terms[len(terms) & ~1 :]
        if level in registers:
            flipflops += sum(greatest.bit_length() for greatest, _ in terms) + len(terms) - 1 + spare
    return bits, flipflops, triples, pairs


@lru_cache(maxsize=4096)
def _tree(
    operands: tuple[tuple[int, int, int], ...], carries: int, registers: tuple[int, ...], height: int | None = None
) -> tuple[int, int]:
    """Give adder bits and flip-flops of an `AdderTree` of (low, high, how many)."""
    terms = [(low, high) for low, high, number in operands for _ in range(number)]
    bits = flipflops = 0
    for level in range((AdderTree.levels(len(terms)) if height is None else height) + 1):
        if level:
            added = []
            for (a_low, a_high), (b_low, b_high) in zip(terms[::2], terms[1::2], strict=False):
                carry = int(carries > 0)
                carries -= carry
                added.append((a_low + b_low, a_high + b_high + carry))
                bits += range_shape(*added[-1]).width
            terms = added + terms[len(terms) & ~1 :]
        if level in registers:
            flipflops += sum(range_shape(*bounds).width for bounds in terms) + carries
    return bits, flipflops
