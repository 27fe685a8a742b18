"""Straight pieces with integer factors that follow a function of integers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Pieces", "fit", "quantised"]

FEW_PIECES = 16
"""Straight lines of a function that is taken for made of them."""

MOST_PIECES = 48
"""Pieces of a channel beyond which the tolerance is doubled."""

HALF_STEP = 0.5
"""Distance, in steps of the output, that a piece may keep from a curve."""

STRAIGHT = 1e-7
"""Distance, in steps of the output and relative to the values, that is rounding noise of the function itself."""

DRIFT = 1 / 64
"""Distance, in steps of the output, that the rounding of a factor or an offset may add."""

MOST_SHIFT = 40
"""Largest shift tried."""


@dataclass(frozen=True, eq=False)
class Pieces:
    """Lines of one channel: value = ``slopes[n] * x + levels[n]`` for ``starts[n] <= x <= ends[n]``, all float64."""

    starts: np.ndarray
    ends: np.ndarray
    slopes: np.ndarray
    levels: np.ndarray


def fit(x: np.ndarray, values: np.ndarray) -> Pieces:
    """Find few lines along the values of a function at all its integers.

    A function that is straight between few kinks and jumps is followed exactly; a curve within `HALF_STEP`, or, where that
    takes more than `MOST_PIECES`, within the least doubling of it that does not.

    Parameters
    ----------
    x : ndarray of int64, shape (points,)
        Rising.
    values : ndarray of float64, shape (points,)
        In steps of the output.
    """
    noise = STRAIGHT * (1 + float(np.max(np.abs(values))))
    bounds = _kinks(x, values, noise)
    tolerance = HALF_STEP
    while bounds is None:
        bounds = _greedy(x, values, tolerance)
        tolerance *= 2
    lines = [_line(x[first:last], values[first:last]) for first, last in bounds]
    starts, ends = (
        np.array([x[place] for place in places]) for places in zip(*((a, b - 1) for a, b in bounds), strict=True)
    )
    return Pieces(starts, ends, np.array([line[0] for line in lines]), np.array([line[1] for line in lines]))


def _kinks(x: np.ndarray, values: np.ndarray, noise: float) -> list[tuple[int, int]] | None:
    """Cut where a line would not meet the next point; None if that is more than a few times."""
    bounds: list[tuple[int, int]] = []
    first = 0
    while first < len(x):
        if len(bounds) == FEW_PIECES:
            return None
        rest, seen = x[first:] - x[first], values[first:] - values[first]
        last, size = 1, 64
        while last < len(rest):
            # A line from the first point through the farthest one that lies on it: rounding noise does not grow.
            slope = seen[min(last, len(rest) - 1)] / rest[min(last, len(rest) - 1)]
            stretch = slice(last, min(last + size, len(rest)))
            off = np.flatnonzero(np.abs(seen[stretch] - slope * rest[stretch]) > noise)
            if len(off):
                last += int(off[0])
                break
            last = stretch.stop
            size *= 2
        bounds.append((first, first + last))
        first += last
    return bounds


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
