"""What a matrix-vector-threshold unit consists of, for the estimate of its cost."""

from __future__ import annotations

import numpy as np
from amaranth.hdl import Shape

from hwgen.fold import Fold, LaneStyle, MemoryStyle
from hwgen.layers.costs import MemoryKind, MemoryShape, Part, Product
from hwgen.layers.matvec import MatVec, memory_style
from hwgen.layers.parts import Bill
from hwgen.rtl_templates.adder_tree import range_shape
from hwgen.rtl_templates.dot_product import DotProduct, Lanes
from hwgen.rtl_templates.mvtu import Mvtu
from hwgen.rtl_templates.rom import Rom

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
    bill.counter(column_folds)
    registers = DotProduct.register_levels(
        matrix.lanes, fold.simd, matrix.in_shape, matrix.weight_shape, column_folds > 1
    )
    # Shared sums take about the LUTs of separate rows, whose equal counts of constants synthesis merges, and fewer carries.
    delays = matrix.shared_levels if matrix.style is LaneStyle.SHARED else len(registers)
    if steps > 1:
        cycles = Mvtu.cycles_to_fetch(steps, fold.fetch_registers)
        delays += cycles
        # The column is part of the step's number where there is a power of two of them.
        shared = column_folds & (column_folds - 1) == 0
        bill.counter(-(-steps // column_folds) if shared else steps)
        bill.register(cycles * fold.simd * groups_at_once * matrix.in_type.bits)
        bill.register(fold.fetch_registers * rows * fold.simd * matrix.weight_shape.width)
    if fetched:
        _bill_weights(matrix, bill, name, fold, steps)
    bill.register(2 * delays + 1)
    bits = fold.pe * fold.simd * matrix.weight_shape.width
    halves = steps == 2 and not fold.writable and _style(fold, "weights", steps, bits) is not MemoryStyle.BLOCK
    row = _bill_row(matrix, fold.simd, registers, 0 if fetched else rows, column_folds > 1, halves=halves)
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


def _bill_row(matrix: MatVec, simd: int, registers: range, constant: int, accumulates: bool, *, halves: bool) -> Bill:
    row = Bill()
    bits = range_shape(*matrix.sum_range).width
    if accumulates:
        row.add(Part.ACCUMULATOR_BIT, bits)
        row.register(bits)
    row.register(bits)
    if matrix.lanes.counts_planes:
        planes = DotProduct.plane_sizes(matrix.lanes, simd, matrix.in_shape, matrix.weight_shape)
        row.lanes(planes, spare=accumulates and planes[0] > 1, constant=constant, registers=registers, halves=halves)
    else:
        if matrix.lanes is not Lanes.MULTIPLY:
            row.add(Part.ADD_SUB_BIT, 0 if constant else simd * matrix.in_type.bits)
        row.tree(_term_bounds(matrix), simd, registers)
    return row


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
    if len(words) > 1:
        uniform = classes == 1
        bill.position(
            (0,) if uniform else matrix.position_rows, (0,) if uniform else matrix.position_columns, rows // fold.pe
        )
    if matrix.levels is None:
        bill.add(Part.SCORE_BIT, fold.pe * bits)
        return
    looked_up = len(bill.memories) > known
    bill.add(Part.LEVEL_BIT if looked_up else Part.CONSTANT_LEVEL_BIT, fold.pe * entries * bits)
    if entries > 1:
        bill.register(fold.pe * entries + 1)
        bill.add(Part.COUNT, fold.pe * entries)


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
