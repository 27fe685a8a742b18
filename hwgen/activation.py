"""Functions of one integer per channel: the result of tabulating a chain of elementwise operators."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["FEW_LEVELS", "Lookup", "Positions", "Thresholds"]


FEW_LEVELS = 32
"""Levels up to which each is compared by itself."""


@dataclass(frozen=True)
class Positions:
    """Which row of a table holds at each position of a map.

    The class of position (y, x) is ``rows[y] * (max(columns) + 1) + columns[x]``.

    Parameters
    ----------
    rows, columns : tuple of int
        Class of each row and of each column of the map.
    """

    rows: tuple[int, ...] = (0,)
    columns: tuple[int, ...] = (0,)

    @classmethod
    def uniform(cls, height: int, width: int) -> Positions:
        """Give one class for a whole map."""
        return cls((0,) * height, (0,) * width)

    @property
    def count(self) -> int:
        """Number of classes."""
        return (max(self.rows) + 1) * (max(self.columns) + 1)

    def classes(self) -> np.ndarray:
        """Give the class of every position: int64 (height, width)."""
        return np.add.outer(np.array(self.rows) * (max(self.columns) + 1), np.array(self.columns))


@dataclass(frozen=True, eq=False)
class Thresholds:
    """Rising steps: code = ``low + number of levels t with accumulator >= t``.

    Parameters
    ----------
    levels : ndarray of int64, shape (classes, channels, steps)
        Sorted along the last axis. A level above the largest accumulator never fires, one at or below the smallest always does.
        A bipolar output has one step; its code is -1 below the level and +1 from it on.
    positions : Positions
        Class of each position of the output map.
    """

    levels: np.ndarray
    positions: Positions

    @property
    def steps(self) -> int:
        """Number of levels a channel."""
        return int(self.levels.shape[2])

    def counts(self, accumulators: np.ndarray) -> np.ndarray:
        """Count the levels reached: (frames, height, width, channels) int64 -> same shape."""
        if self.steps > FEW_LEVELS:
            return self._searched(accumulators)
        table = self.levels[self.positions.classes()]
        return np.asarray(np.sum(accumulators[..., None] >= table[None], axis=-1, dtype=np.int64))

    def _searched(self, accumulators: np.ndarray) -> np.ndarray:
        """Count by halving, which many levels need."""
        classes, counts = self.positions.classes(), np.empty(accumulators.shape, dtype=np.int64)
        for number, of_class in enumerate(self.levels):
            here = classes == number
            for channel, levels in enumerate(of_class):
                counts[:, here, channel] = np.searchsorted(levels, accumulators[:, here, channel], side="right")
        return counts


@dataclass(frozen=True, eq=False)
class Lookup:
    """Any function of an integer: code = ``table[class, channel, x - low]``.

    Parameters
    ----------
    table : ndarray of int64, shape (classes, channels, entries)
        One code for each input from ``low`` to ``low + entries - 1``.
    low : int
        Input of the first entry.
    positions : Positions
        Class of each position of the map.
    """

    table: np.ndarray
    low: int
    positions: Positions

    def values(self, x: np.ndarray) -> np.ndarray:
        """Look up: (frames, height, width, channels) int64 -> same shape."""
        classes = self.positions.classes()[None, :, :, None]
        return self.table[classes, np.arange(self.table.shape[1]), x - self.low]
