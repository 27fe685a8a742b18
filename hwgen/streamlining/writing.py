"""Write the codes of one origin down as layers: the integers themselves, thresholds, or a table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hwgen.activation import Positions, Thresholds
from hwgen.codes import CodeType
from hwgen.conversion import Announced
from hwgen.errors import ModelError
from hwgen.layers.segments import Segments
from hwgen.layers.table import Table
from hwgen.layers.thresholding import Thresholding
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.codes.coding import FEW_LEVELS
from hwgen.streamlining.codes.decide import decided, enumerable
from hwgen.streamlining.codes.encode import Affine, Coded
from hwgen.streamlining.codes.many_levels import many_levels
from hwgen.streamlining.codes.steps import first_points, lookup, thresholds
from hwgen.streamlining.functions.domain import Floats, Integers
from hwgen.streamlining.functions.fit import MOST_PIECES
from hwgen.streamlining.functions.function import Function
from hwgen.streamlining.functions.signal import Codes, Origin, Rounded

__all__ = ["announce", "coded", "raw_codes", "type_of", "written"]

TABLE_ENTRIES = 1 << 16
"""Entries of a channel's largest table."""

FEW_STEPS = 16
"""Levels up to which comparators of all of them, behind the sums, cost less than a table or a search of their own."""


def written(origin: Origin, builder: Builder) -> Origin:
    """Give an origin whose integers go out as they are."""
    if origin.linear is None:
        return origin
    domain = origin.linear.domain()
    kind = CodeType(int(domain.low.min()), int(domain.high.max()))
    name = builder.add_linear(origin, origin.linear.record(None, kind))
    return replace(origin, linear=None, source=name, type=kind)


def raw_codes(origin: Origin, line: Affine, builder: Builder, *, head: bool = False) -> Codes:
    """Take the integers themselves as codes.

    Rows of a linear layer that count downwards are negated, so that equal networks look equal. In a ``head`` a row that makes
    no difference becomes +1.
    """
    if origin.linear is None:
        announce(origin.rounded, builder)
        reach = None if isinstance(origin.domain, Floats) else origin.domain.merged()
        return Codes(origin.source, origin.shape, type_of(origin), line.scale, line.offset, reach)
    sign = np.where((line.scale < 0) & origin.turns, -1, 1)
    linear = origin.linear.with_rows(sign, (line.scale == 0) & head)
    domain = linear.domain()
    kind = CodeType(int(domain.low.min()), int(domain.high.max()))
    name = builder.add_linear(origin, linear.record(None, kind))
    return Codes(name, origin.shape, kind, sign * line.scale, line.offset, domain.merged())


def coded(origin: Origin, coding: Coded, function: Function, builder: Builder) -> Codes:
    """Write codes down as thresholds, or as a table where they rise and fall."""
    channels, kind = origin.shape[2], coding.values.type
    trends = coding.trend.reshape(-1, channels)
    rises, falls = np.any(trends > 0, axis=0), np.any((trends < 0) | (trends == 2), axis=0)
    mixed = bool(np.any(rises & falls) or np.any(trends == 2))
    if not origin.turns and np.any(falls):
        origin = written(origin, builder)
    lines = _lines(origin, coding, function, builder)
    if lines is not None:
        name = lines
    elif origin.linear is not None and not mixed and kind.levels <= FEW_STEPS:
        linear = origin.linear.with_rows(np.where(falls, -1, 1), ~rises & ~falls)
        domain = _like(linear.domain(), function.domain)
        points = _points(coding, function, domain, falls)
        name = builder.add_linear(origin, linear.record(thresholds(points, domain), kind))
    else:
        origin = written(origin, builder)
        if mixed or _is_small_table(type_of(origin), kind):
            name = _table(origin.source, type_of(origin), origin, coding, function, builder)
        else:
            name = _thresholding(origin, coding, function, falls, builder)
    return Codes(name, origin.shape, kind, coding.values.scale, coding.values.offset, held=coding.held)


def _lines(origin: Origin, coding: Coded, function: Function, builder: Builder) -> str | None:
    """Write codes of many levels down behind the integers: a small table, or lines if few meet all of them."""
    if coding.values.type.levels <= FEW_LEVELS:
        return None
    domain = function.domain
    if isinstance(domain, Floats):
        raise TypeError("Floats are quantised by the host")
    kind = origin.type or CodeType(int(domain.low.min()), int(domain.high.max()))
    if kind.levels <= FEW_LEVELS:
        raw = written(origin, builder)
        return _table(raw.source, type_of(raw), origin, coding, function, builder)
    layer = many_levels("", "", origin.shape, kind, coding, function)
    few = np.bincount(coding.runs.element).max() <= MOST_PIECES
    if layer is None and not few:
        return None
    announce(origin.rounded, builder)
    raw = written(origin, builder)
    if layer is None:
        return _constants(raw.source, type_of(raw), origin, coding, domain, builder)
    return builder.add(replace(layer, name=builder.name("quantiser"), source=raw.source, in_type=type_of(raw)))


