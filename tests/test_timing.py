"""The solver against a cycle-by-cycle token game that knows no inequalities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.schedule import Schedule
from hwgen.timing import predict


class Machine:
    """One stage as a machine that acts once a cycle, from its start-of-cycle state."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.fired: list[int] = []
        self.taken: list[int] = []

    def beat_on_offer(self, left: list[int], now: int) -> bool:
        frame, place = divmod(len(left), self.schedule.beats_out)
        event = frame * len(self.schedule.step) + self.schedule.emit[place]
        return event < len(self.fired) and self.fired[event] + self.schedule.latency <= now

    def can_fire(self, left: list[int], now: int) -> bool:
        """Whether the next event may happen now, apart from an input beat that it takes itself."""
        schedule = self.schedule
        events = len(schedule.step)
        frame, place = divmod(len(self.fired), events)
        position = frame * schedule.cycles + schedule.step[place]
        if self.fired:
            earlier_frame, earlier = divmod(len(self.fired) - 1, events)
            if now < self.fired[-1] + position - earlier_frame * schedule.cycles - schedule.step[earlier]:
                return False
        emitted = np.flatnonzero(schedule.emit == place)
        if len(emitted):
            blocking = frame * schedule.beats_out + int(emitted[0]) - schedule.slots
            if blocking >= 0 and (blocking >= len(left) or now < left[blocking] + schedule.slot_return):
                return False
        if schedule.need is not None and schedule.need[place] >= 0:
            beat = frame * schedule.beats_in + schedule.need[place]
            return beat < len(self.taken) and now >= self.taken[beat] + schedule.read_latency
        return True

    def takes_beat_next(self) -> bool:
        return self.schedule.accept is not None and len(self.fired) % len(self.schedule.step) in self.schedule.accept

    def has_room(self, now: int) -> bool:
        frame, place = divmod(len(self.taken), self.schedule.beats_in)
        event = self.schedule.room[place] + frame * len(self.schedule.step)
        return event < 0 or (event < len(self.fired) and now > self.fired[event])


def play(schedules: list[Schedule], frames: int) -> list[list[int]]:
    machines = [Machine(schedule) for schedule in schedules]
    leaving: list[int] = []
    total_in, total_out = frames * schedules[0].beats_in, frames * schedules[-1].beats_out
    for now in range(100_000):
        if len(leaving) == total_out:
            return [machine.taken for machine in machines] + [leaving]
        for number in reversed(range(len(machines))):
            machine = machines[number]
            left = machines[number + 1].taken if number + 1 < len(machines) else leaving
            if number + 1 == len(machines) and len(leaving) < total_out and machine.beat_on_offer(leaving, now):
                leaving.append(now)
            if number:
                offered = machines[number - 1].beat_on_offer(machine.taken, now)
            else:
                offered = len(machine.taken) < total_in
            may_fire = len(machine.fired) < frames * len(machine.schedule.step) and machine.can_fire(left, now)
            if machine.schedule.accept is None:
                room = len(machine.taken) < frames * machine.schedule.beats_in and machine.has_room(now)
                if may_fire:
                    machine.fired.append(now)
                if offered and room:
                    machine.taken.append(now)
            elif may_fire and (offered or not machine.takes_beat_next()):
                if machine.takes_beat_next():
                    machine.taken.append(now)
                machine.fired.append(now)
    raise AssertionError("deadlock")


@st.composite
def stage(draw: st.DrawFn, beats_in: int) -> Schedule:
    latency, slots = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    slot_return = draw(st.integers(0, 1))
    kind = draw(st.sampled_from(["every", "reduce", "expand", "buffered"]))
    every = np.arange(beats_in)
    if kind == "reduce":
        group = draw(st.sampled_from([k for k in range(1, beats_in + 1) if beats_in % k == 0]))
        return Schedule(beats_in, every, every[group - 1 :: group], latency, slots, slot_return, accept=every)
    if kind == "expand":
        ratio = draw(st.integers(1, 3))
        steps = np.arange(beats_in * ratio)
        return Schedule(len(steps), steps, steps, latency, slots, slot_return, accept=steps[::ratio])
    if kind == "buffered":
        repeats = draw(st.integers(1, 3))
        steps = (
            np.concatenate([every, np.arange(1, repeats) * beats_in + beats_in - 1])
            if beats_in > 1
            else np.arange(repeats)
        )
        emit = np.flatnonzero(steps % beats_in == beats_in - 1)
        need = np.where(steps < beats_in, steps, -1)
        vectors = draw(st.integers(1, 2))
        room = np.full(beats_in, len(steps) - 1 - vectors * len(steps))
        return Schedule(
            beats_in * repeats,
            steps,
            emit,
            latency,
            slots,
            slot_return,
            need=need,
            room=room,
            read_latency=draw(st.integers(1, 3)),
        )
    return Schedule(beats_in, every, every, latency, slots, slot_return, accept=every)


@st.composite
def chain(draw: st.DrawFn) -> list[Schedule]:
    beats, schedules = draw(st.integers(1, 6)), []
    for _ in range(draw(st.integers(1, 4))):
        schedules.append(draw(stage(beats)))
        beats = schedules[-1].beats_out
    return schedules


@settings(max_examples=150, deadline=None, derandomize=True)
@given(chain(), st.integers(1, 4))
def test_every_transfer_is_predicted_to_the_cycle(schedules: list[Schedule], frames: int) -> None:
    prediction = predict(schedules, frames)
    assert [list(beats) for beats in prediction.transfers] == play(schedules, frames)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(chain())
def test_occupancy_never_exceeds_slots_but_for_the_beat_that_leaves(schedules: list[Schedule]) -> None:
    prediction = predict(schedules, 3)
    for number, schedule in enumerate(schedules):
        assert 1 <= prediction.occupancy(number) <= schedule.slots + (1 - schedule.slot_return)


def unfolded(beats: int, latency: int = 3, slots: int = 8) -> Schedule:
    every = np.arange(beats)
    return Schedule(beats, every, every, latency, slots, accept=every)


def test_interval_is_that_of_the_slowest_stage() -> None:
    slow = Schedule(20, np.arange(20), np.arange(20)[4::5], 2, 2, accept=np.arange(20)[::5])
    prediction = predict([unfolded(4), slow, unfolded(4)], 30)
    assert prediction.ii == 20
    assert prediction.latency == prediction.transfers[-1][3]


def test_long_runs_continue_the_periodic_regime() -> None:
    schedules = [unfolded(4), unfolded(4)]
    prediction = predict(schedules, 5)
    assert list(prediction.output_cycles(50)) == list(predict(schedules, 50).transfers[-1])


def test_neighbours_must_agree_about_the_beats_of_a_frame() -> None:
    with pytest.raises(ValueError, match="Stage 0 yields 4 beats a frame, but stage 1 takes 5"):
        predict([unfolded(4), unfolded(5)], 1)


def test_no_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one frame, not 0"):
        predict([unfolded(4)], 0)


def test_schedule_is_buffered_or_not() -> None:
    with pytest.raises(ValueError, match="either unbuffered"):
        Schedule(2, np.arange(2), np.arange(2), 1, 1)
