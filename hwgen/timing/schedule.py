"""The schedule of one stage: the order of its work within a frame, as events of a timed event graph.

A stage between two streams has a `Schedule`. Where streams part or meet, a `Junction` has an `Intake` for each stream that it reads and
an `Outlet` for each that it yields; `Schedule` offers itself in the same terms.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = ["Intake", "Junction", "Outlet", "Schedule"]


@dataclass(frozen=True, eq=False)
class Intake:
    """How a stage takes the beats of one stream; the fields are those of `Schedule`."""

    accept: np.ndarray | None = None
    need: np.ndarray | None = None
    room: np.ndarray | None = None
    read_latency: int = 0

    def __post_init__(self) -> None:
        if (self.accept is None) == (self.need is None) or (self.need is None) != (self.room is None):
            raise ValueError("A schedule is either unbuffered (accept) or buffered (need and room)")

    @property
    def beats(self) -> int:
        """Beats a frame."""
        beats = self.room if self.accept is None else self.accept
        return 0 if beats is None else len(beats)


@dataclass(frozen=True, eq=False)
class Outlet:
    """How a stage yields the beats of one stream; the fields are those of `Schedule`."""

    emit: np.ndarray
    latency: int
    slots: int
    slot_return: int = 1

    def __post_init__(self) -> None:
        if self.latency < 1 or self.slots < 1:
            raise ValueError(f"Latency and slots must be at least 1, not {self.latency} and {self.slots}")

    @property
    def beats(self) -> int:
        """Beats a frame."""
        return len(self.emit)


@dataclass(frozen=True, eq=False)
class Junction:
    """The schedule of a stage where streams part or meet: the rules of `Schedule` hold for each of its streams.

    Parameters
    ----------
    cycles : int
        Steps a frame.
    step : ndarray of int64, shape (events,)
        Step of each event.
    intakes : tuple of Intake
        One for each stream that it reads.
    outlets : tuple of Outlet
        One for each stream that it yields.
    """

    cycles: int
    step: np.ndarray
    intakes: tuple[Intake, ...]
    outlets: tuple[Outlet, ...]

    def __post_init__(self) -> None:
        _check_steps(self.step, self.cycles)


@dataclass(frozen=True, eq=False)
class Schedule:
    """What a stage does for one frame, and what each piece of work waits for.

    A stage works through ``cycles`` steps a frame, in order, at most one step in a clock cycle, and goes on with
    the next frame without a gap. Only the steps at which something can wait or be seen are listed: the *events*.
    With ``X[e]`` the cycle of event ``e``, ``T_in[j]`` and ``T_out[k]`` the cycles in which input beat ``j`` and output
    beat ``k`` are transferred (all indices run on through frames), the stage obeys exactly

    * ``X[e] >= X[e-1] + step[e] - step[e-1]``
    * unbuffered: ``T_in[j] == X[accept[j]]``
    * buffered: ``X[e] >= T_in[need[e]] + read_latency`` and ``T_in[j] >= X[room[j]] + 1`` and ``T_in[j] >= T_in[j-1] + 1``
    * ``T_out[k] >= X[emit[k]] + latency`` and ``T_out[k] >= T_out[k-1] + 1``
    * ``X[emit[k]] >= T_out[k - slots] + slot_return``

    and does everything as early as these allow.

    Parameters
    ----------
    cycles : int
        Steps a frame: the initiation interval of the stage alone.
    step : ndarray of int64, shape (events,)
        Step of each event, strictly increasing, within ``0 .. cycles - 1``.
    accept : ndarray of int64, shape (beats_in,), or None
        Unbuffered stage: the event that takes each input beat.
    need : ndarray of int64, shape (events,), or None
        Buffered stage: the last input beat of this frame that must have been taken before the event; -1 for none.
    room : ndarray of int64, shape (beats_in,), or None
        Buffered stage: the event after which there is room for each input beat, relative to this frame's first event
        (negative: an event of an earlier frame; ``-2**62`` or less: always room).
    emit : ndarray of int64, shape (beats_out,)
        The event that yields each output beat, strictly increasing.
    latency : int
        Cycles from an event to the first cycle in which its output beat can be transferred.
    slots : int
        Output beats that may be under way or waiting at once.
    slot_return : int
        Cycles after the transfer of an output beat until an event can use its slot (1: a counter in a register;
        0: the register that holds the beat).
    read_latency : int
        Buffered stage: cycles from taking a beat to an event that uses it.
    """

    cycles: int
    step: np.ndarray
    emit: np.ndarray
    latency: int
    slots: int
    slot_return: int = 1
    accept: np.ndarray | None = None
    need: np.ndarray | None = None
    room: np.ndarray | None = None
    read_latency: int = 0

    def __post_init__(self) -> None:
        _check_steps(self.step, self.cycles)
        _ = self.intakes, self.outlets

    @cached_property
    def intakes(self) -> tuple[Intake]:
        """Its one input."""
        return (Intake(self.accept, self.need, self.room, self.read_latency),)

    @cached_property
    def outlets(self) -> tuple[Outlet]:
        """Its one output."""
        return (Outlet(self.emit, self.latency, self.slots, self.slot_return),)

    @property
    def beats_in(self) -> int:
        """Input beats a frame."""
        return self.intakes[0].beats

    @property
    def beats_out(self) -> int:
        """Output beats a frame."""
        return self.outlets[0].beats


def _check_steps(step: np.ndarray, cycles: int) -> None:
    if np.any(np.diff(step) <= 0) or step[0] < 0 or step[-1] >= cycles:
        raise ValueError(f"Event steps must increase strictly within 0..{cycles - 1}")
