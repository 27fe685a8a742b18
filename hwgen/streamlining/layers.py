"""Matrix products, convolutions, pools and borders of the graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from hwgen.errors import ModelError
from hwgen.graph import Node
from hwgen.layers.protocol import MapShape
from hwgen.layers.window import Window
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.edits import pad_code
from hwgen.streamlining.layout import axes_of
from hwgen.streamlining.linear import Linear
from hwgen.streamlining.resolve import codes_of
from hwgen.streamlining.signal import Codes, Origin, Pool, Ring, Signal, flat_map
from hwgen.streamlining.terms import Leaf, Parameter, Step
from hwgen.streamlining.weights import integer_rows

__all__ = ["convolution", "max_pool", "padding", "product"]


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
    codes = codes_of(signal, node, builder)
    if len(vectors) == 1:
        order = _whole(vectors[0], codes, node)
        placed: np.ndarray = np.empty((matrix.shape[1], columns))
        placed[:, order] = matrix.T
        name = builder.name("dense", node)
        linear, row_scale, offset = _typed(name, node, codes, placed, None, np.zeros(codes.shape[2]))
        index: np.ndarray = np.arange(linear.rows)
    else:
        height, width, channels = codes.shape
        order = vectors[0]
        if channels != columns or not np.array_equal(
            vectors, flat_map((height, width, 1)).reshape(-1, 1) * channels + order
        ):
            raise ModelError(
                f"Node '{node.name}' ({node.op}) multiplies along an axis that is not the channels of a map of {codes.shape}"
            )
        placed = np.empty((matrix.shape[1], 1, 1, columns))
        placed[:, 0, 0, order] = matrix.T
        name = builder.name("conv", node)
        linear, row_scale, offset = _typed(name, node, codes, placed, Window((1, 1)), np.zeros(channels))
        index = flat_map((height, width, linear.rows))
    index = index.reshape(*signal.index.shape[:-1], linear.rows)
    return _begin(node, linear, row_scale, offset, bias, index)


def convolution(node: Node, signal: Signal, weights: np.ndarray, bias: np.ndarray | None, builder: Builder) -> Signal:
    """Convolve a map in one or two dimensions.

    Raises
    ------
    ModelError
        If the map is not laid out channels first, or weights or inputs are no codes.
    """
    matrix = _ungrouped(node, weights.astype(np.float64), builder)
    window, order, index = _sliding(node, signal, tuple(weights.shape[2:]))
    kernels = matrix.reshape(len(matrix), matrix.shape[1], *window.kernel)
    edits, border = list(signal.edits), np.zeros(signal.shape[2])
    ring = edits[-1] if edits else None
    if isinstance(ring, Ring) and not any(window.pads):
        edits.pop()
        window, border = replace(window, pads=ring.pads), ring.values
    codes = codes_of(replace(signal, edits=tuple(edits)), node, builder)
    placed = np.empty((len(kernels), *window.kernel, kernels.shape[1]))
    placed[..., order] = kernels.transpose(0, 2, 3, 1)
    name = builder.name("conv", node)
    linear, row_scale, offset = _typed(name, node, codes, placed, window, border)
    constant = np.zeros(linear.rows) if bias is None else bias
    return _begin(node, linear, row_scale, offset, constant, index(linear.out_shape))


def max_pool(node: Node, signal: Signal) -> Signal:
    """Take note of a max pool.

    Raises
    ------
    ModelError
        If the map is not laid out channels first.
    """
    if node.op == "GlobalMaxPool":
        node = replace(node, attributes={"kernel_shape": signal.index.shape[2:]})
    window, order, index = _sliding(node, signal, tuple(node.attributes["kernel_shape"]))
    height, width, channels = signal.shape
    shape: MapShape = (*window.output(height, width), channels)
    where = index(shape)
    where = where - where % channels + order.reshape(1, -1, *(1,) * (where.ndim - 2))
    pool = Pool(window, signal.term, node)
    return replace(signal, shape=shape, index=where, edits=(*signal.edits, pool))


def padding(node: Node, signal: Signal, inputs: Sequence[np.ndarray | None]) -> Signal:
    """Take note of a border of one value.

    Raises
    ------
    ModelError
        If it is not a constant border of rows and columns.
    """
    amounts = [int(amount) for amount in np.ravel(inputs[0])] if inputs[0] is not None else []
    if not any(amounts):
        return signal
    axes = axes_of(signal.index, signal.shape)
    rank = signal.index.ndim
    if axes is None or node.attributes.get("mode", "constant") != "constant" or min(amounts) < 0:
        raise ModelError(
            f"Node '{node.name}' ({node.op}) is no border of one value around a map, which is all that has hardware"
        )
    height_axis, width_axis, channel_axis = axes
    if any(amounts[axis] or amounts[rank + axis] for axis in range(rank) if axis not in (height_axis, width_axis)):
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


def _sliding(node: Node, signal: Signal, kernel: tuple[int, ...]) -> tuple[Window, np.ndarray, Any]:
    """Give a node's window, the order of channels in its input, and how its output lies on a map."""
    rank = len(kernel)
    height, width, channels = signal.shape
    index = signal.index
    if rank not in (1, 2) or index.ndim != rank + 2:
        raise ModelError(f"Node '{node.name}' ({node.op}) slides over {rank} dimensions; one and two have hardware")
    maps = index[:, :, None] if rank == 1 else index
    order = maps[0, :, 0, 0] % channels
    expected = flat_map((height, width, 1)).reshape(1, 1, height, width) * channels + order.reshape(1, -1, 1, 1)
    if maps.shape != (1, channels, height, width) or not np.array_equal(maps, expected):
        raise ModelError(
            f"Node '{node.name}' ({node.op}) reads a tensor of shape {index.shape} that is not the map of {signal.shape} "
            "(height, width, channels) as its layer yields it; reshaping vectors to maps has no hardware"
        )

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

    return window, order, output


