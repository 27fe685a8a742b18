"""Predict the cycle of every transfer in a pipeline of stages, without simulating its hardware."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwgen.timing.earliest import Deadlock, System
from hwgen.timing.feeds import check_feeds, yielded
from hwgen.timing.places import picked, stored
from hwgen.timing.schedule import INFINITY, Schedule

__all__ = ["Deadlock", "Prediction", "predict"]

EXACT_EVENTS = 2_000_000
"""Events up to which every frame is solved; longer runs continue the periodic regime, once there is one."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """Cycles of all transfers of a run whose source always offers and whose sink always takes.

    Parameters
    ----------
    schedules : tuple of Schedule
        The stages, in order.
    frames : int
        Frames that were solved.
    transfers : tuple of ndarray of int64
        ``transfers[n][k]``: cycle in which beat ``k`` of stream ``n`` is transferred. Stream 0 enters the first stage; then come the streams that the
        stages yield, in the stages' order, so in a chain stream ``n`` enters stage ``n``. The last one leaves the pipeline. Cycle 0 is that of
        the first beat into the first stage.
    events : tuple of ndarray of int64
        ``events[s][e]``: cycle of event ``e`` of stage ``s``.
    """

    schedules: tuple[Schedule, ...]
    frames: int
    transfers: tuple[np.ndarray, ...]
    events: tuple[np.ndarray, ...]

    @property
    def latency(self) -> int:
        """Cycles from a frame's first input transfer to its last output transfer, through an empty pipeline."""
        return int(self.transfers[-1][self._beats - 1])

    @property
    def ii(self) -> int:
        """Cycles between the last beats of the last two frames: the initiation interval once the pipeline is full."""
        if self.frames < 2:
            return max(schedule.steps for schedule in self.schedules)
        return int(self.transfers[-1][-1] - self.transfers[-1][-1 - self._beats])

    @property
    def _beats(self) -> int:
        """Beats a frame that leave the pipeline."""
        return self.schedules[-1].outlets[-1].beats

    def output_cycles(self, frames: int) -> np.ndarray:
        """Give the cycle of every output beat of ``frames`` frames, continuing the last solved frame at its interval."""
        solved = self.transfers[-1][: frames * self._beats].reshape(-1, self._beats).astype(np.int64)
        later = np.arange(1, frames - len(solved) + 1, dtype=np.int64)[:, None] * self.ii
        return np.concatenate([solved, solved[-1] + later]).ravel()

    def occupancy(self, stage: int, outlet: int = 0) -> int:
        """Give the largest number of beats of one of a stage's outlets that are under way or waiting at once."""
        schedule = self.schedules[stage]
        emitted = picked(self.events[stage], schedule.outlets[outlet].emit, len(schedule.events))
        return most_held(emitted, self.transfers[yielded(self.schedules)[stage][outlet]])


def most_held(issued: np.ndarray, left: np.ndarray) -> int:
    """Give the largest number of beats that are issued and have not left; cycles of both rise."""
    gone = np.searchsorted(left, issued, side="left")
    return int(np.max(np.arange(1, len(issued) + 1) - gone))


def predict(schedules: Sequence[Schedule], frames: int, feeds: Sequence[tuple[int, ...]] | None = None) -> Prediction:
    """Solve the timing of a pipeline.

    Parameters
    ----------
    schedules : sequence of Schedule
        Stages in an order in which every stream is yielded before it is read; the last stage's last outlet leaves the pipeline.
    frames : int
        Frames that follow one another without a gap.
    feeds : sequence of tuple of int, or None
        The streams that each stage reads, numbered as in `Prediction.transfers`; None: each stage reads what the one before it yields.

    Returns
    -------
    Prediction
        Of ``frames`` frames, or of as many as `EXACT_EVENTS` allow (at least 4) if fewer and the last of them repeats the one before.

    Raises
    ------
    ValueError
        If a stream's writer and reader disagree about the beats of a frame, or ``frames`` is not positive.
    Deadlock
        If the FIFOs are too shallow for any work to get done.
    """
    if frames < 1:
        raise ValueError(f"A prediction needs at least one frame, not {frames}")
    feeds = [(number,) for number in range(len(schedules))] if feeds is None else feeds
    check_feeds(schedules, feeds)
    per_frame = sum(len(one.events) + sum(intake.beats for intake in one.intakes) for one in schedules)
    solved = min(frames, max(4, EXACT_EVENTS // per_frame))
    system, is_steady = _solve(schedules, feeds, solved)
    while solved < frames and not is_steady:
        # A deep FIFO still fills: what comes later is not yet what comes for ever.
        solved = min(frames, 2 * solved)
        system, is_steady = _solve(schedules, feeds, solved)
    return Prediction(tuple(schedules), solved, tuple(system.transfers), tuple(system.events))


def _solve(schedules: Sequence[Schedule], feeds: Sequence[tuple[int, ...]], frames: int) -> tuple[System, bool]:
    """Solve so many frames; tell also whether the last one repeats the one before."""
    system = System(schedules, feeds, frames)
    steady, remembered = 0, memory(schedules)
    for frame in range(frames):
        system.settle_frame(frame)
        steady = steady + 1 if frame and repeats(system, frame) else 0
        if steady > remembered:
            resume(system, frame)
            break
    return system, steady > 0


def memory(schedules: Sequence[Schedule]) -> int:
    """Give the number of frames before the present one of which any rule speaks."""
    frames = 1
    for schedule in schedules:
        for outlet in schedule.outlets:
            frames = max(frames, -(-outlet.slots // outlet.beats))
        for intake in schedule.intakes:
            if intake.room is not None:
                oldest = int(np.min(intake.room, where=intake.room > -INFINITY, initial=0))
                frames = max(frames, -(oldest // len(schedule.events)))
    return frames


def repeats(system: System, frame: int) -> bool:
    """Tell whether all that happened in a frame happened in the one before, so many cycles earlier."""
    shift = None
    for times in (system.transfers[-1], *system.events, *system.transfers):
        beats = len(times) // system.frames
        this, before = (times[number * beats : (number + 1) * beats] for number in (frame, frame - 1))
        shift = int(this[0] - before[0]) if shift is None else shift
        if not np.array_equal(this, before + shift):
            return False
    return True


def resume(system: System, frame: int) -> None:
    """Continue as in the last frames: what repeats for as long as any rule reaches back repeats for ever."""
    for arrays in (system.events, system.transfers):
        for number, times in enumerate(arrays):
            rows = times.reshape(system.frames, -1).astype(np.int64)
            shift = rows[frame, 0] - rows[frame - 1, 0]
            rows[frame + 1 :] = rows[frame] + shift * np.arange(1, system.frames - frame, dtype=np.int64)[:, None]
            arrays[number] = stored(rows.ravel())
