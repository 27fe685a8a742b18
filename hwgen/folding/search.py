"""Choose one folding for each layer so that all together, with the width converters between them, cost least."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

from hwgen.fold import Fold
from hwgen.layers.protocol import Layer, sources_of
from hwgen.network import Network
from hwgen.plan import Plan

__all__ = ["Choice", "Converter", "cheapest"]

Converter = Callable[[int, int, int], float]
"""Price of the width converters from one number of lanes to another, of so many bits each."""


@dataclass(frozen=True)
class Choice:
    """A folding with what the search needs to know of it."""

    fold: Fold
    cost: float
    input_lanes: tuple[int, ...]
    out_lanes: int


@dataclass(frozen=True)
class _Way:
    """The cheapest choices for a run of layers so far that end in these lanes."""

    cost: float
    lanes: int
    choices: tuple[Choice, ...]


def cheapest(network: Network, menu: Mapping[str, list[Choice]], clock_hz: float, converter: Converter) -> Plan:
    """Choose a folding for every layer.

    Along a run of layers without forks and joins the choice is the best of all, by dynamic programming over the lanes at each boundary. Where runs meet,
    each is solved in turn with the lanes of its neighbours as they stand, until that saves nothing more: the result is a local optimum.
    """
    search = _Search(network, menu, converter)
    runs, cost = _runs(network), inf
    while search.cost() < cost or not search.chosen:
        cost = search.cost() if search.chosen else inf
        for run in runs:
            search.solve(run)
    return Plan(network, {layer.name: search.chosen[layer.name].fold for layer in network.layers}, clock_hz)


def _runs(network: Network) -> list[list[Layer]]:
    """Split a network at its forks and joins."""
    readers = network.readers()
    runs: list[list[Layer]] = []
    ends: dict[str, list[Layer]] = {}
    for layer in network.layers:
        (source, *others) = sources_of(layer)
        run = ends.pop(source, None) if not others and len(readers[source]) == 1 else None
        if run is None:
            run = []
            runs.append(run)
        run.append(layer)
        ends[layer.name] = run
    return runs


class _Search:
    """The choices so far."""

    def __init__(self, network: Network, menu: Mapping[str, list[Choice]], converter: Converter) -> None:
        self.network = network
        self.converter = converter
        self.chosen: dict[str, Choice] = {}
        self.menu = menu
        self.inputs = {layer.name: layer.inputs for layer in network.layers}
        self.uses: dict[str, list[tuple[str, int]]] = {}
        for layer in network.layers:
            for number, source in enumerate(sources_of(layer)):
                self.uses.setdefault(source, []).append((layer.name, number))

    def cost(self) -> float:
        """Price all choices, with the converters between them."""
        return sum(
            self.chosen[layer.name].cost + self._entry_cost(layer, self.chosen[layer.name].input_lanes)
            for layer in self.network.layers
            if layer.name in self.chosen
        )

    def _entry_cost(self, layer: Layer, lanes: tuple[int, ...]) -> float:
        """Price the converters in front of a layer; none stands behind a layer that has no choice yet, nor behind the input port."""
        return sum(
            self.converter(self.chosen[entry.source].out_lanes, width, entry.type.bits)
            for entry, width in zip(self.inputs[layer.name], lanes, strict=True)
            if entry.source in self.chosen
        )

    def _exit_cost(self, layer: Layer, lanes: int) -> float:
        """Price the converters behind a layer."""
        return sum(
            self.converter(lanes, self.chosen[reader].input_lanes[number], layer.out_type.bits)
            for reader, number in self.uses.get(layer.name, [])
            if reader in self.chosen
        )

    def solve(self, run: Sequence[Layer]) -> None:
        """Choose anew for the layers of a run."""
        first, *others = run
        ways = _least(
            _Way(choice.cost + self._entry_cost(first, choice.input_lanes), choice.out_lanes, (choice,))
            for choice in self.menu[first.name]
        )
        for layer in others:
            (entry,) = self.inputs[layer.name]
            before = {
                lanes: min(
                    ((way.cost + self.converter(way.lanes, lanes, entry.type.bits), way) for way in ways),
                    key=lambda priced: priced[0],
                )
                for lanes in {choice.input_lanes[0] for choice in self.menu[layer.name]}
            }
            ways = _least(
                _Way(before[lanes][0] + choice.cost, choice.out_lanes, (*before[lanes][1].choices, choice))
                for choice in self.menu[layer.name]
                for lanes in choice.input_lanes
            )
        best = min(ways, key=lambda way: way.cost + self._exit_cost(run[-1], way.lanes))
        self.chosen |= {layer.name: choice for layer, choice in zip(run, best.choices, strict=True)}


def _least(ways: Iterable[_Way]) -> list[_Way]:
    """Keep the cheapest way to each number of lanes."""
    best: dict[int, _Way] = {}
    for way in ways:
        if way.lanes not in best or way.cost < best[way.lanes].cost:
            best[way.lanes] = way
    return list(best.values())
