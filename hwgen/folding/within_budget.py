"""Fold a network for a device: the fastest folding whose estimate stays within what the device has."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from hwgen.errors import OptionError
from hwgen.estimation.budget import RESOURCES, Budget, overdrawn
from hwgen.estimation.estimate import estimate, estimate_total
from hwgen.fold import Fold, MemoryStyle
from hwgen.folding.goals import cheapest_of
from hwgen.folding.writable import make_writable
from hwgen.layers.costs import Resources
from hwgen.layers.protocol import Layer, Writable, input_lanes
from hwgen.network import Network
from hwgen.pipeline.fifo_depths import size_fifos
from hwgen.plan import Plan

__all__ = ["Catalogue", "fold_for_budget"]

ROUNDS = 24
"""Times that scarce resources become dearer, until a folding is within the budget or there is none."""

DEEPEST_LOGIC_TABLE = 256
"""Words up to which a table is worth trying in logic."""

LEAST_BLOCK_TABLE = 8
"""Words from which a table is worth trying in block RAM."""


def fold_for_budget(
    catalogue: Catalogue,
    limits: Budget,
    *,
    clock_hz: float,
    most_cycles: int | None = None,
    axi_lite: bool = False,
) -> Plan:
    """Give the fastest plan whose estimate is within a budget, with the depths of its FIFOs.

    Among the foldings of every layer, and the memories of each, the search looks for the least interval between frames
    that some choice within the budget reaches: by bisection over the intervals, with a price for each scarce resource
    that rises until the cheapest choice is within it.

    Parameters
    ----------
    catalogue : Catalogue
        Of the network.
    limits : Budget
    clock_hz : float
    most_cycles : int or None
        Cycles a frame that it must not exceed.
    axi_lite : bool
        Whether the accelerator has registers though nothing is writable.

    Raises
    ------
    OptionError
        If no folding is within the budget; says what is short.
    """
    search = _Search(catalogue, limits, clock_hz, axi_lite=axi_lite)
    rates = [cycles for cycles in search.rates if most_cycles is None or cycles <= most_cycles]
    if most_cycles is not None:
        rates = rates[-1:]
    if most_cycles is not None and not rates:
        raise OptionError(
            f"No folding of '{catalogue.network.name}' reaches {most_cycles} cycles a frame: its least is {search.rates[0]}; "
            "ask for fewer frames/s"
        )
    low, high = 0, len(rates)
    found: dict[int, Plan] = {}
    while low < high:
        middle = (low + high) // 2
        plan = search.plan(rates[middle])
        if plan is None:
            low = middle + 1
        else:
            found[middle] = plan
            high = middle
    for number in range(low, len(rates)):
        plan = found[number] if number in found else search.plan(rates[number])
        # The search prices FIFOs at their least depth, and converters roughly: the plan itself has the last word.
        if plan is not None:
            plan = size_fifos(plan)
            if not overdrawn(estimate_total(plan, limits.device), limits):
                return plan
    raise OptionError(search.shortage())


class Catalogue:
    """Every folding of every layer of a network, and every place for its tables, with its cost before it is priced.

    Parameters
    ----------
    network : Network
    writable : set of str
        Layers whose memories shall be writable.
    large_rams : bool
        Whether weights may be in large RAMs, which makes their layer writable.
    fetch_registers : int
        Of every folding, see `Fold`.
    """

    def __init__(
        self,
        network: Network,
        *,
        writable: Container[str] = frozenset(),
        large_rams: bool = False,
        fetch_registers: int = 0,
    ) -> None:
        self.network = network
        self.entries = {
            layer.name: list(_entries(layer, fetch_registers, writable=layer.name in writable, large_rams=large_rams))
            for layer in network.layers
        }


class _Search:
    """All foldings of all layers, priced for one device."""

    def __init__(self, catalogue: Catalogue, limits: Budget, clock_hz: float, *, axi_lite: bool) -> None:
        self.network = network = catalogue.network
        self.limits = limits
        self.clock_hz = clock_hz
        self.axi_lite = axi_lite
        self.menus = {layer.name: _Menu.of(layer, catalogue.entries[layer.name], limits) for layer in network.layers}
        # A share of everything is worth the same at first.
        bounds = np.maximum(limits.limits(), 1e-3)
        self.first_prices = bounds[0] / bounds
        self.first_prices[1] = 0
        self.least_over: tuple[float, np.ndarray] | None = None

    @cached_property
    def rates(self) -> list[int]:
        """Cycles a frame that the slowest layer can have, rising."""
        least = max(int(menu.cycles.min()) for menu in self.menus.values())
        every = np.unique(np.concatenate([menu.cycles for menu in self.menus.values()]))
        return [int(cycles) for cycles in every[bisect_left(every.tolist(), least) :]]

    def plan(self, cycles: int) -> Plan | None:
        """Give a plan of at most so many cycles a frame that is within the budget; None if none was found."""
        bounds = np.maximum(self.limits.limits(), 1e-3)
        prices = self.first_prices.copy()
        for _ in range(ROUNDS):
            offers = {name: list(menu.offers(cycles, prices)) for name, menu in self.menus.items()}
            plan = replace(cheapest_of(self.network, offers, self.clock_hz), axi_lite=self.axi_lite)
            needs = self.limits.needs(estimate_total(plan, self.limits.device))
            over = needs / bounds
            if np.all(over <= 1):
                return plan
            if self.least_over is None or over.max() < self.least_over[0]:
                self.least_over = (float(over.max()), needs)
            prices *= np.clip(over, 0.5, 4.0)
            prices /= prices[0]
        return None

    def shortage(self) -> str:
        """Say that nothing is within the budget, and what was short in the plan that came nearest."""
        device = self.limits.device
        short = (
            ""
            if self.least_over is None
            else ", ".join(
                f"{need:,.0f} {name} where there are {limit:,.0f}"
                for need, limit, name in zip(self.least_over[1], self.limits.limits(), RESOURCES, strict=True)
                if need > limit
            )
        )
        return (
            f"No folding of '{self.network.name}' fits {device.name}: the nearest needs about {short}; "
            "choose a larger device ('hwgen boards MODEL' shows which would do)"
        )


@dataclass(frozen=True)
class _Menu:
    """The foldings of a layer.

    Parameters
    ----------
    folds : list of Fold
    cycles : ndarray of int, shape (folds,)
    needs : ndarray of float, shape (folds, resources)
    lanes : ndarray of int, shape (folds,)
        Number of the pair of input and output lanes.
    """

    folds: list[Fold]
    cycles: np.ndarray
    needs: np.ndarray
    lanes: np.ndarray

    @classmethod
    def of(cls, layer: Layer, entries: Sequence[tuple[Fold, int, Resources]], limits: Budget) -> _Menu:
        """Price a layer's foldings; of those of equal cycles and lanes the ones that take more of everything go."""
        most = np.maximum(limits.limits(), 1)
        needs = np.array([limits.needs(estimate(cost, limits.device)) for _, _, cost in entries])
        # What is beyond the whole device by itself fits in no plan, but something must be left to tell what is short.
        kept = np.flatnonzero(np.all(needs <= most, axis=1))
        kept = kept if len(kept) else np.array([np.argmin((needs / most).max(axis=1))])
        folds = [entries[number][0] for number in kept.tolist()]
        pairs = [(input_lanes(layer, fold), layer.out_lanes(fold)) for fold in folds]
        numbers = {pair: number for number, pair in enumerate(dict.fromkeys(pairs))}
        cycles = np.array([entries[number][1] for number in kept.tolist()])
        return cls(folds, cycles, needs[kept], np.array([numbers[pair] for pair in pairs]))

    def offers(self, cycles: int, prices: np.ndarray) -> Iterator[tuple[Fold, float]]:
        """Give the cheapest folding of at most so many cycles for each pair of lanes, with its price."""
        quick = np.flatnonzero(self.cycles <= cycles)
        costs = self.needs[quick] @ prices
        order = np.argsort(costs, kind="stable")
        _, first = np.unique(self.lanes[quick][order], return_index=True)
        for place in order[first]:
            yield self.folds[quick[place]], float(costs[place])


