"""How a simulation's outcome is judged; the simulators themselves are tested in tests/sim."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hwgen.arrays import codec
from hwgen.golden.sensitivity import Effort
from hwgen.pipeline.layout import lay_out
from hwgen.plan import Plan
from hwgen.sim import check
from hwgen.sim.check import Engine, Simulation
from hwgen.sim.record import Stimulus, Trace
from tests.small_networks import mlp

NETWORK = mlp(12, 8, 5)


@pytest.fixture
def plan() -> Plan:
    from hwgen.folding.goals import fold_for_area
    from hwgen.pipeline.fifo_depths import size_fifos

    return size_fifos(fold_for_area(NETWORK))


def judge(
    plan: Plan, monkeypatch: pytest.MonkeyPatch, change=lambda trace: trace, *, sent: bool = False, **options: object
) -> Simulation:
    """Simulate with hardware that does what the models say, but for a change, which may ask for what is sent, too."""
    x = np.random.default_rng(0).choice(np.array([-1, 1]), size=(4, 12))
    codes = codec.to_codes(NETWORK.input, x)
    pipeline = lay_out(plan)
    sink, due = pipeline.sink, pipeline.predict(4).output_cycles(4)
    last = np.arange(1, len(due) + 1) % sink.count == 0
    trace = Trace(np.arange(4), sink.pack(NETWORK.golden_maps(codes)), due, last, frame_error=False)
    play = (lambda *args, **_: change(args[2], trace)) if sent else (lambda *_, **__: change(trace))
    monkeypatch.setattr(check, "run_verilator", play)
    arguments = {"expected": None, "frames": None, "stall": False, "waves": None, **options}
    return check.simulate(pipeline, Path(), x, engine=Engine.VERILATOR, progress=lambda step: None, **arguments)


def test_hardware_that_does_what_the_models_say_is_exact(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    result = judge(plan, monkeypatch)
    assert result.exact
    assert (result.mismatches, result.beats_off_schedule, result.expected_mismatches) == (0, 0, None)
    assert result.ii_measured == result.ii_predicted
    assert result.latency_measured == result.latency_predicted


def test_a_wrong_bit_is_one_wrong_frame(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    def flip(trace: Trace) -> Trace:
        beats = trace.out_beats.copy()
        beats[-1] ^= 1
        return dataclasses.replace(trace, out_beats=beats)

    result = judge(plan, monkeypatch, flip)
    assert not result.exact
    assert result.mismatches == 1


def late(trace: Trace) -> Trace:
    return dataclasses.replace(trace, out_cycles=trace.out_cycles + (np.arange(len(trace.out_cycles)) == 3))


def test_a_late_beat_is_off_schedule_unless_a_side_pauses(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    assert judge(plan, monkeypatch, late).beats_off_schedule == 1
    assert not judge(plan, monkeypatch, late).exact
    change = {False: lambda stimulus, trace: trace if stimulus.stall_in else late(trace)}
    change[True] = lambda stimulus, trace: late(trace) if stimulus.stall_in else trace
    assert [judge(plan, monkeypatch, change[one], sent=True, stall=True).exact for one in (False, True)] == [
        False,
        True,
    ]


def test_stalls_come_behind_a_run_without_and_behind_resets(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Stimulus] = []

    def play(stimulus: Stimulus, trace: Trace) -> Trace:
        sent.append(stimulus)
        return trace

    judge(plan, monkeypatch, play, sent=True, stall=True)
    assert [(one.stall_in, one.stall_out) for one in sent] == [(0, 0), (check.STALL, check.STALL)]
    schedule = lay_out(plan).predict(4)
    assert sent[0].resets == ()
    assert sent[1].resets[0] == 2 * (schedule.ii + schedule.latency) == sent[1].burst_cycles
    assert len(sent[1].resets) == 96


def test_random_frames_come_beside_the_chosen_ones_as_far_as_time_allows(plan: Plan) -> None:
    pipeline = lay_out(plan)
    ii = pipeline.predict(2).ii
    assert check.effort(None, pipeline, Engine.VERILATOR).beside == min((1 << 16) // ii, 1024)
    assert check.effort(None, pipeline, Engine.COCOTB).beside == (1 << 12) // ii
    assert check.effort(7, pipeline, Engine.VERILATOR) == Effort(7, 7, check.CHANGES, check.PRODUCTS)


@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.parametrize(
    ("change", "wrong", "off"),
    [
        (lambda part: part, 0, 0),
        (lambda part: dataclasses.replace(part, out_beats=part.out_beats ^ np.uint8(1)), 1, 0),
        (lambda part: dataclasses.replace(part, out_last=~part.out_last), 1, 0),
        (lambda part: dataclasses.replace(part, out_cycles=part.out_cycles + 1), 0, 2),
        (lambda part: dataclasses.replace(part, in_cycles=np.array([0, part.out_cycles[-1]])), 0, 0),
        (lambda part: cut(part, 0, 1), 0, 0),
        (lambda part: dataclasses.replace(cut(part, 0, 1), in_cycles=np.array([0, part.out_cycles[-1]])), 0, 1),
    ],
    ids=["right", "wrong", "unmarked", "late", "whole", "short", "missing"],
)
def test_what_a_reset_interrupts_is_held_to_the_prediction_too(
    plan: Plan, monkeypatch: pytest.MonkeyPatch, change: Callable[[Trace], Trace], wrong: int, off: int, paused: bool
) -> None:
    """In value always, in cycle unless a side paused: before the first reset."""

    def play(stimulus: Stimulus, trace: Trace) -> Trace:
        parts = (
            (change(cut(trace, 0, 2)), cut(trace, 1, 0))
            if paused
            else (cut(trace, 0, 0), change(cut(trace, 1, 2)), cut(trace, 2, 0))
        )
        return dataclasses.replace(trace, interrupted=parts if stimulus.resets else ())

    result = judge(plan, monkeypatch, play, sent=True, stall=True)
    assert (result.mismatches, result.beats_off_schedule) == (wrong, 0 if paused else off)


def cut(trace: Trace, frame: int, count: int) -> Trace:
    """Give output beats from a frame on, which is played first; until then a single input beat passed."""
    start = frame * (len(trace.out_beats) // 4)
    beats = {name: getattr(trace, name)[start : start + count] for name in ("out_beats", "out_last")}
    return dataclasses.replace(trace, in_cycles=np.zeros(1, int), out_cycles=trace.out_cycles[:count], **beats)


def test_a_wrong_tlast_an_extra_beat_and_a_frame_error_are_mismatches(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unmarked(trace: Trace) -> Trace:
        return dataclasses.replace(trace, out_last=trace.out_last & (np.cumsum(trace.out_last) > 1))

    def doubled(trace: Trace) -> Trace:
        return dataclasses.replace(
            trace,
            out_beats=np.concatenate([trace.out_beats, trace.out_beats[-1:]]),
            out_cycles=np.append(trace.out_cycles, trace.out_cycles[-1] + 1),
            out_last=np.append(trace.out_last, True),
        )

    def flagged(trace: Trace) -> Trace:
        return dataclasses.replace(trace, frame_error=True)

    assert judge(plan, monkeypatch, unmarked).mismatches == 1
    assert (judge(plan, monkeypatch, doubled).mismatches, judge(plan, monkeypatch, doubled).beats_off_schedule) == (
        1,
        1,
    )
    assert judge(plan, monkeypatch, flagged).mismatches == 1
