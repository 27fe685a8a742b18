"""Schedules of the sliding window units, and how much the sequential one must hold."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from hwgen.codes import CodeType
from hwgen.errors import OptionError
from hwgen.fold import Fold
from hwgen.layers.protocol import MapShape
from hwgen.layers.window import Window
from hwgen.rtl_templates.windows.sliding_window import SlidingWindow
from hwgen.rtl_templates.windows.window_axis import Axis
from hwgen.timing.schedule import INFINITY, Schedule

__all__ = [
    "axes",
    "default_capacity",
    "has_output_register",
    "pad_words",
    "parallel_cycles",
    "parallel_interval",
    "parallel_schedule",
    "sequential_interval",
    "sequential_schedule",
    "window_capacity",
    "window_latency",
]

FRAMES = 3
"""Frames after which a window memory that is fed without a pause is in its steady state."""


@lru_cache(maxsize=1024)
def axes(window: Window, height: int, width: int) -> tuple[Axis, Axis]:
    """Give the windows' positions along the rows and the columns of a map."""
    top, left, bottom, right = window.pads
    (kernel_y, kernel_x), (stride_y, stride_x), (dilation_y, dilation_x) = window.kernel, window.stride, window.dilation
    return (
        Axis(height, kernel_y, stride_y, dilation_y, top, bottom),
        Axis(width, kernel_x, stride_x, dilation_x, left, right),
    )


def last_pixels(rows: Axis, columns: Axis) -> np.ndarray:
    """Give the last pixel of the map that each window taps, in raster order; 0 if none."""
    last = np.add.outer(np.array(rows.last) * columns.size, np.array(columns.last))
    return np.where(np.array(rows.reaches)[:, None], last, 0).ravel()


def freed_pixels(rows: Axis, columns: Axis) -> np.ndarray:
    """Give, for each window, the first pixel that a later one taps; the map's size after the last window."""
    first = np.array(rows.first)
    moves = first[1:] > first[:-1]
    freed = first[:-1, None] * columns.size + np.where(moves[:, None], np.array(columns.first)[None, 1:], 0)
    freed[:, -1] = first[1:] * columns.size
    return freed.ravel()


