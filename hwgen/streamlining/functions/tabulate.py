"""All values of a function of one integer, as runs of equal values.

Small ranges are evaluated in full. In a large one the steps of a monotone function are found by bisection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

__all__ = ["Runs", "bisect", "evenly", "tabulate"]

BLOCK = 1 << 20
"""Points evaluated at once."""

PointFunction = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(k (points, elements) int64, element (elements,) int64) -> values (outputs, points, elements)."""


@dataclass(frozen=True, eq=False)
class Runs:
    """Where the values of a function change, sorted by element, then start.

    Parameters
    ----------
    element : ndarray of int64, shape (runs,)
    start, end : ndarray of int64, shape (runs,)
        The run holds for ``start <= k < end``.
    values : ndarray, shape (outputs, runs)
    """

    element: np.ndarray
    start: np.ndarray
    end: np.ndarray
    values: np.ndarray

    def merged(self) -> Runs:
        """Join neighbouring runs with equal values."""
        if len(self.element) == 0:
            return self
        same = (self.element[1:] == self.element[:-1]) & np.all(self.values[:, 1:] == self.values[:, :-1], axis=0)
        first = np.flatnonzero(np.concatenate(([True], ~same)))
        last = np.concatenate((first[1:], [len(self.element)])) - 1
        return Runs(self.element[first], self.start[first], self.end[last], self.values[:, first])

    def with_values(self, values: np.ndarray) -> Runs:
        """Give other values to the same runs, joined anew."""
        return replace(self, values=np.atleast_2d(values)).merged()


def evenly(points: int, count: np.ndarray) -> np.ndarray:
    """Give so many points from 0 to ``count - 1`` of each element, int64 (points, elements), without products beyond an int64."""
    steps = max(points - 1, 1)
    whole, rest = np.divmod(count - 1, steps)
    number = np.arange(points)[:, None]
    return np.asarray(number * whole + number * rest // steps)


def _runs(element: np.ndarray, start: np.ndarray, values: np.ndarray, count: np.ndarray) -> Runs:
    order = np.lexsort((start, element))
    element, start, values = element[order], start[order], values[:, order]
    last = np.concatenate((element[1:] != element[:-1], [True]))
    end = np.where(last, count[element], np.concatenate((start[1:], [0])))
    return Runs(element, start, end, values)


def tabulate(function: PointFunction, count: np.ndarray, limit: int | None = None) -> Runs | None:
    """Evaluate a function at every point; None as soon as there are more than ``limit`` runs.

    Parameters
    ----------
    function : callable
    count : ndarray of int64, shape (elements,)
        Points of each element.
    limit : int, optional
    """
    elements, starts, values, total = [], [], [], 0
    order = np.argsort(count, kind="stable")
    first = 0
    while first < len(order):
        size = max(1, BLOCK // int(count[order[first]]))
        chosen = order[first : first + size]
        while len(chosen) > 1 and int(count[chosen[-1]]) * len(chosen) > 2 * BLOCK:
            chosen = chosen[: len(chosen) // 2]
        first += len(chosen)
        for piece_starts, piece_values, piece_elements in _stretches(function, chosen, count[chosen]):
            starts.append(piece_starts)
            values.append(piece_values)
            elements.append(piece_elements)
            total += len(piece_starts)
            if limit is not None and total > limit:
                return None
    return _runs(np.concatenate(elements), np.concatenate(starts), np.concatenate(values, axis=1), count).merged()


def _stretches(
    function: PointFunction, chosen: np.ndarray, count: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Evaluate some elements, a stretch of points at a time: starts, values and elements of the runs found in each."""
    points = int(count.max())
    stretch = max(1, 2 * BLOCK // len(chosen))
    for first in range(0, points, stretch):
        k = np.arange(first, min(first + stretch, points))[:, None] + np.zeros((1, len(chosen)), dtype=np.int64)
        inside = k < count
        result = function(np.minimum(k, count - 1), chosen)
        new = np.ones(k.shape, dtype=bool)
        new[1:] = np.any(result[:, 1:] != result[:, :-1], axis=0)
        row, column = np.nonzero(new & inside)
        yield k[row, column], result[:, row, column], chosen[column]


def bisect(function: PointFunction, count: np.ndarray, limit: int) -> Runs | None:
    """Find the runs of a function that is monotone in k; None if there are more than ``limit``.

    Parameters
    ----------
    function : callable
    count : ndarray of int64, shape (elements,)
    limit : int
    """
    element = np.arange(len(count))
    low, high = np.zeros_like(count), count - 1
    at_low, at_high = (function(k[None], element)[:, 0] for k in (low, high))
    found = [(element, low, at_low)]
    total = len(element)
    while len(element):
        differs = np.any(at_low != at_high, axis=0)
        narrow, wide = differs & (high - low == 1), differs & (high - low > 1)
        found.append((element[narrow], high[narrow], at_high[:, narrow]))
        total += int(narrow.sum())
        element, low, high = element[wide], low[wide], high[wide]
        if total + len(element) > limit:
            return None
        middle = (low + high) // 2
        at_middle = function(middle[None], element)[:, 0] if len(element) else at_low[:, :0]
        at_low, at_high = (
            np.concatenate((at_low[:, wide], at_middle), axis=1),
            np.concatenate((at_middle, at_high[:, wide]), axis=1),
        )
        element, low, high = np.tile(element, 2), np.concatenate((low, middle)), np.concatenate((middle, high))
    elements, starts, values = zip(*found, strict=True)
    return _runs(np.concatenate(elements), np.concatenate(starts), np.concatenate(values, axis=1), count).merged()
