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


def in_turn(turns: np.ndarray, operands: Sequence[int], outlet_latency: int, slots: int, *, ahead: int = 0) -> Schedule:
    """Give the schedule of a stage that takes a beat of one operand, and yields it, in each step.

    Parameters
    ----------
    turns : ndarray of int
        The operand whose beat is yielded, step by step.
    operands : sequence of int
        Those that are streams; the others are constants.
    outlet_latency, slots : int
    ahead : int
        Beats of a constant that comes first in each round: the first beat behind it is taken with the first of these, and held.
    """
    every = np.arange(len(turns), dtype=np.int64)
    intakes = []
    for operand in operands:
        accept = np.flatnonzero(turns == operand)
        if ahead and operand == operands[0]:
            opens = turns[accept - 1] != operand
            accept = np.where(opens, accept - ahead, accept)
        intakes.append(Intake(accept=accept))
    return Schedule(len(turns), every, tuple(intakes), (Outlet(every, outlet_latency, slots),))
