"""Straight pieces with integer factors that follow a function of integers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hwgen.streamlining.functions.tabulate import evenly

__all__ = ["MOST_PIECES", "Pieces", "curve", "kinked", "meets", "quantised", "scaled", "straight"]

FEW_PIECES = 16
"""Straight lines of a function that is taken for made of them."""

MOST_PIECES = 48
"""Pieces of a channel beyond which the tolerance is doubled."""

HALF_STEP = 0.5
"""Distance, in steps of the output, that a piece may keep from a curve."""

STRAIGHT = 1e-7
"""Distance, in steps of the output and relative to the values, that is rounding noise of the function itself."""

SAMPLES = 65
"""Points at which a stretch is held to a line."""

DRIFT = 1 / 64
"""Distance, in steps of the output, that the rounding of a factor or an offset may add."""

MOST_SHIFT = 40
"""Largest shift tried."""


Evaluate = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Pieces:
    """Lines of one channel: value = ``slopes[n] * x + levels[n]`` for ``starts[n] <= x <= ends[n]``, all float64."""

    starts: np.ndarray
    ends: np.ndarray
    slopes: np.ndarray
    levels: np.ndarray


def straight(values: Evaluate, low: np.ndarray, count: np.ndarray, step: np.ndarray) -> list[Pieces] | None:
    """Follow functions that are straight between few kinks and jumps; None if one is not.

    The end of each piece is found by bisection, for all channels at once.

    Parameters
    ----------
    values : callable
        (k (points, channels)) -> values of the k-th integers, in any unit.
    low, count, step : ndarray of int64, shape (channels,)
        The integers ``low + step * k`` for ``0 <= k < count``.
    """
    channels = len(count)
    noise = STRAIGHT * (1 + np.max(np.abs(values(evenly(SAMPLES, count))), axis=0))
    first = np.zeros_like(count)
    found: list[list[tuple[int, int, float, float]]] = [[] for _ in range(channels)]
    for _ in range(FEW_PIECES):
        if np.all(first >= count):
            return [_pieces(part, low[channel], step[channel]) for channel, part in enumerate(found)]
        start = np.minimum(first, count - 1)
        good, bad = start.copy(), count.copy()
        while np.any(bad - good > 1):
            # The whole rest is tried before its half: most functions have one piece.
            middle = np.where(bad == count, np.where(good == start, count - 1, (good + bad) // 2), (good + bad) // 2)
            middle = np.maximum(middle, good)
            fits = _on_chord(values, start, middle, noise)
            good = np.where(fits, middle, good)
            bad = np.where(fits, np.where(middle == count - 1, good + 1, bad), np.minimum(bad, middle))
        ends = values(np.stack([start, good]))
        for channel in np.flatnonzero(first < count):
            found[channel].append(
                (int(start[channel]), int(good[channel]), float(ends[0, channel]), float(ends[1, channel]))
            )
        first = np.where(first < count, good + 1, first)
    return None if np.any(first < count) else [_pieces(part, low[c], step[c]) for c, part in enumerate(found)]


def kinked(x: np.ndarray, values: np.ndarray) -> Pieces | None:
    """Follow one function of which every value is known, straight between few kinks and jumps; None if it is not."""
    noise = STRAIGHT * (1 + float(np.max(np.abs(values))))
    found: list[tuple[int, int, float, float]] = []
    first = 0
    while first < len(x):
        if len(found) == FEW_PIECES:
            return None
        rest, seen = x[first:] - x[first], values[first:] - values[first]
        last, size = 1, 64
        while last < len(rest):
            # The line through the first and the farthest point that is on it: rounding noise does not grow.
            slope = seen[max(last - 1, 1)] / rest[max(last - 1, 1)]
            stretch = slice(last, min(last + size, len(rest)))
            off = np.flatnonzero(np.abs(seen[stretch] - slope * rest[stretch]) > noise)
            if len(off):
                last += int(off[0])
                break
            last, size = stretch.stop, 2 * size
        found.append((first, first + last - 1, float(values[first]), float(values[first + last - 1])))
        first += last
    step = int(x[1] - x[0]) if len(x) > 1 else 1
    return _pieces(found, int(x[0]), step)


def meets(pieces: Pieces, x: np.ndarray, values: np.ndarray) -> bool:
    """Whether lines meet every value of a function."""
    piece = np.searchsorted(pieces.starts, x, side="right") - 1
    noise = 2 * STRAIGHT * (1 + float(np.max(np.abs(values))))
    return bool(np.all(np.abs(pieces.slopes[piece] * x + pieces.levels[piece] - values) <= noise))


def _on_chord(values: Evaluate, start: np.ndarray, end: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Tell for which channels sampled values between two points lie on the line through both."""
    length = end - start
    k = start + (np.arange(SAMPLES)[:, None] * length) // (SAMPLES - 1)
    # Next to both ends too, where a jump or a kink would hide between two samples.
    k = np.concatenate([k, np.minimum(start + 1, end)[None], np.maximum(end - 1, start)[None]])
    seen = values(k)
    first, last = seen[0], seen[SAMPLES - 1]
    slope = np.divide(last - first, length, out=np.zeros_like(first), where=length > 0)
    return np.asarray(np.all(np.abs(seen - (first + slope * (k - start))) <= noise, axis=0))


