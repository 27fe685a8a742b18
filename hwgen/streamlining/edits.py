"""Max pools and borders, moved behind the functions that they stand among.

A maximum commutes with a rising function and becomes a minimum through a falling one. So conv, pool, BatchNormalization,
sign is conv, threshold, pool of bits: the cheap order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hwgen.activation import Positions
from hwgen.codes import CodeType
from hwgen.errors import ModelError
from hwgen.layers.global_reduce import GlobalReduce, Reduction
from hwgen.layers.maxpool import MaxPool
from hwgen.layers.pad import Pad
from hwgen.layers.segments import Segments
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.codes.encode import Affine, Coded
from hwgen.streamlining.functions.function import Function
from hwgen.streamlining.functions.monotone import UNKNOWN
from hwgen.streamlining.functions.signal import Codes, Pool, Ring, Signal
from hwgen.streamlining.functions.terms import Evaluator

__all__ = ["edited", "pad_code", "pool_trends"]

FINEST = 16
"""Parts into which steps between codes are divided at most so that a border of another number is a code."""

COMPARED = 1 << 16
"""Points of an element up to which values and codes are compared one by one."""


def pool_trends(
    edits: Sequence[Pool | Ring], function: Function, coding: Affine | Coded, *, flips: bool
) -> list[np.ndarray] | None:
    """Tell for each pool and channel whether codes rise (+1) or fall (-1) with what the pool sees.

    Parameters
    ----------
    edits : sequence of Pool and Ring
    function : Function
    coding : Affine or Coded
        What becomes of the function's integers.
    flips : bool
        Affine codes of channels with a falling line are negated integers.

    Returns
    -------
    list of ndarray of int, shape (channels,), or None
        One for each pool. None if codes do not follow what a pool sees.
    """
    channels = function.domain.count.shape[1]
    if isinstance(coding, Affine):
        trend = np.tile(np.where((coding.scale < 0) & flips, -1, 1), len(function.count) // channels)
    else:
        trend = coding.trend
    found = []
    for pool in edits:
        if not isinstance(pool, Pool):
            continue
        seen = function.direction(pool.before)
        relation: np.ndarray | None = np.where(trend == 0, 0, seen * trend)
        if np.any((trend != 0) & ((seen == UNKNOWN) | (trend == UNKNOWN))):
            relation = _compared(pool, function, coding, trend)
        if relation is None:
            return None
        table = relation.reshape(-1, channels)
        if isinstance(coding, Coded) and len(table) > 1:
            between = _between_positions(pool, function, coding, ~np.any(table, axis=0))
            if between is None:
                return None
            table = np.concatenate([table, between[None]])
        if np.any(np.any(table > 0, axis=0) & np.any(table < 0, axis=0)):
            return None
        found.append(np.where(np.any(table < 0, axis=0), -1, 1))
    return found


def _compared(pool: Pool, function: Function, coding: Affine | Coded, trend: np.ndarray) -> np.ndarray | None:
    """Compare values and codes point by point where the nodes do not tell the direction."""
    if function.count.max() > COMPARED:
        return None
    before = replace(function, term=pool.before)
    relation = np.zeros(len(function.count), dtype=np.int64)
    for element, count in enumerate(function.count):
        k, chosen = np.arange(count)[:, None], np.array([element])
        seen = before.at(k, chosen, Evaluator())[:, 0]
        if isinstance(coding, Affine):
            codes = function.domain.values(k, chosen)[:, 0] * trend[element]
        else:
            mine = coding.runs.element == element
            codes = np.repeat(coding.runs.values[0][mine], (coding.runs.end - coding.runs.start)[mine])
        order = np.argsort(seen, kind="stable")
        change, step = np.diff(codes[order]), np.diff(seen[order].astype(np.float64))
        if np.any(change[step == 0] != 0) or (np.any(change > 0) and np.any(change < 0)):
            return None
        relation[element] = np.sign(change.sum())
    return relation


def _between_positions(pool: Pool, function: Function, coding: Coded, still: np.ndarray) -> np.ndarray | None:
    """Compare values and codes of the classes of positions, in channels whose codes stay within each."""
    relation = np.zeros(len(still), dtype=np.int64)
    before = replace(function, term=pool.before)
    firsts = np.searchsorted(coding.runs.element, np.arange(len(function.count)))
    constant = coding.runs.values[0][firsts].reshape(-1, len(still))
    for channel in np.flatnonzero(still & np.any(constant != constant[0], axis=0)):
        elements = np.arange(channel, len(function.count), len(still))
        ends = np.stack([np.zeros(len(elements), dtype=np.int64), function.count[elements] - 1])
        seen = before.at(ends, elements, Evaluator()).astype(np.float64)
        low, high = seen.min(axis=0), seen.max(axis=0)
        order = np.lexsort((high, low))
        change = np.diff(constant[order, channel])
        apart = low[order][1:] > np.maximum.accumulate(high[order])[:-1]
        if np.any(change[~apart] != 0) or (np.any(change > 0) and np.any(change < 0)):
            return None
        relation[channel] = np.sign(change.sum())
    return relation


def edited(
    signal: Signal, codes: Codes, trends: Sequence[np.ndarray], builder: Builder, *, nearest: bool = False
) -> Codes:
    """Apply the edits of a signal to its codes; writes the layers down. A border takes the ``nearest`` code if told so."""
    remaining = iter(trends)
    for edit in signal.edits:
        if isinstance(edit, Pool):
            minimum = tuple(bool(trend < 0) for trend in next(remaining))
            name = builder.name("pool", edit.node)
            pool = MaxPool(name, codes.source, codes.shape, codes.type, edit.window, minimum)
            shape = pool.out_shape
            whole = edit.window.kernel == codes.shape[:2] and shape[:2] == (1, 1) and not any(edit.window.pads)
            if whole and codes.shape[:2] != (1, 1) and len(set(minimum)) == 1:
                # Running extremes need no memory of the map.
                operation = Reduction.MIN if minimum[0] else Reduction.MAX
                running = GlobalReduce(name, codes.source, codes.shape, codes.type, operation, codes.type)
                codes = replace(codes, source=builder.add(running), shape=shape)
            else:
                codes = replace(codes, source=builder.add(pool), shape=shape)
        else:
            found = _with_border(edit, codes, builder, nearest=nearest)
            if found is None:
                raise ModelError(
                    f"Node '{edit.node.name}' ({edit.node.op}) pads with {np.ravel(edit.values)[0]:g}, which is no value of the map "
                    f"(codes {codes.type}, value = {codes.scale[0]:g} * code + {codes.offset[0]:g}); pad with one of its values"
                )
            codes, value = found
            pad = Pad(builder.name("pad", edit.node), codes.source, codes.shape, codes.type, edit.pads, value)
            codes = replace(codes, source=builder.add(pad), shape=pad.out_shape, reach=None)
    return codes


def _with_border(ring: Ring, codes: Codes, builder: Builder, *, nearest: bool) -> tuple[Codes, int] | None:
    """Give codes that hold what a border holds, and its code; None if no few steps between the codes do."""
    value = pad_code(ring.values, codes, nearest=nearest)
    if value is not None or nearest:
        return None if value is None else (codes, value)
    for parts in range(1, FINEST + 1):
        fine = replace(codes, scale=codes.scale / parts, type=CodeType(-(2**40), 2**40))
        value = pad_code(ring.values, fine)
        if value is None:
            continue
        ends = (codes.type.low * parts, codes.type.high * parts, value)
        kind = CodeType(min(ends), max(ends))
        factors = np.full((1, codes.shape[2], 1), parts, dtype=np.int64)
        where = Positions.uniform(*codes.shape[:2])
        layer = Segments(
            builder.name("widened"), codes.source, codes.shape, codes.type, factors[..., :0], factors, 0 * factors, 0, kind, where
        )  # fmt: skip
        return replace(fine, source=builder.add(layer), type=kind, reach=None), value
    return None


def pad_code(values: np.ndarray, codes: Codes, *, nearest: bool = False) -> int | None:
    """Give the code that stands for the same real number in every channel, if there is one; or the ``nearest``."""
    if np.any(codes.scale == 0):
        return None
    exact = (np.broadcast_to(values, codes.scale.shape) - codes.offset) / codes.scale
    code = round(float(exact[0]))
    if np.any(np.abs(exact - code) > (0.5 if nearest else 1e-6)) or not codes.type.contains(np.array([code])):
        return None
    return code
