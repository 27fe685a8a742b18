"""Convolutions, pools and borders of the graph: what slides over a map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from hwgen.errors import ModelError
from hwgen.graph import Node
from hwgen.layers.protocol import MapShape
from hwgen.layers.window import Window
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.functions.signal import Pool, Ring, Signal, flat_map
from hwgen.streamlining.nodes.accumulators import begin, typed
from hwgen.streamlining.places.arrange import channel_order, places_of
from hwgen.streamlining.places.layout import axes_of
from hwgen.streamlining.places.rearrange import rearranged
from hwgen.streamlining.resolve import codes_of

__all__ = ["convolution", "max_pool", "padding", "sliding", "whole_map"]


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
    linear, row_scale, offset = typed(name, node, codes, placed, window, builder, border, groups)
    constant = np.zeros(linear.rows) if bias is None else bias
    return begin(node, linear, row_scale, offset, constant, index(linear.out_shape), builder)


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
