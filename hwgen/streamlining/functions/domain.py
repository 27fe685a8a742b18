"""Which numbers a function is tabulated over: the integers that an accumulator can reach, or all float32 numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.activation import Positions
from hwgen.codes import CodeType

__all__ = ["LIMIT", "Floats", "Integers", "codes_domain"]

LIMIT = 1e30
"""Largest input of a quantiser that is monotone node by node."""


@dataclass(frozen=True, eq=False)
class Integers:
    """For each element (class of positions, channel) the numbers ``low + step * k`` for ``0 <= k < count``.

    An accumulator of +-1 weights and bipolar codes has the parity of its fan-in: step 2.

    Parameters
    ----------
    low, step, count : ndarray of int64, shape (classes, channels)
    positions : Positions
        Class of each position of the map.
    """

    low: np.ndarray
    step: np.ndarray
    count: np.ndarray
    positions: Positions

    @property
    def high(self) -> np.ndarray:
        """Largest number of each element."""
        return np.asarray(self.low + self.step * (self.count - 1))

    def values(self, k: np.ndarray, element: np.ndarray) -> np.ndarray:
        """Give the k-th number of each element: shapes (points, elements) and (elements,)."""
        return np.asarray(self.low.ravel()[element] + self.step.ravel()[element] * k)

    def merged(self) -> Integers:
        """Give one class for the whole map, with whatever any position reaches."""
        low, high = self.low.min(axis=0), self.high.max(axis=0)
        step = np.gcd(
            np.gcd.reduce(np.where(self.count > 1, self.step, 0), axis=0), np.gcd.reduce(self.low - low, axis=0)
        )
        step = np.maximum(step, 1)
        uniform = Positions.uniform(len(self.positions.rows), len(self.positions.columns))
        return Integers(low[None], step[None], ((high - low) // step + 1)[None], uniform)

    def spread(self, positions: Positions) -> Integers:
        """Give the same numbers for finer classes of positions."""
        coarse, fine = self.positions.classes(), positions.classes()
        source = np.zeros(positions.count, dtype=np.int64)
        source[fine.ravel()] = coarse.ravel()
        return Integers(self.low[source], self.step[source], self.count[source], positions)


def codes_domain(kind: CodeType, shape: tuple[int, int, int]) -> Integers:
    """Give all codes of a type for every channel of a map."""
    step = 2 if kind.bipolar else 1
    ones = np.ones((1, shape[2]), dtype=np.int64)
    count = (kind.high - kind.low) // step + 1
    return Integers(ones * kind.low, ones * step, ones * count, Positions.uniform(*shape[:2]))


@dataclass(frozen=True, eq=False)
class Floats:
    """For each channel all float32 numbers from ``-limit`` to ``limit``, in order.

    Parameters
    ----------
    limit : float
    positions : Positions
        One class for the whole map.
    channels : int
    """

    limit: float
    positions: Positions
    channels: int

    @property
    def count(self) -> np.ndarray:
        """How many numbers each element has: int64 (1, channels)."""
        return np.full((1, self.channels), 2 * self._last() + 1, dtype=np.int64)

    def _last(self) -> int:
        return int(np.float32(self.limit).view(np.int32))

    def values(self, k: np.ndarray, element: np.ndarray) -> np.ndarray:
        """Give the k-th float32 number."""
        key = np.asarray(k, dtype=np.int64) - self._last()
        magnitude = np.abs(key).astype(np.int32).view(np.float32)
        return np.where(key < 0, -magnitude, magnitude)
