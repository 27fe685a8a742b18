"""The schedules of the stages that join maps: taking them together, or in turn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwgen.timing.schedule import Intake, Outlet, Schedule

__all__ = ["in_step", "in_turn"]


def in_step(sources: int, beats: int, outlet_latency: int, slots: int) -> Schedule:
    """Give the schedule of a stage that takes a beat of every source, and yields one, in each step."""
    every = np.arange(beats, dtype=np.int64)
    return Schedule(beats, every, (Intake(accept=every),) * sources, (Outlet(every, outlet_latency, slots),))


def in_turn(turns: np.ndarray, sources: Sequence[str], outlet_latency: int, slots: int) -> Schedule:
    """Give the schedule of a stage that takes a beat of one source, and yields it, in each step.

    Parameters
    ----------
    turns : ndarray of int
        The source whose beat is taken, step by step.
    sources : sequence of str
    outlet_latency, slots : int
    """
    every = np.arange(len(turns), dtype=np.int64)
    intakes = tuple(Intake(accept=np.flatnonzero(turns == source)) for source in range(len(sources)))
    return Schedule(len(turns), every, intakes, (Outlet(every, outlet_latency, slots),))
