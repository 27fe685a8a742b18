"""Codes of many levels as straight lines with integer factors that meet every one of them.

A quantiser of 9 to 16 bits has too many levels for comparators, but between its ends it is a line, rounded. Each run of equal
codes bounds the line at the run's first and last integer, so that a line through all runs is the exact function.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["MOST_PIECES", "Stairs", "stairs"]

MOST_PIECES = 8
"""Lines of a channel: a Relu, a rounding away from zero, or a PReLU is two or three."""

MOST_SHIFT = 44
"""Largest shift tried."""

LARGEST = 1 << 61
"""Bound of a product and of a sum."""

ROUNDS = 40
"""Times that a line is drawn anew, through the runs that it missed most."""


@dataclass(frozen=True, eq=False)
class Stairs:
    """Lines: code = ``(factors[n] * x + offsets[n]) >> shift`` from ``starts[n]`` on; ties go to even if so asked.

    Parameters
    ----------
    starts, factors, offsets : ndarray of int64, shape (pieces,)
    shift : int
    """

    starts: np.ndarray
    factors: np.ndarray
    offsets: np.ndarray
    shift: int

    def shifted(self, shift: int) -> Stairs:
        """Give the same function with a larger shift."""
        more = shift - self.shift
        return Stairs(self.starts, self.factors << more, self.offsets << more, shift)


@dataclass(frozen=True, eq=False)
class _Slots:
    """What the sums at each run's first and last integer must lie between, ``below`` and ``above`` included, in units of ``2**-shift``."""

    x: np.ndarray
    code: np.ndarray
    open_below: np.ndarray
    open_above: np.ndarray
    even: bool

    def bounds(self, shift: int) -> tuple[np.ndarray, np.ndarray]:
        """Give the least and the greatest sum at each integer."""
        odd = (self.code & 1) * self.even
        below = (self.code << shift) + odd
        above = ((self.code + 1) << shift) - 1 + (1 - odd) * self.even
        return np.where(self.open_below, -LARGEST, below), np.where(self.open_above, LARGEST, above)

    def part(self, chosen: np.ndarray | slice) -> _Slots:
        """Give some of them."""
        return _Slots(self.x[chosen], self.code[chosen], self.open_below[chosen], self.open_above[chosen], self.even)


def stairs(
    first: np.ndarray, last: np.ndarray, codes: np.ndarray, ends: tuple[int, int], *, even: bool
) -> Stairs | None:
    """Draw lines through runs of codes; None if that takes more than `MOST_PIECES`.

    Parameters
    ----------
    first, last : ndarray of int64, shape (runs,)
        First and last integer of each run, rising.
    codes : ndarray of int64, shape (runs,)
    ends : (int, int)
        Least and greatest code: sums beyond them are clipped.
    even : bool
        Ties go to even.
    """
    low, high = ends
    code, clipped_below, clipped_above = (np.stack([part, part], 1) for part in (codes, codes <= low, codes >= high))
    slots = _Slots(np.stack([first, last], 1), code, clipped_below, clipped_above, even)
    pieces: list[tuple[int, int, int, int]] = []
    start = 0
    while start < len(codes):
        if len(pieces) == MOST_PIECES:
            return None
        end, line = _longest(slots, start, len(codes))
        pieces.append((int(first[start]), *line))
        start = end
    shift = max(piece[3] for piece in pieces)
    starts = np.array([start for start, _, _, _ in pieces])
    factors, offsets = (np.array([piece[n] << shift - piece[3] for piece in pieces]) for n in (1, 2))
    largest = max(abs(int(first[0])), abs(int(last[-1]))) * int(np.abs(factors).max()) + int(np.abs(offsets).max())
    return Stairs(starts, factors, offsets, shift) if largest < LARGEST else None


def _longest(slots: _Slots, start: int, count: int) -> tuple[int, tuple[int, int, int]]:
    """Find how far a line from a run on meets all runs: the run behind, and the line."""
    line = _line(slots.part(slice(start, count)))
    if line is not None:
        return count, line
    good, bad = start, count
    best = (0, 0, 0)
    size = 1
    while bad - good > 1:
        # A kink is near as often as it is far: sizes double until one is too many.
        middle = min(start + size, (good + bad) // 2) if bad == count else (good + bad) // 2
        middle = max(middle, good + 1)
        size *= 2
        line = _line(slots.part(slice(start, middle)))
        if line is None:
            bad = middle
        else:
            good, best = middle, line
    return good, best


def _line(slots: _Slots) -> tuple[int, int, int] | None:
    """Find factor, offset and shift of a line that meets all slots; None if there is none."""
    code, x = slots.code.ravel(), slots.x.ravel()
    if np.all(code == code[0]):
        return 0, (2 * int(code[0]) + 1) << slots.even, 1 + slots.even
    flat = _Slots(x, code, slots.open_below.ravel(), slots.open_above.ravel(), slots.even)
    chosen = np.unique(
        [
            0,
            1,
            len(x) - 2,
            len(x) - 1,
            int(np.argmax(code > code[0])),
            int(len(x) - 1 - np.argmax(code[::-1] < code[-1])),
        ]
    )
    for _ in range(ROUNDS):
        slope = _slope(flat.part(chosen))
        found = _integers(flat.part(chosen), slope)
        if found is None:
            return None
        missed = _missed(flat, *found)
        if not len(missed):
            return found
        chosen = np.union1d(chosen, missed)
    return None


def _slope(slots: _Slots) -> float:
    """Give the slope of the line that keeps farthest from the bounds of few slots."""
    below, above = (
        np.where(wide, side * np.inf, slots.code + add)
        for wide, side, add in ((slots.open_below, -1, 0), (slots.open_above, 1, 1))
    )

    def margin(slope: np.ndarray) -> np.ndarray:
        turned = slope[:, None] * slots.x
        return np.asarray(np.min(above - turned, axis=1) - np.max(below - turned, axis=1))

    extent = float(slots.x[-1] - slots.x[0])
    middle = float(slots.code[-1] - slots.code[0]) / extent
    reach = 2 * (abs(middle) + 2 / extent) if np.isfinite(extent) else 1.0
    low, high = middle - reach, middle + reach
    for _ in range(24):
        # The margin is concave: the best of many slopes has the best of all beside it.
        tried = np.linspace(low, high, 9)
        best = int(np.argmax(margin(tried)))
        low, high = tried[max(best - 1, 0)], tried[min(best + 1, 8)]
    return (low + high) / 2


def _integers(slots: _Slots, slope: float) -> tuple[int, int, int] | None:
    """Find the least shift with which a factor near the slope has an offset that meets all slots."""
    largest = float(np.abs(slots.x).max()) * abs(slope) + float(np.abs(slots.code).max()) + 1
    for shift in range(1, MOST_SHIFT + 1):
        if np.ldexp(largest, shift) > LARGEST / 4:
            break
        below, above = slots.bounds(shift)
        nearest = round(float(np.ldexp(slope, shift)))
        for factor in (nearest, nearest - 1, nearest + 1):
            turned = factor * slots.x
            low, high = int(np.max(below - turned)), int(np.min(above - turned))
            if low <= high:
                return factor, (low + high) // 2, shift
    return None


def _missed(slots: _Slots, factor: int, offset: int, shift: int) -> np.ndarray:
    """Give the slots that a line misses by most, one of each side."""
    below, above = slots.bounds(shift)
    total = factor * slots.x + offset
    short, beyond = below - total, total - above
    return np.array(
        [place for off, place in ((part.max(), int(part.argmax())) for part in (short, beyond)) if off > 0],
        dtype=np.int64,
    )