def _entries(
    layer: Layer, fetch_registers: int, *, writable: bool, large_rams: bool
) -> Iterator[tuple[Fold, int, Resources]]:
    """Give foldings with cycles a frame and cost: tables where their size suits, in logic, in block RAM, and in large RAMs."""
    for plain in layer.folds():
        plain = replace(plain, fetch_registers=fetch_registers)
        fold = make_writable(layer, plain) if writable else plain
        cycles, cost = layer.cycles(fold), layer.resources(fold)
        yield fold, cycles, cost
        tables = [memory for memory in cost.memories if memory.kind.constant or memory.written]
        styles = []
        if any(memory.style is MemoryStyle.BLOCK and memory.depth <= DEEPEST_LOGIC_TABLE for memory in tables):
            styles.append(MemoryStyle.DISTRIBUTED)
        if any(memory.style is MemoryStyle.DISTRIBUTED and memory.depth >= LEAST_BLOCK_TABLE for memory in tables):
            styles.append(MemoryStyle.BLOCK)
        for style in styles:
            styled = replace(fold, memory=style)
            yield styled, cycles, layer.resources(styled)
        if large_rams and isinstance(layer, Writable):
            styled = replace(layer.writable(fold), memory=MemoryStyle.SPRAM)
            try:
                layer.check_fold(styled)
            except OptionError:
                continue
            yield styled, cycles, layer.resources(styled)
