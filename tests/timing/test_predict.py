"""The solver against a cycle-by-cycle token game that knows no inequalities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.timing.earliest import System
from hwgen.timing.predict import Deadlock, predict
from hwgen.timing.schedule import Intake, Outlet, Schedule


class Machine:
    """One stage as a machine that acts once a cycle, from its start-of-cycle state."""

    def __init__(self, schedule: Schedule, reads: tuple[int, ...]) -> None:
        self.schedule = schedule
        self.reads = reads
        self.fired: list[int] = []
        self.taken: list[list[int]] = [[] for _ in schedule.intakes]

    def offers(self, outlet: Outlet, left: list[int], now: int) -> bool:
        frame, place = divmod(len(left), outlet.beats)
        event = frame * len(self.schedule.events) + outlet.emit[place]
        return event < len(self.fired) and self.fired[event] + outlet.latency <= now

    def can_fire(self, left: list[list[int]], now: int) -> bool:
        """Whether the next event may happen now, apart from input beats that it takes itself."""
        schedule = self.schedule
        events = len(schedule.events)
        frame, place = divmod(len(self.fired), events)
        position = frame * schedule.steps + schedule.events[place]
        if self.fired:
            earlier_frame, earlier = divmod(len(self.fired) - 1, events)
            if now < self.fired[-1] + position - earlier_frame * schedule.steps - schedule.events[earlier]:
                return False
        for outlet, gone in zip(schedule.outlets, left, strict=True):
            emitted = np.flatnonzero(outlet.emit == place)
            if len(emitted):
                blocking = frame * outlet.beats + int(emitted[0]) - outlet.slots
                if blocking >= 0 and (blocking >= len(gone) or now < gone[blocking] + outlet.slot_return):
                    return False
        for intake, taken in zip(schedule.intakes, self.taken, strict=True):
            if intake.need is not None and intake.need[place] >= 0:
                beat = frame * intake.beats + intake.need[place]
                if beat >= len(taken) or now < taken[beat] + intake.read_latency:
                    return False
        return True

    def takes_next(self) -> list[int]:
        """The intakes whose beat the next event takes."""
        place = len(self.fired) % len(self.schedule.events)
        return [
            k for k, intake in enumerate(self.schedule.intakes) if intake.accept is not None and place in intake.accept
        ]

    def has_room(self, intake: Intake, taken: list[int], now: int) -> bool:
        frame, place = divmod(len(taken), intake.beats)
        event = intake.room[place] + frame * len(self.schedule.events)
        return event < 0 or (event < len(self.fired) and now > self.fired[event])

    def act(self, offered: list[bool], left: list[list[int]], frames: int, now: int) -> None:
        may_fire = len(self.fired) < frames * len(self.schedule.events) and self.can_fire(left, now)
        entering = [
            taken
            for intake, taken, there in zip(self.schedule.intakes, self.taken, offered, strict=True)
            if intake.accept is None
            and there
            and len(taken) < frames * intake.beats
            and self.has_room(intake, taken, now)
        ]
        takes = self.takes_next()
        if may_fire and all(offered[k] for k in takes):
            for k in takes:
                self.taken[k].append(now)
            self.fired.append(now)
        for taken in entering:
            taken.append(now)


class Game:
    """A pipeline of machines that goes on until all frames are done or nothing moves any more.

    Members
    -------
    machines : list of Machine
    writers : list of list of int
        Streams that each machine yields.
    left : list of list of int
        Cycles of all transfers, stream by stream.
    """

    def __init__(self, schedules: list[Schedule], feeds: list[tuple[int, ...]]) -> None:
        self.machines = [Machine(schedule, reads) for schedule, reads in zip(schedules, feeds, strict=True)]
        self.left: list[list[int]] = [[] for _ in range(1 + sum(len(schedule.outlets) for schedule in schedules))]
        for machine in self.machines:
            for stream, taken in zip(machine.reads, machine.taken, strict=True):
                self.left[stream] = taken
        numbers = iter(range(1, len(self.left)))
        self.writers = [[next(numbers) for _ in schedule.outlets] for schedule in schedules]

    def play(self, frames: int) -> bool:
        """Tell whether all frames get done."""
        machines, left = self.machines, self.left
        outlets = {
            stream: (machine, outlet)
            for machine, streams in zip(machines, self.writers, strict=True)
            for stream, outlet in zip(streams, machine.schedule.outlets, strict=True)
        }
        first, last = machines[0].schedule.intakes[0], machines[-1].schedule.outlets[-1]
        quiet = 0
        for now in range(100_000):
            if len(left[-1]) == frames * last.beats:
                return True
            before = [len(machine.fired) for machine in machines] + [len(beats) for beats in left]
            machine, outlet = outlets[len(left) - 1]
            if machine.offers(outlet, left[-1], now):
                left[-1].append(now)
            for machine, streams in zip(reversed(machines), reversed(self.writers), strict=True):
                offered = [
                    outlets[stream][0].offers(outlets[stream][1], left[stream], now)
                    if stream
                    else len(left[0]) < frames * first.beats
                    for stream in machine.reads
                ]
                machine.act(offered, [left[stream] for stream in streams], frames, now)
            quiet = quiet + 1 if before == [len(m.fired) for m in machines] + [len(beats) for beats in left] else 0
            if quiet > 50:
                return False
        raise AssertionError("no end")


def play(schedules: list[Schedule], frames: int, feeds: list[tuple[int, ...]] | None = None) -> list[list[int]] | None:
    """Give the cycles of all transfers, stream by stream; None if everything comes to rest."""
    game = Game(schedules, feeds or [(number,) for number in range(len(schedules))])
    return game.left if game.play(frames) else None


@st.composite
def stage(draw: st.DrawFn, beats_in: int) -> Schedule:
    latency, slots = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    slot_return = draw(st.integers(0, 1))
    kind = draw(st.sampled_from(["every", "reduce", "expand", "buffered"]))
    every = np.arange(beats_in)
    if kind == "reduce":
        group = draw(st.sampled_from([k for k in range(1, beats_in + 1) if beats_in % k == 0]))
        return Schedule.through(beats_in, every, every[group - 1 :: group], latency, slots, slot_return, accept=every)
    if kind == "expand":
        ratio = draw(st.integers(1, 3))
        steps = np.arange(beats_in * ratio)
        return Schedule.through(len(steps), steps, steps, latency, slots, slot_return, accept=steps[::ratio])
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
        return Schedule.through(
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
    return Schedule.through(beats_in, every, every, latency, slots, slot_return, accept=every)


@st.composite
def chain(draw: st.DrawFn) -> list[Schedule]:
    beats, schedules = draw(st.integers(1, 6)), []
    for _ in range(draw(st.integers(1, 4))):
        schedules.append(draw(stage(beats)))
        beats = schedules[-1].outlets[0].beats
    return schedules


@settings(max_examples=150, deadline=None, derandomize=True)
@given(chain(), st.integers(1, 4))
def test_every_transfer_is_predicted_to_the_cycle(schedules: list[Schedule], frames: int) -> None:
    prediction = predict(schedules, frames)
    assert [list(beats) for beats in prediction.transfers] == play(schedules, frames)


@st.composite
def graph(draw: st.DrawFn) -> tuple[list[Schedule], list[tuple[int, ...]]]:
    """Draw stages that fork and join at random, until one stream is left."""
    schedules: list[Schedule] = []
    feeds: list[tuple[int, ...]] = []
    loose = {0: draw(st.integers(1, 6))}
    streams = 0

    def add(schedule: Schedule, *reads: int) -> None:
        nonlocal streams
        schedules.append(schedule)
        feeds.append(reads)
        for stream in reads:
            del loose[stream]
        for outlet in schedule.outlets:
            streams += 1
            loose[streams] = outlet.beats

    def outlet(emit: np.ndarray) -> Outlet:
        return Outlet(emit, draw(st.integers(1, 5)), draw(st.integers(1, 6)), draw(st.integers(0, 1)))

    def add_turns(reads: list[int]) -> None:
        order = np.repeat(np.arange(len(reads)), [loose[stream] for stream in reads])
        order = np.random.default_rng(draw(st.integers(0, 99))).permutation(order)
        intakes = tuple(Intake(accept=np.flatnonzero(order == k)) for k in range(len(reads)))
        add(Schedule(len(order), np.arange(len(order)), intakes, (outlet(np.arange(len(order))),)), *reads)

    add(draw(stage(loose[0])), 0)
    for _ in range(draw(st.integers(1, 6))):
        stream = draw(st.sampled_from(sorted(loose)))
        every = np.arange(loose[stream])
        match draw(st.sampled_from(["stage", "fork", "step", "turn"])):
            case "stage":
                add(draw(stage(loose[stream])), stream)
            case "fork" if len(loose) < 4:
                outlets = tuple(outlet(every) for _ in range(draw(st.integers(2, 3))))
                add(Schedule(len(every), every, (Intake(accept=every),), outlets), stream)
            case "step":
                reads = [other for other in loose if loose[other] == loose[stream]]
                if len(reads) > 1:
                    add(Schedule(len(every), every, (Intake(accept=every),) * len(reads), (outlet(every),)), *reads)
            case "turn" if len(loose) > 1:
                add_turns(draw(st.permutations(sorted(loose)))[:2])
    if len(loose) > 1:
        add_turns(sorted(loose))
    return schedules, feeds


@settings(max_examples=300, deadline=None, derandomize=True)
@given(graph(), st.integers(1, 4))
def test_every_transfer_and_every_deadlock_of_a_graph_is_predicted(
    pipeline: tuple[list[Schedule], list[tuple[int, ...]]], frames: int
) -> None:
    schedules, feeds = pipeline
    played = play(schedules, frames, feeds)
    if played is None:
        with pytest.raises(Deadlock):
            predict(schedules, frames, feeds)
    else:
        assert [list(beats) for beats in predict(schedules, frames, feeds).transfers] == played


@settings(max_examples=50, deadline=None, derandomize=True)
@given(chain())
def test_occupancy_never_exceeds_slots_but_for_the_beat_that_leaves(schedules: list[Schedule]) -> None:
    prediction = predict(schedules, 3)
    for number, schedule in enumerate(schedules):
        (outlet,) = schedule.outlets
        assert 1 <= prediction.occupancy(number) <= outlet.slots + (1 - outlet.slot_return)


def unfolded(beats: int, latency: int = 3, slots: int = 8) -> Schedule:
    every = np.arange(beats)
    return Schedule.through(beats, every, every, latency, slots, accept=every)


def test_interval_is_that_of_the_slowest_stage() -> None:
    slow = Schedule.through(20, np.arange(20), np.arange(20)[4::5], 2, 2, accept=np.arange(20)[::5])
    prediction = predict([unfolded(4), slow, unfolded(4)], 30)
    assert prediction.ii == 20
    assert prediction.latency == prediction.transfers[-1][3]


def test_two_frames_show_the_interval_and_one_the_slowest_schedule() -> None:
    """A single slot lets a beat leave every fourth cycle."""
    schedules = [unfolded(4, slots=1), unfolded(4, slots=1)]
    played = play(schedules, 2)
    assert played is not None
    assert [predict(schedules, frames).ii for frames in (1, 2)] == [4, played[-1][7] - played[-1][3]] == [4, 16]


def test_long_runs_continue_the_periodic_regime() -> None:
    schedules = [unfolded(4), unfolded(4)]
    prediction = predict(schedules, 5)
    assert list(prediction.output_cycles(50)) == list(predict(schedules, 50).transfers[-1])


def test_a_run_is_cut_short_only_once_it_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a deep FIFO fills, frames are taken faster than ever after."""
    slow = Schedule.through(20, np.arange(20), np.arange(20)[4::5], 2, 2, accept=np.arange(20)[::5])
    schedules = [unfolded(4, slots=30), slow]
    solved = predict(schedules, 60)
    monkeypatch.setattr("hwgen.timing.predict.EXACT_EVENTS", 1)
    cut = predict(schedules, 60)
    assert 8 <= cut.frames < 60
    assert cut.transfers[0].tolist() == solved.transfers[0].tolist()[: 4 * cut.frames]
    first, *_, last = np.diff(cut.transfers[0][::4])
    assert (first, last) == (4, 20)


