"""Matrix products, convolutions, pools and borders of the graph."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from hwgen.errors import ModelError
from hwgen.graph import Node
from hwgen.layers.protocol import MapShape
from hwgen.layers.window import Window
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.codes.weights import integer_rows, note_rounding, rounded_rows
from hwgen.streamlining.edits import pad_code
from hwgen.streamlining.functions.linear import Linear
from hwgen.streamlining.functions.signal import Codes, Origin, Pool, Ring, Signal, flat_map, signal_of
from hwgen.streamlining.functions.terms import Leaf, Parameter, Step
from hwgen.streamlining.places.arrange import arranged, channel_order, places_of
from hwgen.streamlining.places.layout import axes_of
from hwgen.streamlining.places.rearrange import rearranged
from hwgen.streamlining.resolve import codes_of, fixed_codes
from hwgen.streamlining.writing import written

__all__ = ["convolution", "max_pool", "padding", "product", "sliding", "whole_map"]


def product(node: Node, signal: Signal, weights: np.ndarray, builder: Builder) -> Signal:
    """Multiply vectors along the last axis by a matrix (columns, rows): a dense layer, or a 1x1 convolution of a map.

    For XnorPopcountMatMul both operands hold 0 and 1 and the result counts where they agree.

    Raises
    ------
    ModelError
        If the vectors are not the pixels of a map, or weights or inputs are no codes.
    """
    if len(weights.shape) < 2 or any(size != 1 for size in weights.shape[:-2]):
        raise ModelError(
            f"Node '{node.name}' ({node.op}) has weights of shape {weights.shape}; it needs one matrix (columns, rows)"
        )
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
    linear, row_scale, offset = _typed(builder.name("dense", node), node, codes, placed, None, builder)
    index = np.arange(linear.rows).reshape(*signal.index.shape[:-1], linear.rows)
    return _begin(node, linear, row_scale, offset, bias, index, builder)


def _read_part(codes: Codes, elements: np.ndarray, node: Node, builder: Builder) -> tuple[Codes, np.ndarray]:
    """Leave out rows, columns and channels of a map that a vector does not hold; give the vector's elements on what is left."""
    kept = [np.unique(axis) for axis in np.unravel_index(elements, codes.shape)]
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
    linear, row_scale, offset = _typed(builder.name("conv", node), node, codes, placed, Window((1, 1)), builder)
    index = flat_map((*codes.shape[:2], linear.rows)).reshape(*signal.index.shape[:-1], linear.rows)
    return _begin(node, linear, row_scale, offset, bias, index, builder)


def _raster_order(signal: Signal, columns: int) -> np.ndarray | None:
    """Give the order of channels of vectors that are the pixels of a map, row by row; None if they are not."""
    height, width, channels = signal.shape
    vectors = signal.index.reshape(-1, columns)
    order: np.ndarray = vectors[0]
    if channels != columns or len(np.unique(order)) < columns or vectors.size != height * width * channels:
        return None
    return order if np.array_equal(vectors, flat_map((height, width, 1)).reshape(-1, 1) * channels + order) else None


def convolution(node: Node, signal: Signal, weights: np.ndarray, bias: np.ndarray | None, builder: Builder) -> Signal:
    """Convolve a map in one or two dimensions.

    Raises
    ------
    ModelError
        If the map is not laid out channels first, or weights or inputs are no codes.
    """
    groups = int(node.attributes.get("group", 1))
    signal, order = whole_map(node, signal, builder, free=groups == 1)
    window, index = sliding(node, signal, tuple(weights.shape[2:]))
    kernels = weights.astype(np.float64).reshape(*weights.shape[:2], *window.kernel)
    edits, border = list(signal.edits), np.zeros(signal.shape[2])
    ring = edits[-1] if edits else None
    if isinstance(ring, Ring) and not any(window.pads):
        edits.pop()
        window, border = replace(window, pads=ring.pads), ring.values
    codes = codes_of(replace(signal, edits=tuple(edits)), node, builder)
    placed = np.empty((len(kernels), *window.kernel, kernels.shape[1]))
    placed[..., order if groups == 1 else np.arange(kernels.shape[1])] = kernels.transpose(0, 2, 3, 1)
    name = builder.name("conv", node)
    linear, row_scale, offset = _typed(name, node, codes, placed, window, builder, border, groups)
    constant = np.zeros(linear.rows) if bias is None else bias
    return _begin(node, linear, row_scale, offset, constant, index(linear.out_shape), builder)


