"""Codes for the values that a function takes: the value set decides the type, not the operators that made it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.codes import BIPOLAR, CodeType
from hwgen.streamlining.functions.tabulate import Runs

__all__ = ["FEW_LEVELS", "MAX_LEVELS", "Values", "assign", "levels_of", "snap", "spacing", "trend"]

MAX_LEVELS = 1 << 16
"""Levels of the finest quantiser."""

FEW_LEVELS = 256
"""Levels up to which a step of the values, taken by itself, tells where all levels are."""

ROUGH = 2.0**-22
"""Distance from a level, of the largest value, that two roundings to float32 leave."""

CHANCE = 1e-3
"""How likely it may be that any numbers pass for levels: a coarse sum meets few levels of a fine quantiser."""

SAME = 1e-6
"""Relative distance below which two numbers are one that was rounded in two ways."""

NOTHING = 1e-9
"""A number this small beside the largest is zero, where it may be noise at all."""

NOISE = 1e-13
"""What float64 may leave of a zero, beside the numbers that it was calculated of."""


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


def snap(values: np.ndarray, size: float = np.inf) -> np.ndarray:
    """Make numbers equal that differ only by rounding noise (``x + (-x + q)`` hardly ever lands on q).

    Parameters
    ----------
    values : ndarray of float64
    size : float
        The largest number that they were calculated of: beside the reciprocal of an epsilon, 1 is no noise.
    """
    distinct, inverse = np.unique(values, return_inverse=True)
    if len(distinct) < 2 or len(distinct) > 1 << 16:
        return values
    noise = NOISE * max(size, float(np.median(np.abs(distinct))))
    zeroed = np.where(np.abs(distinct) <= min(NOTHING * np.max(np.abs(distinct)), noise), 0.0, distinct)
    gap = np.diff(zeroed) > SAME * np.maximum(np.abs(zeroed[1:]), np.abs(zeroed[:-1]))
    group = np.concatenate(([0], np.cumsum(gap)))
    first = np.flatnonzero(np.concatenate(([True], gap)))
    last = np.concatenate((first[1:], [len(distinct)])) - 1
    alone = zeroed[first] == zeroed[last]
    middle = zeroed[(first + last) // 2].astype(np.float32).astype(np.float64)
    return np.where(alone, zeroed[first], middle)[group][inverse]


def assign(values: np.ndarray, channel: np.ndarray, channels: int) -> Values | None:
    """Find codes for the values that a map takes.

    Two values in all are bipolar. Equally spaced levels are integers. If that fails for the map as a whole, or takes more
    bits, each channel may have its own scale and offset.

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
    distinct = np.unique(values)
    whole = levels_of(distinct)
    if whole is not None and (len(distinct) < 3 or _count_few_levels(distinct) is not None):
        return _one_scale(values, channels, *whole)
    pairs = np.unique(np.stack([channel, values]), axis=1)
    fits = [levels_of(pairs[1, pairs[0] == number], least=1) for number in range(channels)]
    if any(fit is None for fit in fits):
        return None if whole is None else _one_scale(values, channels, *whole)
    known = [fit for fit in fits if fit is not None]
    common = next((own for kind, own, _ in known if kind.low < kind.high), 1.0)
    scales = np.array([own if kind.low < kind.high else common for kind, own, _ in known])
    offsets = np.array([own if kind.low < kind.high else own - common for kind, _, own in known])
    codes = _codes(values, scales[channel], offsets[channel])
    bipolar = all(kind.bipolar or kind.low == kind.high for kind, _, _ in known)
    low, high = int(codes.min()), int(codes.max())
    if whole is not None and whole[0].levels < 2 * (high - low + 1):
        return _one_scale(values, channels, *whole)
    if high - low >= MAX_LEVELS:
        return None
    return Values(BIPOLAR if bipolar else CodeType(low, high), scales, offsets, codes)


def _one_scale(values: np.ndarray, channels: int, kind: CodeType, scale: float, offset: float) -> Values:
    """Give codes that mean the same in every channel."""
    return Values(kind, np.full(channels, scale), np.full(channels, offset), _codes(values, scale, offset))


def _codes(values: np.ndarray, scale: np.ndarray | float, offset: np.ndarray | float) -> np.ndarray:
    return np.rint((values - offset) / scale).astype(np.int64)


def levels_of(distinct: np.ndarray, least: int = 2) -> tuple[CodeType, float, float] | None:
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
    levels = _count_levels(distinct) if count <= MAX_LEVELS else None
    if levels is None:
        return None
    scale = (high - low) / levels
    first = round(low / scale)
    if abs(low / scale - first) <= 4 * SAME * max(1, abs(first)) and abs(first) < MAX_LEVELS:
        return CodeType(first, first + levels), scale, 0.0
    return CodeType(0, levels), scale, low


def _count_few_levels(distinct: np.ndarray) -> int | None:
    """Tell how many times the least step lies between the least and the greatest of sorted values; None if it is no step of all."""
    steps = (distinct - distinct[0]) / float(np.diff(distinct).min())
    even = steps[-1] < FEW_LEVELS and np.all(np.abs(steps - np.rint(steps)) <= SAME * np.maximum(steps, 1) * 4)
    return round(float(steps[-1])) if even else None


def _count_levels(distinct: np.ndarray) -> int | None:
    """Tell how many steps lie between the least and the greatest of sorted values; None if there are no even steps."""
    few = _count_few_levels(distinct)
    if few is not None:
        return few
    low, extent = float(distinct[0]), float(distinct[-1] - distinct[0])
    gaps = np.diff(distinct)
    step = spacing(gaps, extent / MAX_LEVELS)
    levels = 0 if step is None else int(np.rint(gaps / step).sum())
    noise = ROUGH * float(np.max(np.abs(distinct)))
    if (
        step is None
        or not 0 < levels < MAX_LEVELS
        or levels * (2 * noise / extent * levels) ** (len(distinct) - 2) > CHANCE
    ):
        return None
    off = np.abs(distinct - low - extent / levels * np.concatenate([[0], np.cumsum(np.rint(gaps / step))]))
    return levels if np.all(off <= noise) else None


def spacing(gaps: np.ndarray, least: float) -> float | None:
    """Find the greatest number that all gaps are multiples of, by Euclid's algorithm; None if it is below ``least``."""
    step, rest = float(np.max(gaps)), np.asarray(gaps)
    while len(rest):
        smallest = float(np.min(rest))
        if smallest < 0.5 * least:
            return None
        rest = np.abs(np.append(rest, step) - smallest * np.rint(np.append(rest, step) / smallest))
        # What is left of rounding is far below the least step that is of use.
        rest, step = rest[rest > 0.25 * least], smallest
    # The remainders of large gaps have made it rough: it is drawn from ever larger ones.
    reach = 4.0
    while True:
        near = gaps <= reach * step
        step = float(np.sum(gaps[near]) / np.sum(np.rint(gaps[near] / step))) if np.any(near) else step
        if np.all(near):
            return step
        reach *= 4


def trend(runs: Runs, elements: int) -> np.ndarray:
    """Tell for each element whether its codes rise (+1), fall (-1), stay (0) or neither (2): int8 (elements,)."""
    rises, falls = np.zeros(elements, dtype=bool), np.zeros(elements, dtype=bool)
    inner = runs.element[1:] == runs.element[:-1]
    change = np.diff(runs.values[0])
    rises[runs.element[1:][inner & (change > 0)]] = True
    falls[runs.element[1:][inner & (change < 0)]] = True
    return np.where(rises & falls, 2, rises.astype(np.int8) - falls.astype(np.int8)).astype(np.int8)
