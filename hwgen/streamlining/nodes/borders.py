"""Borders of the graph: what is put around a map, and what is cut off it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import numpy as np

from hwgen.graph import Node
from hwgen.layers.protocol import MapShape
from hwgen.layers.window import Window
from hwgen.operators.evaluate import apply
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.functions.signal import Ring, Signal, flat_map
from hwgen.streamlining.nodes.concatenation import concatenation
from hwgen.streamlining.places.rearrange import rearranged

__all__ = ["padding"]


def padding(node: Node, signal: Signal, inputs: Sequence[np.ndarray | None], builder: Builder) -> Signal:
    """Take note of a border of one value around rows and columns; one of the map's own elements moves them, and channels are joined."""
    amounts = np.ravel(inputs[0]).astype(np.int64) if inputs[0] is not None else np.zeros(0, np.int64)
    if not np.any(amounts):
        return signal
    before, after = amounts.reshape(2, -1)
    if node.attributes.get("mode", "constant") != "constant":
        return signal.moved(apply(node, [signal.index, amounts])[0])
    if amounts.min() < 0:
        ends = zip(before, after, signal.index.shape, strict=True)
        cut = tuple(slice(max(-first, 0), size - max(-last, 0)) for first, last, size in ends)
        return padding(node, signal.moved(signal.index[cut]), [np.maximum(amounts, 0), *inputs[1:]], builder)
    if signal.index.ndim == 3:
        # A sequence is a map of one row.
        wide = signal.moved(signal.index[:, :, None])
        bordered = padding(node, wide, [np.insert(amounts.reshape(2, -1), 2, 0, axis=1), *inputs[1:]], builder)
        return bordered.moved(bordered.index[:, :, 0])
    value = 0.0 if len(inputs) < 2 or inputs[1] is None else float(np.ravel(inputs[1])[0])
    return _bordered(node, signal, before, after, value, builder)


def _bordered(
    node: Node, signal: Signal, before: np.ndarray, after: np.ndarray, value: float, builder: Builder
) -> Signal:
    """Put elements of a value in front of and behind those of each axis."""
    padded = set(np.flatnonzero(before + after).tolist())
    laid = _laid(signal, padded)
    if laid is None and 1 not in padded:
        moved = rearranged(signal, signal.index.shape, node, builder)
        laid = _laid(moved, padded)
        signal = signal if laid is None else moved
    if laid is None:
        return _beside(node, signal, before, after, value, builder)
    (row, column, _), order = laid
    pads = (int(before[row]), int(before[column]), int(after[row]), int(after[column]))
    height, width = Window((1, 1), pads=pads).padded(*signal.shape[:2])
    shape = (height, width, signal.shape[2])
    ring, edits = Ring(pads, np.full(signal.shape[2], value), node), signal.edits
    inner = edits[-1] if edits else None
    if isinstance(inner, Ring) and np.array_equal(inner.values, ring.values):
        top, left, bottom, right = (a + b for a, b in zip(inner.pads, pads, strict=True))
        ring, edits = replace(ring, pads=(top, left, bottom, right)), edits[:-1]
    index = _on_axes(shape, laid[0], order, signal.index.ndim)
    return replace(signal, shape=shape, index=index, edits=(*edits, ring))


def _beside(
    node: Node, signal: Signal, before: np.ndarray, after: np.ndarray, value: float, builder: Builder
) -> Signal:
    """Join a tensor and constants along the axis that is none of rows and columns; the others get a border then."""
    axis = int(np.flatnonzero(before + after)[0])
    sizes = list(signal.index.shape)
    operands: list[Signal | np.ndarray] = []
    for count, part in ((before[axis], None), (0, signal), (after[axis], None)):
        sizes[axis] = int(count)
        operands += [part] if part is not None else [np.full(sizes, value)] if count else []
    joined = concatenation(replace(node, attributes={"axis": axis}), operands, builder)
    others = np.arange(len(before)) != axis
    if not np.any((before + after)[others]):
        return joined
    return _bordered(node, joined, before * others, after * others, value, builder)


def _laid(signal: Signal, padded: set[int]) -> tuple[tuple[int, ...], np.ndarray] | None:
    """Find the tensor's axes along which all rows, all columns, and some channels of the map lie, and which channels these are.

    None if the elements lie otherwise, or an axis that is padded is none of the rows and columns.
    """
    rank, (height, width, channels) = signal.index.ndim, signal.shape
    for axes in permutations(range(1, rank), 3):
        sizes = [signal.index.shape[axis] for axis in axes]
        if sizes[:2] == [height, width] and padded <= set(axes[:2]):
            order = np.moveaxis(signal.index, axes, (0, 1, 2))[0, 0].reshape(sizes[2], -1)[:, 0]
            if order.max() < channels and np.array_equal(_on_axes(signal.shape, axes, order, rank), signal.index):
                return axes, order
    return None


def _on_axes(shape: MapShape, axes: tuple[int, ...], order: np.ndarray, rank: int) -> np.ndarray:
    """Lay chosen channels of a map on axes of a tensor."""
    flat = flat_map(shape)[..., order]
    return np.moveaxis(flat.reshape(*flat.shape, *(1,) * (rank - 3)), (0, 1, 2), axes)
