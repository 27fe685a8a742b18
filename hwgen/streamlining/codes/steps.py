"""Thresholds and tables from the runs of a function's codes."""

from __future__ import annotations

import numpy as np

from hwgen.activation import Lookup, Positions, Thresholds
from hwgen.codes import CodeType
from hwgen.streamlining.functions.domain import Integers
from hwgen.streamlining.functions.tabulate import Runs

__all__ = ["first_points", "lookup", "thresholds"]


def first_points(runs: Runs, count: np.ndarray, kind: CodeType, falling: np.ndarray) -> np.ndarray:
    """Find from which point on each level is reached.

    Parameters
    ----------
    runs : Runs
        Of codes, rising with k, or falling where told so.
    count : ndarray of int64, shape (elements,)
    kind : CodeType
    falling : ndarray of bool, shape (elements,)
        Count the points from the other end.

    Returns
    -------
    ndarray of int64, shape (elements, steps)
        0: always; ``count``: never.
    """
    targets = np.array([1]) if kind.bipolar else np.arange(kind.low + 1, kind.high + 1)
    start = np.where(falling[runs.element], count[runs.element] - runs.end, runs.start)
    order = np.lexsort((start, runs.element))
    # One rising sequence for all elements: the first run of an element, at or behind which a level is reached.
    span = kind.high - kind.low + 2
    keys = (runs.element * span + runs.values[0].astype(np.int64) - kind.low)[order]
    elements = np.arange(len(count))[:, None]
    place = np.searchsorted(keys, elements * span + targets - kind.low)
    inside = np.minimum(place, len(keys) - 1)
    reached = (place < len(keys)) & (runs.element[order][inside] == elements)
    return np.asarray(np.where(reached, start[order][inside], count[:, None]))


def thresholds(points: np.ndarray, domain: Integers) -> Thresholds:
    """Turn points into levels: the smallest reachable integer that fires; one step beyond the last for never."""
    shape = domain.low.shape
    levels = domain.low[..., None] + domain.step[..., None] * points.reshape(*shape, -1)
    levels, positions = _fewest_classes(levels, domain.positions)
    return Thresholds(levels, positions)


def lookup(runs: Runs, domain: Integers, low: int, high: int) -> Lookup:
    """Write down the code of every integer from ``low`` to ``high``; what is out of reach gets a neighbour's code."""
    x = np.arange(low, high + 1)
    lows, steps, counts = (array.ravel()[:, None] for array in (domain.low, domain.step, domain.count))
    points = np.clip((x[None] - lows) // steps, 0, counts - 1)
    size = int(domain.count.max()) + 1
    keys = runs.element * size + runs.start
    place = np.searchsorted(keys, np.arange(len(lows))[:, None] * size + points, side="right") - 1
    table = runs.values[0][place].reshape(*domain.low.shape, len(x))
    table, positions = _fewest_classes(table, domain.positions)
    return Lookup(table, low, positions)


def _fewest_classes(table: np.ndarray, positions: Positions) -> tuple[np.ndarray, Positions]:
    """Join classes of rows, then of columns, whose entries are the same."""
    grid = table.reshape(max(positions.rows) + 1, max(positions.columns) + 1, *table.shape[1:])
    rows, keep = _distinct(grid)
    grid = grid[keep]
    columns, keep = _distinct(grid.swapaxes(0, 1))
    grid = grid[:, keep]
    joined = Positions(
        tuple(rows[row] for row in positions.rows), tuple(columns[column] for column in positions.columns)
    )
    return np.ascontiguousarray(grid.reshape(-1, *table.shape[1:])), joined


def _distinct(slices: np.ndarray) -> tuple[list[int], list[int]]:
    """Give each slice the number of its first equal, and the places of the first ones."""
    numbers: dict[bytes, int] = {}
    keep = []
    classes = []
    for place, part in enumerate(slices):
        key = np.ascontiguousarray(part).tobytes()
        if key not in numbers:
            numbers[key] = len(numbers)
            keep.append(place)
        classes.append(numbers[key])
    return classes, keep
