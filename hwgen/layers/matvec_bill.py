"""What a matrix-vector-threshold unit consists of, for the estimate of its cost."""

from __future__ import annotations

import numpy as np
from amaranth.hdl import Shape

from hwgen.fold import Fold, LaneStyle, MemoryStyle
from hwgen.layers.costs import MemoryKind, MemoryShape, Part, Product
from hwgen.layers.matvec import MatVec, memory_style
from hwgen.layers.parts import Bill
from hwgen.layers.sum_bill import plane_sum, shared_rows, tree
from hwgen.rtl_templates.compute.adder_tree import range_shape
from hwgen.rtl_templates.compute.dot_product import DotProduct, Lanes
from hwgen.rtl_templates.compute.mvtu import Mvtu
from hwgen.rtl_templates.compute.rom import Rom

__all__ = ["unit_bill"]


def unit_bill(matrix: MatVec, name: str, fold: Fold, *, groups_at_once: int = 1) -> Bill:
    """Give the parts of a matrix-vector-threshold unit; the rows computed at once may be of so many groups, each with inputs of its own."""
    folded = matrix.folded(fold)
    if folded is not matrix:
        return unit_bill(folded, name, fold, groups_at_once=groups_at_once)
    bill = Bill()
    rows, column_folds = fold.pe, matrix.columns // fold.simd
    steps = matrix.word_count(fold)
    slots = matrix.pipeline(fold)[1]
    fetched = steps > 1 or fold.writable
    bill.add(Part.UNIT, 1)
    bill.queue(f"{name}.queue", rows * matrix.out_type.bits, slots)
    # What is taken, and when a row group ends.
    bill.add(Part.OTHER, 3)
    if column_folds > 1:
        # The column is part of the step's number where there is a power of two of them.
        (bill.twin if steps > 1 and column_folds & (column_folds - 1) == 0 else bill.pointer)(column_folds)
        bill.register(1)
        bill.add(Part.OTHER, 1)
    registers = DotProduct.register_levels(
        matrix.lanes, fold.simd, matrix.in_shape, matrix.weight_shape, column_folds > 1
    )
    delays = matrix.shared_levels if matrix.style is LaneStyle.SHARED else len(registers)
    if steps > 1:
        cycles = Mvtu.cycles_to_fetch(steps, fold.fetch_registers)
        delays += cycles
        bill.pointer(steps)
        bill.register(cycles * fold.simd * groups_at_once * matrix.in_type.bits)
        bill.register(fold.fetch_registers * rows * fold.simd * matrix.weight_shape.width)
    if fetched:
        _bill_weights(matrix, bill, name, fold, steps)
    bill.register(2 * delays + 1)
    bits = fold.pe * fold.simd * matrix.weight_shape.width
    halves = steps == 2 and not fold.writable and _style(fold, "weights", steps, bits) is not MemoryStyle.BLOCK
    if matrix.style is LaneStyle.SHARED:
        _bill_shared(matrix, bill)
    else:
        row = _bill_row(matrix, fold, registers, column_folds > 1, constant=not fetched, halves=halves)
        bill.include(row, rows)
    if matrix.lanes is Lanes.MULTIPLY:
        # Beside a signed factor an unsigned one is a bit wider.
        left, right = (
            own.width + (other.signed and not own.signed)
            for own, other in ((matrix.in_shape, matrix.weight_shape), (matrix.weight_shape, matrix.in_shape))
        )
        low, high = _term_bounds(matrix)
        bill.products.append(Product(rows * fold.simd, left, right, range_shape(low, high).width))
    _bill_activation(matrix, bill, name, fold, min(Rom.LATENCY, delays + 1))
    return bill


def _term_bounds(matrix: MatVec) -> tuple[int, int]:
    """Least and greatest number that a lane of words gives."""
    if matrix.lanes is not Lanes.MULTIPLY:
        return 0, (1 << matrix.in_type.bits) - 1
    products = [x * w for x in _limits(matrix.in_shape) for w in _limits(matrix.weight_shape)]
    return min(products), max(products)


