"""Maps in any order, from a memory of as much of a frame as the order mixes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from hwgen.graph import Node
from hwgen.layers.protocol import MapShape
from hwgen.layers.reorder import Reorder
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.codes.positions import aligned
from hwgen.streamlining.functions.domain import Integers
from hwgen.streamlining.functions.signal import Codes, flat_map, signal_of
from hwgen.streamlining.resolve import WIDEST, fixed_codes, function_of

__all__ = ["reordered"]


def reordered(codes: Codes, places: np.ndarray, node: Node, builder: Builder) -> Codes:
    """Give the map that holds at each place the element of that number, by a memory; says how much that holds.

    Where codes of channels with different scales come into one channel, they are brought to one scale before.

    Raises
    ------
    ModelError
        If that is not possible exactly, and only exact calculation is allowed.
    """
    shape: MapShape = (places.shape[0], places.shape[1], places.shape[2])
    channels = places.reshape(-1, shape[2]) % codes.shape[2]
    meaning = np.stack([codes.scale[channels], codes.offset[channels]])
    if np.any(meaning != meaning[:, :1]):
        return reordered(_levelled(codes, node, builder), places, node, builder)
    order = places.ravel().astype(np.int64)
    layer = Reorder(builder.name("reorder"), codes.source, codes.shape, codes.type, shape, order)
    name, bits = builder.add(layer), codes.type.bits
    held = layer.held
    builder.note(
        f"'{node.name}' ({node.op}) reads the {math.prod(codes.shape)} codes of '{codes.source}' in another order: "
        f"'{name}' holds up to {held} of them at a time ({held * bits / 1024:.3g} Kbit)"
    )
    reach = None if codes.reach is None else _moved(codes.reach, channels)
    return replace(codes, source=name, shape=shape, scale=meaning[0, 0], offset=meaning[1, 0], reach=reach)


def _levelled(codes: Codes, node: Node, builder: Builder) -> Codes:
    """Bring all channels to one scale: by integer factors if there are such, else in fixed point."""
    values = signal_of(codes, node.name, flat_map(codes.shape))
    exact = aligned(values.origin, function_of(values), WIDEST, builder, together=True)
    return fixed_codes(values, node, builder) if exact is None else exact


def _moved(reach: Integers, channels: np.ndarray) -> Integers | None:
    """Give what each new channel holds, if it is the same at every position."""
    low, step, count = (getattr(reach, key)[0, channels] for key in ("low", "step", "count"))
    if any(np.any(part != part[:1]) for part in (low, step, count)):
        return None
    return replace(reach, low=low[:1], step=step[:1], count=count[:1])
