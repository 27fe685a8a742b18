"""Operators that slide a window: convolutions and pools of any number of spatial axes, channels on axis 1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwgen.operators import Attributes, Operator, UnfitError

__all__ = ["WINDOWS", "explicit_pads", "output_size", "transposed_pads"]


def explicit_pads(attributes: Attributes, sizes: Sequence[int], kernel: Sequence[int]) -> tuple[int, ...]:
    """Give the pads of a window operator, all begins then all ends, whatever ``auto_pad`` says.

    Parameters
    ----------
    attributes : mapping
        ``auto_pad``, ``pads``, ``strides`` and ``dilations``, each optional.
    sizes, kernel : sequence of int
        Spatial sizes of the input, and of the kernel.
    """
    rank = len(sizes)
    mode = attributes.get("auto_pad", "NOTSET")
    if mode == "NOTSET":
        return tuple(attributes.get("pads") or (0,) * (2 * rank))
    if mode == "VALID":
        return (0,) * (2 * rank)
    strides, dilations = _steps(attributes, "strides", rank), _steps(attributes, "dilations", rank)
    begins, ends = [], []
    for size, extent, stride, dilation in zip(sizes, kernel, strides, dilations, strict=True):
        total = max((-(-size // stride) - 1) * stride + (extent - 1) * dilation + 1 - size, 0)
        small, large = total // 2, total - total // 2
        begins.append(large if mode == "SAME_LOWER" else small)
        ends.append(small if mode == "SAME_LOWER" else large)
    return (*begins, *ends)


def output_size(size: int, kernel: int, stride: int, dilation: int, pads: tuple[int, int], ceil_mode: bool) -> int:
    """Count the windows along one axis; with ``ceil_mode`` the last may hang over the end but must begin before it."""
    room = size + sum(pads) - ((kernel - 1) * dilation + 1)
    if not ceil_mode:
        return room // stride + 1
    count = -(-room // stride) + 1
    return count - 1 if (count - 1) * stride >= size + pads[0] else count


def _steps(attributes: Attributes, name: str, rank: int) -> tuple[int, ...]:
    return tuple(attributes.get(name) or (1,) * rank)


def _windows(
    attributes: Attributes, x: np.ndarray, kernel: Sequence[int], fill: float, beyond: float | None = None
) -> np.ndarray:
    """View x as (batch, channel, *outputs, *kernel); what ``ceil_mode`` adds behind the pads holds ``beyond``, by default ``fill`` too."""
    rank = len(kernel)
    strides, dilations = _steps(attributes, "strides", rank), _steps(attributes, "dilations", rank)
    pads = explicit_pads(attributes, x.shape[2:], kernel)
    widths, overhangs, counts = [(0, 0), (0, 0)], [(0, 0), (0, 0)], []
    for axis in range(rank):
        begin, end = pads[axis], pads[rank + axis]
        count = output_size(
            x.shape[2 + axis],
            kernel[axis],
            strides[axis],
            dilations[axis],
            (begin, end),
            bool(attributes.get("ceil_mode", 0)),
        )
        reach = (count - 1) * strides[axis] + (kernel[axis] - 1) * dilations[axis] + 1
        widths.append((begin, end))
        overhangs.append((0, max(0, reach - x.shape[2 + axis] - begin - end)))
        counts.append(count)
    if min(counts) < 1:
        raise UnfitError(f"the window {tuple(kernel)} is larger than the map {x.shape[2:]} with pads {pads}")
    padded = np.pad(x, widths, constant_values=fill) if any(map(any, widths)) else x
    if any(map(any, overhangs)):
        padded = np.pad(padded, overhangs, constant_values=fill if beyond is None else beyond)
    extents = tuple((extent - 1) * dilation + 1 for extent, dilation in zip(kernel, dilations, strict=True))
    view = np.lib.stride_tricks.sliding_window_view(padded, extents, axis=tuple(range(2, 2 + rank)))
    picks = [slice(0, count * stride, stride) for count, stride in zip(counts, strides, strict=True)]
    taps = [slice(None, None, dilation) for dilation in dilations]
    return view[(slice(None), slice(None), *picks, *taps)]


def _convolution(
    attributes: Attributes, x: np.ndarray, weights: np.ndarray, bias: np.ndarray | None = None
) -> np.ndarray:
    rank = x.ndim - 2
    groups = attributes.get("group", 1)
    windows = _windows(attributes, x, weights.shape[2:], 0)
    axes = (1, *range(2 + rank, 2 + 2 * rank)), tuple(range(1, 2 + rank))
    maps = [
        np.moveaxis(np.tensordot(part, kernels, axes=axes), -1, 1)
        for part, kernels in zip(np.split(windows, groups, axis=1), np.split(weights, groups), strict=True)
    ]
    result = np.concatenate(maps, axis=1) if groups > 1 else maps[0]
    return result if bias is None else result + bias.reshape((1, -1) + (1,) * rank)


def _transposed_convolution(
    attributes: Attributes, x: np.ndarray, weights: np.ndarray, bias: np.ndarray | None = None
) -> np.ndarray:
    rank, groups = x.ndim - 2, attributes.get("group", 1)
    strides, dilations = _steps(attributes, "strides", rank), _steps(attributes, "dilations", rank)
    kernel, extra = weights.shape[2:], tuple(attributes.get("output_padding") or (0,) * rank)
    full = [
        (size - 1) * stride + (extent - 1) * dilation + 1
        for size, stride, extent, dilation in zip(x.shape[2:], strides, kernel, dilations, strict=True)
    ]
    begins, ends = transposed_pads(attributes, x.shape[2:], full, strides, extra)
    room = tuple(size + more + max(0, -end) for size, more, end in zip(full, extra, ends, strict=True))
    result = np.zeros((x.shape[0], weights.shape[1] * groups, *room), dtype=x.dtype)
    for tap in np.ndindex(*kernel):
        places = [
            slice(t * d, t * d + (size - 1) * s + 1, s)
            for t, d, s, size in zip(tap, dilations, strides, x.shape[2:], strict=True)
        ]
        maps = [
            np.moveaxis(np.tensordot(part, matrices[(slice(None), slice(None), *tap)], axes=(1, 0)), -1, 1)
            for part, matrices in zip(np.split(x, groups, axis=1), np.split(weights, groups), strict=True)
        ]
        result[(slice(None), slice(None), *places)] += np.concatenate(maps, axis=1)
    kept = [slice(begin, size + more - end) for begin, end, size, more in zip(begins, ends, full, extra, strict=True)]
    result = result[(slice(None), slice(None), *kept)]
    return result if bias is None else result + bias.reshape((1, -1) + (1,) * rank)


def transposed_pads(
    attributes: Attributes, sizes: Sequence[int], full: Sequence[int], strides: Sequence[int], extra: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Give what is cut off the full result; a negative end adds zeros."""
    rank, mode, shape = len(sizes), attributes.get("auto_pad", "NOTSET"), attributes.get("output_shape")
    if not shape and mode in ("NOTSET", "VALID"):
        pads = list(attributes.get("pads") or (0,) * (2 * rank)) if mode == "NOTSET" else [0] * (2 * rank)
        return pads[:rank], pads[rank:]
    targets = shape[-rank:] if shape else [size * stride for size, stride in zip(sizes, strides, strict=True)]
    totals = [size + more - target for size, more, target in zip(full, extra, targets, strict=True)]
    halves = [total // 2 if mode == "SAME_UPPER" else total - total // 2 for total in totals]
    return halves, [total - half for total, half in zip(totals, halves, strict=True)]


def _max_pool(attributes: Attributes, x: np.ndarray) -> np.ndarray:
    kernel = attributes["kernel_shape"]
    lowest = -np.inf if np.issubdtype(x.dtype, np.floating) else np.iinfo(x.dtype).min
    windows = _windows(attributes, x, kernel, lowest)
    return np.asarray(windows.max(axis=tuple(range(-len(kernel), 0))))


def _average_pool(attributes: Attributes, x: np.ndarray) -> np.ndarray:
    kernel = attributes["kernel_shape"]
    axes = tuple(range(-len(kernel), 0))
    ones = np.ones((1, 1, *x.shape[2:]), dtype=x.dtype)
    total = _windows(attributes, x, kernel, 0).sum(axis=axes, dtype=x.dtype)
    counted = _windows(attributes, ones, kernel, fill=attributes.get("count_include_pad", 0), beyond=0)
    return np.asarray(total / counted.sum(axis=axes, dtype=x.dtype))


def _im2col(attributes: Attributes, x: np.ndarray) -> np.ndarray:
    """Give what each window of a map of channels last sees, rows of it first, as the channels of a pixel."""
    fill = attributes["pad_value"]
    seen = _windows(attributes, np.moveaxis(x, -1, 1), attributes["kernel_shape"], fill)
    moved = seen.transpose(0, 2, 3, 4, 5, 1)
    return moved.reshape(*moved.shape[:3], -1)


def _global_average(attributes: Attributes, x: np.ndarray) -> np.ndarray:
    return np.asarray(x.mean(axis=tuple(range(2, x.ndim)), keepdims=True, dtype=x.dtype))


def _global_max(attributes: Attributes, x: np.ndarray) -> np.ndarray:
    return np.asarray(x.max(axis=tuple(range(2, x.ndim)), keepdims=True))


WINDOWS: dict[str, Operator] = {
    "AveragePool": _average_pool,
    "Conv": _convolution,
    "ConvTranspose": _transposed_convolution,
    "GlobalAveragePool": _global_average,
    "GlobalMaxPool": _global_max,
    "Im2Col": _im2col,
    "MaxPool": _max_pool,
}
