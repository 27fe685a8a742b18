"""Matrix products of the graph."""

from __future__ import annotations

import math

import numpy as np

from hwgen.errors import ModelError
from hwgen.graph import Node
from hwgen.layers.window import Window
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.functions.signal import Codes, Signal, coordinates_of, flat_map
from hwgen.streamlining.nodes.accumulators import begin, typed
from hwgen.streamlining.nodes.windows import convolution
from hwgen.streamlining.places.arrange import arranged
from hwgen.streamlining.resolve import codes_of

__all__ = ["product"]


def product(node: Node, signal: Signal, weights: np.ndarray, builder: Builder) -> Signal:
    """Multiply vectors along the last axis by a matrix (columns, rows): a dense layer, or a 1x1 convolution of a map.

    Matrices of several groups are a convolution of groups. For XnorPopcountMatMul both operands hold 0 and 1 and the result
    counts where they agree.

    Raises
    ------
    ModelError
        If the vectors are not the pixels of a map, or weights or inputs are no codes.
    """
    if len(weights.shape) < 2:
        raise ModelError(
            f"Node '{node.name}' ({node.op}) has weights of shape {weights.shape}; it needs a matrix (columns, rows)"
        )
    if any(size != 1 for size in weights.shape[:-2]):
        return _grouped(node, signal, weights.astype(np.float64), builder)
    bias = np.zeros(weights.shape[-1])
    matrix: np.ndarray = weights.reshape(weights.shape[-2:]).astype(np.float64)
    if node.op == "XnorPopcountMatMul":
        matrix, bias = 2 * matrix - 1, (1 - matrix).sum(axis=0)
    columns = signal.index.shape[-1]
    vectors = signal.index.reshape(-1, columns)
    if len(vectors) > 1:
        return _pixels(node, signal, matrix, bias, builder)
    codes = codes_of(signal, node, builder)
    codes, order = _read_part(codes, vectors[0], node, builder)
    placed: np.ndarray = np.zeros((matrix.shape[1], math.prod(codes.shape)))
    # An element that is read twice has the sum of both weights, one that is not read has none.
    np.add.at(placed.T, order, matrix)
    linear, row_scale, offset = typed(builder.name("dense", node), node, codes, placed, None, builder)
    index = np.arange(linear.rows).reshape(*signal.index.shape[:-1], linear.rows)
    return begin(node, linear, row_scale, offset, bias, index, builder)


def _grouped(node: Node, signal: Signal, weights: np.ndarray, builder: Builder) -> Signal:
    """Multiply the vectors of each group by a matrix of its own: groups of channels of a convolution over the vectors' places."""
    vectors, columns = signal.index.shape[-2:]
    lead = np.broadcast_shapes(signal.index.shape[:-2], weights.shape[:-2])
    groups, rows = math.prod(lead), weights.shape[-1]
    matrices = np.broadcast_to(weights, (*lead, columns, rows)).reshape(groups, columns, rows)
    if math.prod(signal.index.shape[:-2]) == 1:
        # All groups see the same vectors: one matrix with the rows of all.
        whole = matrices.transpose(1, 0, 2).reshape(columns, groups * rows)
        result = product(node, signal, whole, builder)
        index = result.index.reshape(vectors, groups, rows).swapaxes(0, 1)
        return result.moved(index.reshape(*lead, vectors, rows))
    kernels, bias = matrices.transpose(0, 2, 1), np.zeros(groups * rows)
    if node.op == "XnorPopcountMatMul":
        kernels, bias = 2 * kernels - 1, (1 - kernels).sum(axis=2).ravel()
    places = np.broadcast_to(signal.index, (*lead, vectors, columns)).reshape(groups, vectors, columns)
    stacked = signal.moved(places.swapaxes(1, 2).reshape(1, groups * columns, vectors))
    conv = Node("Conv", node.name, (), (), {"group": groups})
    result = convolution(conv, stacked, kernels.reshape(groups * rows, columns, 1), bias, builder)
    return result.moved(result.index.reshape(groups, rows, vectors).swapaxes(1, 2).reshape(*lead, vectors, rows))


def _read_part(codes: Codes, elements: np.ndarray, node: Node, builder: Builder) -> tuple[Codes, np.ndarray]:
    """Leave out rows, columns and channels of a map that a vector does not hold; give the vector's elements on what is left."""
    kept = [np.unique(axis) for axis in coordinates_of(elements, codes.shape)]
    rows, columns, channels = (
        axis.reshape(shape) for axis, shape in zip(kept, ((-1, 1, 1), (-1, 1), (-1,)), strict=True)
    )
    places = (rows * codes.shape[1] + columns) * codes.shape[2] + channels
    even = all(len(np.unique(np.diff(axis))) < 2 for axis in kept[:2])
    if places.size == math.prod(codes.shape) or not even:
        return codes, elements
    numbers = np.zeros(math.prod(codes.shape), dtype=np.int64)
    numbers[places.ravel()] = np.arange(places.size)
    return arranged(codes, places, node, builder), numbers[elements]


def _pixels(node: Node, signal: Signal, matrix: np.ndarray, bias: np.ndarray, builder: Builder) -> Signal:
    """Multiply the channels of every pixel."""
    columns = signal.index.shape[-1]
    order = _raster_order(signal, columns)
    if order is None:
        lead = signal.index.shape[1:-1] if signal.index.ndim == 4 else (1, signal.index.size // columns)
        places = signal.index.reshape(*lead, columns)
        codes = arranged(codes_of(signal, node, builder), places, node, builder)
        order = np.arange(columns)
    else:
        codes = codes_of(signal, node, builder)
    placed = np.empty((matrix.shape[1], 1, 1, columns))
    placed[:, 0, 0, order] = matrix.T
    linear, row_scale, offset = typed(builder.name("conv", node), node, codes, placed, Window((1, 1)), builder)
    index = flat_map((*codes.shape[:2], linear.rows)).reshape(*signal.index.shape[:-1], linear.rows)
    return begin(node, linear, row_scale, offset, bias, index, builder)


def _raster_order(signal: Signal, columns: int) -> np.ndarray | None:
    """Give the order of channels of vectors that are the pixels of a map, row by row; None if they are not."""
    height, width, channels = signal.shape
    vectors = signal.index.reshape(-1, columns)
    order: np.ndarray = vectors[0]
    if channels != columns or len(np.unique(order)) < columns or vectors.size != height * width * channels:
        return None
    return order if np.array_equal(vectors, flat_map((height, width, 1)).reshape(-1, 1) * channels + order) else None
