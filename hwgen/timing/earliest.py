"""The inequalities of a pipeline of stages, and the least times that satisfy them.

Each stage is a timed event graph (`hwgen.timing.schedule`), so the earliest times that satisfy all inequalities are the least
fixed point of a max-plus linear system (Baccelli, Cohen, Olsder, Quadrat: *Synchronization and Linearity*, 1992, chapter 2). An in-order chain
``X[e] >= X[e-1] + gap`` is a running maximum of ``bound - step``, so a stage is solved at once. Sweeps along the pipeline and back repeat until nothing
moves; only stages whose neighbours moved are solved again.

Streams are numbered: 0 enters the first stage; then come the streams that the stages yield, stage by stage. The last one leaves the pipeline.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwgen.timing.deadlock import full_streams
from hwgen.timing.feeds import yielded
from hwgen.timing.schedule import INFINITY, Intake, Outlet, Schedule

__all__ = ["Deadlock", "System"]

NEVER = np.int64(-INFINITY)
"""Lower bound of an event that waits for nothing."""

PATIENCE = 1000
"""Sweeps after which a deadlock is looked for: times that wait for one another rise for ever."""


class Deadlock(ValueError):
    """Stages wait for one another in a circle.

    Parameters
    ----------
    streams : sequence of int
        Streams whose FIFO is full while no more beats leave it.
    """

    def __init__(self, streams: Sequence[int]) -> None:
        self.streams = tuple(streams)
        super().__init__(f"The pipeline comes to rest: the FIFOs of streams {self.streams} are full")


def tile(index: np.ndarray, period: int, frames: int) -> np.ndarray:
    """Repeat indices into one frame for several frames."""
    return (index[None, :] + period * np.arange(frames, dtype=np.int64)[:, None]).ravel()


def in_order(bounds: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Give the least times at or after ``bounds`` that are at least as far apart as ``steps``."""
    return np.maximum.accumulate(bounds - steps) + steps


class _Entry:
    """An intake over all frames."""

    def __init__(self, intake: Intake, events: int, frames: int) -> None:
        self.beats = intake.beats
        self.read_latency = intake.read_latency
        self.buffered = intake.need is not None and intake.room is not None
        if intake.accept is not None:
            self.accept = tile(intake.accept, events, frames)
        if intake.need is not None and intake.room is not None:
            room = tile(intake.room, events, frames)
            self.confined = np.flatnonzero(room >= 0)
            self.room = room[self.confined]
            self.waits = np.flatnonzero(np.tile(intake.need >= 0, frames))
            self.need = tile(intake.need, self.beats, frames)[self.waits]

    def taken(self, offers: np.ndarray, transfers: np.ndarray, events: np.ndarray, part: slice) -> np.ndarray:
        """Give the least cycles in which the buffer takes some beats, those before them being settled."""
        bounds = offers[part].copy()
        if part.start:
            bounds[0] = max(bounds[0], transfers[part.start - 1] + 1)
        first, last = np.searchsorted(self.confined, (part.start, part.stop))
        raise_to(bounds, self.confined[first:last] - part.start, events[self.room[first:last]] + 1)
        return in_order(bounds, np.arange(len(bounds), dtype=np.int64))


class _Exit:
    """An outlet over all frames."""

    def __init__(self, outlet: Outlet, events: int, frames: int) -> None:
        self.beats = outlet.beats
        self.latency, self.slots, self.slot_return = outlet.latency, outlet.slots, outlet.slot_return
        self.emit = tile(outlet.emit, events, frames)

    def freed(self, transfers: np.ndarray, window: slice) -> tuple[np.ndarray, np.ndarray]:
        """Give the events of some frames that need a slot which was used before, and the cycles in which it is free again."""
        first, last = max(window.start * self.beats, self.slots), max(window.stop * self.beats, self.slots)
        return self.emit[first:last], transfers[first - self.slots : last - self.slots] + self.slot_return