@lru_cache(maxsize=4096)
def default_capacity(rows: Axis, columns: Axis, words: int, steps: int, read_latency: int) -> int:
    """Give the least whole pixels, in words, that keep a window unit at full rate.

    No cycle is lost when the input comes evenly, a frame in each interval, nor when it comes as early as there is room.

    Parameters
    ----------
    rows, columns : Axis
    words : int
        Words of a pixel.
    steps : int
        Steps of a window.
    read_latency : int
        Cycles from a word's transfer into the window memory to its transfer out.
    """
    last, freed = last_pixels(rows, columns), freed_pixels(rows, columns)
    pixels, windows = rows.size * columns.size, len(last)
    interval = max(pixels * words, windows * steps)
    frame = np.arange(FRAMES)[:, None]
    last = (last + frame * pixels).ravel()
    freed = (freed + frame * pixels).ravel()
    pixel = np.arange(FRAMES * pixels)
    order = np.arange(FRAMES * windows) * steps

    def ends(entered: np.ndarray) -> np.ndarray:
        """Give the cycle in which each window's last word leaves, its pixels having entered so."""
        ready = entered[last] + read_latency
        return np.maximum.accumulate(ready - order) + order + steps - 1

    first_word, last_word = (word * interval // (pixels * words) for word in (pixel * words, (pixel + 1) * words - 1))
    done = np.searchsorted(ends(last_word), first_word, side="left")
    free = np.where(done > 0, freed[done - 1], 0)
    least = SlidingWindow.least_capacity(rows, columns, 1)
    even = max(least, int(np.max(pixel + 1 - free)))
    if interval > windows * steps:
        return even * words

    def keeps_up(held: int) -> bool:
        """Tell whether windows that follow one another without a pause are never late."""
        giver = np.searchsorted(freed, pixel - held, side="right")
        room = np.where(pixel < held, -INFINITY, order[giver % len(order)] + steps)
        entered = np.maximum.accumulate(room - pixel * words) + pixel * words + words - 1
        return bool(np.all(entered[last[-windows:]] + read_latency <= order[-windows:]))

    low, high = even - 1, 2 * pixels + even
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if keeps_up(middle) else (middle, high)
    return high * words


def window_capacity(name: str, window: Window, in_shape: MapShape, fold: Fold, steps: int) -> int:
    """Give the words that a layer's window memory holds: the fold's choice, or the least that costs no cycle.

    Raises
    ------
    OptionError
        If the fold's buffer cannot hold what one window needs.
    """
    height, width, channels = in_shape
    rows, columns = axes(window, height, width)
    words = channels // fold.simd
    if fold.buffer_beats is None:
        return default_capacity(rows, columns, words, steps, window_latency(fold))
    least = SlidingWindow.least_capacity(rows, columns, words)
    if fold.buffer_beats < least:
        raise OptionError(f"Layer '{name}' needs a buffer of at least {least} beats, not {fold.buffer_beats}")
    return fold.buffer_beats


def pad_words(codes: Sequence[int], code_type: CodeType, lanes: int) -> list[int]:
    """Pack one code a channel into beats of ``lanes`` channels; a single beat if all are equal."""
    bits = [int(field) for field in code_type.to_bits(np.array(codes))]
    words = [
        sum(field << (lane * code_type.bits) for lane, field in enumerate(bits[first : first + lanes]))
        for first in range(0, len(bits), lanes)
    ]
    return words if len(set(words)) > 1 else words[:1]


def window_latency(fold: Fold) -> int:
    """Give the cycles from a word's transfer into the memory of a sequential window unit to its transfer out."""
    return SlidingWindow.read_latency(has_output_register(fold))


def has_output_register(fold: Fold) -> bool:
    """Tell whether a sequential window unit has a register more behind its memory: where the memory of weights has any."""
    return fold.fetch_registers > 0


def sequential_schedule(
    rows: Axis,
    columns: Axis,
    *,
    words: int,
    passes: int,
    pass_steps: int,
    capacity: int,
    latency: int,
    slots: int,
    read_latency: int,
) -> Schedule:
    """Give the schedule of a sequential sliding window unit and the unit that it feeds.

    Each window takes ``passes * pass_steps`` steps, and the last of each pass yields an output beat.

    Parameters
    ----------
    rows, columns : Axis
    words : int
        Input beats of a pixel.
    passes, pass_steps : int
        How often a window yields an output beat, and after how many steps.
    capacity : int
        Words of the window memory.
    latency, slots : int
        As in `Schedule`, counted from the transfer out of the window memory.
    read_latency : int
        Cycles from a word's transfer into it to its transfer out.
    """
    last, freed = last_pixels(rows, columns), freed_pixels(rows, columns) * words
    windows, beats = len(last), rows.size * columns.size * words
    emits = np.arange(1, passes + 1) * pass_steps - 1
    offsets = np.union1d([0], emits)
    events = len(offsets)
    steps = passes * pass_steps
    need = np.full((windows, events), -1)
    need[:, 0] = (last + 1) * words - 1
    emit = np.add.outer(np.arange(windows) * events, np.searchsorted(offsets, emits)).ravel()
    frame, word = np.divmod(np.arange(beats) - capacity, beats)
    giver = np.searchsorted(freed, word, side="right")
    return Schedule.through(
        steps=windows * steps,
        events=np.add.outer(np.arange(windows) * steps, offsets).ravel(),
        emit=emit,
        latency=latency,
        slots=slots,
        need=need.ravel(),
        room=frame * windows * events + giver * events + events - 1,
        read_latency=read_latency,
    )


def sequential_interval(*, axes: tuple[Axis, Axis], words: int, passes: int, pass_steps: int) -> int:
    """Give the interval of `sequential_schedule`, without its events."""
    rows, columns = axes
    return max(rows.windows * columns.windows * passes * pass_steps, rows.size * columns.size * words)


def parallel_interval(*, axes: tuple[Axis, Axis], words: int, replays: int) -> int:
    """Give the interval of `parallel_schedule`, without its events."""
    rows, columns = axes
    return max(parallel_cycles(rows, columns, words, replays), rows.size * columns.size * words)


def parallel_cycles(rows: Axis, columns: Axis, words: int, replays: int) -> int:
    """Give the cycles a frame of a parallel window unit."""
    return words * (rows.walked * columns.walked + rows.windows * columns.windows * (replays - 1))


def parallel_schedule(
    rows: Axis, columns: Axis, *, words: int, replays: int, depth: int, read_latency: int, latency: int, slots: int
) -> Schedule:
    """Give the schedule of a parallel sliding window unit and the unit that it feeds.

    Parameters
    ----------
    rows, columns : Axis
    words : int
        Words of a pixel.
    replays : int
        Transfers of each word of a window, each of which yields an output beat.
    depth : int
        Words of the input queue.
    read_latency : int
        Cycles from a word's transfer into the queue to its use.
    latency, slots : int
        As in `Schedule`, counted from the transfer of the window.
    """
    outside, complete = [], []
    for axis in (rows, columns):
        position = np.arange(axis.walked)
        outside.append((position < axis.before) | (position >= axis.before + axis.size))
        complete.append((position >= axis.span - 1) & ((position - axis.span + 1) % axis.stride == 0))
    real = np.repeat(~np.logical_or.outer(*outside).ravel(), words)
    completes = np.repeat(np.logical_and.outer(*complete).ravel(), words)
    steps = np.where(completes, replays, 1)
    # Padding that completes nothing waits for nothing and gives nothing: no event, but for the frame's first position.
    events = np.where(completes, replays, real)
    events[0] = max(events[0], 1)
    first_event, first_step = (np.cumsum(counts) - counts for counts in (events, steps))
    place = np.repeat(np.arange(len(steps)), events)
    within = np.arange(len(place)) - first_event[place]
    word = np.where(real, np.cumsum(real) - 1, -1)
    word[0] = 0
    pops = (first_event + events - 1)[real]
    frame, number = np.divmod(np.arange(len(pops)) - depth, len(pops))
    return Schedule.through(
        steps=int(steps.sum()),
        events=first_step[place] + within,
        emit=np.flatnonzero(completes[place]),
        latency=latency,
        slots=slots,
        need=np.where(within == 0, word[place], -1),
        room=frame * len(place) + pops[number],
        read_latency=read_latency,
    )
