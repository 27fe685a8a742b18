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
from hwgen.timing.places import compact, in_frames, in_order, picked, raise_at, raise_to, stored
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


class _Entry:
    """An intake, and how its beats follow from what was offered and done."""

    def __init__(self, intake: Intake, events: int) -> None:
        self.beats, self.events = intake.beats, events
        self.read_latency = intake.read_latency
        self.buffered = intake.need is not None and intake.room is not None
        if intake.accept is not None:
            self.accept = compact(intake.accept)
        if intake.need is not None and intake.room is not None:
            confined = np.flatnonzero(intake.room > -INFINITY)
            self._confined, self._room = compact(confined), compact(intake.room[confined])
            self.waits = compact(np.flatnonzero(intake.need >= 0))
            self.need = compact(intake.need[self.waits])

    def room(self, window: slice) -> tuple[np.ndarray, np.ndarray]:
        """Give the beats of some frames, counted from the first of these, that need room which an event makes, and that event."""
        room = in_frames(self._room, self.events, window)
        beats = in_frames(self._confined, self.beats, slice(0, window.stop - window.start))
        first = room >= 0
        return (beats, room) if first.all() else (beats[first], room[first])

    def taken(self, offers: np.ndarray, transfers: np.ndarray, events: np.ndarray, window: slice) -> np.ndarray:
        """Give the least cycles in which the buffer takes the beats of some frames, those before them being settled."""
        bounds, start = offers.astype(np.int64), window.start * self.beats
        if start:
            bounds[0] = max(bounds[0], transfers[start - 1] + 1)
        beats, room = self.room(window)
        raise_to(bounds, beats, events[room] + 1)
        return in_order(bounds, np.arange(len(bounds), dtype=np.int64))

    def used(self, taken: np.ndarray) -> np.ndarray:
        """Give the cycles in which whole frames' beats, taken so, can be used by each event that waits for one."""
        return taken.reshape(-1, self.beats)[:, self.need].ravel() + self.read_latency


