"""The latest times of a pipeline that still let every beat leave when it is due: the dual of `hwgen.timing.earliest`.

Each rule ``a >= b + c`` reads backwards as ``b <= a - c``; sweeps go from the output to the input and back, and times only fall.
"""

from __future__ import annotations

import numpy as np

from hwgen.timing.earliest import System
from hwgen.timing.places import lower_at, picked, stored
from hwgen.timing.schedule import INFINITY

__all__ = ["Latest"]

LONG = np.int64(INFINITY)
"""Upper bound of an event for which nothing waits."""


SWEEPS = 2
"""Sweeps to the input and back; more would find lower times at a price. Times that are too high are still no lower than the latest."""


class Latest:
    """Upper bounds of the latest cycles of a system's events and transfers: the latest themselves where no FIFO holds up another.

    Parameters
    ----------
    system : System
        Settled over all its frames; its rules hold.
    due : ndarray
        Cycles by which beats must leave the pipeline.

    Members
    -------
    events : list of ndarray
        Latest cycle of every event of each stage.
    """

    def __init__(self, system: System, due: np.ndarray) -> None:
        self.events = [np.broadcast_to(LONG, len(events)) for events in system.events]
        self.transfers = [np.broadcast_to(LONG, len(beats)) for beats in system.transfers]
        self.transfers[-1] = due
        self.refine(system)

    def refine(self, system: System) -> None:
        """Lower the times to what the rules of a system allow, which are those of before and more."""
        self._system, self._frames = system, slice(0, system.frames)
        self._restless = set(range(len(self.events)))
        order = range(len(self.events))
        for _ in range(SWEEPS):
            for number in (*order[::-1], *order):
                if number in self._restless:
                    self._restless.discard(number)
                    self._solve(number)

    def _solve(self, number: int) -> None:
        """Move a stage's events, and the transfers on both sides, to the latest that its neighbours allow."""
        rules, reads = self._system.rules[number], self._system.feeds[number]
        before, steps, whole = self.events[number], rules.step(self._frames), self._frames
        bounds = before.astype(np.int64)
        for exit, stream in zip(rules.exits, self._system.yields[number], strict=True):
            lower_at(bounds, exit.emit, rules.events, self.transfers[stream] - exit.latency)
        for entry, stream in zip(rules.entries, reads, strict=True):
            if not entry.buffered:
                lower_at(bounds, entry.accept, rules.events, self.transfers[stream])
        taken = {stream: self.transfers[stream] for entry, stream in zip(rules.entries, reads, strict=True)}
        while True:
            times = stored(backwards(bounds, steps))
            entering = {}
            for entry, stream in zip(rules.entries, reads, strict=True):
                if not entry.buffered:
                    entering[stream] = picked(times, entry.accept, rules.events)
                    continue
                least = taken[stream].astype(np.int64)
                # Events and beats are in order, so of all that name the same one the first binds.
                beat, first = np.unique(entry.need, return_index=True)
                waiting = times.reshape(-1, rules.events)[:, entry.waits[first]].ravel() - entry.read_latency
                lower_at(least, beat, entry.beats, waiting)
                entering[stream] = backwards(least, np.arange(len(least), dtype=np.int64))
                confined, room = entry.room(whole)
                event, first = np.unique(room, return_index=True)
                lower_to(bounds, event, entering[stream][confined[first]] - 1)
            if all(np.array_equal(entering[stream], taken[stream]) for stream in reads) and np.array_equal(
                backwards(bounds, steps), times
            ):
                break
            taken = entering
        for stream in reads:
            if not np.array_equal(entering[stream], self.transfers[stream]):
                self.transfers[stream] = stored(entering[stream])
                if stream in self._system.writer:
                    self._restless.add(self._system.writer[stream])
        if np.array_equal(times, before):
            return
        self.events[number] = times
        for exit, stream in zip(rules.exits, self._system.yields[number], strict=True):
            freed = exit.emitted(times)[exit.slots :] - exit.slot_return
            if np.any(self.transfers[stream][: len(freed)] > freed):
                lowered = self.transfers[stream].astype(np.int64)
                lowered[: len(freed)] = np.minimum(lowered[: len(freed)], freed)
                self.transfers[stream] = stored(backwards(lowered, np.arange(len(lowered), dtype=np.int64)))
                self._restless.add(number)
                if stream in self._system.reader:
                    self._restless.add(self._system.reader[stream])


def backwards(bounds: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Give the greatest times at or before ``bounds`` that are at least as far apart as ``steps``."""
    return np.minimum.accumulate((bounds - steps)[::-1])[::-1] + steps


def lower_to(bounds: np.ndarray, places: np.ndarray, most: np.ndarray) -> None:
    """Lower bounds at some places, each named once, to at most the given ones."""
    bounds[places] = np.minimum(bounds[places], most)
