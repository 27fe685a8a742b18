"""Operators whose inputs and attributes changed from opset to opset, as the operator texts of ONNX tell it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.hostile.net import Net, Tensor, Unsuitable

__all__ = [
    "argmax",
    "clip",
    "pad",
    "reduce",
    "reshape",
    "resize",
    "slices",
    "split",
    "squeeze",
    "topk",
    "transpose",
    "unsqueeze",
]


def _ints(net: Net, values: Sequence[int]) -> Tensor:
    return net.const(list(values), np.int64)


def clip(net: Net, x: Tensor, low: float | None, high: float | None) -> Tensor:
    """Clip; the ends became inputs with opset 11."""
    if net.opset < 11:
        ends = {"min": low, "max": high}
        return net.op("Clip", x, **{name: float(value) for name, value in ends.items() if value is not None})
    dtype = x.value.dtype
    if net.opset < 12 and dtype != np.float32:
        raise Unsuitable
    given = [None if value is None else net.const(value, dtype) for value in (low, high)]
    return net.op("Clip", x, *(given if high is not None else given[:1]))


def pad(net: Net, x: Tensor, pads: Sequence[int], value: float = 0.0, mode: str = "constant") -> Tensor:
    """Pad; the amounts became an input with opset 11, the axes one with opset 18."""
    if net.opset < 11:
        return net.op("Pad", x, pads=list(pads), value=float(value), mode=mode)
    fill = net.const(value, x.value.dtype) if mode == "constant" and (value or net.chance(0.5)) else None
    used = [axis for axis in range(x.rank) if pads[axis] or pads[axis + x.rank]]
    if net.opset >= 18 and used and net.chance(0.4):
        amounts = [pads[axis] for axis in used] + [pads[axis + x.rank] for axis in used]
        axes = [axis - x.rank if net.chance(0.5) else axis for axis in used]
        return net.op("Pad", x, _ints(net, amounts), fill, _ints(net, axes), mode=mode)
    inputs = [x, _ints(net, pads), fill]
    return net.op("Pad", *(inputs if fill else inputs[:2]), mode=mode)


def slices(net: Net, x: Tensor, axis: int, start: int, end: int, step: int = 1) -> Tensor:
    """Slice along one axis; all became inputs with opset 10."""
    if net.opset < 10:
        if step != 1:
            raise Unsuitable
        return net.op("Slice", x, starts=[start], ends=[end], axes=[axis])
    axis = axis - x.rank if net.opset > 10 and net.chance(0.4) else axis
    inputs = [_ints(net, [each]) for each in (start, end, axis, step)]
    return net.op("Slice", x, *(inputs if step != 1 or net.chance(0.5) else inputs[:3]))


def split(net: Net, x: Tensor, axis: int, sizes: Sequence[int]) -> list[Tensor]:
    """Split; the sizes became an input with opset 13."""
    equal = len(set(sizes)) == 1
    if net.opset >= 18 and equal and net.chance(0.5):
        return net.ops("Split", len(sizes), x, axis=axis, num_outputs=len(sizes))
    if net.opset < 13:
        return net.ops("Split", len(sizes), x, axis=axis, split=list(sizes))
    return net.ops("Split", len(sizes), x, _ints(net, sizes), axis=axis)


def squeeze(net: Net, x: Tensor, axes: Sequence[int]) -> Tensor:
    """Squeeze; the axes became an input with opset 13."""
    if net.opset < 13:
        return net.op("Squeeze", x, axes=list(axes))
    return net.op("Squeeze", x, _ints(net, axes))


def unsqueeze(net: Net, x: Tensor, axes: Sequence[int]) -> Tensor:
    """Unsqueeze; the axes became an input with opset 13."""
    if net.opset < 13:
        return net.op("Unsqueeze", x, axes=list(axes))
    return net.op("Unsqueeze", x, _ints(net, axes))


def reduce(net: Net, kind: str, x: Tensor, axes: Sequence[int], keepdims: bool) -> Tensor:
    """Reduce; the axes became an input with opset 18, those of ReduceSum with 13."""
    if net.opset < (13 if kind == "ReduceSum" else 18):
        axes = [axis - x.rank if net.opset >= 11 and net.chance(0.3) else axis for axis in axes]
        return net.op(kind, x, axes=list(axes), keepdims=int(keepdims))
    return net.op(kind, x, _ints(net, axes), keepdims=int(keepdims))


def reshape(net: Net, x: Tensor, sizes: Sequence[int]) -> Tensor:
    """Reshape every frame to sizes, of which one may be -1."""
    if net.batch == 1:
        return net.op("Reshape", x, _ints(net, [1, *sizes]), run=[x, net_free(x, sizes)])
    if -1 not in sizes and net.chance(0.5):
        return net.op("Reshape", x, _ints(net, [-1, *sizes]))
    return net.op("Reshape", x, _ints(net, [0, *sizes]))


def net_free(x: Tensor, sizes: Sequence[int]) -> Tensor:
    """Give the shape of a Reshape that keeps all frames."""
    return Tensor("shape", np.array([x.shape[0], *sizes], dtype=np.int64), True)


def transpose(net: Net, x: Tensor, order: Sequence[int]) -> Tensor:
    return net.op("Transpose", x, perm=list(order))


def topk(net: Net, x: Tensor, count: int, axis: int) -> list[Tensor]:
    """TopK; the count became an input with opset 10."""
    if net.opset < 10:
        return net.ops("TopK", 2, x, k=count, axis=axis)
    largest = {"largest": 0} if net.opset >= 11 and net.chance(0.3) else {}
    return net.ops("TopK", 2, x, _ints(net, [count]), axis=axis, **largest)


def argmax(net: Net, x: Tensor, axis: int) -> Tensor:
    kind = "ArgMin" if net.chance(0.2) else "ArgMax"
    last = {"select_last_index": 1} if net.opset >= 12 and net.chance(0.3) else {}
    return net.op(kind, x, axis=axis, keepdims=int(net.chance(0.5)), **last)


def resize(net: Net, x: Tensor, scales: Sequence[float], modes: dict[str, str]) -> Tensor:
    """Resize by scales: Upsample before opset 10, with a region of interest from 11 on."""
    factors = net.const(list(scales))
    if net.opset < 10:
        if net.opset < 9:
            return net.op("Upsample", x, scales=list(map(float, scales)), mode="nearest")
        return net.op("Upsample", x, factors, mode="nearest")
    if net.opset == 10:
        return net.op("Resize", x, factors, mode="nearest")
    empty = None if net.opset >= 13 else net.const([])
    if net.opset >= 13 and net.chance(0.4):
        sizes = [
            x.shape[axis] if axis < 2 else int(np.floor(x.shape[axis] * scale)) for axis, scale in enumerate(scales)
        ]
        given = [1 if axis == 0 and net.batch == 1 else size for axis, size in enumerate(sizes)]
        if net.batch == 1:
            run = [x, None, None, Tensor("sizes", np.array(sizes, dtype=np.int64), True)]
            return net.op("Resize", x, None, None, _ints(net, given), run=run, mode="nearest", **modes)
        if net.opset >= 18:
            spatial = list(range(2, x.rank))
            return net.op("Resize", x, None, None, _ints(net, sizes[2:]), mode="nearest", axes=spatial, **modes)
    return net.op("Resize", x, empty, factors, mode="nearest", **modes)
