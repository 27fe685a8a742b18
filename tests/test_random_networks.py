"""Random networks, folded at random: Verilog in Verilator == golden, and every beat at its predicted cycle."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

import hwgen
from hwgen.network import Network
from hwgen.plan import Plan
from tests.lint import lint
from tests.random_networks import frames_of, graphs, networks, plans

FRAMES = 6
"""Frames back to back: the pipeline fills, runs in its periodic regime, and drains."""

PARTS, SLOW_PARTS = 5, 60


def hold_to_oracles(plan: Plan) -> None:
    codes = frames_of(np.random.default_rng(0), plan.network, FRAMES)
    with tempfile.TemporaryDirectory() as folder:
        accelerator = hwgen.build(plan, Path(folder) / "build")
        assert "%Warning" not in lint(accelerator.folder, plan.network.name)
        result = accelerator.simulate(codes)
    assert np.array_equal(result.codes.reshape(-1), plan.network.golden(*codes.values()).reshape(-1))
    assert (result.mismatches, result.beats_off_schedule) == (0, 0)
    assert result.ii_measured == result.ii_predicted


def networks_of_part(part: int, of: st.SearchStrategy[Network], count: int) -> None:
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
        hold_to_oracles(plan)

    run()


KINDS = {"chains": (networks(), 5), "graphs": (graphs(), 3)}
"""Networks of each kind, and how many of them make a part."""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", range(PARTS))
def test_random_networks_are_bit_and_cycle_exact(part: int, kind: str) -> None:
    networks_of_part(part, *KINDS[kind])


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", range(PARTS, PARTS + SLOW_PARTS))
def test_many_random_networks_are_bit_and_cycle_exact(part: int, kind: str) -> None:
    networks_of_part(part, *KINDS[kind])
