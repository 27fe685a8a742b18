"""Matrix products of two maps: attention scores, attention times values, transformations that a network computes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from hwgen.activation import Positions
from hwgen.codes import BIPOLAR, CodeType
from hwgen.errors import ModelError, OrderError
from hwgen.graph import Node
from hwgen.layers.matmul import MatMul
from hwgen.layers.reorder import Reorder
from hwgen.layers.segments import Segments
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.codes.rounding import product_noise
from hwgen.streamlining.functions.linear import Bilinear
from hwgen.streamlining.functions.scales import COMMON, common_unit
from hwgen.streamlining.functions.signal import Codes, Origin, Signal, flat_map, signal_of
from hwgen.streamlining.functions.terms import Leaf, Parameter
from hwgen.streamlining.places.arrange import arranged
from hwgen.streamlining.resolve import codes_of, fixed_codes
from hwgen.streamlining.writing import written

__all__ = ["stream_product"]

GREATEST = 1 << 16
"""Largest multiple of a unit that a code may become, so that a product is one of integers."""


@dataclass(frozen=True, eq=False)
class _Lay:
    """How a product can lie on maps: places of vectors and matrices, and the number of each product (lead, vectors, rows) on the result."""

    vectors: np.ndarray
    matrices: np.ndarray
    groups: int
    by_rows: bool
    products: np.ndarray


def stream_product(node: Node, first: Signal, second: Signal, builder: Builder) -> Signal:
    """Multiply two tensors (..., vectors, columns) and (..., columns, rows); the leading axes broadcast.

    Raises
    ------
    ModelError
        If the batch is multiplied, no order of elements suits both maps, or values are no multiples of one number along the columns.
    """
    a, b = first.index, second.index
    if b.ndim < 3:
        raise ModelError(
            f"Node '{node.name}' ({node.op}) multiplies by a matrix {b.shape} whose first axis is the batch; give each frame a matrix of its own"
        )
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = (np.broadcast_to(part, (*lead, *part.shape[-2:])).reshape(-1, *part.shape[-2:]) for part in (a, b))
    codes = [codes_of(signal, node, builder) for signal in (first, second)]
    lay = _cheapest(node, codes, list(_lays(a, b, lead)), builder)
    operands = [
        _numbers(arranged(one, places, node, builder), columns, node, builder)
        for one, places, columns in (
            (codes[0], lay.vectors, lay.vectors.shape[2] // lay.groups),
            (codes[1], lay.matrices, lay.matrices.shape[2] // lay.groups if lay.by_rows else 1),
        )
    ]
    return _multiplied(node, operands, lay, (*lead, a.shape[-2], b.shape[-1]), builder)


def _lays(a: np.ndarray, b: np.ndarray, lead: tuple[int, ...]) -> Iterator[_Lay]:
    """Give every way to see (lead, vectors, columns) and (lead, columns, rows) as pixels and channels, those with the least work first."""
    count, vectors, columns = a.shape
    rows = b.shape[2]
    if count > 1 and np.array_equal(b, np.broadcast_to(b[:1], b.shape)):
        # One matrix for all: more vectors.
        for turned in (False, True):
            order = a.swapaxes(0, 1) if turned else a
            for lay in _lays(order.reshape(1, -1, columns), b[:1], ()):
                products = lay.products.reshape(*order.shape[:2], rows)
                yield replace(lay, products=products.swapaxes(0, 1) if turned else products)
        return
    if count > 1 and np.array_equal(a, np.broadcast_to(a[:1], a.shape)):
        # The same vectors for all: one matrix with the rows of all.
        for turned in (False, True):
            order = b.transpose(1, 2, 0) if turned else b.swapaxes(0, 1)
            for lay in _lays(a[:1], order.reshape(1, columns, -1), ()):
                products = lay.products.reshape(vectors, *order.shape[1:])
                yield replace(lay, products=products.transpose(2, 0, 1) if turned else products.swapaxes(0, 1))
        return
    splits = {math.prod(lead[axis:]) for axis in range(len(lead) + 1)} if lead else {1}
    for groups in sorted(splits, reverse=True):
        blocks = count // groups
        each = a.reshape(blocks, groups, vectors, columns)
        other = b.reshape(blocks, groups, columns, rows)
        products = flat_map((blocks, vectors, groups * rows)).reshape(blocks, vectors, groups, rows)
        products = products.swapaxes(1, 2).reshape(count, vectors, rows)
        pixels = each.swapaxes(1, 2).reshape(blocks, vectors, -1)
        yield _Lay(pixels, other.transpose(0, 3, 1, 2).reshape(blocks, rows, -1), groups, True, products)
        yield _Lay(pixels, other.transpose(0, 2, 1, 3).reshape(blocks, columns, -1), groups, False, products)


def _cheapest(node: Node, codes: list[Codes], lays: list[_Lay], builder: Builder) -> _Lay:
    """Choose what needs the least memory of maps in front, and then the fewest layers.

    Raises
    ------
    OrderError
        If none can be had.
    """
    best: tuple[tuple[int, int], _Lay] | None = None
    refusal: OrderError | None = None
    for lay in lays:
        scratch = Builder(builder.conversion)
        try:
            for one, places in zip(codes, (lay.vectors, lay.matrices), strict=True):
                arranged(one, places, node, scratch)
        except OrderError as error:
            refusal = refusal or error
            continue
        kept = sum(math.prod(layer.in_shape) for layer in scratch.layers if isinstance(layer, Reorder))
        cost = kept, len(scratch.layers)
        if best is None or cost < best[0]:
            best = cost, lay
        if not any(cost):
            break
    if best is None:
        raise refusal or OrderError(f"Node '{node.name}' ({node.op}) multiplies nothing")
    return best[1]


@dataclass(frozen=True, eq=False)
class _Operand:
    """Codes that are multiples of a unit, which may differ from one group of columns to the next; whether -1 counts as 0."""

    codes: Codes
    unit: np.ndarray
    zero: bool = False


def _numbers(codes: Codes, columns: int, node: Node, builder: Builder) -> _Operand:
    """Give codes of which each is what it stands for, in one unit for as many neighbouring channels as are summed up."""
    found = _multiples(codes, columns)
    if found is None:
        return _numbers(
            fixed_codes(signal_of(codes, codes.source, flat_map(codes.shape)), node, builder), columns, node, builder
        )
    unit, factors, offsets = found
    if np.all(factors == 1) and not np.any(offsets):
        return _Operand(codes, unit)
    if codes.type == BIPOLAR and np.all(factors == 1) and np.all(offsets == 1):
        return _Operand(codes, 2 * unit, zero=True)
    ends = np.stack([factors * codes.type.low + offsets, factors * codes.type.high + offsets])
    kind, channels = CodeType(int(ends.min()), int(ends.max())), codes.shape[2]
    layer = Segments(
        builder.name("shifted", node),
        codes.source,
        codes.shape,
        codes.type,
        np.zeros((1, channels, 0), dtype=np.int64),
        factors[None, :, None],
        offsets[None, :, None],
        0,
        kind,
        Positions.uniform(*codes.shape[:2]),
    )
    scale = np.repeat(unit, columns)
    return _Operand(Codes(builder.add(layer), codes.shape, kind, scale, 0 * scale), unit)


def _multiples(codes: Codes, columns: int) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Write value = unit * (factor * code + offset), with integers and a unit for each group of channels; None if there is no such unit."""
    scale, offset = (part.reshape(-1, columns) for part in (codes.scale, codes.offset))
    least = np.where(scale == 0, np.inf, np.abs(scale)).min(axis=1)
    for unit in (np.where(np.isfinite(least), least, 1.0), common_unit(np.concatenate([scale, offset], axis=1).T)):
        if unit is None:
            continue
        ratios = np.stack([scale, offset]) / unit[:, None]
        whole = np.rint(ratios)
        if np.all(np.abs(ratios - whole) <= COMMON * np.maximum(1, np.abs(ratios))) and np.abs(whole).max() <= GREATEST:
            factors, offsets = whole.astype(np.int64).reshape(2, -1)
            return unit, factors, offsets
    return None


