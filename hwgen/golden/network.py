"""The golden model again, on packed bits: the same integers, many times faster.

A bipolar map is held as bits, eight channels a byte, and stays so from layer to layer; every other map is an array of
integers. Layers whose inputs and weights are both bipolar count differing bits (`hwgen.golden.bits`). Layers of other numbers
are matrix products in floating point, exact as long as every partial sum fits the significand.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from functools import singledispatch

import numpy as np

from hwgen.golden.bits import as_words, pack_bits, unpack_bits
from hwgen.golden.form import Step, integers
from hwgen.golden.joins import combine_step, concat_step, interleave_step
from hwgen.golden.products import activation_step, conv_step, dense_step
from hwgen.layers.argmax import ArgMax
from hwgen.layers.combine import Combine
from hwgen.layers.concat import Concat
from hwgen.layers.conv import Conv
from hwgen.layers.dense import Dense
from hwgen.layers.embedding import Embedding
from hwgen.layers.interleave import Interleave
from hwgen.layers.maxpool import MaxPool
from hwgen.layers.pad import Pad
from hwgen.layers.protocol import Layer, sources_of
from hwgen.layers.table import Table
from hwgen.layers.thresholding import Thresholding
from hwgen.network import InputPort, Network, OutputPort

__all__ = ["PackedNetwork"]

BLOCK_CODES = 1 << 21
"""Codes of the largest map that are worked on at once: what the outer caches hold."""

BLOCK_FRAMES = 2048
"""Frames that are worked on at once, however small they are."""

BLOCK_INPUT = 1 << 17
"""Input codes that are checked and packed at once: each pass after the first finds them in the second cache."""


class PackedNetwork:
    """A network prepared for fast evaluation; exact, and tested against `Network.golden`.

    Parameters
    ----------
    network : Network
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self._steps = {layer.name: _step(layer) for layer in network.layers}
        shapes = [*(port.shape for port in network.inputs), *(layer.out_shape for layer in network.layers)]
        self._block = max(1, min(BLOCK_FRAMES, BLOCK_CODES // max(int(np.prod(shape)) for shape in shapes)))

    def with_layer(self, layer: Layer) -> PackedNetwork:
        """Give the same network with another layer in the place of the one of its name; the rest is not prepared again."""
        other = copy(self)
        other._steps = {**self._steps, layer.name: _step(layer)}
        return other

    def up_to(self, last: Layer) -> PackedNetwork:
        """Give the part of the network that yields the map of a layer, as that layer is given; what is behind or beside it is left out."""
        kept = [last]
        needed = set(sources_of(last))
        for layer in reversed(self.network.layers):
            if layer.name in needed:
                kept.insert(0, layer)
                needed |= set(sources_of(layer))
        ends = (OutputPort(last.name, last.name, last.out_shape, (), "int64", np.ones(1), np.zeros(1)),)
        other = copy(self)
        other.network = replace(self.network, layers=tuple(kept), outputs=ends)
        other._steps = {**self._steps, last.name: _step(last)}
        return other

    def golden(self, *codes: np.ndarray) -> np.ndarray:
        """Run a network of one output on integers: the one map of `golden_maps`."""
        (found,) = self.golden_maps(*codes)
        return found

    def golden_maps(self, *codes: np.ndarray) -> tuple[np.ndarray, ...]:
        """Run the network on integers.

        Parameters
        ----------
        *codes : ndarray of int, shape (frames, height, width, channels)
            Codes of each input's type, as many frames of each; the narrower the dtype, the faster.

        Returns
        -------
        tuple of ndarray of int64, shape (frames, height, width, channels)
            One for each output.

        Raises
        ------
        DataError
            If the shape or a code is not an input's, or the inputs have different numbers of frames.
        """
        kinds = [self.network.map_of(port.source) for port in self.network.outputs]
        for port, one in zip(self.network.inputs, codes, strict=True):
            if one.ndim != 4 or one.shape[1:] != port.shape or not np.issubdtype(one.dtype, np.integer):
                port.checked(one)
        self.network.check_frames(codes)
        outs = tuple(np.empty((len(codes[0]), *shape), dtype=np.int64) for shape, _ in kinds)
        for first in range(0, len(codes[0]), self._block):
            frames = slice(first, first + self._block)
            admitted = [_admit(port, one[frames]) for port, one in zip(self.network.inputs, codes, strict=True)]
            results = self.network.evaluate(admitted, self._steps)
            for out, (shape, kind), result in zip(outs, kinds, results, strict=True):
                out[frames] = unpack_bits(result, shape[2]) if kind.bipolar else result
        return outs


def _admit(port: InputPort, codes: np.ndarray) -> np.ndarray:
    """Check a block of an input's codes and give it in this module's form."""
    kind = port.type
    if not kind.bipolar:
        if codes.min() < kind.low or codes.max() > kind.high:
            port.checked(codes)
        return codes.astype(integers(kind))
    bits = np.empty((*codes.shape[:3], -(-codes.shape[3] // 8)), dtype=np.uint8)
    size = max(1, BLOCK_INPUT // codes[0].size)
    for first in range(0, len(codes), size):
        block = codes[first : first + size]
        ones = block == 1
        if np.count_nonzero(ones) + np.count_nonzero(block == -1) < block.size:
            port.checked(codes)
        bits[first : first + size] = pack_bits(ones)
    return bits


@singledispatch
def _step(layer: Layer) -> Step:
    """Prepare a layer of any other kind: its own golden model between packing and unpacking."""
    kinds = layer.inputs

    def step(*maps: np.ndarray) -> np.ndarray:
        codes = (unpack_bits(x, one.shape[2]) if one.type.bipolar else x for one, x in zip(kinds, maps, strict=True))
        y = layer.golden(*(x.astype(np.int64) for x in codes))
        return pack_bits(y > 0) if layer.out_type.bipolar else y.astype(integers(layer.out_type))

    return step


@_step.register
def _dense(layer: Dense) -> Step:
    return dense_step(layer)


@_step.register
def _conv(layer: Conv) -> Step:
    return conv_step(layer)


@_step.register
def _thresholding(layer: Thresholding) -> Step:
    if layer.in_type.bipolar:
        return _two_valued(layer)
    dtype, largest = integers(layer.in_type), max(-layer.in_type.low, layer.in_type.high)
    activate = activation_step(layer.thresholds, layer.out_type, dtype, largest)
    signs = np.where(layer.negate, -1, 1).astype(dtype)
    return lambda x: activate(x * signs) if any(layer.negate) else activate(x)


@_step.register
def _table(layer: Table) -> Step:
    if layer.in_type.bipolar:
        return _two_valued(layer)
    lookup = layer.lookup
    channels, entries = lookup.table.shape[1:]
    base = (lookup.positions.classes()[..., None] * channels + np.arange(channels)) * entries - lookup.low
    codes = lookup.table.ravel()
    flat = codes > 0 if layer.out_type.bipolar else codes.astype(integers(layer.out_type))

    def step(x: np.ndarray) -> np.ndarray:
        # A layer with a changed weight, whose effect is sought, may yield more than there are entries for.
        found = np.take(flat, x + base, mode="clip")
        return pack_bits(found) if layer.out_type.bipolar else found

    return step


def _two_valued(layer: Thresholding | Table) -> Step:
    """Prepare a function of one bit: each channel of each position is a constant, the bit, or its opposite."""
    dtype, channels = integers(layer.out_type), layer.in_shape[2]
    low, high = (layer.golden(np.full((1, *layer.in_shape), code)).astype(dtype) for code in (-1, 1))
    if not layer.out_type.bipolar:
        return lambda x: np.where(unpack_bits(x, channels) > 0, high, low)
    varies, inverts = pack_bits(low != high), pack_bits(low > 0)
    return lambda x: (x & varies) ^ inverts


@_step.register
def _embedding(layer: Embedding) -> Step:
    table = pack_bits(layer.table > 0) if layer.out_type.bipolar else layer.table.astype(integers(layer.out_type))
    return lambda x: table[x[..., 0]]


@_step.register
def _maxpool(layer: MaxPool) -> Step:
    """The maximum of bits is OR; a minimum is the maximum of opposites, in which a padded tap is neutral."""
    turn: np.ufunc = np.bitwise_xor if layer.in_type.bipolar else np.multiply
    join: np.ufunc = np.bitwise_or if layer.in_type.bipolar else np.maximum
    if layer.in_type.bipolar:
        opposite, nothing = as_words(pack_bits(np.array(layer.minimum))), 0
    else:
        dtype = integers(layer.in_type)
        opposite, nothing = np.where(layer.minimum, -1, 1).astype(dtype), int(np.iinfo(dtype).min)
    negated = bool(np.any(layer.minimum))

    def step(x: np.ndarray) -> np.ndarray:
        maps = x.view(opposite.dtype)
        taps = iter(layer.window.tap_maps(turn(maps, opposite) if negated else maps, nothing))
        best = np.array(next(taps), order="C")
        for seen in taps:
            join(best, seen, out=best)
        return np.asarray(turn(best, opposite) if negated else best).view(x.dtype)

    return step


@_step.register
def _pad(layer: Pad) -> Step:
    top, left, bottom, right = layer.pads
    height, width, channels = layer.in_shape
    border = np.full(channels, layer.value, dtype=integers(layer.in_type))
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


_step.register(Combine, combine_step)
_step.register(Concat, concat_step)
_step.register(Interleave, interleave_step)
