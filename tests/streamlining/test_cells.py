"""Steps that are alike become one cell: golden == ONNX Runtime, and the Verilog in both simulators == golden, every beat at its predicted cycle."""

from __future__ import annotations

from pathlib import Path

import pytest

from hwgen.layers.recurrent import Recurrent
from tests.random_networks import seeded_plan
from tests.streamlining.random_recurrent import KINDS, random_recurrent
from tests.streamlining.test_random_graphs import golden_is_the_graph, verilog_is_the_graph
from tests.test_random_networks import hold_to_golden_in_icarus

SEEDS, MANY_SEEDS = range(4 * len(KINDS)), range(4 * len(KINDS), 300)
IN_VERILOG, IN_ICARUS = (14,), (1,)
"""A cell with two states. Few bits."""


@pytest.mark.parametrize("seed", SEEDS)
def test_golden_is_the_graph(tmp_path: Path, seed: int) -> None:
    case = random_recurrent(tmp_path, seed)
    golden_is_the_graph(case)
    assert any(isinstance(layer, Recurrent) for layer in case.network.layers)


@pytest.mark.slow
@pytest.mark.parametrize("seed", MANY_SEEDS)
def test_golden_is_the_graph_on_many(tmp_path: Path, seed: int) -> None:
    golden_is_the_graph(random_recurrent(tmp_path, seed))


@pytest.mark.parametrize("seed", IN_VERILOG)
def test_the_verilog_is_the_graph_on_schedule(tmp_path: Path, seed: int) -> None:
    verilog_is_the_graph(random_recurrent(tmp_path, seed), seed, tmp_path, stall=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", MANY_SEEDS)
def test_the_verilog_is_the_graph_on_schedule_on_many(tmp_path: Path, seed: int) -> None:
    verilog_is_the_graph(random_recurrent(tmp_path, seed), seed, tmp_path, stall=True)


@pytest.mark.icarus
@pytest.mark.parametrize("seed", IN_ICARUS)
def test_the_verilog_is_the_graph_in_icarus_from_any_state(tmp_path: Path, seed: int) -> None:
    hold_to_golden_in_icarus(seeded_plan(random_recurrent(tmp_path, seed).network, seed))