def _bill_weights(matrix: MatVec, bill: Bill, name: str, fold: Fold, steps: int) -> None:
    bits = matrix.weight_shape.width
    width = fold.pe * fold.simd * bits
    style = _style(fold, "weights", steps, width)
    if fold.writable:
        bill.written(f"{name}.weights", steps, width, style)
        return
    if style is MemoryStyle.BLOCK:
        # Hundreds of words have no bit that never changes.
        bill.memories.append(MemoryShape(f"{name}.weights", steps, width, style, MemoryKind.ROM))
        bill.register(width)
        return
    words = matrix.fields.reshape(len(matrix.weights) // fold.pe, fold.pe, -1, fold.simd).transpose(0, 2, 1, 3)
    bill.rom(f"{name}.weights", words.reshape(steps, -1).astype(np.int64), bits, style)


def _bill_shared(matrix: MatVec, bill: Bill) -> None:
    """Add rows that share sums, and their totals."""
    sums = shared_rows((matrix.weights > 0).tolist())
    bill.sums(sums)
    bill.add(Part.GROUP, 2 * (sums.triples + sums.pairs))
    # What a carry chain takes inverted.
    bill.add(Part.OTHER, sums.inverted)
    bill.register(len(matrix.weights) * range_shape(*matrix.sum_range).width)


def _bill_row(matrix: MatVec, fold: Fold, registers: range, accumulates: bool, *, constant: bool, halves: bool) -> Bill:
    """Count a row, whose weights are constants, of two words in logic (``halves``), or read from a memory."""
    row, rows, simd = Bill(), fold.pe, fold.simd
    bits = range_shape(*matrix.sum_range).width
    row.register(bits)
    if accumulates:
        row.chain(Part.ADDER_BIT, bits, carries_in=matrix.lanes.counts_planes)
        row.add(Part.ACCUMULATOR_BIT, bits)
        row.register(bits)
    if matrix.lanes.counts_planes:
        planes = DotProduct.plane_sizes(matrix.lanes, simd, matrix.in_shape, matrix.weight_shape)
        sums = plane_sum(tuple(planes), accumulates and planes[0] > 1, tuple(registers))
        if constant or halves:
            # Bits and counts that wait for their adder are the same in many rows.
            row.register(-sums.lone * (1 - _different(4 if constant else 8, rows) / rows))
        triple, pair, single = _group_luts(matrix, rows, constant=constant, halves=halves)
        row.add(Part.GROUP, triple * sums.triples + pair * sums.pairs)
        row.add(Part.XNOR, single * (sum(planes) - 3 * sums.triples - 2 * sums.pairs))
    else:
        if matrix.lanes is not Lanes.MULTIPLY:
            row.add(Part.ADD_SUB_BIT, 0 if constant else simd * matrix.in_type.bits)
        sums = tree(*_term_bounds(matrix), simd, tuple(registers))
    row.sums(sums)
    return row


def _group_luts(matrix: MatVec, rows: int, *, constant: bool, halves: bool) -> tuple[float, float, float]:
    """Give the LUTs of three lanes that are counted together, of two, and of one alone, in each of so many rows.

    The sum of two lanes of two inputs is a LUT, and so is their carry; with a third lane there are two more. A lane with a constant weight
    is its input or the complement; of the ``halves`` of a table it may also be either by the bit that chooses. Rows that have the
    same of these share a group's LUTs, the sum with all that differ by a complement.
    """
    if not (constant or halves):
        return (5, 3, 1) if matrix.lanes.is_ternary else (4, 2, 1)
    kinds = 2 if constant else 4
    sums, inverters = _different(kinds, rows), _different(2, rows) - 1
    triple, pair = (sums + _different(kinds**lanes, rows) for lanes in (3, 2))
    return triple / rows, pair / rows, inverters / rows if constant else 0.5


def _different(kinds: int, drawn: int) -> float:
    """Give how many of equally likely kinds are expected among so many draws."""
    return kinds * (1 - (1 - 1 / kinds) ** drawn)


def _bill_activation(matrix: MatVec, bill: Bill, name: str, fold: Fold, ahead: int) -> None:
    classes, rows, entries = matrix.table.shape
    low, high = matrix.sum_range
    bits = matrix.out_type.bits if matrix.levels is None else range_shape(low, high + 1).width
    words = matrix.table.reshape(classes * rows // fold.pe, fold.pe * entries)
    known = len(bill.memories)
    style = _style(fold, "table", len(words), words.shape[1] * bits)
    if fold.writable and matrix.table_varies:
        bill.written(f"{name}.table", len(words), words.shape[1] * bits, style)
    else:
        bill.rom(f"{name}.table", words, bits, style, ahead)
    if len(words) > 1 and len(bill.memories) > known:
        uniform = classes == 1
        bill.position(
            (0,) if uniform else matrix.position_rows, (0,) if uniform else matrix.position_columns, rows // fold.pe
        )
    if matrix.levels is None:
        # Nothing is added below the lowest bit that any of a lane's constants has, or that the sum has.
        for constants in words.T if not (fold.writable and matrix.table_varies) else np.ones((fold.pe, 1), np.int64):
            added = int(np.bitwise_or.reduce(constants)) % (1 << bits)
            zeros = max((added & -added).bit_length(), matrix.scale) - 1
            bill.chain(Part.ADDER_BIT, bits - zeros if added else 0)
        return
    # Numbers are compared in plain order: their sign bits are inverted.
    bill.add(Part.OTHER, fold.pe * (low < 0))
    bill.compare(words if not fold.writable else np.zeros((1, words.shape[1]), np.int64), bits)
    if entries > 1:
        bill.register(fold.pe * entries + 1)
        # The code's top bit is one of them, and chooses those that are left.
        bill.add(Part.OTHER, fold.pe * (entries - entries.bit_length()))


def _limits(shape: Shape) -> tuple[int, int]:
    """Give the least and greatest number of a shape."""
    return (-(1 << (shape.width - 1)), (1 << (shape.width - 1)) - 1) if shape.signed else (0, (1 << shape.width) - 1)


def _style(fold: Fold, kind: str, depth: int, width: int) -> MemoryStyle:
    """Give the style of the weights or the table: a single word that can be written is registers, and SPRAM is for weights."""
    style = fold.memory
    if style is MemoryStyle.SPRAM:
        style = MemoryStyle.SPRAM if kind == "weights" else MemoryStyle.AUTO
    if depth == 1 and fold.writable and style is not MemoryStyle.SPRAM:
        return MemoryStyle.DISTRIBUTED
    return memory_style(style, depth, width)
