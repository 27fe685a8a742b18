"""Operators that move, cut, join or create elements without calculating with them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from hwgen.operators import Attributes, Operator

__all__ = ["COORDINATES", "SHAPING", "concat_shape"]

COORDINATES = (
    "half_pixel",
    "half_pixel_symmetric",
    "pytorch_half_pixel",
    "tf_half_pixel_for_nn",
    "asymmetric",
    "align_corners",
)
"""What ``coordinate_transformation_mode`` of Resize may be; tf_crop_and_resize takes elements of a region of its own."""


def _ints(array: np.ndarray) -> list[int]:
    return [int(element) for element in np.ravel(array)]


def _reshape(attributes: Attributes, x: np.ndarray, shape: np.ndarray) -> np.ndarray:
    sizes = _ints(shape)
    if not attributes.get("allowzero", 0):
        sizes = [x.shape[axis] if size == 0 else size for axis, size in enumerate(sizes)]
    return x.reshape(sizes)


def _flatten(attributes: Attributes, x: np.ndarray) -> np.ndarray:
    axis = attributes["axis"] + (x.ndim if attributes["axis"] < 0 else 0)
    return x.reshape(math.prod(x.shape[:axis]), math.prod(x.shape[axis:]))


def _squeeze(attributes: Attributes, x: np.ndarray, axes: np.ndarray | None = None) -> np.ndarray:
    return np.squeeze(x) if axes is None else np.squeeze(x, tuple(_ints(axes)))


def _unsqueeze(attributes: Attributes, x: np.ndarray, axes: np.ndarray) -> np.ndarray:
    return np.expand_dims(x, tuple(_ints(axes)))


def _transpose(attributes: Attributes, x: np.ndarray) -> np.ndarray:
    return np.transpose(x, attributes.get("perm"))


def concat_shape(shapes: Sequence[tuple[int, ...]], axis: int) -> tuple[int, ...]:
    """Give the shape of tensors one behind the other; a constant that was exported for one frame stands beside every frame.

    Raises
    ------
    ValueError
        If they differ along another axis, or have not so many.
    """
    rank, frames = len(shapes[0]), max(shape[0] if shape else 0 for shape in shapes)
    if not -rank <= axis < rank:
        raise ValueError(f"Tensors of {rank} axes have no axis {axis}")
    axis %= rank
    full = [(frames, *shape[1:]) if axis and shape[:1] == (1,) else shape for shape in shapes]
    if len({(*shape[:axis], None, *shape[axis + 1 :]) for shape in full}) > 1:
        raise ValueError(f"Tensors of shapes {shapes} differ along other axes than {axis}")
    return (*full[0][:axis], sum(shape[axis] for shape in full), *full[0][axis + 1 :])


def _concat(attributes: Attributes, *inputs: np.ndarray) -> np.ndarray:
    axis = attributes["axis"]
    shape = concat_shape([x.shape for x in inputs], axis)
    if axis % len(shape):
        inputs = tuple(np.broadcast_to(x, (shape[0], *x.shape[1:])) for x in inputs)
    return np.concatenate(inputs, axis=axis)


def _split(attributes: Attributes, x: np.ndarray, sizes: np.ndarray | None = None) -> tuple[np.ndarray, ...]:
    axis = attributes["axis"]
    if sizes is None:
        count, length = attributes["num_outputs"], x.shape[axis]
        part = -(-length // count)
        bounds = [min(part * index, length) for index in range(1, count)]
    else:
        bounds = list(np.cumsum(_ints(sizes))[:-1])
    return tuple(np.split(x, bounds, axis=axis))


def _slice(
    attributes: Attributes,
    x: np.ndarray,
    starts: np.ndarray,
    ends: np.ndarray,
    axes: np.ndarray | None = None,
    steps: np.ndarray | None = None,
) -> np.ndarray:
    begins, stops = _ints(starts), _ints(ends)
    picks = [slice(None)] * x.ndim
    chosen = list(range(len(begins))) if axes is None else _ints(axes)
    strides = [1] * len(begins) if steps is None else _ints(steps)
    for axis, begin, stop, step in zip(chosen, begins, stops, strides, strict=True):
        size = x.shape[axis]
        stop = stop + size if stop < 0 else stop
        picks[axis] = slice(begin, None if stop < 0 else stop, step)
    return x[tuple(picks)]


def _gather(attributes: Attributes, x: np.ndarray, indices: np.ndarray) -> np.ndarray:
    return np.asarray(np.take(x, indices, axis=attributes["axis"]))


def _pad(
    attributes: Attributes,
    x: np.ndarray,
    pads: np.ndarray,
    value: np.ndarray | None = None,
    axes: np.ndarray | None = None,
) -> np.ndarray:
    """Pad, or cut where a pad is negative."""
    amounts = _ints(pads)
    chosen = list(range(x.ndim)) if axes is None else _ints(axes)
    widths, picks = [(0, 0)] * x.ndim, [slice(None)] * x.ndim
    for place, axis in enumerate(chosen):
        begin, end = amounts[place], amounts[len(chosen) + place]
        widths[axis] = (max(begin, 0), max(end, 0))
        picks[axis] = slice(max(-begin, 0), x.shape[axis] - max(-end, 0))
    x = x[tuple(picks)]
    mode = attributes.get("mode", "constant")
    if mode == "constant":
        return np.pad(x, widths, constant_values=0 if value is None else np.ravel(value)[0])
    if mode == "edge":
        return np.pad(x, widths, mode="edge")
    return np.pad(x, widths, mode="wrap") if mode == "wrap" else np.pad(x, widths, mode="reflect")


def _shape(attributes: Attributes, x: np.ndarray) -> np.ndarray:
    return np.array(x.shape[attributes.get("start", 0) : attributes.get("end")], dtype=np.int64)


def _size(attributes: Attributes, x: np.ndarray) -> np.ndarray:
    return np.asarray(x.size, dtype=np.int64)


def _constant_of_shape(attributes: Attributes, shape: np.ndarray) -> np.ndarray:
    value = np.ravel(attributes["value"])
    return np.full(_ints(shape), value[0], dtype=value.dtype)


def _expand(attributes: Attributes, x: np.ndarray, shape: np.ndarray) -> np.ndarray:
    return np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(_ints(shape))))


def _tile(attributes: Attributes, x: np.ndarray, repeats: np.ndarray) -> np.ndarray:
    return np.tile(x, _ints(repeats))


def _range(attributes: Attributes, start: np.ndarray, limit: np.ndarray, delta: np.ndarray) -> np.ndarray:
    return np.arange(start.item(), limit.item(), delta.item()).astype(start.dtype)


def _depth_to_space(attributes: Attributes, x: np.ndarray) -> np.ndarray:
    block = attributes["blocksize"]
    n, c, h, w = x.shape
    if attributes.get("mode", "DCR") == "DCR":
        parts = x.reshape(n, block, block, c // block**2, h, w).transpose(0, 3, 4, 1, 5, 2)
    else:
        parts = x.reshape(n, c // block**2, block, block, h, w).transpose(0, 1, 4, 2, 5, 3)
    return parts.reshape(n, c // block**2, h * block, w * block)


def _space_to_depth(attributes: Attributes, x: np.ndarray) -> np.ndarray:
    block = attributes["blocksize"]
    n, c, h, w = x.shape
    parts = x.reshape(n, c, h // block, block, w // block, block).transpose(0, 3, 5, 1, 2, 4)
    return parts.reshape(n, c * block**2, h // block, w // block)


def _resize(
    attributes: Attributes,
    x: np.ndarray,
    region: np.ndarray | None = None,
    scales: np.ndarray | None = None,
    sizes: np.ndarray | None = None,
) -> np.ndarray:
    """Resize to the nearest element (other modes are refused before evaluation); a size of -1 keeps an axis."""
    axes = [axis % x.ndim for axis in attributes.get("axes") or range(x.ndim)]
    lengths = np.array([x.shape[axis] for axis in axes], dtype=np.float32)
    if sizes is not None and sizes.size:
        wanted = np.where(sizes >= 0, sizes, lengths).astype(np.float32)
        factors = wanted / lengths
        policy = attributes.get("keep_aspect_ratio_policy", "stretch")
        if policy != "stretch":
            factors = np.full_like(factors, factors.min() if policy == "not_larger" else factors.max())
            wanted = np.floor(factors * lengths + np.float32(0.5))
    else:
        factors = np.ravel(np.asarray(scales)).astype(np.float32)
        wanted = np.floor(lengths * factors)
    for axis, size, scale in zip(axes, wanted.astype(int), factors, strict=True):
        if size != x.shape[axis] or scale != 1:
            x = np.take(x, _nearest(attributes, x.shape[axis], int(size), scale), axis=axis)
    return x


def _nearest(attributes: Attributes, length: int, size: int, scale: np.float32) -> np.ndarray:
    """Give the element that each place takes, in float32, which decides ties as ONNX Runtime does."""
    places, half = np.arange(size, dtype=np.float32), np.float32(0.5)
    match attributes.get("coordinate_transformation_mode", "half_pixel"):
        case "asymmetric":
            source = places / scale
        case "align_corners":
            source = places * np.float32(length - 1) / np.float32(max(size - 1, 1))
        case "pytorch_half_pixel":
            source = (places + half) / scale - half if size > 1 else places * 0
        case "tf_half_pixel_for_nn":
            source = (places + half) / scale
        case "half_pixel_symmetric":
            adjustment = np.float32(size) / (scale * np.float32(length))
            offset = np.float32(length) / np.float32(2) * (np.float32(1) - adjustment)
            exact = float(offset) + (places.astype(np.float64) + 0.5) / float(scale) - 0.5
            source = exact.astype(np.float32)
        case _:
            source = (places + half) / scale - half
    match attributes.get("nearest_mode", "round_prefer_floor"):
        case "simple":
            index = np.ceil(source) if scale < 1 else np.floor(source)
        case "floor":
            index = np.floor(source)
        case "ceil":
            index = np.ceil(source)
        case "round_prefer_ceil":
            index = np.floor(source + half)
        case _:
            index = np.ceil(source - half)
    return np.clip(index, 0, length - 1).astype(np.int64)


SHAPING: dict[str, Operator] = {
    "Concat": _concat,
    "ConstantOfShape": _constant_of_shape,
    "DepthToSpace": _depth_to_space,
    "Expand": _expand,
    "Flatten": _flatten,
    "Gather": _gather,
    "Pad": _pad,
    "Range": _range,
    "Reshape": _reshape,
    "Resize": _resize,
    "Shape": _shape,
    "Size": _size,
    "Slice": _slice,
    "SpaceToDepth": _space_to_depth,
    "Split": _split,
    "Squeeze": _squeeze,
    "Tile": _tile,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
