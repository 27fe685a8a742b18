"""The foldings of a layer, with what each takes of a budget together with what stands beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hwgen.devices.usage import Usage
from hwgen.estimation.budget import Budget, counts
from hwgen.estimation.estimate import estimate
from hwgen.estimation.harness_bill import port_usage
from hwgen.fold import Fold
from hwgen.folding.catalogue import Catalogue, Lanes
from hwgen.layers.protocol import Layer
from hwgen.network import Network
from hwgen.pipeline.glue import fork_resources, input_resources

__all__ = ["Beside", "Menu"]


class Beside:
    """What stands beside a layer for its lanes' sake: the register behind the input port, the fork behind it, its share of the harness."""

    def __init__(self, network: Network, limits: Budget) -> None:
        self.limits = limits
        self.forks = network.forks()
        readers = network.readers()
        self.first = {
            readers[port.name][0] for port in network.inputs if len(network.inputs) == len(readers[port.name]) == 1
        }
        self.last = {port.source for port in network.outputs if len(network.outputs) == 1}

    def usage(self, layer: Layer, lanes: Lanes) -> Usage:
        """Give what stands beside a layer of these lanes."""
        found, (input_lanes, out_lanes) = Usage(), lanes
        if layer.name in self.first:
            width = input_lanes[0] * layer.inputs[0].type.bits
            found += estimate(input_resources(width), self.limits.device)
            found += port_usage(width, 0) if self.limits.harness else Usage()
        width = out_lanes * layer.out_type.bits
        if layer.name in self.forks:
            found += estimate(fork_resources(width, [None] * len(self.forks[layer.name])), self.limits.device)
        if layer.name in self.last and self.limits.harness:
            found += port_usage(0, width)
        return found


@dataclass(frozen=True)
class Menu:
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
    pairs: list[Lanes]

    @classmethod
    def of(cls, layer: Layer, catalogue: Catalogue, beside: Beside, *, bounded: bool) -> Menu:
        """List a layer's foldings with what they take of a budget; bounded: but for those that alone are beyond it."""
        limits, entries, pairs = beside.limits, catalogue.entries[layer.name], catalogue.lanes[layer.name]
        usages = catalogue.usages(limits.device)[layer.name]
        numbers = {pair: number for number, pair in enumerate(dict.fromkeys(pairs))}
        which = np.array([numbers[pair] for pair in pairs])
        around = np.array([counts(beside.usage(layer, pair)) for pair in numbers])
        needs = limits.needs_of(np.array([counts(usage) for usage in usages]) + around[which])
        # What is beyond the whole device by itself fits in no plan, but something must be left to tell what is short.
        most = np.maximum(limits.limits(), 1)
        kept = np.flatnonzero(np.all(needs <= most, axis=1)) if bounded else np.arange(len(entries))
        kept = kept if len(kept) else np.array([np.argmin((needs / most).max(axis=1))])
        folds = [entries[number][0] for number in kept.tolist()]
        cycles = np.array([entries[number][1] for number in kept.tolist()])
        return cls(folds, [usages[number] for number in kept.tolist()], cycles, needs[kept], which[kept], list(numbers))

    def least_cost(self, cycles: int, prices: np.ndarray) -> float:
        """Give the price of the cheapest folding of at most so many cycles."""
        return float((self.needs[self.cycles <= cycles] @ prices).min())

    def offers(self, cycles: int, prices: np.ndarray) -> Iterator[tuple[Fold, float, Lanes]]:
        """Give the cheapest folding of at most so many cycles for each pair of lanes, with its price and these."""
        quick = np.flatnonzero(self.cycles <= cycles)
        costs = self.needs[quick] @ prices
        order = np.argsort(costs, kind="stable")
        kinds, first = np.unique(self.lanes[quick][order], return_index=True)
        for kind, place in zip(kinds.tolist(), order[first].tolist(), strict=True):
            yield self.folds[quick[place]], float(costs[place]), self.pairs[kind]
