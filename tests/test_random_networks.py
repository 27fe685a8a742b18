"""Random networks, folded at random: Verilog == golden, in Verilator every beat at its predicted cycle, in Icarus whatever a register held before."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

import hwgen
from hwgen.network import Network
from hwgen.plan import Plan
from hwgen.sim.record import Stimulus
from tests.icarus import PowerUp, play
from tests.lint import lint
from tests.random_networks import frames_of, graphs, networks, plans

FRAMES = 6
"""Frames back to back: the pipeline fills, runs in its periodic regime, and drains."""

PARTS, SLOW_PARTS = 5, 60

ICARUS_PARTS = 2
"""Parts that are played in Icarus, too, with each test."""


def hold_to_oracles(plan: Plan) -> None:
    codes = frames_of(np.random.default_rng(0), plan.network, FRAMES)
    with tempfile.TemporaryDirectory() as folder:
        accelerator = hwgen.build(plan, Path(folder) / "build")
        assert "%Warning" not in lint(accelerator.folder, plan.network.name)
        result = accelerator.simulate(codes)
    assert np.array_equal(result.codes.reshape(-1), plan.network.golden(*codes.values()).reshape(-1))
    assert (result.mismatches, result.beats_off_schedule) == (0, 0)
    assert result.ii_measured == result.ii_predicted


def hold_to_golden_in_icarus(plan: Plan) -> None:
    """Play frames at full rate and with stalls, from each state at power-up."""
    codes = list(frames_of(np.random.default_rng(0), plan.network, FRAMES).values())
    with tempfile.TemporaryDirectory() as folder:
        pipeline = hwgen.build(plan, Path(folder) / "build").pipeline
        beats = pipeline.sink.pack(plan.network.golden_maps(*codes))
        ends = np.arange(1, len(beats) + 1) % pipeline.sink.count == 0
        due = [f"{beat[::-1].tobytes().hex()} {int(end)}" for beat, end in zip(beats, ends, strict=True)]
        times = pipeline.predict(FRAMES)
        for power_up, stall in zip(PowerUp, (0.3, 0.0, 0.3), strict=True):
            stimulus = Stimulus.of_frames(
                codes,
                pipeline.source,
                pipeline.sink,
                stall=stall,
                ii=times.ii,
                latency=times.latency,
            )
            given, end = play(Path(folder) / "build", plan.network.name, stimulus, power_up)
            assert (given, end) == (due, f"frame_error 0 after {len(stimulus.beats)} beats"), power_up


def networks_of_part(part: int, of: st.SearchStrategy[Network], count: int, hold: Callable[[Plan], None]) -> None:
    @seed(part)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(plans(of))
    def run(plan: Plan) -> None:
        hold(plan)

    run()


KINDS = {"chains": (networks(), 5), "graphs": (graphs(), 3)}
"""Networks of each kind, and how many of them make a part."""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", range(PARTS))
def test_random_networks_are_bit_and_cycle_exact(part: int, kind: str) -> None:
    networks_of_part(part, *KINDS[kind], hold_to_oracles)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", range(PARTS, PARTS + SLOW_PARTS))
def test_many_random_networks_are_bit_and_cycle_exact(part: int, kind: str) -> None:
    networks_of_part(part, *KINDS[kind], hold_to_oracles)


@pytest.mark.icarus
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", range(ICARUS_PARTS))
def test_random_networks_are_exact_in_icarus_from_any_state(part: int, kind: str) -> None:
    networks_of_part(part, *KINDS[kind], hold_to_golden_in_icarus)


@pytest.mark.icarus
@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", range(ICARUS_PARTS, ICARUS_PARTS + SLOW_PARTS))
def test_many_random_networks_are_exact_in_icarus_from_any_state(part: int, kind: str) -> None:
    networks_of_part(part, *KINDS[kind], hold_to_golden_in_icarus)
