"""Sums, means and extremes over rows, columns and channels: average pools, global pools, reductions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hwgen.codes import CodeType
from hwgen.errors import ModelError
from hwgen.graph import Node
from hwgen.layers.channel_max import ChannelMax
from hwgen.layers.global_reduce import GlobalReduce, Reduction
from hwgen.operators.evaluate import apply
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.functions.domain import Integers
from hwgen.streamlining.functions.signal import Codes, Signal, flat_map, signal_of
from hwgen.streamlining.nodes.elementwise import elementwise
from hwgen.streamlining.nodes.norms import take_note_of_sum
from hwgen.streamlining.nodes.products import product
from hwgen.streamlining.nodes.windows import convolution, max_pool, whole_map
from hwgen.streamlining.places.arrange import seen_as
from hwgen.streamlining.places.layout import axes_of
from hwgen.streamlining.places.rearrange import rearranged
from hwgen.streamlining.resolve import codes_of, fixed_codes

__all__ = ["average_pool", "channel_groups", "reduction"]


def average_pool(node: Node, signal: Signal, builder: Builder) -> Signal:
    """Average windows of every channel: a depthwise convolution with weights of one, and a factor.

    Where padding is not counted the factor depends on the position.
    """
    signal, order = whole_map(node, signal, builder)
    kernel = tuple(int(size) for size in node.attributes["kernel_shape"])
    channels, sizes, rank = signal.shape[2], signal.index.shape[2:], len(kernel)
    ones = np.ones((1, 1, *sizes))
    factor = apply(node, [ones])[0][0, 0]
    strides = [int(step) for step in node.attributes.get("strides") or (1,) * rank]
    dilations = [int(step) for step in node.attributes.get("dilations") or (1,) * rank]
    pads = [int(pad) for pad in node.attributes.get("pads") or (0,) * (2 * rank)]
    for axis, count in enumerate(factor.shape):
        reach = (count - 1) * strides[axis] + (kernel[axis] - 1) * dilations[axis] + 1
        pads[rank + axis] = max(reach - sizes[axis] - pads[axis], 0)
    window = {"kernel_shape": kernel, "strides": strides, "dilations": dilations, "pads": pads}
    seen = apply(Node("Conv", node.name, (), (), window), [ones, np.ones((1, 1, *kernel))])[0][0, 0]
    factor = np.divide(factor, seen, out=np.zeros_like(factor), where=seen > 0)
    plain = signal.moved(np.take(signal.index, np.argsort(order), axis=1))
    conv = replace(node, attributes={**window, "group": channels})
    total = convolution(conv, plain, np.ones((channels, 1, *kernel)), None, builder)
    scaled = elementwise(
        Node("Mul", node.name, (), ()), [total, factor if np.ptp(factor) else factor.reshape(-1)[0]], builder
    )
    return scaled.moved(np.take(scaled.index, order, axis=1))


def reduction(node: Node, signal: Signal, axes: Sequence[int], *, keepdims: bool, builder: Builder) -> Signal:
    """Sum, average or find the extreme along axes of a tensor.

    Raises
    ------
    ModelError
        If it reduces the batch, or what is no map.
    """
    kind, rank = node.op.removeprefix("Reduce"), signal.index.ndim
    chosen = {axis % rank for axis in axes}
    if rank > 4:
        raise ModelError(f"Node '{node.name}' ({node.op}) reduces a tensor of {rank} axes; up to four are a map")
    if 0 in chosen:
        raise ModelError(f"Node '{node.name}' ({node.op}) reduces the batch; frames must be independent")

    def simple(op: str, operand: Signal, *constants: np.ndarray | Signal) -> Signal:
        return elementwise(Node(op, node.name, (), ()), [operand, *constants], builder)

    match kind:
        case "L1" | "SumSquare" | "L2":
            term = simple("Abs", signal) if kind == "L1" else simple("Mul", signal, signal)
            total = reduction(replace(node, op="ReduceSum"), term, axes, keepdims=keepdims, builder=builder)
            return simple("Sqrt", total) if kind == "L2" else total
        case "Min":
            top = reduction(
                replace(node, op="ReduceMax"), simple("Neg", signal), axes, keepdims=keepdims, builder=builder
            )
            return simple("Neg", top)
        case "Max" | "Sum" | "Mean":
            pass
        case _:
            raise ModelError(f"Node '{node.name}' ({node.op}) has no hardware; sums, means, maxima and minima have")
    signal = signal.moved(signal.index.reshape(*signal.index.shape, *(1,) * (4 - rank)))
    if axes_of(signal.index, signal.shape) is None:
        grouped = channel_groups(signal, max(chosen), node, builder) if len(chosen) == 1 else None
        if grouped is not None:
            result = _of_groups(node, *grouped, max(chosen), kind, builder)
            gone = (*range(rank, 4), *(() if keepdims else sorted(chosen)))
            return result.moved(np.squeeze(result.index, gone))
        signal = rearranged(signal, signal.index.shape, node, builder)
    roles = axes_of(signal.index, signal.shape)
    if roles is None:
        raise ModelError(
            f"Node '{node.name}' ({node.op}) reduces a tensor of shape {signal.index.shape}, which is no map"
        )
    count = int(np.prod([signal.index.shape[axis] for axis in chosen]))
    if kind == "Max":
        result = _greatest(node, signal, roles, chosen, builder)
    else:
        result = _total(node, signal, roles, chosen, builder)
        take_note_of_sum(result, signal, builder)
        if kind == "Mean" and count > 1:
            result = simple("Mul", result, np.array(1 / count))
    gone = (*range(rank, 4), *(() if keepdims else sorted(chosen)))
    return result.moved(np.squeeze(result.index, gone))


def channel_groups(signal: Signal, axis: int, node: Node, builder: Builder) -> tuple[Signal, np.ndarray] | None:
    """See groups of neighbouring channels, of which an axis of a tensor is each, as the channels of so many more pixels.

    Returns
    -------
    pixels : Signal
        Shape (1, pixels, channels of a group), in the order of the map.
    index : ndarray of int64
        Element of that map at each place of the tensor. None if the axis is no group of channels.
    """
    count, channels = signal.index.shape[axis], signal.shape[2]
    first = np.take(signal.index, [0], axis=axis)
    ordered = np.moveaxis(first, axis, -1) + np.arange(count)
    if channels % count or np.any(first % count) or not np.array_equal(np.moveaxis(signal.index, axis, -1), ordered):
        return None
    height, width, _ = signal.shape
    codes = codes_of(signal, node, builder)
    seen = codes if count == channels else seen_as(codes, (height, width * channels // count, count), builder)
    if seen is None:
        return None
    return signal_of(seen, node.name, flat_map(seen.shape).reshape(1, -1, count)), signal.index


def _of_groups(node: Node, pixels: Signal, index: np.ndarray, axis: int, kind: str, builder: Builder) -> Signal:
    """Reduce all channels of pixels; give the tensor of the results, the axis kept."""
    count = pixels.index.shape[2]
    inner = replace(node, op=f"Reduce{kind}")
    result = reduction(inner, pixels, (2,), keepdims=True, builder=builder)
    return result.moved(result.index.ravel()[np.take(index, [0], axis=axis) // count])


def _total(node: Node, signal: Signal, roles: tuple[int, int, int], chosen: set[int], builder: Builder) -> Signal:
    row, column, channel = roles
    sizes = signal.index.shape
    if channel in chosen and sizes[channel] > 1:
        last = signal.moved(np.moveaxis(signal.index, channel, -1))
        summed = product(Node("MatMul", node.name, (), ()), last, np.ones((sizes[channel], 1)), builder)
        signal = summed.moved(np.moveaxis(summed.index, -1, channel))
    along = [axis in chosen and sizes[axis] > 1 for axis in (row, column)]
    if not any(along):
        return signal
    if all(along[place] or sizes[axis] == 1 for place, axis in enumerate((row, column))):
        return _over_map(node, signal, chosen, builder)
    front = np.moveaxis(signal.index, (channel, row, column), (1, 2, 3)).reshape(
        1, signal.index.shape[channel], sizes[row], sizes[column]
    )
    kernel = tuple(size if flag else 1 for size, flag in zip((sizes[row], sizes[column]), along, strict=True))
    pool = Node("AveragePool", node.name, (), (), {"kernel_shape": kernel})
    mean = average_pool(pool, signal.moved(front), builder)
    total = elementwise(Node("Mul", node.name, (), ()), [mean, np.array(float(np.prod(kernel)))], builder)
    shape = tuple(1 if axis in chosen else size for axis, size in enumerate(signal.index.shape))
    order = sorted(range(3), key=lambda place: (channel, row, column)[place])
    return total.moved(total.index[0].transpose(order).reshape(shape))


def _over_map(node: Node, signal: Signal, chosen: set[int], builder: Builder) -> Signal:
    """Sum all pixels with running accumulators."""
    codes = codes_of(signal, node, builder)
    height, width, channels = codes.shape
    pixels, numbers = height * width, codes.numbers
    low, high = pixels * codes.type.low, pixels * codes.type.high
    kind = CodeType(low, high)
    layer = GlobalReduce(builder.name("sum", node), codes.source, codes.shape, codes.type, Reduction.SUM, kind)
    reach = Integers(numbers.low * pixels, numbers.step, (numbers.count - 1) * pixels + 1, numbers.positions)
    total = Codes(builder.add(layer), layer.out_shape, kind, codes.scale, codes.offset * pixels, reach)
    index = np.take(signal.index, [0], axis=0)
    for axis in sorted(chosen):
        index = np.take(index, [0], axis=axis)
    return signal_of(total, node.name, index % channels)


def _greatest(node: Node, signal: Signal, roles: tuple[int, int, int], chosen: set[int], builder: Builder) -> Signal:
    row, column, channel = roles
    sizes = signal.index.shape
    if channel in chosen and sizes[channel] > 1:
        codes = codes_of(signal, node, builder)
        if not codes.uniform or codes.scale[0] <= 0:
            codes = fixed_codes(signal_of(codes, node.name, flat_map(codes.shape)), node, builder)
        layer = ChannelMax(builder.name("max", node), codes.source, codes.shape, codes.type)
        top = Codes(builder.add(layer), layer.out_shape, layer.out_type, codes.scale[:1], codes.offset[:1])
        signal = signal_of(top, node.name, np.take(signal.index, [0], axis=channel) // codes.shape[2])
        sizes, chosen = signal.index.shape, chosen - {channel}
        if all(sizes[axis] == 1 for axis in chosen):
            return signal
    front = np.moveaxis(signal.index, (channel, row, column), (1, 2, 3)).reshape(
        1, sizes[channel], sizes[row], sizes[column]
    )
    kernel = tuple(sizes[axis] if axis in chosen else 1 for axis in (row, column))
    pool = Node("MaxPool", node.name, (), (), {"kernel_shape": kernel})
    pooled = max_pool(pool, signal.moved(front), builder)
    shape = tuple(1 if axis in chosen else size for axis, size in enumerate(sizes))
    order = sorted(range(3), key=lambda place: (channel, row, column)[place])
    return pooled.moved(pooled.index[0].transpose(order).reshape(shape))
