"""Pipelines at rest, against the token game of `tests.timing.test_predict`."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.timing.deadlock import full_streams
from hwgen.timing.schedule import Intake, Outlet, Schedule
from tests.timing.test_predict import Game, graph


def full_in(game: Game, frames: int) -> tuple[int, ...]:
    """Give the streams whose FIFO has no slot for what the next event of their stage yields."""
    full = []
    for machine, streams in zip(game.machines, game.writers, strict=True):
        frame, place = divmod(len(machine.fired), len(machine.schedule.events))
        for outlet, stream in zip(machine.schedule.outlets, streams, strict=True):
            for beat in np.flatnonzero(outlet.emit == place):
                if frame < frames and frame * outlet.beats + beat - outlet.slots >= len(game.left[stream]):
                    full.append(stream)
    return tuple(full)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(graph(), st.integers(1, 4))
def test_streams_whose_fifos_are_full_are_named(
    pipeline: tuple[list[Schedule], list[tuple[int, ...]]], frames: int
) -> None:
    schedules, feeds = pipeline
    game = Game(schedules, feeds)
    expected = () if game.play(frames) else full_in(game, frames)
    assert full_streams(schedules, feeds, frames) == expected


def test_only_frames_that_are_asked_for_count() -> None:
    """A joint that wants all of one branch first: the other branch must hold that much, in the second frame as in the first."""
    every = np.arange(4)
    fork = Schedule(4, every, (Intake(accept=every),), (Outlet(every, 1, 8), Outlet(every, 1, 3)))
    turns = Schedule(8, np.arange(8), (Intake(accept=every), Intake(accept=every + 4)), (Outlet(np.arange(8), 1, 1),))
    assert full_streams([fork, turns], [(0,), (1, 2)], 1) == (2,)
    enough = Schedule(4, every, (Intake(accept=every),), (Outlet(every, 1, 1), Outlet(every, 1, 4)))
    assert full_streams([enough, turns], [(0,), (1, 2)], 3) == ()


@pytest.mark.parametrize(("slots", "full"), [(3, (1, 3)), (4, ())])
def test_a_joint_does_nothing_before_its_first_beats_are_there(slots: int, full: tuple[int, ...]) -> None:
    """A stage that needs a whole vector stands beside a branch, which has to hold that vector."""
    every = np.arange(4)
    fork = Schedule(4, every, (Intake(accept=every),), (Outlet(every, 1, 1), Outlet(every, 1, slots)))
    vector = Schedule.through(4, every, every, 1, 1, need=np.full(4, 3), room=np.full(4, -1), read_latency=1)
    joint = Schedule(4, every, (Intake(accept=every),) * 2, (Outlet(every, 1, 1),))
    schedules, feeds = (
        [Schedule.through(4, every, every, 1, 1, accept=every), fork, vector, joint],
        [(0,), (1,), (2,), (4, 3)],
    )
    assert full_streams(schedules, feeds, 2) == full


@pytest.mark.parametrize(("slots", "full"), [(3, (1,)), (4, ())])
def test_a_stage_that_needs_one_beat_does_nothing_without_it(slots: int, full: tuple[int, ...]) -> None:
    """The fork serves the branch first, the joint the stage: the branch has to hold all that comes before the stage's beat."""
    every = np.arange(5)
    fork = Schedule(5, every, (Intake(accept=every),), (Outlet(every[:4], 1, slots), Outlet(every[4:], 1, 1)))
    once = Schedule.through(1, every[:1], every[:1], 1, 1, need=np.zeros(1, int), room=np.full(1, -1), read_latency=1)
    joint = Schedule(5, every, (Intake(accept=every[:1]), Intake(accept=every[1:])), (Outlet(every, 1, 1),))
    schedules, feeds = [fork, once, joint], [(0,), (2,), (3, 1)]
    assert Game(schedules, feeds).play(2) is not bool(full)
    assert full_streams(schedules, feeds, 2) == full