def _pieces(found: list[tuple[int, int, float, float]], low: int, step: int) -> Pieces:
    starts, ends = (
        low + step * np.array(column) for column in ([part[0] for part in found], [part[1] for part in found])
    )
    first, last = np.array([part[2] for part in found]), np.array([part[3] for part in found])
    slopes = np.divide(last - first, ends - starts, out=np.zeros_like(first), where=ends > starts)
    return Pieces(starts, ends, slopes, (first + last) / 2 - slopes * (starts + ends) / 2)


def curve(x: np.ndarray, values: np.ndarray) -> Pieces:
    """Follow one function within `HALF_STEP`, or, where that takes more than `MOST_PIECES`, within the least doubling that does not.

    Parameters
    ----------
    x : ndarray of int64, shape (points,)
        Rising.
    values : ndarray of float64, shape (points,)
        In steps of the output.
    """
    bounds, tolerance = None, HALF_STEP
    while bounds is None:
        bounds = _greedy(x, values, tolerance)
        tolerance *= 2
    lines = [_line(x[first:last], values[first:last]) for first, last in bounds]
    starts, ends = x[[first for first, _ in bounds]], x[[last - 1 for _, last in bounds]]
    return Pieces(starts, ends, np.array([line[0] for line in lines]), np.array([line[1] for line in lines]))


def _greedy(x: np.ndarray, values: np.ndarray, tolerance: float) -> list[tuple[int, int]] | None:
    """Make each piece as long as a line stays within the tolerance; None if that takes too many."""
    bounds: list[tuple[int, int]] = []
    first = 0
    while first < len(x):
        if len(bounds) == MOST_PIECES:
            return None
        good, size = first + 1, 2
        while first + size <= len(x) and _spread(x[first : first + size], values[first : first + size]) <= tolerance:
            good, size = first + size, 2 * size
        bad = min(first + size, len(x) + 1)
        while bad - good > 1:
            middle = (good + bad) // 2
            if _spread(x[first:middle], values[first:middle]) <= tolerance:
                good = middle
            else:
                bad = middle
        bounds.append((first, good))
        first = good
    return bounds


def _line(x: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """Give slope and level of the line with the direction of the chord that lies midway between the values."""
    slope = 0.0 if len(x) == 1 else float((values[-1] - values[0]) / (x[-1] - x[0]))
    rest = values - slope * x
    return slope, float((rest.max() + rest.min()) / 2)


def _spread(x: np.ndarray, values: np.ndarray) -> float:
    """Give the distance of the values from that line."""
    slope, level = _line(x, values)
    return float(np.max(np.abs(values - slope * x - level)))


def scaled(channels: list[Pieces], step: float) -> list[Pieces]:
    """Give lines in steps of the output."""
    return [Pieces(part.starts, part.ends, part.slopes / step, part.levels / step) for part in channels]


def quantised(channels: list[Pieces]) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Write lines with integers: value = ``(factor * x + offset) >> shift``, rounded to the nearest.

    Returns
    -------
    breaks : ndarray of int64, shape (channels, pieces - 1)
    factors, offsets : ndarray of int64, shape (channels, pieces)
    shift : int
        The least with which factors and offsets are as good as exact.
    """
    count = max(len(pieces.starts) for pieces in channels)
    starts, ends, slopes, levels = (
        np.array([np.pad(getattr(pieces, name), (0, count - len(pieces.starts)), mode="edge") for pieces in channels])
        for name in ("starts", "ends", "slopes", "levels")
    )
    starts, ends = starts.astype(np.int64), ends.astype(np.int64)
    beyond = np.array([pieces.ends[-1] + 1 for pieces in channels])[:, None]
    used = np.arange(count)[None] < np.array([len(pieces.starts) for pieces in channels])[:, None]
    half_length, middle = (ends - starts) / 2, (ends + starts) / 2
    largest = max(int(np.abs(starts).max()), int(np.abs(ends).max()), 1)
    shift = 0
    for shift in range(MOST_SHIFT + 1):
        factors = np.rint(np.ldexp(slopes, shift))
        # The offset takes up the factor's rounding in the middle of the piece, and turns rounding down into rounding.
        exact = np.ldexp(levels + slopes * middle, shift) - factors * middle + 2.0 ** (shift - 1)
        offsets = np.floor(exact) if shift == 0 else np.rint(exact)
        drift = np.abs(slopes - np.ldexp(factors, -shift)) * half_length + np.abs(np.ldexp(exact - offsets, -shift))
        if shift == 0:
            # Without a shift nothing is rounded: every value must be a whole number.
            drift = np.abs(slopes - factors) * half_length + np.abs(
                levels + slopes * middle - factors * middle - offsets
            )
        full = float(np.abs(np.ldexp(np.abs(slopes) + 1e-300, shift + 1)).max()) * largest > 2.0**60
        if np.all(drift[used] <= DRIFT) or full:
            break
    breaks = np.where(used, starts, beyond)[:, 1:]
    return breaks, factors.astype(np.int64), offsets.astype(np.int64), shift
