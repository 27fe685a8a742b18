"""Random attention-like graphs: golden == ONNX Runtime, and the Verilog in both simulators == golden, every beat at its predicted cycle."""

from __future__ import annotations

from pathlib import Path

import pytest

from hwgen.layers.matmul import MatMul
from tests.random_networks import seeded_plan
from tests.streamlining.random_attention import random_attention
from tests.streamlining.test_random_graphs import golden_is_the_graph, verilog_is_the_graph
from tests.test_random_networks import hold_to_golden_in_icarus

SEEDS, MANY_SEEDS = range(20), range(20, 300)
IN_VERILOG, IN_ICARUS = (0, 11), (4,)
"""Thresholds in the products; a Softmax. Thresholds behind a product."""


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
    verilog_is_the_graph(random_attention(tmp_path, seed), seed, tmp_path, stall=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", MANY_SEEDS)
def test_the_verilog_is_the_graph_on_schedule_on_many(tmp_path: Path, seed: int) -> None:
    verilog_is_the_graph(random_attention(tmp_path, seed), seed, tmp_path, stall=True)


@pytest.mark.icarus
@pytest.mark.parametrize("seed", IN_ICARUS)
def test_the_verilog_is_the_graph_in_icarus_from_any_state(tmp_path: Path, seed: int) -> None:
    hold_to_golden_in_icarus(seeded_plan(random_attention(tmp_path, seed).network, seed))


@pytest.mark.icarus
@pytest.mark.slow
@pytest.mark.parametrize("seed", MANY_SEEDS)
def test_the_verilog_is_the_graph_in_icarus_on_many(tmp_path: Path, seed: int) -> None:
    hold_to_golden_in_icarus(seeded_plan(random_attention(tmp_path, seed).network, seed))