def max_pool(node: Node, signal: Signal, builder: Builder) -> Signal:
    """Take note of a max pool.

    Raises
    ------
    ModelError
        If the map is not laid out channels first.
    """
    if node.op == "GlobalMaxPool":
        node = replace(node, attributes={"kernel_shape": signal.index.shape[2:]})
    signal, order = whole_map(node, signal, builder)
    window, index = sliding(node, signal, tuple(node.attributes["kernel_shape"]))
    height, width, channels = signal.shape
    shape: MapShape = (*window.output(height, width), channels)
    where = index(shape)
    where = where - where % channels + order.reshape(1, -1, *(1,) * (where.ndim - 2))
    pool = Pool(window, signal.term, node)
    return replace(signal, shape=shape, index=where, edits=(*signal.edits, pool))


def padding(node: Node, signal: Signal, inputs: Sequence[np.ndarray | None], builder: Builder) -> Signal:
    """Take note of a border of one value.

    Raises
    ------
    ModelError
        If it is not a constant border of rows and columns.
    """
    amounts = [int(amount) for amount in np.ravel(inputs[0])] if inputs[0] is not None else []
    if not any(amounts):
        return signal
    rank = signal.index.ndim
    if min(amounts) < 0:
        cut = tuple(
            slice(max(-amounts[axis], 0), signal.index.shape[axis] - max(-amounts[rank + axis], 0))
            for axis in range(rank)
        )
        return padding(node, signal.moved(signal.index[cut]), [np.maximum(amounts, 0), *inputs[1:]], builder)
    padded = {number % rank for number, amount in enumerate(amounts) if amount}
    axes = axes_of(signal.index, signal.shape)
    if axes is None or (axes[2] in padded and not padded & {0, 1}):
        signal = rearranged(signal, signal.index.shape, node, builder)
        axes = axes_of(signal.index, signal.shape)
    if axes is None or node.attributes.get("mode", "constant") != "constant":
        raise ModelError(
            f"Node '{node.name}' ({node.op}) is no border of one value around a map, which is all that has hardware"
        )
    height_axis, width_axis, channel_axis = axes
    if padded - {height_axis, width_axis}:
        raise ModelError(
            f"Node '{node.name}' ({node.op}) pads the batch or the channels; only rows and columns can be padded"
        )
    pads = (amounts[height_axis], amounts[width_axis], amounts[rank + height_axis], amounts[rank + width_axis])
    height, width = Window((1, 1), pads=pads).padded(*signal.shape[:2])
    channels = signal.shape[2]
    order = np.moveaxis(signal.index, channel_axis, -1).reshape(-1, channels)[0] % channels
    flat = flat_map((height, width, channels))[..., order]
    index = np.moveaxis(flat.reshape(*flat.shape, *(1,) * (rank - 3)), (0, 1, 2), axes)
    value = 0.0 if len(inputs) < 2 or inputs[1] is None else float(np.ravel(inputs[1])[0])
    ring = Ring(pads, np.full(channels, value), node)
    return replace(signal, shape=(height, width, channels), index=index, edits=(*signal.edits, ring))


def whole_map(node: Node, signal: Signal, builder: Builder, *, free: bool = True) -> tuple[Signal, np.ndarray]:
    """Give a tensor (1, channels, ...) as a whole map, and the map's channel at each of its channels.

    A map whose elements were moved becomes another map; the order of channels alone is left to the reader if it is ``free``.
    """
    if signal.index.ndim not in (3, 4):
        raise ModelError(
            f"Node '{node.name}' ({node.op}) slides over {signal.index.ndim - 2} dimensions; one and two have hardware"
        )
    order = channel_order(places_of(signal.index), signal.shape)
    if order is None or not (free or np.array_equal(order, np.arange(len(order)))):
        signal = rearranged(signal, signal.index.shape, node, builder)
        order = np.arange(signal.shape[2])
    return signal, order