class _Exit:
    """An outlet, and which event needs a slot that was used before."""

    def __init__(self, outlet: Outlet, events: int) -> None:
        self.beats, self.events = outlet.beats, events
        self.latency, self.slots, self.slot_return = outlet.latency, outlet.slots, outlet.slot_return
        self.emit = compact(outlet.emit)

    def freed(self, transfers: np.ndarray, window: slice) -> tuple[np.ndarray, np.ndarray]:
        """Give the events of some frames that need a slot which was used before, and the cycles in which it is free again."""
        first, last = max(window.start * self.beats, self.slots), max(window.stop * self.beats, self.slots)
        begun = slice(first // self.beats, window.stop)
        waiting = in_frames(self.emit, self.events, begun)[first - begun.start * self.beats :]
        return waiting, transfers[first - self.slots : last - self.slots] + self.slot_return

    def emitted(self, events: np.ndarray) -> np.ndarray:
        """Give the cycles of whole frames' events that yield a beat."""
        return picked(events, self.emit, self.events)


class _Rules:
    """A stage's inequalities, the same in every frame."""

    def __init__(self, schedule: Schedule) -> None:
        self.events, self.steps = len(schedule.events), schedule.steps
        self._step = compact(schedule.events)
        self.entries = [_Entry(intake, self.events) for intake in schedule.intakes]
        self.exits = [_Exit(outlet, self.events) for outlet in schedule.outlets]

    def step(self, window: slice) -> np.ndarray:
        """Give the step of each event of some frames."""
        return in_frames(self._step, self.steps, window)

    def part(self, window: slice) -> slice:
        """Give the events of some frames."""
        return slice(window.start * self.events, window.stop * self.events)


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
        self.rules = [_Rules(schedule) for schedule in schedules]
        # Not yet the time of anything: an event that waits for nothing is earlier than four bytes can say, all others later.
        self.events = [np.full(frames * rules.events, np.iinfo(np.int32).min, dtype=np.int32) for rules in self.rules]
        counts = [schedules[0].intakes[0].beats, *(outlet.beats for one in schedules for outlet in one.outlets)]
        self.transfers = [np.zeros(count * frames, dtype=np.int32) for count in counts]
        self.reader = {stream: number for number, streams in enumerate(feeds) for stream in streams}
        self.writer = {stream: number for number, streams in enumerate(self.yields) for stream in streams}
        self._restless: set[int] = set()
        self._replaced: set[int] = set()

    def copy(self) -> System:
        """Give a system that can be changed and settled over all frames while this one stays as it is."""
        other = object.__new__(System)
        other.__dict__ |= self.__dict__
        for name in ("schedules", "rules", "events", "transfers", "_restless", "_replaced"):
            setattr(other, name, getattr(self, name).copy())
        return other

    def share(self) -> None:
        """Keep once what is the same: a stage that takes a beat in every event has its beats' times as its own."""
        for rules, streams, number in zip(self.rules, self.feeds, range(len(self.rules)), strict=True):
            for entry, stream in zip(rules.entries, streams, strict=True):
                if not entry.buffered and entry.beats == rules.events:
                    self.transfers[stream] = self.events[number]

    def replace(self, number: int, schedule: Schedule) -> None:
        """Give a stage other rules, none of which lets anything happen earlier than its present ones."""
        self.schedules[number] = schedule
        self.rules[number] = _Rules(schedule)
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
        part, steps = rules.part(window), rules.step(window)
        bounds = np.full(part.stop - part.start, NEVER)
        if part.start:
            before = rules.step(slice(window.start - 1, window.start))[-1]
            bounds[0] = self.events[number][part.start - 1] + steps[0] - before
        for exit, stream in zip(rules.exits, self.yields[number], strict=True):
            waiting, freed = exit.freed(self.transfers[stream], window)
            raise_to(bounds, waiting - part.start, freed)
        entries = [
            (entry, stream, self._offers(stream, window))
            for entry, stream in zip(rules.entries, self.feeds[number], strict=True)
        ]
        for entry, _, offers in entries:
            if not entry.buffered:
                raise_at(bounds, entry.accept, rules.events, offers)

        moved, settled = number in self._replaced, False
        self._replaced.discard(number)
        while not settled:
            inner, taken = bounds.copy(), {}
            for entry, stream, offers in entries:
                if entry.buffered:
                    taken[stream] = entry.taken(offers, self.transfers[stream], self.events[number], window)
                    raise_at(inner, entry.waits, rules.events, entry.used(taken[stream]))
            times = stored(in_order(inner, steps))
            same = np.array_equal(times, self.events[number][part])
            _put(self.events, number, part, times)
            moved, settled = moved or not same, same or not taken

        for entry, stream, _ in entries:
            entered = taken[stream] if entry.buffered else picked(times, entry.accept, rules.events)
            beats = slice(window.start * entry.beats, window.stop * entry.beats)
            if not np.array_equal(entered, self.transfers[stream][beats]):
                _put(self.transfers, stream, beats, entered)
                self._disturb_writer(stream, window)
        if moved:
            for exit, stream in zip(rules.exits, self.yields[number], strict=True):
                if stream in self.reader:
                    self._restless.add(self.reader[stream])
                else:
                    beats = slice(window.start * exit.beats, window.stop * exit.beats)
                    self._leave(stream, beats, exit.emitted(times) + exit.latency)
                    self._disturb_writer(stream, window)

    def _offers(self, stream: int, window: slice) -> np.ndarray:
        """Give the cycles from which the beats of some frames can be taken; those that enter are there from the first."""
        if stream not in self.writer:
            return np.zeros(len(self.transfers[stream]) // self.frames * (window.stop - window.start), dtype=np.int32)
        number = self.writer[stream]
        exit = self.rules[number].exits[stream - self.yields[number].start]
        return exit.emitted(self.events[number][self.rules[number].part(window)]) + exit.latency

    def _leave(self, stream: int, beats: slice, offers: np.ndarray) -> None:
        """Let beats leave the pipeline at once, one in a cycle."""
        bounds = offers.astype(np.int64)
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


def _put(arrays: list[np.ndarray], number: int, part: slice, values: np.ndarray) -> None:
    """Set a part of an array in place, or a whole array by another, as a copy of the system may share it."""
    values = stored(values)
    if part.start == 0 and part.stop == len(arrays[number]):
        arrays[number] = values
        return
    if values.dtype != arrays[number].dtype:
        arrays[number] = arrays[number].astype(np.int64)
    arrays[number][part] = values
