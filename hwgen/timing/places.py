"""Places within a frame, repeated for several frames without a list of all of them; and times in as few bytes as hold them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

__all__ = ["compact", "in_frames", "in_order", "lower_at", "picked", "raise_at", "raise_to", "stored", "tile"]

GREATEST = 1 << 30
"""Numbers below it are kept in four bytes: half of what these can hold, so that a latency more is no danger."""


def compact(places: np.ndarray) -> np.ndarray:
    """Give integers in four bytes where these hold them; a frame's places one after the other are the same array for all who have as many."""
    if len(places) and places[0] == 0 and places[-1] == len(places) - 1:
        every = _every(len(places))
        if np.array_equal(places, every):
            return every
    return stored(places)


@lru_cache(maxsize=64)
def _every(count: int) -> np.ndarray:
    """Give the numbers up to a count."""
    numbers = np.arange(count, dtype=np.int32 if count < GREATEST else np.int64)
    numbers.flags.writeable = False
    return numbers


def stored(numbers: np.ndarray) -> np.ndarray:
    """Give integers in four bytes if these hold them."""
    if numbers.dtype == np.int32 or not len(numbers):
        return numbers
    fits = int(numbers.min()) > -GREATEST and int(numbers.max()) < GREATEST
    return numbers.astype(np.int32) if fits else numbers.astype(np.int64, copy=False)


def tile(index: np.ndarray, period: int, frames: int) -> np.ndarray:
    """Repeat indices into one frame for several frames."""
    return in_frames(index, period, slice(0, frames))


def in_frames(index: np.ndarray, period: int, window: slice) -> np.ndarray:
    """Repeat indices into one frame for the frames of a window."""
    frame = np.arange(window.start, window.stop, dtype=np.int64)
    return (index[None, :] + period * frame[:, None]).ravel()


def picked(numbers: np.ndarray, index: np.ndarray, period: int) -> np.ndarray:
    """Give what stands at rising places, each named once, of every frame; where these are all, it may be the array itself."""
    return numbers if len(index) == period else numbers.reshape(-1, period)[:, index].ravel()


def raise_at(bounds: np.ndarray, index: np.ndarray, period: int, least: np.ndarray) -> None:
    """Raise bounds at rising places of every frame, each named once, to at least the given ones."""
    if len(index) == period:
        np.maximum(bounds, least, out=bounds)
    elif len(index):
        rows = bounds.reshape(-1, period)
        rows[:, index] = np.maximum(rows[:, index], least.reshape(-1, len(index)))


def lower_at(bounds: np.ndarray, index: np.ndarray, period: int, most: np.ndarray) -> None:
    """Lower bounds at rising places of every frame, each named once, to at most the given ones."""
    if len(index) == period:
        np.minimum(bounds, most, out=bounds)
    elif len(index):
        rows = bounds.reshape(-1, period)
        rows[:, index] = np.minimum(rows[:, index], most.reshape(-1, len(index)))


def raise_to(bounds: np.ndarray, places: np.ndarray, least: np.ndarray) -> None:
    """Raise bounds at some rising places to at least the given ones."""
    if len(places) == len(bounds):
        np.maximum(bounds, least, out=bounds)
    elif len(places) and places[-1] - places[0] + 1 == len(places):
        part = bounds[places[0] : places[-1] + 1]
        np.maximum(part, least, out=part)
    else:
        bounds[places] = np.maximum(bounds[places], least)


def in_order(bounds: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Give the least times at or after ``bounds`` that are at least as far apart as ``steps``."""
    return np.maximum.accumulate(bounds - steps) + steps
