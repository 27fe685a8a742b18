"""Random attention-like graphs: golden == ONNX Runtime, and the Verilog in both simulators == golden, every beat at its predicted cycle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hwgen
from hwgen.layers.matmul import MatMul
from hwgen.plan import Plan
from hwgen.progress import silent
from hwgen.sim.check import Engine, simulate
from tests.lint import lint
from tests.random_networks import random_plan
from tests.streamlining.random_attention import random_attention
from tests.streamlining.random_graphs import Case
from tests.streamlining.test_random_graphs import COMPILER_FLAGS, golden_is_the_graph
from tests.test_random_networks import hold_to_golden_in_icarus

SEEDS, MANY_SEEDS = range(20), range(20, 300)
IN_VERILOG, IN_ICARUS = (0, 11), (4,)
"""Thresholds in the products; a Softmax. Thresholds behind a product."""


def folded(case: Case, seed: int) -> Plan:
    random = np.random.default_rng(seed)
    return random_plan(case.network, lambda options: options[random.integers(len(options))])


def verilog_is_the_graph(folder: Path, seed: int) -> None:
    """Fold the network at random and hold its Verilog to golden, and so to ONNX Runtime, over frames back to back and with stalls."""
    case = random_attention(folder, seed)
    golden = golden_is_the_graph(case)
    accelerator = hwgen.build(folded(case, seed), folder / "build")
    assert "%Warning" not in lint(accelerator.folder, case.network.name)
    for stall in (False, True):
        result = simulate(
            accelerator.pipeline,
            accelerator.folder,
            case.frames,
            expected=None,
            frames=None,
            engine=Engine.VERILATOR,
            stall=stall,
            waves=None,
            progress=silent,
            compiler_flags=COMPILER_FLAGS,
        )
        np.testing.assert_array_equal(result.outputs, golden)
        assert not result.mismatches
        assert not result.beats_off_schedule


@pytest.mark.parametrize("seed", SEEDS)
def test_golden_is_the_graph(tmp_path: Path, seed: int) -> None:
    case = random_attention(tmp_path, seed)
    golden_is_the_graph(case)
    assert sum(isinstance(layer, MatMul) for layer in case.network.layers) == 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", MANY_SEEDS)
def test_golden_is_the_graph_on_many(tmp_path: Path, seed: int) -> None:
    golden_is_the_graph(random_attention(tmp_path, seed))


@pytest.mark.parametrize("seed", IN_VERILOG)
def test_the_verilog_is_the_graph_on_schedule(tmp_path: Path, seed: int) -> None:
    verilog_is_the_graph(tmp_path, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", MANY_SEEDS)
def test_the_verilog_is_the_graph_on_schedule_on_many(tmp_path: Path, seed: int) -> None:
    verilog_is_the_graph(tmp_path, seed)


@pytest.mark.icarus
@pytest.mark.parametrize("seed", IN_ICARUS)
def test_the_verilog_is_the_graph_in_icarus_from_any_state(tmp_path: Path, seed: int) -> None:
    hold_to_golden_in_icarus(folded(random_attention(tmp_path, seed), seed))


@pytest.mark.icarus
@pytest.mark.slow
@pytest.mark.parametrize("seed", MANY_SEEDS)
def test_the_verilog_is_the_graph_in_icarus_on_many(tmp_path: Path, seed: int) -> None:
    hold_to_golden_in_icarus(folded(random_attention(tmp_path, seed), seed))
