"""Choose PE and SIMD of every layer: just enough speed, at the least cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hwgen.errors import OptionError
from hwgen.fold import Fold
from hwgen.folding.search import Choice, cheapest
from hwgen.layers.protocol import Layer, Resources, input_lanes
from hwgen.network import Network
from hwgen.plan import Plan

__all__ = [
    "DEFAULT_LUTS",
    "cheapest_of",
    "fold_for_area",
    "fold_for_luts",
    "fold_for_rate",
    "fold_for_throughput",
]

DEFAULT_LUTS = 4000
"""Logic that a plan without a target may use: most of a five-dollar FPGA."""

FLIPFLOP_COST = 0.25
"""Cost of a flip-flop in LUTs: most share a logic cell with the LUT in front of them."""

MEMORY_BIT_COST = 0.02
"""Cost of a memory bit in LUTs; weights count the same in every folding, replicated tables do not."""


def fold_for_rate(network: Network, *, frames_per_second: float, clock_hz: float) -> Plan:
    """Give the cheapest plan that takes a frame often enough.

    Raises
    ------
    OptionError
        If a layer cannot be unfolded that far; names it and the highest rate it allows.
    """
    if not frames_per_second > 0 or not clock_hz > 0:
        raise OptionError(f"Frames a second and clock must be positive, not {frames_per_second:g} and {clock_hz:g} Hz")
    limit = int(clock_hz / frames_per_second)
    menu = _menu(network)
    for layer, choices in menu.items():
        fastest = min(choice.cycles for choice in choices)
        if fastest > limit:
            raise OptionError(
                f"Layer '{layer}' needs at least {fastest} cycles a frame, but {frames_per_second:g} frames/s at {clock_hz / 1e6:g} MHz "
                f"leave {limit}; ask for at most {clock_hz / fastest:.0f} frames/s"
            )
    return cheapest(network, menu, limit, clock_hz)


def fold_for_throughput(network: Network, *, clock_hz: float = 100e6) -> Plan:
    """Give the cheapest plan of the highest rate that any folding reaches."""
    menu = _menu(network)
    limit = max(min(choice.cycles for choice in choices) for choices in menu.values())
    return cheapest(network, menu, limit, clock_hz)


def fold_for_area(network: Network, *, clock_hz: float = 100e6) -> Plan:
    """Give the cheapest plan of all, however slow."""
    menu = _menu(network)
    limit = max(choice.cycles for choices in menu.values() for choice in choices)
    return cheapest(network, menu, limit, clock_hz)


def fold_for_luts(network: Network, *, luts: int = DEFAULT_LUTS, clock_hz: float = 100e6) -> Plan:
    """Give the fastest plan whose estimated logic stays within ``luts``, or the smallest one if none does."""
    menu = _menu(network)
    rates = sorted({choice.cycles for choices in menu.values() for choice in choices})
    slowest_needed = max(min(choice.cycles for choice in choices) for choices in menu.values())
    rates = [cycles for cycles in rates if cycles >= slowest_needed]
    low, high = 0, len(rates) - 1
    while low < high:
        middle = (low + high) // 2
        plan = cheapest(network, menu, rates[middle], clock_hz)
        low, high = (low, middle) if _luts(plan) <= luts else (middle + 1, high)
    return cheapest(network, menu, rates[high], clock_hz)


def cheapest_of(network: Network, offers: Mapping[str, Iterable[tuple[Fold, float]]], clock_hz: float) -> Plan:
    """Give the cheapest plan of the foldings that each layer offers, with their costs in LUTs."""
    menu = {
        layer.name: [
            Choice(fold, 0, cost, input_lanes(layer, fold), layer.out_lanes(fold)) for fold, cost in offers[layer.name]
        ]
        for layer in network.layers
    }
    return cheapest(network, menu, 0, clock_hz)


def _luts(plan: Plan) -> int:
    return sum(layer.resources(plan.folds[layer.name]).luts for layer in plan.network.layers)


def _menu(network: Network) -> dict[str, list[Choice]]:
    """List every folding of every layer, the cheapest for each rate and pair of lanes."""
    return {layer.name: _choices(layer) for layer in network.layers}


def _choices(layer: Layer) -> list[Choice]:
    best: dict[tuple[int, tuple[int, ...], int], Choice] = {}
    for fold in layer.folds():
        choice = Choice(
            fold, layer.cycles(fold), _cost(layer.resources(fold)), input_lanes(layer, fold), layer.out_lanes(fold)
        )
        key = (choice.cycles, choice.input_lanes, choice.out_lanes)
        if key not in best or choice.cost < best[key].cost:
            best[key] = choice
    return list(best.values())


def _cost(resources: Resources) -> float:
    bits = sum(memory.depth * memory.width for memory in resources.memories)
    return resources.luts + FLIPFLOP_COST * resources.flipflops + MEMORY_BIT_COST * bits
