"""Matrix products of the packed golden model: differing bits counted where inputs and weights are bipolar, else floating point that is exact."""

from __future__ import annotations

import numpy as np

from hwgen.activation import FEW_LEVELS, Thresholds
from hwgen.codes import CodeType
from hwgen.golden.bits import as_words, count_type, difference_count, pack_bits, unpack_bits
from hwgen.golden.form import Step, integers
from hwgen.layers.conv import Conv
from hwgen.layers.dense import Dense
from hwgen.layers.window import Window

__all__ = ["activation_step", "conv_step", "dense_step"]


def dense_step(layer: Dense) -> Step:
    """Treat a dense layer as a convolution whose window is the whole map."""
    return _linear(layer, layer.weights.reshape(layer.rows, *layer.in_shape), Window(layer.in_shape[:2]), 0)


def conv_step(layer: Conv) -> Step:
    """Prepare a convolution, with or without groups."""
    if layer.groups > 1:
        return _grouped(layer)
    return _linear(layer, layer.weights, layer.window, layer.pad_value)


def _grouped(layer: Conv) -> Step:
    """Prepare a convolution whose rows see the channels of their own group: a matrix product for each group.

    A row that sees a single channel is a weighted sum of the map shifted from tap to tap.
    """
    largest = int(np.abs(layer.weights).sum(axis=(1, 2, 3)).max()) * max(
        -layer.in_type.low, layer.in_type.high, abs(layer.pad_value)
    )
    real = _exact_real(largest)
    finish = _finish(layer, real, largest)
    channels, height, width = layer.in_shape[2], *layer.out_shape[:2]
    multiplier = layer.rows // layer.groups
    # (taps, channels of a group, groups, rows of a group)
    taps = layer.weights.reshape(layer.groups, multiplier, -1, channels // layer.groups).transpose(2, 3, 0, 1)
    taps = np.ascontiguousarray(taps.astype(real))
    matrices = taps.transpose(2, 0, 1, 3).reshape(layer.groups, layer.columns, multiplier)

    def step(x: np.ndarray) -> np.ndarray:
        codes = (unpack_bits(x, channels) if layer.in_type.bipolar else x).astype(real)
        seen = layer.window.tap_maps(codes, layer.pad_value)
        if channels == layer.groups:
            sums = np.zeros((len(x), height, width, channels, multiplier), dtype=real)
            for tap, weights in zip(seen, taps[:, 0], strict=True):
                sums += tap[..., None] * weights
        else:
            maps = [tap.reshape(len(x), height, width, layer.groups, -1) for tap in seen]
            windows = np.stack(maps, axis=4).reshape(-1, layer.groups, layer.columns)
            sums = (windows.swapaxes(0, 1) @ matrices).swapaxes(0, 1)
        return finish(sums.reshape(len(x), *layer.out_shape))

    return step


def _exact_real(largest: int) -> type[np.number]:
    """Give the fastest dtype in which all integers up to the largest magnitude are exact."""
    return np.float32 if largest < 1 << 24 else np.float64 if largest < 1 << 53 else np.int64


def _linear(layer: Dense | Conv, weights: np.ndarray, window: Window, pad_value: int) -> Step:
    """Prepare accumulation and thresholds."""
    rows = len(weights)
    taps = weights.reshape(rows, -1, weights.shape[-1])
    if layer.in_type.bipolar and np.all(np.abs(taps) == 1):
        return _binary(layer, taps, window, pad_value)
    largest = int(np.abs(taps).sum(axis=(1, 2)).max()) * max(-layer.in_type.low, layer.in_type.high, abs(pad_value))
    real = _exact_real(largest)
    columns = np.ascontiguousarray(taps.reshape(rows, -1).T.astype(real))
    finish = _finish(layer, real, largest)

    def step(x: np.ndarray) -> np.ndarray:
        codes = unpack_bits(x, layer.in_shape[2]) if layer.in_type.bipolar else x
        accumulators = _windows(codes.astype(real), window, pad_value) @ columns
        return finish(accumulators.reshape(len(x), *layer.out_shape))

    return step


def _binary(layer: Dense | Conv, taps: np.ndarray, window: Window, pad_value: int) -> Step:
    """Prepare a layer of bits: accumulator = columns - 2 * number of columns that differ."""
    height, width, _ = layer.out_shape
    rows = pack_bits(taps > 0).reshape(len(taps), -1)
    count = difference_count(rows)
    # A padded tap is packed as -1; what it should have contributed beyond that is the same for all frames.
    padded = _windows(np.zeros((1, *layer.in_shape[:2], 1), dtype=np.int64), window, 1)
    surplus = (pad_value + 1) * (padded.reshape(height, width, -1) @ taps.sum(axis=2).T)
    total = taps[0].size + surplus

    def differing(x: np.ndarray) -> np.ndarray:
        seen = _windows(as_words(x), window, 0).view(np.uint8)
        return count(seen).reshape(len(x), *layer.out_shape)

    if layer.thresholds is not None and layer.out_type.bipolar:
        levels = layer.thresholds.levels[layer.thresholds.positions.classes()][..., 0]
        # total - 2 * differing >= level is differing < floor((total - level) / 2) + 1.
        bound = np.clip((total - levels) // 2 + 1, 0, taps[0].size + 1).astype(count_type(rows.shape[1]))
        return lambda x: pack_bits(differing(x) < bound)

    largest = int(np.abs(total).max()) + 2 * taps[0].size
    dtype = integers(CodeType(-largest, largest))
    start, finish = total.astype(dtype), _finish(layer, dtype, largest)

    def step(x: np.ndarray) -> np.ndarray:
        accumulators = differing(x).astype(dtype)
        accumulators *= -2
        accumulators += start
        return finish(accumulators)

    return step


def _finish(layer: Dense | Conv, dtype: type[np.number], largest: int) -> Step:
    """Prepare what follows the accumulator, whose dtype and largest magnitude are given."""
    if layer.thresholds is None:
        return lambda x: x.astype(integers(layer.out_type), copy=False)
    return activation_step(layer.thresholds, layer.out_type, dtype, largest)


def _windows(x: np.ndarray, window: Window, pad_value: int) -> np.ndarray:
    """Give the window of every output pixel as a row: (frames * height * width, taps * last axis)."""
    if window.kernel == x.shape[1:3] and not any(window.pads):
        return x.reshape(len(x), -1)
    seen = np.stack(list(window.tap_maps(x, pad_value)), axis=3)
    return seen.reshape(-1, seen.shape[3] * seen.shape[4])


def activation_step(thresholds: Thresholds, out_type: CodeType, dtype: type[np.number], largest: int) -> Step:
    """Turn accumulators of a dtype and largest magnitude into codes, or bits where the output is bipolar."""
    if thresholds.steps > FEW_LEVELS:
        return lambda x: (out_type.low + thresholds.counts(x)).astype(integers(out_type))
    levels = np.moveaxis(thresholds.levels[thresholds.positions.classes()], -1, 0)
    # Beyond the largest accumulator all levels are alike, and one more than it is still exact in the dtype.
    levels = np.ascontiguousarray(np.clip(levels, -largest, largest + 1).astype(dtype))

    def activate(x: np.ndarray) -> np.ndarray:
        if out_type.bipolar:
            return pack_bits(x >= levels[0])
        codes = np.full(x.shape, out_type.low, dtype=integers(out_type))
        for level in levels:
            codes += x >= level
        return codes

    return activate
