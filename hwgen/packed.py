"""The golden model again, on packed bits: the same integers, many times faster.

A bipolar map is held as bits, eight channels a byte, and stays so from layer to layer; every other map is an array of
integers. Layers whose
inputs and weights are both bipolar count differing bits (`hwgen.bits`). Layers of other numbers are matrix products in
floating point, exact as long
as every partial sum fits the significand.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch

import numpy as np

from hwgen.activation import Thresholds
from hwgen.bits import difference_count, pack_bits, unpack_bits
from hwgen.codes import CodeType
from hwgen.layers.argmax import ArgMax
from hwgen.layers.conv import Conv
from hwgen.layers.dense import Dense
from hwgen.layers.maxpool import MaxPool
from hwgen.layers.pad import Pad
from hwgen.layers.protocol import Layer
from hwgen.layers.table import Table
from hwgen.layers.thresholding import Thresholding
from hwgen.layers.window import Window
from hwgen.network import Network

__all__ = ["PackedNetwork"]

Step = Callable[[np.ndarray], np.ndarray]
"""A layer on maps as this module holds them."""

BLOCK_CODES = 1 << 21
"""Codes of the largest map that are worked on at once: what the outer caches hold."""

BLOCK_FRAMES = 2048
"""Frames that are worked on at once, however small they are."""


class PackedNetwork:
    """A network prepared for fast evaluation; exact, and tested against `Network.golden`.

    Parameters
    ----------
    network : Network
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self._steps = [(layer, _step(layer)) for layer in network.layers]
        shapes = [network.input.shape, *(layer.out_shape for layer in network.layers)]
        self._block = max(1, min(BLOCK_FRAMES, BLOCK_CODES // max(int(np.prod(shape)) for shape in shapes)))

    def golden(self, codes: np.ndarray) -> np.ndarray:
        """Run the network on integers.

        Parameters
        ----------
        codes : ndarray of int, shape (frames, height, width, channels)
            Codes of the input type; the narrower the dtype, the faster.

        Returns
        -------
        ndarray of int64, shape (frames, height, width, channels)

        Raises
        ------
        DataError
            If the shape or a code is not the network's.
        """
        port, last = self.network.input, self.network.layer(self.network.output.source)
        if codes.ndim != 4 or codes.shape[1:] != port.shape or not np.issubdtype(codes.dtype, np.integer):
            self.network.checked_codes(codes)
        out = np.empty((len(codes), *last.out_shape), dtype=np.int64)
        for first in range(0, len(codes), self._block):
            frames = slice(first, first + self._block)
            maps = {port.name: self._admit(codes[frames])}
            for layer, step in self._steps:
                maps[layer.name] = step(maps[layer.source])
            result = maps[last.name]
            out[frames] = unpack_bits(result, last.out_shape[2]) if last.out_type.bipolar else result
        return out

    def _admit(self, codes: np.ndarray) -> np.ndarray:
        """Check a block of input codes and give it in this module's form."""
        kind = self.network.input.type
        legal = codes.min() >= kind.low and codes.max() <= kind.high
        if not legal or (kind.bipolar and np.count_nonzero(codes) < codes.size):
            self.network.checked_codes(codes)
        return pack_bits(codes > 0) if kind.bipolar else codes.astype(_integers(kind))


def _integers(kind: CodeType) -> type[np.signedinteger]:
    """Give the dtype of maps of a type: with room for negated codes and for a neutral element of the maximum."""
    return np.int32 if max(-kind.low, kind.high) < 1 << 30 else np.int64


@singledispatch
def _step(layer: Layer) -> Step:
    """Prepare a layer of any other kind: its own golden model between packing and unpacking."""

    def step(x: np.ndarray) -> np.ndarray:
        codes = unpack_bits(x, layer.in_shape[2]) if layer.in_type.bipolar else x
        y = layer.golden(codes.astype(np.int64))
        return pack_bits(y > 0) if layer.out_type.bipolar else y.astype(_integers(layer.out_type))

    return step


@_step.register
def _dense(layer: Dense) -> Step:
    """Treat a dense layer as a convolution whose window is the whole map."""
    height, width, channels = layer.in_shape
    weights = layer.weights.reshape(layer.rows, height, width, channels)
    return _linear(layer, weights, Window((height, width)), 0)


@_step.register
def _conv(layer: Conv) -> Step:
    return _linear(layer, layer.weights, layer.window, layer.pad_value)


def _linear(layer: Dense | Conv, weights: np.ndarray, window: Window, pad_value: int) -> Step:
    """Prepare accumulation and thresholds."""
    rows = len(weights)
    taps = weights.reshape(rows, -1, weights.shape[-1])
    if layer.in_type.bipolar and np.all(np.abs(taps) == 1):
        return _binary(layer, taps, window, pad_value)
    largest = int(np.abs(taps).sum(axis=(1, 2)).max()) * max(
        abs(layer.in_type.low), abs(layer.in_type.high), abs(pad_value)
    )
    real = np.float32 if largest < 1 << 24 else np.float64 if largest < 1 << 53 else np.int64
    dtype = _integers(CodeType(-largest, largest))
    columns = np.ascontiguousarray(taps.reshape(rows, -1).T.astype(real))
    finish = _finish(layer, dtype)

    def step(x: np.ndarray) -> np.ndarray:
        codes = unpack_bits(x, layer.in_shape[2]) if layer.in_type.bipolar else x
        accumulators = _windows(codes.astype(real), window, pad_value) @ columns
        return finish(accumulators.astype(dtype).reshape(len(x), *layer.out_shape))

    return step


def _binary(layer: Dense | Conv, taps: np.ndarray, window: Window, pad_value: int) -> Step:
    """Prepare a layer of bits: accumulator = columns - 2 * number of columns that differ."""
    height, width, _ = layer.out_shape
    count = difference_count(pack_bits(taps > 0).reshape(len(taps), -1))
    # A padded tap is packed as -1; what it should have contributed beyond that is the same for all frames.
    padded = _windows(np.zeros((1, *layer.in_shape[:2], 1), dtype=np.int64), window, 1)
    surplus = (pad_value + 1) * (padded.reshape(height, width, -1) @ taps.sum(axis=2).T)
    total = taps[0].size + surplus

    def differing(x: np.ndarray) -> np.ndarray:
        return count(_windows(x, window, 0)).reshape(len(x), *layer.out_shape)

    if layer.thresholds is not None and layer.out_type.bipolar:
        levels = layer.thresholds.levels[layer.thresholds.positions.classes()][..., 0]
        # total - 2 * differing >= level is differing < floor((total - level) / 2) + 1.
        bound = np.clip((total - levels) // 2 + 1, 0, taps[0].size + 1).astype(np.uint32)
        if bound.max() < 1 << 16:
            bound = bound.astype(np.uint16)
        return lambda x: pack_bits(differing(x) < bound)

    dtype = _integers(CodeType(-int(np.abs(total).max()) - 2 * taps[0].size, 0))
    finish = _finish(layer, dtype)
    return lambda x: finish(total.astype(dtype) - 2 * differing(x).astype(dtype))


def _finish(layer: Dense | Conv, dtype: type[np.signedinteger]) -> Step:
    """Prepare what follows the accumulator, whose dtype is given."""
    if layer.thresholds is None:
        return lambda x: x.astype(_integers(layer.out_type))
    return _activation(layer.thresholds, layer.out_type, dtype)


def _windows(x: np.ndarray, window: Window, pad_value: int) -> np.ndarray:
    """Give the window of every output pixel as a row: (frames * height * width, taps * last axis)."""
    if window.kernel == x.shape[1:3] and not any(window.pads):
        return x.reshape(len(x), -1)
    seen = np.stack(list(window.tap_maps(x, pad_value)), axis=3)
    return seen.reshape(-1, seen.shape[3] * seen.shape[4])


def _activation(thresholds: Thresholds, out_type: CodeType, dtype: type[np.signedinteger]) -> Step:
    """Turn accumulators of a dtype into codes, or bits where the output is bipolar, level by level."""
    limits = np.iinfo(dtype)
    levels = np.moveaxis(thresholds.levels[thresholds.positions.classes()], -1, 0)
    levels = np.ascontiguousarray(np.clip(levels, limits.min, limits.max).astype(dtype))

    def activate(x: np.ndarray) -> np.ndarray:
        if out_type.bipolar:
            return pack_bits(x >= levels[0])
        codes = np.full(x.shape, out_type.low, dtype=_integers(out_type))
        for level in levels:
            codes += x >= level
        return codes

    return activate


@_step.register
def _thresholding(layer: Thresholding) -> Step:
    if layer.in_type.bipolar:
        return _two_valued(layer)
    activate = _activation(layer.thresholds, layer.out_type, _integers(layer.in_type))
    signs = np.where(layer.negate, -1, 1).astype(_integers(layer.in_type))
    return lambda x: activate(x * signs) if any(layer.negate) else activate(x)


@_step.register
def _table(layer: Table) -> Step:
    if layer.in_type.bipolar:
        return _two_valued(layer)
    lookup = layer.lookup
    channels, entries = lookup.table.shape[1:]
    base = (lookup.positions.classes()[..., None] * channels + np.arange(channels)) * entries - lookup.low
    flat = (
        lookup.table.ravel() > 0 if layer.out_type.bipolar else lookup.table.ravel().astype(_integers(layer.out_type))
    )
    return lambda x: pack_bits(flat[x + base]) if layer.out_type.bipolar else flat[x + base]


def _two_valued(layer: Thresholding | Table) -> Step:
    """Prepare a function of one bit: each channel of each position is a constant, the bit, or its opposite."""
    low, high = (layer.golden(np.full((1, *layer.in_shape), code)) for code in (-1, 1))
    if not layer.out_type.bipolar:
        dtype, channels = _integers(layer.out_type), layer.in_shape[2]
        low, high = low.astype(dtype), high.astype(dtype)
        return lambda x: np.where(unpack_bits(x, channels) > 0, high, low)
    varies, inverts = pack_bits(low != high), pack_bits(low > 0)
    return lambda x: (x & varies) ^ inverts


@_step.register
def _maxpool(layer: MaxPool) -> Step:
    """The maximum of bits is OR; a minimum is the maximum of opposites, in which a padded tap is neutral."""
    turn: np.ufunc = np.bitwise_xor if layer.in_type.bipolar else np.multiply
    join: np.ufunc = np.bitwise_or if layer.in_type.bipolar else np.maximum
    if layer.in_type.bipolar:
        opposite, nothing = pack_bits(np.array(layer.minimum)), 0
    else:
        dtype = _integers(layer.in_type)
        opposite, nothing = np.where(layer.minimum, -1, 1).astype(dtype), int(np.iinfo(dtype).min)

    def step(x: np.ndarray) -> np.ndarray:
        taps = iter(layer.window.tap_maps(turn(x, opposite), nothing))
        best = np.array(next(taps))
        for seen in taps:
            join(best, seen, out=best)
        return np.asarray(turn(best, opposite))

    return step


@_step.register
def _pad(layer: Pad) -> Step:
    top, left, bottom, right = layer.pads
    height, width, channels = layer.in_shape
    border = np.full(channels, layer.value, dtype=_integers(layer.in_type))
    filling = pack_bits(border > 0) if layer.in_type.bipolar else border

    def step(x: np.ndarray) -> np.ndarray:
        out = np.empty((len(x), height + top + bottom, width + left + right, len(filling)), dtype=filling.dtype)
        out[:] = filling
        out[:, top : top + height, left : left + width] = x
        return out

    return step


@_step.register
def _argmax(layer: ArgMax) -> Step:
    channels = layer.in_shape[2]

    def step(x: np.ndarray) -> np.ndarray:
        codes = unpack_bits(x, channels) if layer.in_type.bipolar else x
        if layer.last:
            return np.asarray(channels - 1 - np.argmax(codes[..., ::-1], axis=-1, keepdims=True), dtype=np.int32)
        return np.asarray(np.argmax(codes, axis=-1, keepdims=True), dtype=np.int32)

    return step
