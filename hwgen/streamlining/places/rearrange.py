"""Signals whose elements were moved, as maps of their own."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from hwgen.graph import Node
from hwgen.layers.protocol import MapShape
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.functions.linear import Linear
from hwgen.streamlining.functions.signal import Signal, flat_map, signal_of
from hwgen.streamlining.functions.terms import Parameter, mapped
from hwgen.streamlining.places.arrange import arranged, default_layout
from hwgen.streamlining.places.layout import axes_of
from hwgen.streamlining.resolve import codes_of

__all__ = ["rearranged", "widened"]


def rearranged(signal: Signal, shape: tuple[int, ...], node: Node, builder: Builder) -> Signal:
    """Give a signal, widened to a tensor's shape, as a whole map with the channels on axis 1; writes its layers down."""
    return _laid_out(signal, *default_layout(shape), node, builder)


def widened(signal: Signal, shape: tuple[int, ...], node: Node, builder: Builder) -> Signal:
    """Give a signal, widened to a tensor's shape, as a map whose rows, columns and channels are what they were; writes its layers down."""
    spare = max(4 - len(shape), 0)
    full = (1, *(1,) * spare, *shape[1:])
    axes = axes_of(signal.index.reshape((1,) * (len(full) - signal.index.ndim) + signal.index.shape), signal.shape)
    if axes is None or math.prod(shape) != math.prod(full[axis] for axis in axes):
        return rearranged(signal, shape, node, builder)
    row, column, channel = axes
    if spare and signal.shape[0] == signal.shape[2] == 1 and full[channel] == 1:
        # A sequence of numbers becomes one of vectors.
        axes = channel, column, row
    high, wide, channels = (full[axis] for axis in axes)
    flat = flat_map((high, wide, channels)).reshape(high, wide, channels, *(1,) * (len(full) - 3))
    index = np.moveaxis(flat, (0, 1, 2), axes).reshape(shape)
    return _laid_out(signal, index, (high, wide, channels), node, builder)


def _laid_out(signal: Signal, index: np.ndarray, map_shape: MapShape, node: Node, builder: Builder) -> Signal:
    wanted = np.broadcast_to(signal.index, index.shape)
    places = np.empty(math.prod(map_shape), dtype=np.int64)
    places[index.ravel()] = wanted.ravel()
    signal, places = _with_rows(signal, places, builder)
    codes = arranged(codes_of(signal, node, builder), places.reshape(map_shape), node, builder)
    return replace(signal_of(codes, signal.origin.node, index), tensor=signal.tensor)


def _with_rows(signal: Signal, places: np.ndarray, builder: Builder) -> tuple[Signal, np.ndarray]:
    """Order the rows of a layer that all see all channels as they are wanted, where nothing has read it: moving a vector's elements is free then."""
    origin, count = signal.origin, len(places)
    alone = origin.linear is not None and origin.node not in builder.shared and not signal.edits
    if (
        not isinstance(origin.linear, Linear)
        or not alone
        or origin.linear.groups > 1
        or origin.shape != (1, 1, count)
        or len(np.unique(places)) < count
    ):
        return signal, places
    noise = None if origin.linear.noise is None else origin.linear.noise[places]
    linear = replace(origin.linear, weights=origin.linear.weights[places], noise=noise)
    ordered = replace(origin, linear=linear, domain=linear.domain())
    term = mapped(signal.term, lambda parameter: _picked(parameter, places))
    return replace(signal, origin=ordered, term=term), np.arange(count)


def _picked(parameter: Parameter, channels: np.ndarray) -> Parameter:
    if parameter.array.ndim < 3 or parameter.array.shape[2] == 1:
        return parameter
    return Parameter(parameter.array[:, :, channels])