def _is_small_table(kind: CodeType, out_type: CodeType) -> bool:
    """Whether a code for each integer takes few bits beside the levels that a search of few comparators reads."""
    if out_type.levels <= FEW_STEPS or kind.levels > TABLE_ENTRIES:
        return False
    return kind.levels * out_type.bits <= 2 * (out_type.levels - 1) * kind.bits


def _like(domain: Integers, model: Integers | Floats) -> Integers:
    """Give a domain the classes of positions of another."""
    return domain.merged() if model.positions.count == 1 else domain.spread(model.positions)


def _points(coding: Coded, function: Function, domain: Integers, falls: np.ndarray) -> np.ndarray:
    """Find the first point of each level in a domain whose constant channels may have been replaced."""
    classes = len(function.count) // len(falls)
    points = first_points(coding.runs, function.count, coding.values.type, np.tile(falls, classes))
    constant = (coding.trend == 0)[:, None]
    return np.where(constant, np.where(points > 0, domain.count.reshape(-1, 1), 0), points)


def _thresholding(origin: Origin, coding: Coded, function: Function, falls: np.ndarray, builder: Builder) -> str:
    domain = function.domain
    if isinstance(domain, Floats):
        raise TypeError("Floats have no thresholds in hardware")
    turned = replace(domain, low=np.where(falls, -domain.high, domain.low))
    levels = thresholds(_points(coding, function, turned, falls), turned)
    if origin.rounded is not None:
        levels = _decided(origin.rounded, coding, function, levels, falls, builder)
    name = builder.name("threshold")
    negate = tuple(map(bool, falls))
    return builder.add(
        Thresholding(name, origin.source, origin.shape, type_of(origin), levels, negate, coding.values.type)
    )


def _decided(
    rounded: Rounded, coding: Coded, function: Function, levels: Thresholds, falls: np.ndarray, builder: Builder
) -> Thresholds:
    """Place thresholds on a sum of incommensurable terms; say whether every decision is exact."""
    if not enumerable(rounded, levels.positions.count):
        announce(rounded, builder)
        return levels
    placed, wrong = decided(function.term, function.elements, rounded, coding, levels, falls)
    if wrong:
        announce(rounded, builder)
    else:
        name = rounded.node.name
        builder.note(
            f"'{name}' adds numbers of different scales, rounded, but all sums that can occur are quantised as in exact arithmetic"
        )
    return placed


def announce(rounded: Rounded | None, builder: Builder) -> None:
    """Say that a sum is rounded.

    Raises
    ------
    ModelError
        If only exact calculation is allowed.
    """
    if rounded is not None:
        builder.allow_rounding(rounded.node, "adds numbers whose scales have no ratio of small integers")
        builder.note(rounded.note)
        builder.announce(Announced(rounded.layer, rounded.codes))


def _table(source: str, kind: CodeType, origin: Origin, coding: Coded, function: Function, builder: Builder) -> str:
    if isinstance(function.domain, Floats):
        raise TypeError("Floats are quantised by the host")
    announce(origin.rounded, builder)
    if kind.levels <= TABLE_ENTRIES:
        table = lookup(coding.runs, function.domain, kind.low, kind.high)
        return builder.add(Table(builder.name("table"), source, origin.shape, kind, table, coding.values.type))
    if np.bincount(coding.runs.element).max() > MOST_PIECES:
        raise ModelError(
            f"What follows '{origin.node}' rises and falls over {kind.levels} integers, and a table has at most {TABLE_ENTRIES} "
            "entries; use a monotone activation"
        )
    return _constants(source, kind, origin, coding, function.domain, builder)


def _constants(source: str, kind: CodeType, origin: Origin, coding: Coded, domain: Integers, builder: Builder) -> str:
    """Write codes of too many integers for a table down as pieces without a slope."""
    runs, out_type = coding.runs, coding.values.type
    channels, pieces = origin.shape[2], int(np.bincount(coding.runs.element).max())
    starts = np.repeat(domain.high.reshape(-1, 1) + 1, pieces, axis=1)
    codes = np.zeros(starts.shape, dtype=np.int64)
    place = np.arange(len(runs.element)) - np.searchsorted(runs.element, runs.element)
    starts[runs.element, place] = domain.values(runs.start, runs.element)
    codes[runs.element, place] = runs.values[0]
    flat, plain = np.zeros_like(codes), CodeType(out_type.low, out_type.high)
    breaks, factors, offsets = (part.reshape(*domain.low.shape, part.shape[1]) for part in (starts[:, 1:], flat, codes))
    layer = Segments(
        builder.name("table"), source, origin.shape, kind, breaks, factors, offsets, 0, plain, domain.positions
    )
    name = builder.add(layer)
    if not out_type.bipolar:
        return name
    levels = Thresholds(np.ones((1, channels, 1), dtype=np.int64), Positions.uniform(*origin.shape[:2]))
    signs = Thresholding(builder.name("threshold"), name, origin.shape, plain, levels, (False,) * channels, out_type)
    return builder.add(signs)


def type_of(origin: Origin) -> CodeType:
    """Give the type of integers that are written down."""
    if origin.type is None:
        raise TypeError(f"'{origin.node}' is not written down yet")
    return origin.type
