"""The goals of a folding, priced on a device."""

from __future__ import annotations

import re

import pytest

import hwgen
from hwgen.devices.boards import devices, find_device
from hwgen.errors import OptionError
from hwgen.estimation.budget import budget, overdrawn, taken
from hwgen.estimation.estimate import estimate_total
from hwgen.folding import goals
from hwgen.folding.catalogue import Catalogue
from hwgen.folding.fit import shortage
from hwgen.folding.goals import Setting
from hwgen.folding.within_budget import NothingFits, fold_for_budget
from hwgen.pipeline.fifo_depths import size_fifos
from hwgen.pipeline.layout import lay_out
from hwgen.plan import Plan
from tests.small_networks import mlp
from tests.test_network import RESIDUAL

NETWORK = mlp(12, 8, 6)


def short(plan: Plan, device: str) -> list[str]:
    limits = budget(find_device(device), link=False)
    return overdrawn(taken(lay_out(size_fifos(plan)), limits), limits)


def test_a_rate_is_reached_and_a_lower_one_at_less_cost() -> None:
    usages = []
    for rate in (1e6, 1e5):
        plan = goals.fold_for_rate(NETWORK, rate, Setting(clock_hz=12e6))
        assert plan.cycles <= 12e6 / rate
        usages.append(estimate_total(plan, find_device("up5k")))
    assert usages[0].luts > usages[1].luts


def test_a_rate_out_of_reach_names_the_layer_and_the_highest_rate() -> None:
    message = r"Layer 'dense0' needs at least 1 cycles a frame, but 1e\+08 frames/s at 50 MHz leave 0; ask for at most 50000000"
    with pytest.raises(OptionError, match=message):
        goals.fold_for_rate(NETWORK, 1e8, Setting(clock_hz=50e6))


def test_most_throughput_is_a_frame_a_cycle() -> None:
    assert goals.fold_for_throughput(NETWORK).cycles == 1


def test_no_plan_with_another_folding_of_a_layer_is_smaller_than_that_of_least_area() -> None:
    plan, device = goals.fold_for_area(NETWORK), find_device("up5k")
    limits = budget(device, link=False)
    # A share of each resource is worth the same; flip-flops are in the cells.
    prices = limits.limits()[0] / limits.limits().clip(min=1e-3)
    prices[1] = 0

    def cost(folds: dict) -> float:
        return float(limits.needs(taken(lay_out(Plan(NETWORK, folds)), limits)) @ prices)

    least = cost(dict(plan.folds))
    others = [cost({**plan.folds, layer.name: fold}) for layer in NETWORK.layers for fold in layer.folding.folds()]
    # The search does not price the counters of beats at both ports.
    assert least <= min(others) + 2 * 12


@pytest.mark.parametrize("device", ["up5k", "hx8k", "gw1nr-9", "ecp5-12", "ccgm1a1"])
def test_without_a_goal_the_plan_fits_its_device_block_rams_included(device: str) -> None:
    plan = goals.fold_for_device(mlp(256, 128, 10), Setting(device))
    assert short(plan, device) == []
    assert plan.device == device
    assert shortage(lay_out(plan)) is None


def test_a_larger_device_is_faster_and_the_default_is_a_small_one() -> None:
    network = mlp(256, 128, 10)
    small, named, large = (hwgen.plan(network, device=device) for device in (None, "up5k", "ecp5-85"))
    assert (small.device, small.folds) == ("up5k", named.folds)
    assert large.cycles < small.cycles


def test_what_does_not_fit_is_folded_as_near_as_can_be_and_says_in_one_sentence_where_it_would() -> None:
    network = mlp(512, 512, 10)
    plan = size_fifos(goals.fold_for_device(network))
    assert short(plan, "up5k") != []
    sentence = shortage(lay_out(plan)) or ""
    assert sentence.startswith("'mlp' does not fit up5k: as it is folded it needs about ")
    assert re.search(r"\d+ block RAMs where there are 30[,;]", sentence)
    (name,) = sentence.split("the smallest known device with room for it at this rate is ")[1:]
    room = find_device(name)
    known = [one for one in devices().values() if one.family.prices is not None and one.luts < room.luts]
    for device in [*known, room]:
        limits, catalogue = budget(device, link=False), Catalogue(network)
        if device is room:
            assert fold_for_budget(catalogue, limits, clock_hz=1e8, most_cycles=plan.cycles).cycles <= plan.cycles
        else:
            with pytest.raises(NothingFits):
                fold_for_budget(catalogue, limits, clock_hz=1e8, most_cycles=plan.cycles)


def test_what_fits_no_known_device_says_so() -> None:
    plan = size_fifos(goals.fold_for_throughput(mlp(784, 512, 10)))
    sentence = shortage(lay_out(plan)) or ""
    assert sentence.endswith("; no known device has room for it at this rate")


def test_registers_and_writable_memories_are_within_the_budget() -> None:
    network = mlp(256, 128, 10)
    plan = hwgen.plan(network, writable="all", axi_lite=True)
    assert plan.has_registers and all(fold.writable for fold in plan.folds.values())
    assert short(plan, "up5k") == []
    assert plan.cycles >= hwgen.plan(network).cycles


@pytest.mark.parametrize("goal", [{}, {"target_fps": 1000}, {"max_throughput": True}, {"min_area": True}])
def test_every_goal_counts_the_device_that_is_named(goal: dict) -> None:
    assert hwgen.plan(NETWORK, **goal).device == "up5k"
    assert hwgen.plan(NETWORK, device="gw1nr-9", **goal).device == "gw1nr-9"
    with pytest.raises(OptionError, match=r"The device must be one of up5k, .*, not 'up6k'"):
        hwgen.plan(NETWORK, device="up6k", **goal)


@pytest.mark.parametrize("limit", [4, 6, 12, 48])
def test_a_graph_is_folded_within_its_limit(limit: int) -> None:
    assert goals.fold_for_rate(RESIDUAL, 1e6, Setting(clock_hz=limit * 1e6)).cycles <= limit