def test_neighbours_must_agree_about_the_beats_of_a_frame() -> None:
    with pytest.raises(ValueError, match="Stage 0 yields 4 beats a frame, but stage 1 takes 5"):
        predict([unfolded(4), unfolded(5)], 1)


def test_no_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one frame, not 0"):
        predict([unfolded(4)], 0)


@pytest.mark.parametrize(
    ("feeds", "message"),
    [
        ([(0,), (1,), (1,)], "Stage 2 reads stream 1, which comes later or has another reader"),
        ([(0,), (3,), (1,)], "Stage 1 reads stream 3, which comes later or has another reader"),
        ([(0,), (1,)], r"One stream leaves the pipeline, the last; here \[2, 3\] do"),
    ],
)
def test_an_illegal_graph_is_refused(feeds: list[tuple[int, ...]], message: str) -> None:
    every = np.arange(4)
    fork = Schedule(4, every, (Intake(accept=every),), (Outlet(every, 1, 2), Outlet(every, 1, 2)))
    stages = [unfolded(4), fork] if len(feeds) == 2 else [unfolded(4)] * 3
    with pytest.raises(ValueError, match=message):
        predict(stages, 1, feeds)


def test_a_run_that_repeats_is_continued_exactly() -> None:
    """A long run is cut short once nothing new can happen; solved in full it is the same."""
    slow = Schedule.through(20, np.arange(20), np.arange(20)[4::5], 2, 2, accept=np.arange(20)[::5])
    schedules = [unfolded(4, slots=9), slow, unfolded(4)]
    system = System(schedules, [(0,), (1,), (2,)], 60)
    for frame in range(60):
        system.settle_frame(frame)
    for predicted, solved in zip(predict(schedules, 60).transfers, system.transfers, strict=True):
        assert np.array_equal(predicted, solved)
