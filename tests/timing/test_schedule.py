"""The law of a schedule."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.timing.schedule import Intake, Outlet, Schedule

EVERY = np.arange(2)


@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"accept": EVERY, "need": EVERY, "room": EVERY},
        {"accept": EVERY, "need": EVERY},
        {"accept": EVERY, "room": EVERY},
        {"need": EVERY},
        {"room": EVERY},
    ],
)
def test_a_schedule_is_buffered_or_not(terms: dict[str, np.ndarray]) -> None:
    with pytest.raises(ValueError, match=r"either unbuffered \(accept\) or buffered \(need and room\)"):
        Intake(**terms)
    with pytest.raises(ValueError, match="either unbuffered"):
        Schedule.through(2, EVERY, EVERY, 1, 1, **terms)


@pytest.mark.parametrize(("latency", "slots"), [(0, 1), (1, 0)])
def test_beats_take_a_cycle_and_a_slot(latency: int, slots: int) -> None:
    with pytest.raises(ValueError, match=f"Latency and slots must be at least 1, not {latency} and {slots}"):
        Outlet(EVERY, latency, slots)
    with pytest.raises(ValueError, match=f"at least 1, not {latency} and {slots}"):
        Schedule.through(2, EVERY, EVERY, latency, slots, accept=EVERY)


@pytest.mark.parametrize(("steps", "cycles"), [([0, 0], 2), ([1, 0], 2), ([-1, 0], 2), ([0, 2], 2), ([0, 2, 1], 3)])
def test_steps_rise_within_the_frame(steps: list[int], cycles: int) -> None:
    message = f"Event steps must increase strictly within 0..{cycles - 1}"
    for make in (
        lambda: Schedule.through(cycles, np.array(steps), EVERY, 1, 1, accept=EVERY),
        lambda: Schedule(cycles, np.array(steps), (), ()),
    ):
        with pytest.raises(ValueError, match=message):
            make()
    assert Schedule(2, EVERY, (), ()).steps == 2


def test_a_stage_between_two_streams_has_one_intake_and_one_outlet() -> None:
    need, room = np.arange(3), np.array([-1, 0])
    buffered = Schedule.through(9, np.arange(3), np.array([2]), 4, 5, 0, need=need, room=room, read_latency=7)
    (intake,), (outlet,) = buffered.intakes, buffered.outlets
    assert (intake.need.tolist(), intake.room.tolist(), intake.accept) == ([0, 1, 2], [-1, 0], None)
    assert (intake.read_latency, intake.beats) == (7, 2)
    assert (outlet.latency, outlet.slots, outlet.slot_return, outlet.beats) == (4, 5, 0, 1)
    assert Intake(accept=np.arange(3)).beats == 3


@pytest.mark.parametrize(
    ("steps", "taken", "given", "interval"), [(9, [3, 2], [4], 9), (2, [7, 2], [4], 7), (2, [3, 2], [4, 8], 8)]
)
def test_a_stage_takes_a_frame_for_its_steps_and_for_the_beats_of_each_of_its_streams(
    steps: int, taken: list[int], given: list[int], interval: int
) -> None:
    intakes = tuple(Intake(accept=np.zeros(beats, dtype=np.int64)) for beats in taken)
    outlets = tuple(Outlet(np.zeros(beats, dtype=np.int64), 1, 1) for beats in given)
    assert Schedule(steps, EVERY, intakes, outlets).interval == interval


def test_a_slot_is_free_a_cycle_after_its_beat_has_left_and_a_beat_is_used_at_once() -> None:
    intake, outlet = Intake(accept=EVERY), Outlet(EVERY, 1, 1)
    plain = Schedule.through(2, EVERY, EVERY, 1, 1, accept=EVERY)
    for reader, writer in ((intake, outlet), (plain.intakes[0], plain.outlets[0])):
        assert (reader.read_latency, writer.latency, writer.slots, writer.slot_return) == (0, 1, 1, 1)