class _Rules:
    """A stage's inequalities over all frames."""

    def __init__(self, schedule: Schedule, frames: int) -> None:
        self.events = len(schedule.events)
        self.step = tile(schedule.events, schedule.steps, frames)
        self.entries = [_Entry(intake, self.events, frames) for intake in schedule.intakes]
        self.exits = [_Exit(outlet, self.events, frames) for outlet in schedule.outlets]


class System:
    """A pipeline over so many frames, with the times found so far: lower bounds of the least solution.

    Parameters
    ----------
    schedules : sequence of Schedule
        The stages, in an order in which every stream is yielded before it is read.
    feeds : sequence of tuple of int
        The streams that each stage reads.
    frames : int

    Members
    -------
    schedules : list of Schedule
    events : list of ndarray
        Cycle of every event of each stage.
    transfers : list of ndarray
        Cycle of every beat of each stream.
    """

    def __init__(self, schedules: Sequence[Schedule], feeds: Sequence[tuple[int, ...]], frames: int) -> None:
        self.schedules, self.frames = list(schedules), frames
        self.feeds, self.yields = feeds, yielded(schedules)
        self.rules = [_Rules(schedule, frames) for schedule in schedules]
        self.events = [np.full(len(rules.step), NEVER) for rules in self.rules]
        counts = [schedules[0].intakes[0].beats, *(outlet.beats for one in schedules for outlet in one.outlets)]
        self.transfers = [np.zeros(count * frames, dtype=np.int64) for count in counts]
        self.offers = [np.zeros(count * frames, dtype=np.int64) for count in counts]
        self.reader = {stream: number for number, streams in enumerate(feeds) for stream in streams}
        self.writer = {stream: number for number, streams in enumerate(self.yields) for stream in streams}
        self._restless: set[int] = set()
        self._replaced: set[int] = set()

    def copy(self) -> System:
        """Give a system that can be changed and settled over all frames while this one stays as it is."""
        other = object.__new__(System)
        other.__dict__ |= self.__dict__
        for name in ("schedules", "rules", "events", "transfers", "offers", "_restless", "_replaced"):
            setattr(other, name, getattr(self, name).copy())
        return other

    def replace(self, number: int, schedule: Schedule) -> None:
        """Give a stage other rules, none of which lets anything happen earlier than its present ones."""
        self.schedules[number] = schedule
        self.rules[number] = _Rules(schedule, self.frames)
        self._restless.add(number)
        self._replaced.add(number)

    def settle_frame(self, frame: int) -> None:
        """Move all times of a frame, those before it being settled, to the least that satisfy every rule.

        Raises
        ------
        Deadlock
            If stages wait for one another in a circle.
        """
        self._restless = set(range(len(self.rules)))
        sweeps = 0
        while self._restless:
            self._sweep(slice(frame, frame + 1))
            sweeps += 1
            if sweeps == PATIENCE:
                stuck = full_streams(self.schedules, self.feeds, frame + 1)
                if stuck:
                    raise Deadlock(stuck)

    def settle(self, by: np.ndarray) -> bool:
        """Settle what `replace` disturbed, over all frames, unless a beat leaves the pipeline too late.

        Parameters
        ----------
        by : ndarray
            Cycles by which the beats must leave.

        Returns
        -------
        bool
            Whether they do. If not, the system is unsettled: some times are too early.
        """
        while self._restless:
            self._sweep(slice(0, self.frames))
            if np.any(self.transfers[-1] > by):
                return False
        return True

    def _sweep(self, window: slice) -> None:
        """Solve the restless stages along the pipeline, and back."""
        order = range(len(self.rules))
        for number in (*order, *order[::-1]):
            if number in self._restless:
                self._restless.discard(number)
                self._solve(number, window)

    def _solve(self, number: int, window: slice) -> None:
        """Move a stage's events and the beats that it takes to their least times given its neighbours'."""
        rules = self.rules[number]
        part = slice(window.start * rules.events, window.stop * rules.events)
        bounds = np.full(part.stop - part.start, NEVER)
        steps = rules.step[part]
        bounds[0] = self.events[number][part.start - 1] + steps[0] - rules.step[part.start - 1] if part.start else 0
        for exit, stream in zip(rules.exits, self.yields[number], strict=True):
            waiting, freed = exit.freed(self.transfers[stream], window)
            raise_to(bounds, waiting - part.start, freed)
        entries = [
            (entry, stream, slice(window.start * entry.beats, window.stop * entry.beats))
            for entry, stream in zip(rules.entries, self.feeds[number], strict=True)
        ]
        for entry, stream, beats in entries:
            if not entry.buffered:
                raise_to(bounds, entry.accept[beats] - part.start, self.offers[stream][beats])

        moved, settled = number in self._replaced, False
        self._replaced.discard(number)
        while not settled:
            inner, taken = bounds.copy(), {}
            for entry, stream, beats in entries:
                if entry.buffered:
                    taken[stream] = entry.taken(self.offers[stream], self.transfers[stream], self.events[number], beats)
                    waits = slice(*np.searchsorted(entry.waits, (part.start, part.stop)))
                    uses = taken[stream][entry.need[waits] - beats.start] + entry.read_latency
                    raise_to(inner, entry.waits[waits] - part.start, uses)
            times = in_order(inner, steps)
            same = np.array_equal(times, self.events[number][part])
            _put(self.events, number, part, times)
            moved, settled = moved or not same, same or not taken

        for entry, stream, beats in entries:
            entered = taken[stream] if entry.buffered else times[entry.accept[beats] - part.start]
            if not np.array_equal(entered, self.transfers[stream][beats]):
                _put(self.transfers, stream, beats, entered)
                self._disturb_writer(stream, window)
        if moved:
            for exit, stream in zip(rules.exits, self.yields[number], strict=True):
                beats = slice(window.start * exit.beats, window.stop * exit.beats)
                self._offer(stream, beats, times[exit.emit[beats] - part.start] + exit.latency)
                if stream not in self.reader:
                    self._disturb_writer(stream, window)

    def _offer(self, stream: int, beats: slice, offered: np.ndarray) -> None:
        """Tell a stream's reader when beats can be taken; those of the last stream leave at once, one in a cycle."""
        _put(self.offers, stream, beats, offered)
        if stream in self.reader:
            self._restless.add(self.reader[stream])
            return
        bounds = offered.copy()
        if beats.start:
            bounds[0] = max(bounds[0], self.transfers[stream][beats.start - 1] + 1)
        _put(self.transfers, stream, beats, in_order(bounds, np.arange(len(bounds), dtype=np.int64)))

    def _disturb_writer(self, stream: int, window: slice) -> None:
        """Have a stream's writer solved again if a beat that left later frees a slot too late for an event as it stands."""
        if stream not in self.writer:
            return
        number = self.writer[stream]
        exit = self.rules[number].exits[stream - self.yields[number].start]
        waiting, freed = exit.freed(self.transfers[stream], window)
        if np.any(freed > self.events[number][waiting]):
            self._restless.add(number)


def raise_to(bounds: np.ndarray, places: np.ndarray, least: np.ndarray) -> None:
    """Raise bounds at some rising places to at least the given ones."""
    if len(places) == len(bounds):
        np.maximum(bounds, least, out=bounds)
    elif len(places) and places[-1] - places[0] + 1 == len(places):
        part = bounds[places[0] : places[-1] + 1]
        np.maximum(part, least, out=part)
    else:
        bounds[places] = np.maximum(bounds[places], least)


def _put(arrays: list[np.ndarray], number: int, part: slice, values: np.ndarray) -> None:
    """Set a part of an array in place, or a whole array by another, as a copy of the system may share it."""
    if part.start == 0 and part.stop == len(arrays[number]):
        arrays[number] = values
    else:
        arrays[number][part] = values
