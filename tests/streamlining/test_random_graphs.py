"""Random ONNX graphs: golden == ONNX Runtime (or QONNX's executor), and the Verilog in Verilator == golden, every beat at its predicted cycle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hwgen
from hwgen.arrays import codec
from tests.lint import lint
from tests.random_networks import seeded_plan
from tests.streamlining.random_graphs import Case, random_graph
from tests.verilator import played

FEW_SEEDS = (15, 16, 18, 20, 22, 30, 35)
"""Small networks that have every kind of layer between them, lines and thresholds of positions, and QONNX quantisers."""


def golden_is_the_graph(case: Case) -> np.ndarray:
    """Hold golden to ONNX Runtime and give what golden says; a network that announces rounding (a curve over many integers) only roughly."""
    network, x = case.network, case.frames
    found = codec.from_codes(network, network.golden(codec.to_codes(network.input, x)))
    wanted = case.model.reference(x)
    if any("off by at most" in note for note in network.notes):
        assert np.max(np.abs(found - wanted)) <= 1e-3 * np.max(np.abs(wanted))
    else:
        np.testing.assert_array_equal(found, wanted)
    return found


def verilog_is_the_graph(case: Case, seed: int, folder: Path, *, stall: bool = False) -> None:
    """Fold the network at random and hold its Verilog to golden, and so to ONNX Runtime, over frames back to back, and once more with stalls."""
    accelerator = hwgen.build(seeded_plan(case.network, seed), folder / "build")
    assert "%Warning" not in lint(accelerator.folder, case.network.name)
    result = played(accelerator, case.frames, stall=stall)
    np.testing.assert_array_equal(result.outputs, golden_is_the_graph(case))
    assert (result.mismatches, result.beats_off_schedule) == (0, 0)


@pytest.mark.parametrize("seed", range(60))
def test_golden_is_onnx_runtime(tmp_path: Path, seed: int) -> None:
    golden_is_the_graph(random_graph(tmp_path, seed))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(60, 660))
def test_golden_is_onnx_runtime_for_many(tmp_path: Path, seed: int) -> None:
    golden_is_the_graph(random_graph(tmp_path, seed))


@pytest.mark.parametrize("seed", FEW_SEEDS)
def test_verilog_is_onnx_runtime(tmp_path: Path, seed: int) -> None:
    verilog_is_the_graph(random_graph(tmp_path, seed), seed, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [seed for seed in range(660) if seed not in FEW_SEEDS])
def test_verilog_is_onnx_runtime_for_many(tmp_path: Path, seed: int) -> None:
    verilog_is_the_graph(random_graph(tmp_path, seed), seed, tmp_path)
