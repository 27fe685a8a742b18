"""One direction of a sliding window: which positions of the map a window taps, waits for and gives up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

__all__ = ["Axis", "Moves", "moves_ahead", "moves_behind", "pixels_freed", "pixels_held", "pixels_needed"]


@dataclass(frozen=True)
class Axis:
    """The windows along one direction of a padded map.

    Parameters
    ----------
    size : int
        Positions of the map.
    kernel, stride, dilation : int
        Taps of a window, step between windows, step between taps.
    before, after : int
        Padding in front of and behind the map.

    Raises
    ------
    ValueError
        If no window fits, or none reaches the map.
    """

    size: int
    kernel: int = 1
    stride: int = 1
    dilation: int = 1
    before: int = 0
    after: int = 0

    def __post_init__(self) -> None:
        if self.padded < self.span:
            raise ValueError(f"A window of {self.span} does not fit into {self.padded} positions")
        if not any(self.reaches):
            raise ValueError(f"No window reaches the map: {self}")

    @property
    def span(self) -> int:
        """Extent of the dilated kernel."""
        return (self.kernel - 1) * self.dilation + 1

    @property
    def padded(self) -> int:
        """Extent of the padded map."""
        return self.before + self.size + self.after

    @property
    def walked(self) -> int:
        """Extent of the padded map without the padding behind its last window."""
        return max(self.before + self.size, (self.windows - 1) * self.stride + self.span)

    @property
    def windows(self) -> int:
        """How many windows there are."""
        return (self.padded - self.span) // self.stride + 1

    @cached_property
    def is_padded(self) -> bool:
        """Whether any window taps the padding."""
        return self.before > 0 or self.walked > self.before + self.size

    def taps(self, window: int) -> list[int]:
        """Give the map positions that a window taps, without those in the padding."""
        start = window * self.stride - self.before
        positions = range(start, start + self.span, self.dilation)
        return [position for position in positions if 0 <= position < self.size]

    @cached_property
    def reaches(self) -> tuple[bool, ...]:
        """Whether each window taps the map at all."""
        return tuple(bool(self.taps(window)) for window in range(self.windows))

    @cached_property
    def last(self) -> tuple[int, ...]:
        """The last position that each window taps; 0 if it taps only padding."""
        return tuple(max(self.taps(window), default=0) for window in range(self.windows))

    @cached_property
    def first(self) -> tuple[int, ...]:
        """The first position that each window or a later one taps, then ``size``; the first window's is always 0."""
        needed = [self.size]
        for window in reversed(range(1, self.windows)):
            needed.append(min([needed[-1], *self.taps(window)]))
        return (0, *reversed(needed))


def pixels_needed(rows: Axis, columns: Axis, row: int, column: int) -> int:
    """Give the pixels of the map, in raster order, up to the last that a window taps; 1 if none (the frame began)."""
    return rows.last[row] * columns.size + columns.last[column] + 1 if rows.reaches[row] else 1


def pixels_freed(rows: Axis, columns: Axis, row: int, column: int) -> int:
    """Give the pixels of the map, in raster order, up to the first that a window or a later one taps."""
    moves = rows.first[row + 1] > rows.first[row]
    return rows.first[row] * columns.size + (columns.first[column] if moves else 0)


@lru_cache(maxsize=1024)
def pixels_held(rows: Axis, columns: Axis) -> int:
    """Give the most pixels that a window needs and neither it nor an earlier one has freed."""
    reaches, moves = np.array(rows.reaches), np.diff(rows.first) > 0
    needed = reaches[:, None] * np.add.outer(np.array(rows.last) * columns.size, columns.last) + 1
    freed = np.add.outer(np.array(rows.first[:-1]) * columns.size, np.zeros(columns.windows, dtype=np.int64))
    freed += moves[:, None] * np.array(columns.first[:-1])
    return int(np.max(needed - freed))


class Moves(NamedTuple):
    """Words by which the next window differs from the present one.

    Parameters
    ----------
    chosen : tuple of bool
        For each row: whether its columns make steps.
    steps : tuple of int
        From each column but the last to the next.
    turns : tuple of int
        From the last column of each row to the first of the next.
    """

    chosen: tuple[bool, ...]
    steps: tuple[int, ...]
    turns: tuple[int, ...]


def moves_ahead(rows: Axis, columns: Axis, words: int) -> Moves:
    """Give how much further each next window reaches, ``words`` words a pixel."""
    starts = [pixels_needed(rows, columns, row, 0) for row in range(rows.windows)]
    ends = [pixels_needed(rows, columns, row, columns.windows - 1) for row in range(rows.windows)]
    starts.append(rows.size * columns.size + starts[0])
    return _moves(rows.reaches, columns.last, starts[1:], ends, words)


def moves_behind(rows: Axis, columns: Axis, words: int) -> Moves:
    """Give how much later each next window begins, ``words`` words a pixel."""
    starts = [first * columns.size for first in rows.first]
    ends = [pixels_freed(rows, columns, row, columns.windows - 1) for row in range(rows.windows)]
    moves = [after > before for before, after in pairwise(rows.first)]
    return _moves(moves, columns.first[:-1], starts[1:], ends, words)


def _moves(
    chosen: Sequence[bool], columns: Sequence[int], starts: Sequence[int], ends: Sequence[int], words: int
) -> Moves:
    steps = tuple(words * (after - before) for before, after in pairwise(columns)) or (0,)
    return Moves(tuple(chosen), steps, tuple(words * (start - end) for start, end in zip(starts, ends, strict=True)))
