"""Convolutions and pools of the graph: what slides over a map."""

from __future__ import annotations

from collections.abc import Callable
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
from hwgen.streamlining.places.rearrange import rearranged
from hwgen.streamlining.resolve import codes_of

__all__ = ["convolution", "max_pool", "sliding", "whole_map"]


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
    # What the convolution pads itself adds nothing, as a border of zeros does.
    if isinstance(ring, Ring) and (not any(window.pads) or not np.any(ring.values)):
        top, left, bottom, right = (a + b for a, b in zip(window.pads, ring.pads, strict=True))
        joined = replace(window, pads=(top, left, bottom, right))
        height, width = signal.shape[0] - ring.pads[0] - ring.pads[2], signal.shape[1] - ring.pads[1] - ring.pads[3]
        if joined.taps_within(height, width):
            edits.pop()
            window, border = joined, ring.values
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
