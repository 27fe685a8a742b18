"""Systems whose rules change while the times found so far stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.timing.earliest import Deadlock, System, yielded
from hwgen.timing.schedule import Schedule
from tests.timing.test_predict import graph, unfolded


def settled(schedules: list[Schedule], feeds: list[tuple[int, ...]], frames: int) -> System:
    system = System(schedules, feeds, frames)
    for frame in range(frames):
        system.settle_frame(frame)
    return system


def altered(schedule: Schedule, latency: int, slots: int) -> Schedule:
    """Give a stage with longer latencies and fewer slots."""
    outlets = tuple(
        replace(outlet, latency=outlet.latency + latency, slots=max(1, outlet.slots - slots))
        for outlet in schedule.outlets
    )
    return Schedule(schedule.steps, schedule.events, schedule.intakes, outlets)


def times(system: System) -> list[list[int]]:
    return [array.tolist() for array in (*system.events, *system.transfers)]


def test_beats_that_only_take_longer_are_offered_later() -> None:
    """The stage's events stay where they are, so what it yields is all that moves."""
    schedules, feeds = [unfolded(4), unfolded(4, slots=20), unfolded(4)], [(0,), (1,), (2,)]
    system = settled(schedules, feeds, 3)
    slow = altered(schedules[1], latency=5, slots=0)
    other = system.copy()
    other.replace(1, slow)
    assert other.settle(system.transfers[-1] + 5)
    assert (other.transfers[-1] - system.transfers[-1]).tolist() == [5] * 12
    assert other.events[1].tolist() == system.events[1].tolist()
    assert times(other) == times(settled([schedules[0], slow, schedules[2]], feeds, 3))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(graph(), st.integers(1, 3), st.integers(0, 99), st.sampled_from([(1, 0), (0, 1), (2, 2)]))
def test_a_stage_replaced_is_as_if_it_had_always_been_there(
    pipeline: tuple[list[Schedule], list[tuple[int, ...]]], frames: int, number: int, change: tuple[int, int]
) -> None:
    schedules, feeds = pipeline
    number %= len(schedules)
    worse = [altered(one, *change) if place == number else one for place, one in enumerate(schedules)]
    try:
        system, expected = settled(schedules, feeds, frames), settled(worse, feeds, frames)
    except Deadlock:
        return
    before = times(system)
    other = system.copy()
    other.replace(number, worse[number])
    assert other.settle(expected.transfers[-1])
    assert times(other) == times(expected)
    early = system.copy()
    early.replace(number, worse[number])
    late = np.any(expected.transfers[-1] > system.transfers[-1])
    assert early.settle(system.transfers[-1]) == (not late)
    assert times(system) == before


def test_what_is_the_same_is_kept_once_and_stays_right_when_a_stage_is_replaced() -> None:
    schedules, feeds = [unfolded(4), unfolded(4, slots=3), unfolded(4)], [(0,), (1,), (2,)]
    system = settled(schedules, feeds, 3)
    before = times(system)
    system.share()
    assert times(system) == before
    assert all(system.transfers[number] is system.events[number] for number in range(3))
    other = system.copy()
    other.replace(1, altered(schedules[1], latency=5, slots=2))
    assert other.settle(system.transfers[-1] + 99)
    assert times(system) == before
    assert times(other) == times(settled(other.schedules, feeds, 3))


def test_streams_are_numbered_stage_by_stage() -> None:
    fork = Schedule(4, np.arange(4), unfolded(4).intakes, unfolded(4).outlets * 3)
    assert yielded([unfolded(4), fork, unfolded(4)]) == [range(1, 2), range(2, 5), range(5, 6)]


def test_a_deadlock_names_its_streams() -> None:
    with pytest.raises(Deadlock, match=r"comes to rest: the FIFOs of streams \(2, 5\) are full") as caught:
        raise Deadlock([2, 5])
    assert caught.value.streams == (2, 5)
