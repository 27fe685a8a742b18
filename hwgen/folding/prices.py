"""Foldings and what stands between them, priced for one device: a price for each resource, which rises where it is scarce."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

import numpy as np

from hwgen.devices.usage import Usage
from hwgen.estimation.budget import Budget, taken
from hwgen.estimation.estimate import estimate
from hwgen.folding.catalogue import Catalogue
from hwgen.folding.menu import Beside, Menu
from hwgen.folding.search import Choice, cheapest
from hwgen.pipeline.glue import conversion_resources
from hwgen.pipeline.layout import draft
from hwgen.plan import Plan

__all__ = ["Pricing", "excess_of"]

ROUNDS = 24
"""Times that scarce resources become dearer, until a folding is within the budget or there is none."""

PATIENCE = 6
"""Times without a nearer plan after which a network that does not fit is not tried again."""


class Pricing:
    """All foldings of all layers, priced for one device.

    Parameters
    ----------
    catalogue : Catalogue
        Of the network.
    limits : Budget
    clock_hz : float
    axi_lite : bool
        Whether the accelerator has registers though nothing is writable.
    bounded : bool
        Leave out foldings that alone are beyond the budget.
    """

    def __init__(
        self, catalogue: Catalogue, limits: Budget, clock_hz: float, *, axi_lite: bool = False, bounded: bool = True
    ) -> None:
        self.network = network = catalogue.network
        self.limits = limits
        self.clock_hz = clock_hz
        self.axi_lite = axi_lite
        beside = Beside(network, limits)
        self.menus = {layer.name: Menu.of(layer, catalogue, beside, bounded=bounded) for layer in network.layers}
        self._known = {
            (name, fold): usage
            for name, menu in self.menus.items()
            for fold, usage in zip(menu.folds, menu.usages, strict=True)
        }
        self._converters: dict[tuple[int, int, int], np.ndarray] = {}
        # A share of everything is worth the same at first.
        self.bounds = np.maximum(limits.limits(), 1e-3)
        self.first_prices = self.bounds[0] / self.bounds
        self.first_prices[1] = 0

    @cached_property
    def rates(self) -> list[int]:
        """Cycles a frame that the slowest layer can have, rising."""
        least = max(int(menu.cycles.min()) for menu in self.menus.values())
        every = np.unique(np.concatenate([menu.cycles for menu in self.menus.values()]))
        return [int(cycles) for cycles in every[bisect_left(every.tolist(), least) :]]

    def within(self, cycles: int) -> Plan | None:
        """Give a plan of at most so many cycles a frame that is within the budget; None if none was found."""
        for plan, excess, prices in self._tries(cycles) if cycles >= self.rates[0] else ():
            if not excess:
                return plan
            if self.least_cost(cycles, prices) > prices @ self.bounds:
                return None
        return None

    def nearest(self, cycles: int) -> Plan:
        """Give a plan of at most so many cycles a frame that is within the budget, or else the one of those tried that exceeds it least."""
        tried: list[tuple[float, Plan]] = []
        for plan, excess, _ in self._tries(cycles):
            tried.append((excess, plan))
            place = min(range(len(tried)), key=lambda number: tried[number][0])
            if not excess or len(tried) - place > PATIENCE:
                break
        return tried[place][1]

    def _tries(self, cycles: int) -> Iterator[tuple[Plan, float, np.ndarray]]:
        """Give plans of at most so many cycles a frame, by how much each exceeds the budget, and the prices at which it is the cheapest: of what is scarce they rise."""
        prices = self.first_prices
        for _ in range(ROUNDS):
            plan = self.cheapest(cycles, prices)
            shares = self.shares(plan)
            yield plan, excess_of(shares), prices
            prices = prices * np.clip(shares, 0.5, 4.0)
            prices = prices / prices[0]

    def least_cost(self, cycles: int, prices: np.ndarray) -> float:
        """Give what no plan of at most so many cycles a frame costs less than: each layer at its cheapest, nothing between them.

        A plan within the budget costs no more than the whole budget at the same prices, whatever these are (weak duality).
        """
        return sum(menu.least_cost(cycles, prices) for menu in self.menus.values())

    def cheapest(self, cycles: int, prices: np.ndarray) -> Plan:
        """Give the cheapest plan of at most so many cycles a frame at a price for each resource."""
        menu = {
            layer.name: [
                Choice(fold, cost, *lanes) for fold, cost, lanes in self.menus[layer.name].offers(cycles, prices)
            ]
            for layer in self.network.layers
        }
        price: dict[tuple[int, int, int], float] = {}

        def converter(before: int, after: int, bits: int) -> float:
            key = (before, after, bits)
            if key not in price:
                price[key] = float(self.converter_needs(*key) @ prices)
            return price[key]

        return replace(cheapest(self.network, menu, self.clock_hz, converter), axi_lite=self.axi_lite)

    def converter_needs(self, before: int, after: int, bits: int) -> np.ndarray:
        """Give what the width converters between two numbers of lanes take of each limited resource."""
        key = (before, after, bits)
        if key not in self._converters:
            usages = [estimate(cost, self.limits.device) for cost in conversion_resources(before, after, bits)]
            self._converters[key] = self.limits.needs(sum(usages, Usage()))
        return self._converters[key]

    def shares(self, plan: Plan) -> np.ndarray:
        """Give what a plan takes of each limited resource, as a share of the budget."""
        return np.asarray(self.limits.needs(taken(draft(plan), self.limits, self._known)) / self.bounds)


def excess_of(shares: np.ndarray) -> float:
    """Give by how much shares of a budget exceed it, all resources together."""
    return float(np.maximum(shares - 1, 0).sum())
