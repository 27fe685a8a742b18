"""Predict the cycle of every transfer in a pipeline of stages, without simulating its hardware.

Each stage is a timed event graph (`hwgen.schedule.Schedule`), so the earliest times that satisfy all inequalities are the least
fixed point of a max-plus linear system (Baccelli, Cohen, Olsder, Quadrat: *Synchronization and Linearity*, 1992, chapter 2). Each sweep
solves whole stages at once: an in-order chain ``X[e] >= X[e-1] + gap`` is a running maximum of ``bound - step``. Sweeps repeat, in both
directions, until nothing moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import numpy as np

from hwgen.schedule import Schedule

__all__ = ["Prediction", "predict"]

NEVER = np.int64(-(2**61))
"""Lower bound of an event that waits for nothing."""

EXACT_EVENTS = 2_000_000
"""Events up to which every frame is solved; longer runs continue the periodic regime."""


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
        ``transfers[s][k]``: cycle in which beat ``k`` enters stage ``s``; the last array holds the beats that leave the pipeline. Cycle 0 is that of
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
        return int(self.transfers[-1][self.schedules[-1].beats_out - 1])

    @property
    def ii(self) -> int:
        """Cycles between the last beats of the last two frames: the initiation interval once the pipeline is full."""
        beats = self.schedules[-1].beats_out
        if self.frames < 2:
            return max(schedule.cycles for schedule in self.schedules)
        return int(self.transfers[-1][-1] - self.transfers[-1][-1 - beats])

    def output_cycles(self, frames: int) -> np.ndarray:
        """Give the cycle of every output beat of ``frames`` frames, continuing the last solved frame at its interval."""
        beats = self.schedules[-1].beats_out
        solved = self.transfers[-1][: frames * beats].reshape(-1, beats)
        later = np.arange(1, frames - len(solved) + 1, dtype=np.int64)[:, None] * self.ii
        return np.concatenate([solved, solved[-1] + later]).ravel()

    def occupancy(self, stage: int) -> int:
        """Give the largest number of output beats of a stage that are under way or waiting at once."""
        schedule = self.schedules[stage]
        issued = self.events[stage][_tile(schedule.emit, len(schedule.step), self.frames)]
        left = np.searchsorted(self.transfers[stage + 1], issued, side="left")
        return int(np.max(np.arange(1, len(issued) + 1) - left))


def predict(schedules: Sequence[Schedule], frames: int) -> Prediction:
    """Solve the timing of a linear pipeline.

    Parameters
    ----------
    schedules : sequence of Schedule
        Stages in order; the beats that leave one enter the next.
    frames : int
        Frames that follow one another without a gap.

    Returns
    -------
    Prediction
        Of ``frames`` frames, or of as many as `EXACT_EVENTS` allow (at least 4) if fewer.

    Raises
    ------
    ValueError
        If neighbours disagree about the beats of a frame, or ``frames`` is not positive.
    """
    if frames < 1:
        raise ValueError(f"A prediction needs at least one frame, not {frames}")
    for number, (source, reader) in enumerate(pairwise(schedules)):
        if source.beats_out != reader.beats_in:
            raise ValueError(
                f"Stage {number} yields {source.beats_out} beats a frame, but stage {number + 1} takes {reader.beats_in}"
            )
    per_frame = sum(len(schedule.step) + schedule.beats_in for schedule in schedules)
    frames = min(frames, max(4, EXACT_EVENTS // per_frame))
    solvers = [_StageSolver(schedule, frames) for schedule in schedules]
    transfers = [np.zeros(schedule.beats_in * frames, dtype=np.int64) for schedule in schedules]
    leaving = np.zeros(schedules[-1].beats_out * frames, dtype=np.int64)
    transfers.append(leaving)
    offered = [np.zeros(len(beats), dtype=np.int64) for beats in transfers]

    def solve(number: int) -> bool:
        moved = solvers[number].solve(offered[number], transfers[number], transfers[number + 1])
        if moved:
            offered[number + 1] = solvers[number].offers()
            if number + 1 == len(solvers):
                leaving[:] = _in_order(offered[-1], np.arange(len(leaving)))
        return moved

    order = [*range(len(solvers)), *reversed(range(len(solvers) - 1))]
    while any([solve(number) for number in order]):
        pass
    return Prediction(tuple(schedules), frames, tuple(transfers), tuple(solver.events for solver in solvers))


def _tile(index: np.ndarray, period: int, frames: int) -> np.ndarray:
    """Repeat indices into one frame for several frames."""
    return (index[None, :] + period * np.arange(frames, dtype=np.int64)[:, None]).ravel()


def _in_order(bounds: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Give the least times at or after ``bounds`` that are at least as far apart as ``steps``."""
    return np.maximum.accumulate(bounds - steps) + steps


class _StageSolver:
    """One stage's inequalities over all frames, and its present solution."""

    def __init__(self, schedule: Schedule, frames: int) -> None:
        events, beats = len(schedule.step), schedule.beats_in
        self.schedule = schedule
        self.step = _tile(schedule.step, schedule.cycles, frames)
        self.emit = _tile(schedule.emit, events, frames)
        self.events = np.full(len(self.step), NEVER)
        self.beat_order = np.arange(beats * frames, dtype=np.int64)
        if schedule.accept is not None:
            self.accept = _tile(schedule.accept, events, frames)
            return
        need, room = cast(np.ndarray, schedule.need), _tile(cast(np.ndarray, schedule.room), events, frames)
        self.confined = np.flatnonzero(room >= 0)
        self.room = room[self.confined]
        self.waits = np.flatnonzero(np.tile(need >= 0, frames))
        self.need = _tile(need, beats, frames)[self.waits]

    def solve(self, offered: np.ndarray, entering: np.ndarray, leaving: np.ndarray) -> bool:
        """Move events and entering transfers to their least times given the neighbours'; tell whether anything moved."""
        schedule, moved = self.schedule, False
        slots = schedule.slots
        bounds = np.full(len(self.step), NEVER)
        bounds[0] = 0
        bounds[self.emit[slots:]] = leaving[: max(len(leaving) - slots, 0)] + schedule.slot_return
        if schedule.accept is not None:
            bounds[self.accept] = np.maximum(bounds[self.accept], offered)
            times = _in_order(bounds, self.step)
            entered = times[self.accept]
            moved = not np.array_equal(times, self.events)
            self.events = times
            entering[:] = entered
            return moved
        while True:
            bound = offered.copy()
            bound[self.confined] = np.maximum(bound[self.confined], self.events[self.room] + 1)
            entered = _in_order(bound, self.beat_order)
            inner = bounds.copy()
            inner[self.waits] = np.maximum(inner[self.waits], entered[self.need] + schedule.read_latency)
            times = _in_order(inner, self.step)
            if np.array_equal(times, self.events) and np.array_equal(entered, entering):
                return moved
            moved = True
            self.events = times
            entering[:] = entered

    def offers(self) -> np.ndarray:
        """Give the first cycle in which each output beat is on offer."""
        return self.events[self.emit] + self.schedule.latency