def _ungrouped(node: Node, weights: np.ndarray, builder: Builder) -> np.ndarray:
    """Write a grouped convolution as a whole one with zeros."""
    groups = int(node.attributes.get("group", 1))
    if groups == 1:
        return weights
    rows, channels = weights.shape[:2]
    whole = np.zeros((rows, channels * groups, *weights.shape[2:]))
    for group in range(groups):
        part = slice(group * rows // groups, (group + 1) * rows // groups)
        whole[part, group * channels : (group + 1) * channels] = weights[part]
    builder.note(
        f"Grouped convolution '{node.name}' is built as a whole one with zero weights: {groups} times the work, "
        "and weights of two bits"
    )
    return whole


def _whole(order: np.ndarray, codes: Codes, node: Node) -> np.ndarray:
    if len(order) != int(np.prod(codes.shape)) or len(np.unique(order)) != len(order):
        raise ModelError(
            f"Node '{node.name}' ({node.op}) reads a part of the map of '{codes.source}', which has no hardware yet"
        )
    return order


def _typed(
    name: str, node: Node, codes: Codes, weights: np.ndarray, window: Window | None, border: np.ndarray
) -> tuple[Linear, np.ndarray, np.ndarray]:
    """Type the weights, after the meaning of each input code has been multiplied in.

    Returns
    -------
    Linear
    scale : ndarray of float64, shape (rows,)
    offset : ndarray of float64, shape (rows,) or (height, width, rows)
        Real result = ``scale * accumulator + offset``.
    """
    repeats = 1 if window is not None else codes.shape[0] * codes.shape[1]
    scale, shift = np.tile(codes.scale, repeats), np.tile(codes.offset, repeats)
    rows = len(weights)
    try:
        integers, row_scale = integer_rows((weights * scale).reshape(rows, -1), node)
    except ModelError:
        integer_rows(weights.reshape(rows, -1), node)
        raise ModelError(
            f"Node '{node.name}' ({node.op}) reads channels with different scales ({codes.scale.min():g} to "
            f"{codes.scale.max():g}), so that its rows are no longer a few integers times one scale; use one scale for all channels"
        ) from None
    shaped = integers.reshape(weights.shape)
    code = pad_code(border, codes)
    pad_value = code if code is not None and not (np.all(border == 0) and np.all(shift == 0)) else 0
    linear = Linear(name, codes.source, codes.shape, codes.type, shaped, window, pad_value)
    # offset / scale, where it is a ratio of small numbers, keeps ties exact that a product of rounded floats would lose.
    ratio = np.divide(shift, scale, out=np.zeros_like(shift), where=scale != 0)
    column = (-1, *(1,) * (shaped.ndim - 1))
    shares = row_scale.reshape(column) * (shaped * ratio) + np.where(scale == 0, weights * shift, 0.0)
    if window is None or not any(window.pads) or code is not None or not (np.any(shares) or np.any(border)):
        return linear, row_scale, shares.reshape(rows, -1).sum(axis=1)
    padded = window.padded_taps(*codes.shape[:2])[..., None]
    taps = np.where(padded[:, None], (weights * border)[None], shares[None])
    classes = taps.reshape(len(padded), rows, -1).sum(axis=2)
    return linear, row_scale, classes[window.padding(*codes.shape[:2]).classes()]


def _begin(
    node: Node, linear: Linear, scale: np.ndarray, offset: np.ndarray, bias: np.ndarray, index: np.ndarray
) -> Signal:
    """Make the signal of a linear layer: what its accumulator stands for, and the node's own bias."""
    leaf = Leaf(Parameter(scale[None, None]), Parameter(offset if offset.ndim == 3 else offset[None, None]))
    term: Leaf | Step = leaf
    if np.any(bias):
        term = Step(Node("Add", node.name, (), ()), (leaf, Parameter(bias[None, None])))
    origin = Origin(node.name, linear.out_shape, linear.domain(), linear)
    return Signal(origin, term, linear.out_shape, index)
