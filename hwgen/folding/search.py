"""Choose one folding for each layer so that all together, with the width converters between them, cost least."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, lcm

from hwgen.fold import Fold
from hwgen.layers.protocol import Layer, inputs
from hwgen.network import Network
from hwgen.plan import Plan

__all__ = ["Choice", "cheapest", "converter_cost"]


@dataclass(frozen=True)
class Choice:
    """A folding with what the search needs to know of it."""

    fold: Fold
    cycles: int
    cost: float
    input_lanes: tuple[int, ...]
    out_lanes: int


def converter_cost(out_lanes: int, in_lanes: int, bits: int) -> float:
    """Price the width converter between two layers: a register bit for each lane held, a multiplexer where it narrows."""
    common = lcm(out_lanes, in_lanes)
    widen = common if common != out_lanes else 0
    narrow = 2 * common if common != in_lanes else 0
    return float(bits * (widen + narrow))


@dataclass(frozen=True)
class _Way:
    """The cheapest choices for a run of layers so far that end in these lanes."""

    cost: float
    lanes: int
    choices: tuple[Choice, ...]


def cheapest(network: Network, menu: Mapping[str, list[Choice]], limit: int, clock_hz: float) -> Plan:
    """Choose a folding of at most ``limit`` cycles for every layer.

    Along a run of layers without forks and joins the choice is the best of all, by dynamic programming over the lanes at each boundary. Where runs meet,
    each is solved in turn with the lanes of its neighbours as they stand, until that saves nothing more: the result is a local optimum.
    """
    search = _Search(network, menu, limit)
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
        (source, *others) = layer.sources
        run = ends.pop(source, None) if not others and len(readers[source]) == 1 else None
        if run is None:
            run = []
            runs.append(run)
        run.append(layer)
        ends[layer.name] = run
    return runs


class _Search:
    """The choices so far."""

    def __init__(self, network: Network, menu: Mapping[str, list[Choice]], limit: int) -> None:
        self.network = network
        self.chosen: dict[str, Choice] = {}
        self.menu: dict[str, list[Choice]] = {}
        for name, choices in menu.items():
            best: dict[tuple[tuple[int, ...], int], Choice] = {}
            for choice in choices:
                key = (choice.input_lanes, choice.out_lanes)
                if choice.cycles <= limit and (key not in best or choice.cost < best[key].cost):
                    best[key] = choice
            self.menu[name] = list(best.values())
        self.uses: dict[str, list[tuple[str, int]]] = {}
        for layer in network.layers:
            for number, source in enumerate(layer.sources):
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
            converter_cost(self.chosen[entry.source].out_lanes, width, entry.type.bits)
            for entry, width in zip(inputs(layer), lanes, strict=True)
            if entry.source in self.chosen
        )

    def _exit_cost(self, layer: Layer, lanes: int) -> float:
        """Price the converters behind a layer."""
        return sum(
            converter_cost(lanes, self.chosen[reader].input_lanes[number], layer.out_type.bits)
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
            (entry,) = inputs(layer)
            before = {
                lanes: min(
                    ((way.cost + converter_cost(way.lanes, lanes, entry.type.bits), way) for way in ways),
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
