"""Hostile networks and those of attention in hwgen, held to their files in ONNX Runtime and by QONNX's operators."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tests.hostile.attention import attending
from tests.hostile.hold import Held, Outcome, hold, oracle
from tests.hostile.networks import hostile
from tests.hostile.verilog import built, differs_in_icarus, differs_in_verilator

SEEDS = range(60)

SLOW_PARTS, SLOW_SEEDS = 20, 500
"""`python -m tests.hostile` does as many as one likes."""


@pytest.mark.parametrize("seed", range(0, 30, 3))
def test_the_whole_file_yields_what_its_nodes_did_one_by_one(seed: int) -> None:
    case = hostile(seed)
    found = oracle(case)
    for name, answer in case.answers.items():
        np.testing.assert_allclose(found[name], answer, rtol=1e-6, atol=1e-6)


def test_a_seed_gives_the_same_network_each_time() -> None:
    first, second = hostile(7), hostile(7)
    assert first.model.SerializeToString() == second.model.SerializeToString()
    for name, frames in first.frames.items():
        np.testing.assert_array_equal(frames, second.frames[name])


@pytest.mark.parametrize("seed", SEEDS)
def test_hostile_networks_are_their_files(seed: int) -> None:
    held = held_of(seed)
    assert not held.outcome.fault, held.detail


def test_most_hostile_networks_are_built() -> None:
    few = SEEDS[::4]
    assert sum(held_of(seed).outcome is Outcome.REFUSED for seed in few) < len(few) / 3


@pytest.mark.parametrize("seed", range(16))
def test_attention_is_its_file(seed: int, tmp_path: Path) -> None:
    held = hold(seed, tmp_path, attending)
    assert held.outcome in (Outcome.EQUAL, Outcome.ANNOUNCED), held.detail


@cache
def held_of(seed: int) -> Held:
    with tempfile.TemporaryDirectory() as folder:
        return hold(seed, Path(folder))


@pytest.mark.icarus
@pytest.mark.parametrize("seed", [3, 5])
def test_hostile_networks_are_exact_in_icarus(seed: int, tmp_path: Path) -> None:
    found = built(seed, tmp_path)
    assert found is not None
    assert differs_in_icarus(*found) == ""


def test_a_hostile_network_is_exact_in_verilator(tmp_path: Path) -> None:
    found = built(3, tmp_path)
    assert found is not None
    assert differs_in_verilator(*found) == ""


@pytest.mark.icarus
@pytest.mark.parametrize("seed", [1, 6])
def test_attention_is_exact_in_icarus(seed: int, tmp_path: Path) -> None:
    found = built(seed, tmp_path, attending)
    assert found is not None
    assert differs_in_icarus(*found) == ""


@pytest.mark.slow
@pytest.mark.parametrize("part", range(SLOW_PARTS))
def test_many_hostile_networks_are_their_files(part: int, tmp_path: Path) -> None:
    first = len(SEEDS) + part * SLOW_SEEDS
    faults = [held for seed in range(first, first + SLOW_SEEDS) if (held := hold(seed, tmp_path)).outcome.fault]
    assert not faults, faults
