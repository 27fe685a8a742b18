"""Whether a pipeline comes to rest before its work is done, whatever its timing: only the order of work and the FIFOs' depths decide."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwgen.timing.schedule import INFINITY, Intake, Outlet, Schedule

__all__ = ["full_streams"]


class _Marks:
    """For every event of a stage, how far its neighbours must have come; all rise from event to event."""

    def __init__(self, schedule: Schedule, frames: int) -> None:
        self.fired = 0
        self.total = len(schedule.events) * frames
        self.intakes = [_Taking(intake, len(schedule.events), frames) for intake in schedule.intakes]
        self.outlets = [_Giving(outlet, len(schedule.events), frames) for outlet in schedule.outlets]


class _Taking:
    """An intake's beats, counted."""

    def __init__(self, intake: Intake, events: int, frames: int) -> None:
        frame = np.arange(frames)[:, None]
        self.accept = None if intake.accept is None else (intake.accept + frame * events).ravel()
        if intake.need is not None and intake.room is not None:
            need = np.where(intake.need >= 0, intake.need + frame * intake.beats + 1, 0)
            self.need = np.maximum.accumulate(need.ravel())
            self.room = np.maximum.accumulate((intake.room + frame * events).ravel())

    def taken(self, fired: int, offered: int) -> int:
        """Give the beats taken once ``fired`` events are done and ``offered`` beats have been yielded."""
        if self.accept is not None:
            return int(np.searchsorted(self.accept, fired))
        return min(offered, int(np.searchsorted(self.room, fired)))

    def allows(self, taken: int, offered: int) -> int:
        """Give the events that can be done."""
        if self.accept is not None:
            return int(self.accept[offered]) if offered < len(self.accept) else INFINITY
        return int(np.searchsorted(self.need, taken, side="right"))


class _Giving:
    """An outlet's beats, counted."""

    def __init__(self, outlet: Outlet, events: int, frames: int) -> None:
        self.emit = (outlet.emit + np.arange(frames)[:, None] * events).ravel()
        self.slots = outlet.slots

    def given(self, fired: int) -> int:
        """Give the beats yielded by so many events."""
        return int(np.searchsorted(self.emit, fired))

    def allows(self, left: int) -> int:
        """Give the events that can be done once so many beats have left."""
        return int(self.emit[left + self.slots]) if left + self.slots < len(self.emit) else INFINITY


def full_streams(schedules: Sequence[Schedule], feeds: Sequence[tuple[int, ...]], frames: int) -> tuple[int, ...]:
    """Play a pipeline without regard to time until nothing can happen.

    Parameters
    ----------
    schedules, feeds
        As for `hwgen.timing.predict.predict`.
    frames : int
        Frames to work through.

    Returns
    -------
    tuple of int
        Nothing if all work gets done; else the streams whose FIFOs are full and keep their writers from going on.
    """
    stages = [_Marks(schedule, frames) for schedule in schedules]
    numbers = iter(range(1, 1 + sum(len(stage.outlets) for stage in stages)))
    yields = [[next(numbers) for _ in stage.outlets] for stage in stages]
    given = [stages[0].intakes[0].taken(stages[0].total, INFINITY), *(0 for streams in yields for _ in streams)]
    taken = [0] * len(given)
    readers = {stream for streams in feeds for stream in streams}

    def advance(number: int) -> bool:
        """Do what a stage can do; tell whether that was anything."""
        stage, before = stages[number], (stages[number].fired, [taken[stream] for stream in feeds[number]])
        limits = [stage.total]
        for intake, stream in zip(stage.intakes, feeds[number], strict=True):
            taken[stream] = intake.taken(stage.fired, given[stream])
            limits.append(intake.allows(taken[stream], given[stream]))
        limits += [outlet.allows(taken[s]) for outlet, s in zip(stage.outlets, yields[number], strict=True)]
        stage.fired = max(stage.fired, min(limits))
        for intake, stream in zip(stage.intakes, feeds[number], strict=True):
            taken[stream] = intake.taken(stage.fired, given[stream])
        for outlet, stream in zip(stage.outlets, yields[number], strict=True):
            given[stream] = outlet.given(stage.fired)
            if stream not in readers:
                taken[stream] = given[stream]
        return before != (stage.fired, [taken[stream] for stream in feeds[number]])

    order = [*range(len(stages)), *reversed(range(len(stages)))]
    while any([advance(number) for number in order]):
        pass
    return tuple(
        stream
        for stage, streams in zip(stages, yields, strict=True)
        for outlet, stream in zip(stage.outlets, streams, strict=True)
        if stage.fired < stage.total and outlet.allows(taken[stream]) <= stage.fired
    )
