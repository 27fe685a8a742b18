"""Foldings within a budget."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from hwgen.devices.boards import find_device
from hwgen.devices.usage import Usage
from hwgen.errors import OptionError
from hwgen.estimation.budget import Budget, budget, overdrawn, taken
from hwgen.estimation.estimate import estimate_total
from hwgen.fold import MemoryStyle
from hwgen.folding.catalogue import Catalogue
from hwgen.folding.prices import Pricing
from hwgen.folding.within_budget import NothingFits, fold_for_budget
from hwgen.pipeline.fifo_depths import size_fifos
from hwgen.pipeline.layout import lay_out
from hwgen.plan import Plan
from tests.small_networks import mlp
from tests.test_network import RESIDUAL

NETWORK = mlp(24, 16, 6)
UP5K = find_device("up5k")


def tight(luts: int, brams: int = 4) -> replace:
    device = replace(UP5K, luts=luts, ffs=luts, bram_blocks=brams)
    return budget(device, link=False)


def short(plan: Plan, limits: Budget) -> list[str]:
    return overdrawn(taken(lay_out(plan), limits), limits)


def test_a_plan_stays_within_its_budget_and_a_larger_budget_is_faster() -> None:
    catalogue, cycles = Catalogue(NETWORK), []
    for luts in (560, 800, 2500):
        limits = tight(luts)
        plan = fold_for_budget(catalogue, limits, clock_hz=12e6)
        assert short(plan, limits) == []
        cycles.append(plan.cycles)
    assert cycles[0] > cycles[1] > cycles[2]


def test_no_folding_of_all_is_faster_within_the_budget() -> None:
    limits, catalogue = tight(700, brams=2), Catalogue(NETWORK)
    best = fold_for_budget(catalogue, limits, clock_hz=12e6).cycles
    choices = [[entry for entry in entries if entry[1] < best] for entries in catalogue.entries.values()]
    for folds in itertools.product(*choices):
        plan = Plan(NETWORK, {layer.name: fold for layer, (fold, _, _) in zip(NETWORK.layers, folds, strict=True)})
        if not short(plan, limits):
            assert short(size_fifos(plan), limits)


def test_a_plan_is_found_within_no_more_than_it_takes() -> None:
    """The prices of the tries before it say that all layers at their cheapest take up to 87 % of the budget."""
    catalogue, limits = Catalogue(mlp(256, 64, 10)), tight(5280, brams=4)
    plan = fold_for_budget(catalogue, limits, clock_hz=12e6)
    exactly = replace(limits, cells=float(limits.needs(taken(lay_out(plan), limits))[0]))
    assert fold_for_budget(catalogue, exactly, clock_hz=12e6).cycles == plan.cycles == 40


def test_block_rams_are_a_budget_of_their_own() -> None:
    catalogue = Catalogue(mlp(256, 64, 10))
    for brams in (4, 12):
        plan = fold_for_budget(catalogue, tight(5280, brams), clock_hz=12e6)
        assert estimate_total(plan, UP5K).brams <= brams


def test_a_budget_can_be_less_than_what_a_plan_took() -> None:
    limits, catalogue = tight(900), Catalogue(NETWORK)
    first = estimate_total(fold_for_budget(catalogue, limits, clock_hz=12e6), UP5K)
    less = limits.below(first, 0.8)
    second = estimate_total(fold_for_budget(catalogue, less, clock_hz=12e6), UP5K)
    assert less.needs(second)[0] <= 0.8 * less.needs(first)[0]


def test_a_rate_is_met_at_the_least_cost_within_the_budget() -> None:
    limits, catalogue = tight(2500), Catalogue(NETWORK)
    fastest = fold_for_budget(catalogue, limits, clock_hz=12e6)
    slower = fold_for_budget(catalogue, limits, clock_hz=12e6, most_cycles=96)
    assert fastest.cycles < slower.cycles <= 96
    assert estimate_total(slower, UP5K).luts < estimate_total(fastest, UP5K).luts


def test_what_fits_nowhere_says_what_is_short() -> None:
    with pytest.raises(
        OptionError, match=r"No folding of 'mlp' fits up5k: the nearest needs about .* logic cells where there are"
    ):
        fold_for_budget(Catalogue(NETWORK), tight(60), clock_hz=12e6)


def test_weights_go_to_large_rams_where_there_is_no_other_room() -> None:
    network = mlp(512, 128, 10)
    catalogue = Catalogue(network, large_rams=True)
    limits = replace(tight(2500), usage=Usage(ffs=2500, brams=3, sprams=4))
    plan = fold_for_budget(catalogue, limits, clock_hz=12e6)
    styles = {fold.memory for fold in plan.folds.values() if fold.writable}
    assert styles == {MemoryStyle.SPRAM}
    assert 0 < estimate_total(plan, UP5K).sprams <= 4


def test_a_plan_that_its_fifos_push_over_the_budget_is_not_taken() -> None:
    catalogue, whole = Catalogue(RESIDUAL), budget(UP5K, link=False)

    def fits_unsized(cells: float) -> Plan | None:
        pricing = Pricing(catalogue, replace(whole, cells=cells), 12e6)
        return next((plan for cycles in pricing.rates if (plan := pricing.within(cycles)) is not None), None)

    fastest = fits_unsized(440)
    assert fastest is not None and short(size_fifos(fastest), replace(whole, cells=440)) != []
    taken_instead = fold_for_budget(catalogue, replace(whole, cells=440), clock_hz=12e6)
    assert taken_instead.cycles > fastest.cycles
    assert short(taken_instead, replace(whole, cells=440)) == []
    assert fits_unsized(400) is not None
    with pytest.raises(NothingFits, match=r"the nearest needs about \d+ logic cells where there are 400;") as caught:
        fold_for_budget(catalogue, replace(whole, cells=400), clock_hz=12e6)
    assert short(caught.value.nearest, replace(whole, cells=400)) != []
