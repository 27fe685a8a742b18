"""Tensors side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwgen.codes import CodeType
from hwgen.errors import ModelError
from hwgen.graph import Node
from hwgen.layers.concat import Concat
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.functions.domain import Integers
from hwgen.streamlining.functions.signal import Codes, Signal, signal_of
from hwgen.streamlining.places.arrange import arranged, default_layout, places_of
from hwgen.streamlining.resolve import codes_of

__all__ = ["concatenation"]


def concatenation(node: Node, operands: Sequence[Signal | np.ndarray], builder: Builder) -> Signal:
    """Put tensors side by side.

    Raises
    ------
    ModelError
        If the axis is not that of the channels, or a constant is among them.
    """
    axis = int(node.attributes["axis"])
    signals = [operand for operand in operands if isinstance(operand, Signal)]
    if len(signals) < len(operands):
        raise ModelError(
            f"Node '{node.name}' (Concat) puts a constant beside a tensor that depends on the input; use Pad, or leave it out"
        )
    first = signals[0]
    if all(
        signal.origin is first.origin and signal.term is first.term and signal.edits == first.edits
        for signal in signals
    ):
        return first.moved(np.concatenate([signal.index for signal in signals], axis=axis))
    rank = first.index.ndim
    last = rank - 1
    moved = [np.moveaxis(signal.index, axis, 1) if axis != 1 else signal.index for signal in signals]
    places = [places_of(index) for index in moved]
    if len({place.shape[:2] for place in places}) > 1 or rank > 4 or axis not in (1, last, rank - last):
        raise ModelError(f"Node '{node.name}' (Concat) joins maps along axis {axis}, which is not their channels")
    maps = [
        arranged(codes_of(signal, node, builder), place, node, builder)
        for signal, place in zip(signals, places, strict=True)
    ]
    kinds = [codes.type for codes in maps]
    bipolar = all(kind.bipolar for kind in kinds)
    kind = kinds[0] if bipolar else CodeType(min(kind.low for kind in kinds), max(kind.high for kind in kinds))
    name = builder.name("concat", node)
    layer = Concat(
        name, tuple(codes.source for codes in maps), tuple(codes.shape for codes in maps), tuple(kinds), kind
    )
    scale, offset = (np.concatenate([getattr(codes, key) for codes in maps]) for key in ("scale", "offset"))
    reach = None
    if not bipolar:
        low, step, count = (
            np.concatenate([getattr(codes.numbers, key) for codes in maps], axis=1) for key in ("low", "step", "count")
        )
        reach = Integers(low, step, count, maps[0].numbers.positions)
    held = all(codes.held for codes in maps)
    joined = Codes(builder.add(layer), layer.out_shape, kind, scale, offset, reach, held)
    shape = list(moved[0].shape)
    shape[1] = layer.out_shape[2]
    index, _ = default_layout(tuple(shape))
    return signal_of(joined, node.name, np.moveaxis(index, 1, axis) if axis != 1 else index)
