"""Signals whose elements were moved, as maps of their own."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from hwgen.graph import Node
from hwgen.streamlining.arrange import arranged, default_layout
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.resolve import codes_of
from hwgen.streamlining.signal import Signal, signal_of

__all__ = ["rearranged"]


def rearranged(signal: Signal, shape: tuple[int, ...], node: Node, builder: Builder) -> Signal:
    """Give a signal, widened to a tensor's shape, as a whole map with the channels on axis 1; writes its layers down."""
    wanted = np.broadcast_to(signal.index, shape)
    index, map_shape = default_layout(shape)
    places = np.empty(math.prod(map_shape), dtype=np.int64)
    places[index.ravel()] = wanted.ravel()
    codes = arranged(codes_of(signal, node, builder), places.reshape(map_shape), node, builder)
    return replace(signal_of(codes, signal.origin.node, index), tensor=signal.tensor)
