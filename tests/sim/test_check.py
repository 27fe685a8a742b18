"""How a simulation's outcome is judged; the simulators themselves are tested in tests/sim."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from hwgen.arrays import codec
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


def test_a_late_beat_is_off_schedule_unless_stalls_were_asked_for(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(trace: Trace) -> Trace:
        return dataclasses.replace(trace, out_cycles=trace.out_cycles + (np.arange(len(trace.out_cycles)) == 3))

    assert judge(plan, monkeypatch, late).beats_off_schedule == 1
    assert not judge(plan, monkeypatch, late).exact
    assert judge(plan, monkeypatch, late, stall=True).exact


def test_stalls_come_with_a_reset_while_all_buffers_are_full(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Stimulus] = []

    def play(stimulus: Stimulus, trace: Trace) -> Trace:
        sent.append(stimulus)
        return trace

    for stall in (False, True):
        judge(plan, monkeypatch, play, sent=True, stall=stall)
    schedule = lay_out(plan).predict(4)
    assert [stimulus.reset_at for stimulus in sent] == [None, schedule.ii + schedule.latency]
    assert sent[1].burst_cycles > sent[1].reset_at


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