def _multiplied(node: Node, operands: list[_Operand], lay: _Lay, shape: tuple[int, ...], builder: Builder) -> Signal:
    """Make the signal of a product that is not written down yet."""
    vectors, matrices = operands
    layer = MatMul(
        builder.name("matmul", node),
        (vectors.codes.source, matrices.codes.source),
        (vectors.codes.shape, matrices.codes.shape),
        (vectors.codes.type, matrices.codes.type),
        lay.groups,
        lay.by_rows,
        None,
        BIPOLAR,
        (vectors.zero, matrices.zero),
    )
    low, high = layer.accumulator_range()
    bilinear = Bilinear(replace(layer, out_type=CodeType(low, high)))
    units = np.stack([np.repeat(one.unit, layer.out_shape[2] // len(one.unit)) for one in operands])
    largest = max(abs(low), abs(high)) // layer.columns
    noise = Parameter(product_noise(units, largest, layer.columns)[None, None])
    scale = np.prod(units, axis=0)
    leaf = Leaf(Parameter(scale[None, None]), Parameter(np.zeros((1, 1, len(scale)))), noise)
    origin = Origin(node.name, layer.out_shape, bilinear.domain(), bilinear)
    if node.name in builder.shared:
        origin = written(origin, builder)
    return Signal(origin, leaf, layer.out_shape, lay.products.reshape(shape))
