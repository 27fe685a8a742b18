"""How far codes may be off, frame by frame: announced roundings followed through the layers behind them, as intervals of codes.

An interval holds what exact arithmetic would give, in codes that are never clipped. Every layer is followed at its worst, so that a bound is never too small; behind a decision
that a rounding can turn over it spans the decision's codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import singledispatch

import numpy as np

from hwgen.activation import Thresholds
from hwgen.codes import CodeType
from hwgen.conversion import Announced
from hwgen.layers.argmax import ArgMax
from hwgen.layers.combine import Combine, Operation
from hwgen.layers.conv import Conv
from hwgen.layers.dense import Dense
from hwgen.layers.matmul import MatMul
from hwgen.layers.protocol import Layer, sources_of
from hwgen.layers.recurrent import Recurrent
from hwgen.layers.segments import Segments
from hwgen.layers.table import Table
from hwgen.layers.topk import TopK
from hwgen.network import Network

__all__ = ["Interval", "intervals"]

Interval = tuple[np.ndarray, np.ndarray]
"""Least and greatest code at each place of a map, frames first."""

MOST = 2.0**62
"""What sums and products of intervals may reach."""

UNKNOWN = 1 << 60
"""An end of an interval of which nothing is known: behind it everything overflows, and is not known either."""

TRIED = 64
"""Integers of an interval that a table is looked up at, one by one; a wider interval may yield every code."""


def intervals(network: Network, codes: Sequence[np.ndarray]) -> dict[str, Interval]:
    """Give the interval of every input's and layer's codes.

    Parameters
    ----------
    network : Network
        With what it announces.
    codes : sequence of ndarray
        The frames of each input.
    """
    announced = {one.layer: one for one in network.announced}
    found: dict[str, Interval] = {}
    for port, one in zip(network.inputs, codes, strict=True):
        off = int(np.ceil(announced[port.name].codes)) if port.name in announced else 0
        found[port.name] = (one - off, one + off)
    for layer in network.layers:
        said = announced.get(layer.name, Announced(layer.name))
        maps = [found[source] for source in sources_of(layer)]
        low, high = _followed(layer, maps, said)
        off = int(np.ceil(said.codes))
        found[layer.name] = (low - off, high + off)
    return found


def _followed(layer: Layer, maps: list[Interval], said: Announced) -> Interval:
    return _unknown(layer, len(maps[0][0])) if _overflows(layer, maps) else _interval(layer, maps, said)


def _overflows(layer: Layer, maps: list[Interval]) -> bool:
    """Whether 64 bits may not hold what a layer makes of its intervals: behind many products of real numbers these say nothing any more."""
    most = [max(float(np.max(np.abs(end), initial=0)) for end in one) for one in maps]
    match layer:
        case Segments():
            reached = most[0] * float(np.max(np.abs(layer.factors))) + float(np.max(np.abs(layer.offsets)))
        case Conv() | Dense():
            rows = np.abs(layer.weights).reshape(len(layer.weights), -1).sum(axis=1, dtype=np.float64)
            reached = 2 * most[0] * float(np.max(rows))
        case Combine(operation=Operation.MULTIPLY):
            reached = most[0] * most[1]
        case Combine():
            reached = sum(
                float(np.max(np.abs(factors))) * one for factors, one in zip(layer.factors, most, strict=True)
            )
        case MatMul():
            reached = 16 * most[0] * most[1] * max(max(shape) for shape in layer.in_shapes)
        case _:
            return max(most) >= UNKNOWN
    return reached > MOST


def _unknown(layer: Layer, frames: int) -> Interval:
    """Give the interval of a layer of which nothing is known: all codes of one that decides, else whatever there is."""
    decides = isinstance(layer, Table | ArgMax | TopK) or getattr(layer, "thresholds", None) is not None
    kind, shape = layer.out_type, (frames, *layer.out_shape)
    low, high = (kind.low, kind.high) if decides else (-UNKNOWN, UNKNOWN)
    return np.full(shape, low, dtype=np.int64), np.full(shape, high, dtype=np.int64)


@singledispatch
def _interval(layer: Layer, maps: list[Interval], said: Announced) -> Interval:
    """Follow a layer that yields more where its inputs are more, or less: the least and the greatest are at the ends."""
    ends = [layer.golden(*side) for side in zip(*maps, strict=True)]
    return np.minimum(*ends), np.maximum(*ends)


@_interval.register(Conv)
@_interval.register(Dense)
def _linear(layer: Conv | Dense, maps: list[Interval], said: Announced) -> Interval:
    """Sum both ends together and how far they are apart, which takes half as many products as the least and the greatest of each."""
    ((low, high),) = maps
    if low is high:
        least = greatest = _summed(layer, layer.weights, low)
    else:
        both = _summed(layer, layer.weights, low + high, border=2)
        apart = _summed(layer, np.abs(layer.weights), high - low, border=0)
        least, greatest = (both - apart) // 2, (both + apart) // 2
    if said.share or said.shift:
        # All rows of a group see the same.
        groups = layer.groups if isinstance(layer, Conv) else 1
        one = np.ones_like(layer.weights[:groups])
        low, high = (np.ceil(np.abs(codes - said.zero)).astype(np.int64) for codes in (low, high))
        ahead = (
            replace(layer, pad_value=int(np.ceil(abs(layer.pad_value - said.zero))))
            if isinstance(layer, Conv)
            else layer
        )
        seen = np.repeat(_summed(ahead, one, np.maximum(low, high)), len(layer.weights) // groups, axis=-1)
        off = np.ceil(said.share * seen + said.shift).astype(np.int64)
        least, greatest = least - off, greatest + off
    if layer.thresholds is None:
        return least, greatest
    return _fired(layer.thresholds, layer.out_type, least), _fired(layer.thresholds, layer.out_type, greatest)


def _summed(layer: Conv | Dense, weights: np.ndarray, codes: np.ndarray, border: int = 1) -> np.ndarray:
    """Give the products of a layer with other weights and numbers, which its border has so many times."""
    kind = CodeType(int(codes.min()), int(codes.max()))
    raw = replace(layer, thresholds=None, in_type=kind, weights=weights)
    return (replace(raw, pad_value=border * raw.pad_value) if isinstance(raw, Conv) else raw).golden(codes)


def _fired(thresholds: Thresholds, kind: CodeType, accumulators: np.ndarray) -> np.ndarray:
    counts = thresholds.counts(accumulators)
    return np.asarray(2 * counts - 1 if kind.bipolar else kind.low + counts)


@_interval.register
def _segments(layer: Segments, maps: list[Interval], said: Announced) -> Interval:
    """Follow straight pieces: extremes are at the ends, and on both sides of each break."""
    ((low, high),) = maps
    classes = layer.positions.classes()
    points = [low, high]
    for piece in range(layer.breaks.shape[2]):
        edge = layer.breaks[classes[..., None], np.arange(layer.breaks.shape[1]), piece]
        points += [np.clip(edge, low, high), np.clip(edge - 1, low, high)]
    found = [layer.unclipped(x) for x in points]
    found += [np.clip(one, layer.out_type.low, layer.out_type.high) for one in found[:2]]
    return np.minimum.reduce(found), np.maximum.reduce(found)


@_interval.register
def _table(layer: Table, maps: list[Interval], said: Announced) -> Interval:
    ((low, high),) = maps
    low, high = (np.clip(x, layer.in_type.low, layer.in_type.high) for x in (low, high))
    if layer.in_type.bipolar:
        ends = [layer.golden(np.where(x > 0, 1, -1)) for x in (low, high)]
        return np.minimum(*ends), np.maximum(*ends)
    width = min(int(np.max(high - low)), TRIED)
    found = [layer.golden(np.minimum(low + step, high)) for step in range(width + 1)]
    wide = high - low > width
    least, greatest = np.minimum.reduce(found), np.maximum.reduce(found)
    return np.where(wide, layer.out_type.low, least), np.where(wide, layer.out_type.high, greatest)


@_interval.register
def _combine(layer: Combine, maps: list[Interval], said: Announced) -> Interval:
    if layer.operation is Operation.MULTIPLY:
        (first, second) = maps
        corners = [a * b for a in first for b in second]
        return np.minimum.reduce(corners), np.maximum.reduce(corners)
    ends = [_ordered(factor * low, factor * high) for factor, (low, high) in zip(layer.factors, maps, strict=True)]
    return np.add.reduce([low for low, _ in ends]), np.add.reduce([high for _, high in ends])


@_interval.register
def _matmul(layer: MatMul, maps: list[Interval], said: Announced) -> Interval:
    """Follow products of middles, and how far they are off: twice each bound is the middle less or more the width."""
    if all(low is high or np.array_equal(low, high) for low, high in maps):
        exact = layer.golden(*(low for low, _ in maps))
        return exact, exact
    numbers = [
        tuple((end + 1) // 2 for end in ends) if zero else ends for ends, zero in zip(maps, layer.zeros, strict=True)
    ]
    raw = replace(layer, thresholds=None, zeros=(False, False))
    middles = [low + high for low, high in numbers]
    widths = [high - low for low, high in numbers]
    middle = raw.golden(*middles)
    off = sum(raw.golden(*pair) for pair in ((np.abs(middles[0]), widths[1]), (widths[0], np.abs(middles[1])), widths))
    least, greatest = -((off - middle) // 4), (middle + off) // 4
    if layer.thresholds is None:
        return least, greatest
    return _fired(layer.thresholds, layer.out_type, least), _fired(layer.thresholds, layer.out_type, greatest)


@_interval.register
def _recurrent(layer: Recurrent, maps: list[Interval], said: Announced) -> Interval:
    """Follow the cell, step by step."""
    pixels = [[end.reshape(len(end), layer.time_steps, 1, 1, -1) for end in ends] for ends in maps[: layer.step_maps]]
    states, seen = maps[layer.step_maps :], []
    for time in range(layer.time_steps):
        found: dict[str, Interval] = {
            f"step_{k}": (low[:, time], high[:, time]) for k, (low, high) in enumerate(pixels)
        }
        found |= {f"state_{k}": ends for k, ends in enumerate(states)}
        for each in layer.cell:
            found[each.name] = _followed(each, [found[source] for source in sources_of(each)], Announced(each.name))
        states = [found[name] for name in layer.states]
        seen.append(states[0])
    least, greatest = (np.stack(ends, axis=1).reshape(-1, *layer.out_shape) for ends in zip(*seen, strict=True))
    return least, greatest


def _ordered(a: np.ndarray, b: np.ndarray) -> Interval:
    """Give the lesser and the greater of two at each place."""
    return np.minimum(a, b), np.maximum(a, b)


@_interval.register(ArgMax)
@_interval.register(TopK)
def _ranking(layer: ArgMax | TopK, maps: list[Interval], said: Announced) -> Interval:
    """A ranking is certain where no score overlaps with another that differs from it."""
    ((low, high),) = maps
    found = layer.golden(low)
    certain = np.all(low == high, axis=-1, keepdims=True)
    return np.where(certain, found, 0), np.where(certain, found, layer.in_shape[2] - 1)
