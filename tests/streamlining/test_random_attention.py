"""Random attention-like graphs: golden == ONNX Runtime, and the Verilog in both simulators == golden, every beat at its predicted cycle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hwgen
from hwgen.layers.matmul import MatMul
from tests.lint import lint
from tests.random_networks import seeded_plan
from tests.streamlining.random_attention import random_attention
from tests.streamlining.test_random_graphs import golden_is_the_graph
from tests.test_random_networks import hold_to_golden_in_icarus
from tests.verilator import played

SEEDS, MANY_SEEDS = range(20), range(20, 300)
IN_VERILOG, IN_ICARUS = (0, 11), (4,)
"""Thresholds in the products; a Softmax. Thresholds behind a product."""


def verilog_is_the_graph(folder: Path, seed: int) -> None:
    """Fold the network at random and hold its Verilog to golden, and so to ONNX Runtime, over frames back to back and with stalls."""
    case = random_attention(folder, seed)
    golden = golden_is_the_graph(case)
    accelerator = hwgen.build(seeded_plan(case.network, seed), folder / "build")
    assert "%Warning" not in lint(accelerator.folder, case.network.name)
    result = played(accelerator, case.frames, stall=True)
    np.testing.assert_array_equal(result.outputs, golden)
    assert (result.mismatches, result.beats_off_schedule) == (0, 0)


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
    hold_to_golden_in_icarus(seeded_plan(random_attention(tmp_path, seed).network, seed))


@pytest.mark.icarus
@pytest.mark.slow
@pytest.mark.parametrize("seed", MANY_SEEDS)
def test_the_verilog_is_the_graph_in_icarus_on_many(tmp_path: Path, seed: int) -> None:
    hold_to_golden_in_icarus(seeded_plan(random_attention(tmp_path, seed).network, seed))
