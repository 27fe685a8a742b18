"""Codes for the values that a function takes: the value set decides the type, not the operators that made it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.codes import BIPOLAR, CodeType
from hwgen.streamlining.functions.tabulate import Runs

__all__ = ["MAX_LEVELS", "Values", "assign", "snap", "trend"]

MAX_LEVELS = 256
"""Levels of the finest quantiser."""

SAME = 1e-6
"""Relative distance below which two numbers are one that was rounded in two ways."""

NOTHING = 1e-9
"""A number this small beside the largest of its channel is zero."""


@dataclass(frozen=True, eq=False)
class Values:
    """Codes and what they stand for: value = ``scale[channel] * code + offset[channel]``.

    Parameters
    ----------
    type : CodeType
    scale, offset : ndarray of float64, shape (channels,)
    codes : ndarray of int64
        One for each value asked about.
    """

    type: CodeType
    scale: np.ndarray
    offset: np.ndarray
    codes: np.ndarray


def snap(values: np.ndarray) -> np.ndarray:
    """Make numbers equal that differ only by rounding noise (``x + (-x + q)`` hardly ever lands on q)."""
    distinct, inverse = np.unique(values, return_inverse=True)
    if len(distinct) < 2 or len(distinct) > 1 << 16:
        return values
    zeroed = np.where(np.abs(distinct) <= NOTHING * np.max(np.abs(distinct)), 0.0, distinct)
    gap = np.diff(zeroed) > SAME * np.maximum(np.abs(zeroed[1:]), np.abs(zeroed[:-1]))
    group = np.concatenate(([0], np.cumsum(gap)))
    first = np.flatnonzero(np.concatenate(([True], gap)))
    last = np.concatenate((first[1:], [len(distinct)])) - 1
    alone = zeroed[first] == zeroed[last]
    middle = zeroed[(first + last) // 2].astype(np.float32).astype(np.float64)
    return np.where(alone, zeroed[first], middle)[group][inverse]


def assign(values: np.ndarray, channel: np.ndarray, channels: int) -> Values | None:
    """Find codes for the values that a map takes.

    Two values in all are bipolar. Equally spaced levels are integers. If that fails for the map as a whole, each channel may
    have its own scale and offset.

    Parameters
    ----------
    values : ndarray of float64
        Snapped.
    channel : ndarray of int64
        Channel of each value.
    channels : int

    Returns
    -------
    Values or None
        None if the values are no equally spaced levels, or too many.
    """
    whole = _levels(np.unique(values))
    if whole is not None:
        kind, scale, offset = whole
        return Values(kind, np.full(channels, scale), np.full(channels, offset), _codes(values, scale, offset))
    pairs = np.unique(np.stack([channel, values]), axis=1)
    fits = [_levels(pairs[1, pairs[0] == number], least=1) for number in range(channels)]
    if any(fit is None for fit in fits):
        return None
    known = [fit for fit in fits if fit is not None]
    common = next((own for kind, own, _ in known if kind.low < kind.high), 1.0)
    scales = np.array([own if kind.low < kind.high else common for kind, own, _ in known])
    offsets = np.array([own if kind.low < kind.high else own - common for kind, _, own in known])
    codes = _codes(values, scales[channel], offsets[channel])
    bipolar = all(kind.bipolar or kind.low == kind.high for kind, _, _ in known)
    low, high = int(codes.min()), int(codes.max())
    if high - low >= MAX_LEVELS:
        return None
    return Values(BIPOLAR if bipolar else CodeType(low, high), scales, offsets, codes)


def _codes(values: np.ndarray, scale: np.ndarray | float, offset: np.ndarray | float) -> np.ndarray:
    return np.rint((values - offset) / scale).astype(np.int64)


def _levels(distinct: np.ndarray, least: int = 2) -> tuple[CodeType, float, float] | None:
    """Give type, scale and offset of sorted values; with ``least`` 1 a single value v is (1..1, 1, v)."""
    count = len(distinct)
    low, high = float(distinct[0]), float(distinct[-1])
    if count == 1:
        if least == 1:
            return CodeType(1, 1), 1.0, low
        return BIPOLAR, (abs(low) or 1.0), (0.0 if low else -1.0)
    if count == 2:
        offset = (low + high) / 2
        return BIPOLAR, (high - low) / 2, 0.0 if abs(offset) <= SAME * (high - low) else offset
    if count > MAX_LEVELS:
        return None
    steps = (distinct - low) / float(np.diff(distinct).min())
    if steps[-1] >= MAX_LEVELS or np.any(np.abs(steps - np.rint(steps)) > SAME * np.maximum(steps, 1) * 4):
        return None
    levels = round(float(steps[-1]))
    scale = (high - low) / levels
    first = round(low / scale)
    if abs(low / scale - first) <= 4 * SAME * max(1, abs(first)) and abs(first) < MAX_LEVELS:
        return CodeType(first, first + levels), scale, 0.0
    return CodeType(0, levels), scale, low


def trend(runs: Runs, elements: int) -> np.ndarray:
    """Tell for each element whether its codes rise (+1), fall (-1), stay (0) or neither (2): int8 (elements,)."""
    rises, falls = np.zeros(elements, dtype=bool), np.zeros(elements, dtype=bool)
    inner = runs.element[1:] == runs.element[:-1]
    change = np.diff(runs.values[0])
    rises[runs.element[1:][inner & (change > 0)]] = True
    falls[runs.element[1:][inner & (change < 0)]] = True
    return np.where(rises & falls, 2, rises.astype(np.int8) - falls.astype(np.int8)).astype(np.int8)
