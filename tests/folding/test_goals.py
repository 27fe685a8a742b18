from __future__ import annotations

import itertools

import pytest

from hwgen.errors import OptionError
from hwgen.fold import Fold
from hwgen.folding import goals, search
from hwgen.layers.protocol import input_lanes, inputs
from hwgen.plan import Plan
from tests.small_networks import mlp
from tests.test_network import RESIDUAL

NETWORK = mlp(12, 8, 6)


def test_a_rate_is_reached_with_no_more_lanes_than_the_cheapest_layers_have() -> None:
    plan = goals.fold_for_rate(NETWORK, frames_per_second=1e6, clock_hz=12e6)
    assert plan.cycles <= 12
    for layer in NETWORK.layers:
        fold = plan.folds[layer.name]
        for other in layer.folds():
            if other.pe * other.simd < fold.pe * fold.simd:
                cheaper = goals._cost(layer.resources(other)) < goals._cost(layer.resources(fold))
                assert layer.cycles(other) > 12 or not cheaper


def test_a_rate_out_of_reach_names_the_layer_and_the_highest_rate() -> None:
    message = r"Layer 'dense0' needs at least 1 cycles a frame, but 1e\+08 frames/s at 50 MHz leave 0; ask for at most 50000000"
    with pytest.raises(OptionError, match=message):
        goals.fold_for_rate(NETWORK, frames_per_second=1e8, clock_hz=50e6)


def test_most_throughput_is_a_frame_a_cycle() -> None:
    assert goals.fold_for_throughput(NETWORK).cycles == 1


def test_no_layer_is_smaller_than_in_the_plan_of_least_area() -> None:
    plan = goals.fold_for_area(NETWORK)
    for layer in NETWORK.layers:
        costs = [goals._cost(layer.resources(fold)) for fold in layer.folds()]
        assert goals._cost(layer.resources(plan.folds[layer.name])) <= min(costs) + 8


def test_a_logic_budget_is_filled_but_not_exceeded() -> None:
    def luts(plan: Plan) -> int:
        return sum(layer.resources(plan.folds[layer.name]).luts for layer in NETWORK.layers)

    small, large = (goals.fold_for_luts(NETWORK, luts=budget) for budget in (250, 400))
    assert luts(small) <= 250
    assert luts(large) <= 400
    assert large.cycles < small.cycles


def test_the_chain_is_folded_at_the_least_cost_of_all_combinations() -> None:
    network, limit = mlp(4, 6, 4), 6
    plan = goals.fold_for_rate(network, frames_per_second=1e6, clock_hz=limit * 1e6)

    def cost(folds: tuple[Fold, ...]) -> float:
        total, lanes = 0.0, network.layers[0].in_lanes(folds[0])
        for layer, fold in zip(network.layers, folds, strict=True):
            total += search.converter_cost(lanes, layer.in_lanes(fold), layer.in_type.bits)
            total += goals._cost(layer.resources(fold))
            lanes = layer.out_lanes(fold)
        return total

    legal = ([fold for fold in layer.folds() if layer.cycles(fold) <= limit] for layer in network.layers)
    assert cost(tuple(plan.folds.values())) == pytest.approx(min(map(cost, itertools.product(*legal))))


@pytest.mark.parametrize("limit", [4, 6, 12, 48])
def test_a_graph_is_folded_within_its_limit_and_no_single_change_is_cheaper(limit: int) -> None:
    plan = goals.fold_for_rate(RESIDUAL, frames_per_second=1e6, clock_hz=limit * 1e6)
    assert plan.cycles <= limit

    def cost(folds: dict[str, Fold]) -> float:
        total = sum(goals._cost(layer.resources(folds[layer.name])) for layer in RESIDUAL.layers)
        for layer in RESIDUAL.layers:
            for entry, lanes in zip(inputs(layer), input_lanes(layer, folds[layer.name]), strict=True):
                if entry.source != "x":
                    before = RESIDUAL.layer(entry.source).out_lanes(folds[entry.source])
                    total += search.converter_cost(before, lanes, entry.type.bits)
        return total

    for layer in RESIDUAL.layers:
        for fold in layer.folds():
            if layer.cycles(fold) <= limit:
                assert cost(dict(plan.folds)) <= cost({**plan.folds, layer.name: fold}) + 1e-9
