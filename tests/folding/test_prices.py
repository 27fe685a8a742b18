"""Prices of foldings and of what stands between them: those of the hardware that is laid out."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import pytest

from hwgen.devices.boards import find_device
from hwgen.devices.usage import Usage
from hwgen.estimation.budget import budget
from hwgen.estimation.estimate import estimate, estimate_pipeline
from hwgen.fold import Fold
from hwgen.folding.catalogue import Catalogue
from hwgen.folding.prices import Pricing
from hwgen.network import Network
from hwgen.pipeline.glue import Narrow, Widen
from hwgen.pipeline.layout import lay_out
from hwgen.plan import Plan
from tests.small_networks import mlp
from tests.test_network import RESIDUAL

DEVICES = ["up5k", "ecp5-25", "gw1nr-9", "ccgm1a1"]


def pricing_of(network: Network, device: str = "up5k") -> Pricing:
    return Pricing(Catalogue(network), budget(find_device(device), link=True), 12e6, bounded=False)


def cost_of(pricing: Pricing, folds: Mapping[str, Fold], prices: np.ndarray) -> float:
    """Price a plan as it is laid out, but for the counters of beats at its ports."""
    stages = estimate_pipeline(lay_out(Plan(pricing.network, folds)), pricing.limits.device)
    del stages["ports"]
    return float(pricing.limits.needs(sum(stages.values(), Usage())) @ prices)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        (3, 3, ()),
        (1, 6, (Widen,)),
        (6, 1, (Narrow,)),
        (12, 3, (Narrow,)),
        (4, 6, (Widen, Narrow)),
        (6, 4, (Widen, Narrow)),
    ],
)
def test_a_converter_costs_what_the_stages_that_are_laid_out_are_estimated_to_take(
    device: str, before: int, after: int, kinds: tuple[type, ...]
) -> None:
    network = mlp(2, 12, 3)
    pricing = pricing_of(network, device)
    plan = Plan(network, {"dense0": Fold(pe=before), "dense1": Fold(simd=after)})
    laid = [stage for stage in lay_out(plan).stages if isinstance(stage, Widen | Narrow)]
    assert tuple(map(type, laid)) == kinds
    total = sum((estimate(stage.resources(), pricing.limits.device) for stage in laid), Usage())
    assert pricing.converter_needs(before, after, 1).tolist() == pricing.limits.needs(total).tolist()
    assert (total.luts > 0) == bool(kinds)


@pytest.mark.parametrize("seed", range(6))
def test_along_a_chain_the_choice_is_the_best_of_all_converters_included(seed: int) -> None:
    random = np.random.default_rng(seed)
    network = mlp(*random.choice([2, 3, 4, 6], size=4).tolist(), seed=seed)
    pricing = pricing_of(network, DEVICES[seed % len(DEVICES)])
    prices = random.uniform(0.1, 3, len(pricing.first_prices)) * (pricing.first_prices + 0.1)
    limit = int(random.choice(pricing.rates))
    plan = pricing.cheapest(limit, prices)
    entries = Catalogue(network).entries
    allowed = [
        [(layer.name, fold) for fold, cycles, _ in entries[layer.name] if cycles <= limit] for layer in network.layers
    ]
    assert plan.cycles <= limit
    best = min(cost_of(pricing, dict(folds), prices) for folds in itertools.product(*allowed))
    assert cost_of(pricing, plan.folds, prices) == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize("rank", [0, 3, -1])
def test_in_a_graph_no_single_change_is_cheaper(rank: int) -> None:
    pricing = pricing_of(RESIDUAL)
    prices, limit = pricing.first_prices, pricing.rates[rank]
    plan = pricing.cheapest(limit, prices)
    least = cost_of(pricing, plan.folds, prices)
    for name, menu in pricing.menus.items():
        for fold, cycles in zip(menu.folds, menu.cycles.tolist(), strict=True):
            if cycles <= limit:
                assert least <= cost_of(pricing, {**plan.folds, name: fold}, prices) + 1e-6


def test_no_plan_is_cheaper_than_its_layers_at_their_cheapest() -> None:
    pricing = pricing_of(mlp(12, 8, 6))
    for cycles in pricing.rates:
        plan = pricing.cheapest(cycles, pricing.first_prices)
        bound = pricing.least_cost(cycles, pricing.first_prices)
        assert 0 < bound <= cost_of(pricing, plan.folds, pricing.first_prices) + 1e-6


@pytest.mark.parametrize("device", DEVICES)
def test_no_plan_takes_less_than_the_least_of_each_resource(device: str) -> None:
    pricing = pricing_of(mlp(12, 8, 6), device)
    catalogue, limits = Catalogue(pricing.network), pricing.limits
    for cycles in (pricing.rates[0], 12, 96):
        least = catalogue.least_needs(limits, cycles)
        found = [pricing.cheapest(cycles, np.eye(6)[place] + 1e-9) for place in range(6)]
        needs = [limits.needs(sum(estimate_pipeline(lay_out(plan), limits.device).values(), Usage())) for plan in found]
        assert np.all(np.array(needs) >= least)
        assert least[0] > 0
    # Of a single layer there is a folding that takes the least, and at a slower rate it takes less.
    assert catalogue.least_needs(limits, 96)[0] < catalogue.least_needs(limits, pricing.rates[0])[0]
    assert np.all(np.isinf(catalogue.least_needs(limits, pricing.rates[0] - 1)))
