"""Tensors one behind the other, along any axis, constants among them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import permutations

import numpy as np

from hwgen.codes import CodeType
from hwgen.conversion import Announced
from hwgen.errors import ModelError, OrderError
from hwgen.graph import Node
from hwgen.layers.concat import CHANNELS, COLUMNS, Concat
from hwgen.layers.protocol import MapShape
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.codes.side_by_side import Part, levelled, own_codes
from hwgen.streamlining.functions.domain import Integers
from hwgen.streamlining.functions.signal import Codes, Signal, coordinates_of, flat_map, signal_of
from hwgen.streamlining.places.arrange import arranged
from hwgen.streamlining.places.rearrange import rearranged
from hwgen.streamlining.resolve import codes_of

__all__ = ["concatenation"]

MOST_SCALES = 1 << 16
"""Elements up to which each may have a scale of its own."""


def concatenation(node: Node, operands: Sequence[Signal | np.ndarray], builder: Builder) -> Signal:
    """Put tensors one behind the other.

    A layout is taken in which the operands lie already, or come to lie without a memory. Where there is none, or its rows and columns would
    mix channels of incommensurable scales, the maps follow one another as they are, and each element keeps its scale.

    Raises
    ------
    ModelError
        If there are more than three axes beside the batch.
    """
    signals = [operand for operand in operands if isinstance(operand, Signal)]
    first, rank = signals[0], signals[0].index.ndim
    axis = int(node.attributes["axis"]) % rank
    if len(signals) == len(operands) and all(
        signal.origin is first.origin and signal.term is first.term and signal.edits == first.edits
        for signal in signals
    ):
        return first.moved(np.concatenate([signal.index for signal in signals], axis=axis))
    if rank > 4:
        raise ModelError(f"Node '{node.name}' (Concat) joins tensors of {rank} axes; up to four are maps")
    coded = [codes_of(part, node, builder) if isinstance(part, Signal) else part for part in operands]
    for layout in _layouts(signals, axis):
        try:
            parts = [_brought(*each, layout, node, builder) for each in zip(operands, coded, strict=True)]
            joined = _joined(node, parts, layout.index(axis), builder)
        except OrderError:
            continue
        return signal_of(joined, node.name, _unlaid(flat_map(joined.shape), layout, rank))
    return _one_behind_the_other(node, operands, coded, axis, builder)


def _brought(operand: Signal | np.ndarray, codes: Part, layout: tuple[int, ...], node: Node, builder: Builder) -> Part:
    """Give an operand as the map that it is in a layout."""
    if isinstance(operand, Signal) and isinstance(codes, Codes):
        return arranged(codes, _laid(operand.index, layout), node, builder, buffered=False)
    return _laid(np.asarray(operand), layout)


def _layouts(signals: Sequence[Signal], axis: int) -> list[tuple[int, ...]]:
    """Give the tensor axes of rows, columns and channels (-1: none), the likeliest first: in which most operands lie already."""
    rank = signals[0].index.ndim
    spare = (-1,) * (4 - rank)
    usual = [number for number in range(2, rank)]
    moved = [number for number in range(1, rank) if number != axis]
    found = [(*spare, *usual, 1), (*spare, *moved, axis)]
    found += [(*spare, *order) for order in permutations(range(1, rank))]
    return sorted(dict.fromkeys(found), key=lambda layout: -sum(_lies(signal, layout) for signal in signals))


def _lies(signal: Signal, layout: tuple[int, ...]) -> bool:
    """Whether rows, columns and channels of the map lie along those axes of the tensor."""
    coordinates = coordinates_of(_laid(signal.index, layout), signal.shape)
    return all(
        not np.any(np.diff(coordinate, axis=other))
        for number, coordinate in enumerate(coordinates)
        for other in range(3)
        if other != number
    )


def _laid(tensor: np.ndarray, layout: tuple[int, ...]) -> np.ndarray:
    """See a tensor (1, ...) as a map."""
    inner = tensor[0].transpose([axis - 1 for axis in layout if axis > 0])
    return inner.reshape((1,) * (3 - inner.ndim) + inner.shape)


def _unlaid(places: np.ndarray, layout: tuple[int, ...], rank: int) -> np.ndarray:
    """See a map as a tensor (1, ...)."""
    used = [axis for axis in layout if axis > 0]
    inner = places.reshape(places.shape[3 - len(used) :])
    return inner.transpose(np.argsort(used))[None].reshape(
        (1, *(places.shape[layout.index(a)] for a in range(1, rank)))
    )


def _joined(node: Node, parts: Sequence[Part], axis: int, builder: Builder) -> Codes:
    """Write the layer that joins maps and constants along rows, columns or channels.

    Raises
    ------
    OrderError
        If rows or columns have incommensurable scales.
    """
    level = own_codes(node, parts, builder) if axis == CHANNELS else levelled(node, parts, builder)
    if level is None:
        raise OrderError(f"Node '{node.name}' (Concat) joins maps of incommensurable scales")
    maps = [part for part in level.parts if isinstance(part, Codes)]
    places, constants = _together(level.parts, axis)
    kinds = [codes.type for codes in maps]
    bipolar = all(kind.bipolar for kind in kinds) and all(np.all(abs(part) == 1) for part in constants)
    ends = [kind.low for kind in kinds] + [kind.high for kind in kinds]
    ends += [int(end) for part in constants for end in (part.min(), part.max())]
    kind = kinds[0] if bipolar else CodeType(min(ends), max(ends))
    sources, shapes = tuple(codes.source for codes in maps), tuple(codes.shape for codes in maps)
    name = builder.name("concat", node)
    layer = Concat(name, sources, shapes, tuple(kinds), kind, axis, constants, places)
    reach = _reach(level.parts, maps[0]) if axis == CHANNELS and not bipolar else None
    source = builder.add(layer)
    if level.off:
        builder.announce(Announced(source, level.off))
    held = not constants and all(codes.held for codes in maps)
    return Codes(source, layer.out_shape, kind, level.scale, level.offset, reach, held)


def _together(parts: Sequence[Part], axis: int) -> tuple[tuple[int, ...], tuple[np.ndarray, ...]]:
    """Give the places of the constants, and these, those that follow one another as one."""
    places: list[int] = []
    constants: list[np.ndarray] = []
    count, before = 0, False
    for part in parts:
        constant = not isinstance(part, Codes)
        if isinstance(part, np.ndarray) and before:
            constants[-1] = np.concatenate([constants[-1], part], axis=axis)
            continue
        if isinstance(part, np.ndarray):
            places.append(count)
            constants.append(part)
        count, before = count + 1, constant
    return tuple(places), tuple(constants)


def _reach(parts: Sequence[Part], first: Codes) -> Integers:
    """Give what each channel can hold."""
    found = []
    for part in parts:
        if isinstance(part, Codes):
            found.append((part.numbers.low, part.numbers.step, part.numbers.count))
        else:
            codes = part.reshape(-1, part.shape[2])
            low, span = codes.min(axis=0)[None], np.ptp(codes, axis=0)[None]
            found.append((low, np.ones_like(low), span + 1))
    low, step, count = (np.concatenate(each, axis=1) for each in zip(*found, strict=True))
    return Integers(low, step, count, first.numbers.positions)


def _one_behind_the_other(
    node: Node, operands: Sequence[Signal | np.ndarray], coded: Sequence[Part], axis: int, builder: Builder
) -> Signal:
    """Join whole maps as they come, pixel by pixel if their scales fit one another, else element by element."""
    parts, indices, begins = [], [], 0
    for operand, codes in zip(operands, coded, strict=True):
        index = operand.index if isinstance(operand, Signal) else flat_map(operand.shape)
        if isinstance(operand, Signal) and isinstance(codes, Codes):
            if np.array_equal(np.unique(index), np.arange(math.prod(codes.shape))) and index.size == math.prod(
                codes.shape
            ):
                part: Part = codes
            else:
                whole = rearranged(operand, index.shape, node, builder)
                part, index = codes_of(whole, node, builder), whole.index
        else:
            part = np.asarray(operand).reshape(1, 1, -1)
        parts.append(part)
        indices.append(index + begins)
        begins += index.size
    total = np.concatenate(indices, axis=axis)
    maps = [part for part in parts if isinstance(part, Codes)]
    pixels: MapShape = (1, -1, maps[0].shape[2])
    level = None
    if len(maps) == len(parts) and len({codes.shape[2] for codes in maps}) == 1:
        level = levelled(node, [_seen_as(codes, pixels, node, builder) for codes in maps], builder)
    if level is not None:
        joined = _joined(node, level.parts, COLUMNS, builder)
    else:
        if begins > MOST_SCALES:
            raise ModelError(
                f"Node '{node.name}' (Concat) joins {begins} numbers of incommensurable scales; quantise its operands alike"
            )
        vectors = [_seen_as(part, (1, 1, -1), node, builder) if isinstance(part, Codes) else part for part in parts]
        joined = _joined(node, vectors, CHANNELS, builder)
    return signal_of(joined, node.name, total)


def _seen_as(codes: Codes, shape: MapShape, node: Node, builder: Builder) -> Codes:
    """See the same order of codes as another map."""
    return arranged(codes, flat_map(codes.shape).reshape(shape), node, builder)