def sliding(node: Node, signal: Signal, kernel: tuple[int, ...]) -> tuple[Window, Callable[[MapShape], np.ndarray]]:
    """Give a node's window over a whole map, and how its output lies on a map."""
    rank = len(kernel)
    height, width, _ = signal.shape

    def pair(name: str, default: int) -> tuple[int, int]:
        numbers = tuple(int(number) for number in node.attributes.get(name) or (default,) * rank)
        return (default, numbers[0]) if rank == 1 else (numbers[0], numbers[1])

    amounts = [int(amount) for amount in node.attributes.get("pads") or (0,) * (2 * rank)]
    pads = (0, amounts[0], 0, amounts[1]) if rank == 1 else (amounts[0], amounts[1], amounts[2], amounts[3])
    size = (1, kernel[0]) if rank == 1 else (kernel[0], kernel[1])
    window = Window(size, pair("strides", 1), pair("dilations", 1), pads)
    try:
        window.check(height, width)
    except ValueError as error:
        raise ModelError(f"Node '{node.name}' ({node.op}): {error}") from error

    def output(shape: MapShape) -> np.ndarray:
        maps = flat_map(shape).transpose(2, 0, 1)[None]
        return maps[:, :, 0] if rank == 1 else maps

    return window, output


def _typed(
    name: str,
    node: Node,
    codes: Codes,
    weights: np.ndarray,
    window: Window | None,
    builder: Builder,
    border: np.ndarray | None = None,
    groups: int = 1,
) -> tuple[Linear, np.ndarray, np.ndarray]:
    """Type the weights, after the meaning of each input code has been multiplied in.

    Returns
    -------
    Linear
    scale : ndarray of float64, shape (rows,)
    offset : ndarray of float64, shape (rows,) or (height, width, rows)
        Real result = ``scale * accumulator + offset``.
    """
    rows = len(weights)
    border = np.zeros(codes.shape[2]) if border is None else border

    def columns(numbers: np.ndarray) -> np.ndarray:
        """Give the number of the channel behind each weight."""
        if window is None:
            return np.tile(numbers, codes.shape[0] * codes.shape[1])[None]
        return np.repeat(numbers.reshape(groups, -1), rows // groups, axis=0)[:, None, None]

    scale, shift = columns(codes.scale), columns(codes.offset)
    products = (weights * scale).reshape(rows, -1)
    found = integer_rows(products)
    if found is None and not codes.uniform and integer_rows(weights.reshape(rows, -1)) is not None:
        values = signal_of(codes, node.name, flat_map(codes.shape))
        return _typed(name, node, fixed_codes(values, node, builder), weights, window, builder, border, groups)
    if found is None:
        found = rounded_rows(products, node, builder)
    else:
        note_rounding(products, *found, node, builder)
    integers, row_scale = found
    shaped = integers.reshape(weights.shape)
    code = pad_code(border, codes)
    pad_value = code if code is not None and not (np.all(border == 0) and np.all(shift == 0)) else 0
    linear = Linear(name, codes.source, codes.shape, codes.type, shaped, window, pad_value, groups)
    # offset / scale, where it is a ratio of small numbers, keeps ties exact that a product of rounded floats would lose.
    ratio = np.divide(shift, scale, out=np.zeros_like(shift), where=scale != 0)
    column = (-1, *(1,) * (shaped.ndim - 1))
    shares = row_scale.reshape(column) * (shaped * ratio) + np.where(scale == 0, weights * shift, 0.0)
    if window is None or not any(window.pads) or code is not None or not (np.any(shares) or np.any(border)):
        return linear, row_scale, shares.reshape(rows, -1).sum(axis=1)
    padded = window.padded_taps(*codes.shape[:2])[..., None]
    taps = np.where(padded[:, None], (weights * columns(border))[None], shares[None])
    classes = taps.reshape(len(padded), rows, -1).sum(axis=2)
    return linear, row_scale, classes[window.padding(*codes.shape[:2]).classes()]


def _begin(
    node: Node,
    linear: Linear,
    scale: np.ndarray,
    offset: np.ndarray,
    bias: np.ndarray,
    index: np.ndarray,
    builder: Builder,
) -> Signal:
    """Make the signal of a linear layer: what its accumulator stands for, and the node's own bias."""
    leaf = Leaf(Parameter(scale[None, None]), Parameter(offset if offset.ndim == 3 else offset[None, None]))
    term: Leaf | Step = leaf
    if np.any(bias):
        term = Step(Node("Add", node.name, (), ()), (leaf, Parameter(bias[None, None])))
    origin = Origin(node.name, linear.out_shape, linear.domain(), linear)
    if node.name in builder.shared:
        origin = written(origin, builder)
    return Signal(origin, term, linear.out_shape, index)
