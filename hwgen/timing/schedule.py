"""The schedule of one stage: the order of its work within a frame, as events of a timed event graph.

A `Schedule` has an `Intake` for each stream that the stage reads and an `Outlet` for each that it yields.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.timing.places import compact

__all__ = ["INFINITY", "Intake", "Outlet", "Schedule"]

INFINITY = 2**61
"""More than any run has of events, beats and cycles; its negative stands for what never holds anything up."""


@dataclass(frozen=True, eq=False)
class Intake:
    """How a stage takes the beats of one stream, in one of two ways.

    Parameters
    ----------
    accept : ndarray of int64, shape (beats,), or None
        Unbuffered: the event that takes each beat.
    need : ndarray of int64, shape (events,), or None
        Buffered: the last beat of this frame that must have been taken before the event; -1 for none.
    room : ndarray of int64, shape (beats,), or None
        Buffered: the event after which there is room for each beat, relative to this frame's first event
        (negative: an event of an earlier frame; ``-INFINITY``: always room).
    read_latency : int
        Buffered: cycles from taking a beat to an event that uses it.
    """

    accept: np.ndarray | None = None
    need: np.ndarray | None = None
    room: np.ndarray | None = None
    read_latency: int = 0

    def __post_init__(self) -> None:
        if (self.accept is None) == (self.need is None) or (self.need is None) != (self.room is None):
            raise ValueError("A schedule is either unbuffered (accept) or buffered (need and room)")
        _compact(self, "accept", "need", "room")

    @property
    def beats(self) -> int:
        """Beats a frame."""
        beats = self.room if self.accept is None else self.accept
        return 0 if beats is None else len(beats)


@dataclass(frozen=True, eq=False)
class Outlet:
    """How a stage yields the beats of one stream.

    Parameters
    ----------
    emit : ndarray of int64, shape (beats,)
        The event that yields each beat, strictly increasing.
    latency : int
        Cycles from an event to the first cycle in which its beat can be transferred.
    slots : int
        Beats that may be under way or waiting at once.
    slot_return : int
        Cycles after the transfer of a beat until an event can use its slot (1: a counter in a register; 0: the register that holds the beat).
    """

    emit: np.ndarray
    latency: int
    slots: int
    slot_return: int = 1

    def __post_init__(self) -> None:
        if self.latency < 1 or self.slots < 1:
            raise ValueError(f"Latency and slots must be at least 1, not {self.latency} and {self.slots}")
        _compact(self, "emit")

    @property
    def beats(self) -> int:
        """Beats a frame."""
        return len(self.emit)


@dataclass(frozen=True, eq=False)
class Schedule:
    """What a stage does for one frame, and what each piece of work waits for.

    A stage works through ``steps`` steps a frame, in order, at most one step in a clock cycle, and goes on with
    the next frame without a gap. Only the steps at which something can wait or be seen are listed: the *events*.
    With ``X[e]`` the cycle of event ``e``, ``T_in[j]`` and ``T_out[k]`` the cycles in which beat ``j`` of a stream that it reads and beat
    ``k`` of one that it yields are transferred (all indices run on through frames), the stage obeys exactly

    * ``X[e] >= X[e-1] + events[e] - events[e-1]``
    * unbuffered: ``T_in[j] == X[accept[j]]``
    * buffered: ``X[e] >= T_in[need[e]] + read_latency`` and ``T_in[j] >= X[room[j]] + 1`` and ``T_in[j] >= T_in[j-1] + 1``
    * ``T_out[k] >= X[emit[k]] + latency`` and ``T_out[k] >= T_out[k-1] + 1``
    * ``X[emit[k]] >= T_out[k - slots] + slot_return``

    for each of its streams, and does everything as early as these allow.

    Parameters
    ----------
    steps : int
        Steps a frame: the cycles in which the stage is busy.
    events : ndarray of int64, shape (events,)
        Step of each event, strictly increasing, within ``0 .. steps - 1``.
    intakes : tuple of Intake
        One for each stream that it reads.
    outlets : tuple of Outlet
        One for each stream that it yields.
    """

    steps: int
    events: np.ndarray
    intakes: tuple[Intake, ...]
    outlets: tuple[Outlet, ...]

    def __post_init__(self) -> None:
        if np.any(np.diff(self.events) <= 0) or self.events[0] < 0 or self.events[-1] >= self.steps:
            raise ValueError(f"Event steps must increase strictly within 0..{self.steps - 1}")
        _compact(self, "events")

    @classmethod
    def through(
        cls,
        steps: int,
        events: np.ndarray,
        emit: np.ndarray,
        latency: int,
        slots: int,
        slot_return: int = 1,
        *,
        accept: np.ndarray | None = None,
        need: np.ndarray | None = None,
        room: np.ndarray | None = None,
        read_latency: int = 0,
    ) -> Schedule:
        """Give the schedule of a stage that reads one stream and yields one: the fields of `Intake` and of `Outlet`."""
        return cls(
            steps, events, (Intake(accept, need, room, read_latency),), (Outlet(emit, latency, slots, slot_return),)
        )

    @property
    def interval(self) -> int:
        """Cycles between frames that the stage needs at least: for its steps, and for the beats of each of its streams."""
        beats = [intake.beats for intake in self.intakes] + [outlet.beats for outlet in self.outlets]
        return max(self.steps, *beats)


def _compact(record: object, *names: str) -> None:
    """Keep arrays of a record in as few bytes as hold them: those of all stages are kept as long as the pipeline."""
    for name in names:
        numbers = getattr(record, name)
        if numbers is not None:
            object.__setattr__(record, name, compact(numbers))
