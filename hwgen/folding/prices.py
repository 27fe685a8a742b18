"""Foldings and what stands between them, priced for one device: a price for each resource, which rises where it is scarce."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from hwgen.devices.usage import Usage
from hwgen.estimation.budget import Budget, taken
from hwgen.estimation.estimate import estimate
from hwgen.estimation.harness_bill import port_usage
from hwgen.fold import Fold
from hwgen.folding.catalogue import Catalogue
from hwgen.folding.search import Choice, cheapest
from hwgen.layers.protocol import Layer, input_lanes, inputs
from hwgen.network import Network
from hwgen.pipeline.glue import conversion_resources, fork_resources, input_resources
from hwgen.pipeline.layout import draft
from hwgen.plan import Plan
from hwgen.rtl_templates.cost import Resources

__all__ = ["Pricing"]

ROUNDS = 24
"""Times that scarce resources become dearer, until a folding is within the budget or there is none."""

_Lanes = tuple[tuple[int, ...], int]


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
        beside = _Beside(network, limits)
        self.menus = {
            layer.name: _Menu.of(layer, catalogue.entries[layer.name], limits, beside, bounded=bounded)
            for layer in network.layers
        }
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
        for plan, over, prices in self._tries(cycles):
            if over <= 1:
                return plan
            if self.least_cost(cycles, prices) > prices @ self.bounds:
                return None
        return None

    def nearest(self, cycles: int) -> Plan:
        """Give a plan of at most so many cycles a frame that is within the budget, or else that of those tried that exceeds it by the least factor."""
        tried = []
        for plan, over, _ in self._tries(cycles):
            if over <= 1:
                return plan
            tried.append((over, plan))
        return min(tried, key=lambda one: one[0])[1]

    def _tries(self, cycles: int) -> Iterator[tuple[Plan, float, np.ndarray]]:
        """Give plans of at most so many cycles a frame, their largest share of the budget, and the prices at which they are cheapest: of what is scarce they rise."""
        prices = self.first_prices
        for _ in range(ROUNDS):
            plan = self.cheapest(cycles, prices)
            shares = self.shares(plan)
            yield plan, float(shares.max()), prices
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


class _Beside:
    """What stands beside a layer for its lanes' sake: the register behind the input port, the fork behind it, its share of the harness."""

    def __init__(self, network: Network, limits: Budget) -> None:
        self.limits = limits
        self.forks = network.forks()
        readers = network.readers()
        self.first = {
            readers[port.name][0] for port in network.inputs if len(network.inputs) == len(readers[port.name]) == 1
        }
        self.last = {port.source for port in network.outputs if len(network.outputs) == 1}

    def usage(self, layer: Layer, fold: Fold) -> Usage:
        found = Usage()
        if layer.name in self.first:
            width = input_lanes(layer, fold)[0] * inputs(layer)[0].type.bits
            found += estimate(input_resources(width), self.limits.device)
            found += port_usage(width, 0) if self.limits.harness else Usage()
        width = layer.out_lanes(fold) * layer.out_type.bits
        if layer.name in self.forks:
            found += estimate(fork_resources(width, [None] * len(self.forks[layer.name])), self.limits.device)
        if layer.name in self.last and self.limits.harness:
            found += port_usage(0, width)
        return found


@dataclass(frozen=True)
class _Menu:
    """The foldings of a layer.

    Parameters
    ----------
    folds : list of Fold
    usages : list of Usage
        Of the layers themselves.
    cycles : ndarray of int, shape (folds,)
    needs : ndarray of float, shape (folds, resources)
        With what stands beside them.
    lanes : ndarray of int, shape (folds,)
        Which of ``pairs``.
    pairs : list of (tuple of int, int)
        Lanes of the inputs and of the output.
    """

    folds: list[Fold]
    usages: list[Usage]
    cycles: np.ndarray
    needs: np.ndarray
    lanes: np.ndarray
    pairs: list[_Lanes]

    @classmethod
    def of(
        cls,
        layer: Layer,
        entries: Sequence[tuple[Fold, int, Resources]],
        limits: Budget,
        beside: _Beside,
        *,
        bounded: bool,
    ) -> _Menu:
        """Price a layer's foldings."""
        most = np.maximum(limits.limits(), 1)
        usages = [estimate(cost, limits.device) for _, _, cost in entries]
        pairs = [(input_lanes(layer, fold), layer.out_lanes(fold)) for fold, _, _ in entries]
        extra: dict[_Lanes, Usage] = {}
        for pair, (fold, _, _) in zip(pairs, entries, strict=True):
            if pair not in extra:
                extra[pair] = beside.usage(layer, fold)
        needs = np.array([limits.needs(usage + extra[pair]) for usage, pair in zip(usages, pairs, strict=True)])
        # What is beyond the whole device by itself fits in no plan, but something must be left to tell what is short.
        kept = np.flatnonzero(np.all(needs <= most, axis=1)) if bounded else np.arange(len(entries))
        kept = kept if len(kept) else np.array([np.argmin((needs / most).max(axis=1))])
        numbers = {pair: number for number, pair in enumerate(dict.fromkeys(pairs))}
        return cls(
            [entries[number][0] for number in kept.tolist()],
            [usages[number] for number in kept.tolist()],
            np.array([entries[number][1] for number in kept.tolist()]),
            needs[kept],
            np.array([numbers[pairs[number]] for number in kept.tolist()]),
            list(numbers),
        )

    def least_cost(self, cycles: int, prices: np.ndarray) -> float:
        """Give the price of the cheapest folding of at most so many cycles."""
        return float((self.needs[self.cycles <= cycles] @ prices).min())

    def offers(self, cycles: int, prices: np.ndarray) -> Iterator[tuple[Fold, float, _Lanes]]:
        """Give the cheapest folding of at most so many cycles for each pair of lanes, with its price and these."""
        quick = np.flatnonzero(self.cycles <= cycles)
        costs = self.needs[quick] @ prices
        order = np.argsort(costs, kind="stable")
        kinds, first = np.unique(self.lanes[quick][order], return_index=True)
        for kind, place in zip(kinds.tolist(), order[first].tolist(), strict=True):
            yield self.folds[quick[place]], float(costs[place]), self.pairs[kind]
