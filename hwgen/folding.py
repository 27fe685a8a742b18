"""Choose PE and SIMD of every layer: just enough speed, at the least cost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, TypeVar

from hwgen.codes import BIPOLAR, CodeType
from hwgen.errors import OptionError
from hwgen.fold import Fold, LaneStyle, MemoryStyle, WindowStyle
from hwgen.fold_search import Choice, cheapest
from hwgen.layers.protocol import Layer, Resources, Writable, input_lanes
from hwgen.network import Network
from hwgen.plan import Plan

__all__ = [
    "DEFAULT_LUTS",
    "cheapest_of",
    "fold_for_area",
    "fold_for_luts",
    "fold_for_rate",
    "fold_for_throughput",
    "folding_from_json",
    "folding_to_json",
    "make_writable",
    "with_registers",
    "writable_layers",
]

Style = TypeVar("Style", LaneStyle, MemoryStyle, WindowStyle)

MOST_FETCH_REGISTERS = 4

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


def folding_to_json(plan: Plan) -> str:
    """Write the plan's foldings as an editable file; `folding_from_json` reads it back."""
    layers = {
        layer.name: {
            "pe": fold.pe,
            "simd": fold.simd,
            "memory": fold.memory.value,
            "window": fold.window.value,
            "lanes": fold.lanes.value,
            "slots": fold.slots,
            "buffer_beats": fold.buffer_beats,
            "writable": fold.writable,
            "weights": _weights_to_json(fold.weights),
            **({"fetch_registers": fold.fetch_registers} if fold.fetch_registers else {}),
        }
        for layer in plan.network.layers
        for fold in [plan.folds[layer.name]]
    }
    target = {} if plan.board is None else {"board": plan.board}
    forks = {
        source: {reader: plan.branches.get((source, reader)) for reader in readers}
        for source, readers in plan.network.forks().items()
    }
    branches = {"forks": forks} if forks else {}
    names = [port.name for port in plan.network.inputs]
    queues = {"inputs": {name: plan.inputs.get(name) for name in names}} if len(names) > 1 else {}
    facts = {
        "clock_mhz": plan.clock_hz / 1e6,
        **target,
        "axi_lite": plan.axi_lite,
        "layers": layers,
        **branches,
        **queues,
    }
    return json.dumps(facts, indent=2) + "\n"


def folding_from_json(network: Network, text: str, *, source: str = "folding file") -> Plan:
    """Read a folding file.

    Parameters
    ----------
    network : Network
    text : str
        JSON with ``clock_mhz``, ``layers`` and perhaps ``board`` and ``axi_lite``; each layer has ``pe`` and ``simd`` and may have ``memory``, ``window``, ``lanes``, ``slots``, ``buffer_beats``, ``writable``, ``weights``.
        ``forks`` may give, for a map with several readers, the depth in beats of the FIFO before each of them, ``inputs`` that of the FIFO behind the input
        port for each of several inputs.
    source : str
        What errors call the text.

    Raises
    ------
    OptionError
        If the text is no JSON, a layer or a key is unknown (with the nearest known one), a layer is missing, or a value has no legal meaning.
    """
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise OptionError(f"{source} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    _known_keys(content, ("clock_mhz", "board", "axi_lite", "layers", "forks", "inputs"), source)
    layers = content.get("layers")
    names = [layer.name for layer in network.layers]
    _known_keys(layers, names, f"'layers' of {source}")
    missing = [name for name in names if name not in layers]
    if missing:
        raise OptionError(f"{source} says nothing of layer '{missing[0]}'; add it with its pe and simd")
    board = content.get("board")
    if board is not None and not isinstance(board, str):
        raise OptionError(f"'board' of {source} must be the name of a board, not {board!r}")
    clock = content.get("clock_mhz", 100)
    if isinstance(clock, bool) or not isinstance(clock, int | float) or clock <= 0:
        raise OptionError(f"'clock_mhz' of {source} must be a positive number, not {clock!r}")
    folds = {
        layer.name: _fold(layer, layers[layer.name], f"layer '{layer.name}' of {source}") for layer in network.layers
    }
    axi_lite = content.get("axi_lite", False)
    if not isinstance(axi_lite, bool):
        raise OptionError(f"'axi_lite' of {source} must be true or false, not {axi_lite!r}")
    several = [port.name for port in network.inputs] if len(network.inputs) > 1 else []
    queues = content.get("inputs", {})
    _known_keys(queues, several, f"'inputs' of {source}")
    return Plan(
        network,
        folds,
        clock * 1e6,
        board,
        _branches(network, content.get("forks", {}), source),
        axi_lite,
        _depths(queues, "Input", f"of {source}"),
    )


def _branches(network: Network, entry: Any, source: str) -> dict[tuple[str, str], int]:
    """Read the depths of forks' branches."""
    forks = network.forks()
    _known_keys(entry, forks, f"'forks' of {source}")
    branches: dict[tuple[str, str], int] = {}
    for name, depths in entry.items():
        _known_keys(depths, forks[name], f"fork '{name}' of {source}")
        found = _depths(depths, "Branch", f"of fork '{name}' of {source}")
        branches |= {(name, reader): depth for reader, depth in found.items()}
    return branches


def _depths(entry: Mapping[str, Any], kind: str, where: str) -> dict[str, int]:
    """Read depths of FIFOs; null leaves one open."""
    for name, depth in entry.items():
        if depth is not None and (type(depth) is not int or depth < 1):
            raise OptionError(f"{kind} '{name}' {where} must be a positive whole number of beats, not {depth!r}")
    return {name: depth for name, depth in entry.items() if depth is not None}


def _fold(layer: Layer, entry: Any, where: str) -> Fold:
    _known_keys(
        entry,
        ("pe", "simd", "memory", "window", "lanes", "slots", "buffer_beats", "writable", "weights", "fetch_registers"),
        where,
    )
    fetch_registers = entry.get("fetch_registers", 0)
    if type(fetch_registers) is not int or not 0 <= fetch_registers <= MOST_FETCH_REGISTERS:
        raise OptionError(
            f"'fetch_registers' of {where} must be a whole number from 0 to {MOST_FETCH_REGISTERS}, not {fetch_registers!r}"
        )
    numbers = {key: entry.get(key) for key in ("pe", "simd", "slots", "buffer_beats")}
    for key, value in numbers.items():
        optional = key in ("slots", "buffer_beats")
        if (value is None and not optional) or (value is not None and (type(value) is not int or value < 1)):
            raise OptionError(f"'{key}' of {where} must be a positive whole number, not {value!r}")
    fold = Fold(
        memory=_choice(MemoryStyle, entry.get("memory", "auto"), f"'memory' of {where}"),
        window=_choice(WindowStyle, entry.get("window", "sequential"), f"'window' of {where}"),
        lanes=_choice(LaneStyle, entry.get("lanes", "auto"), f"'lanes' of {where}"),
        weights=_weights(entry.get("weights"), where),
        fetch_registers=fetch_registers,
        **numbers,
    )
    writable = entry.get("writable", fold.memory is MemoryStyle.SPRAM)
    if not isinstance(writable, bool):
        raise OptionError(f"'writable' of {where} must be true or false, not {writable!r}")
    if not writable and fold.weights is not None:
        raise OptionError(f"'weights' of {where} is for writable layers; leave it out or set 'writable'")
    return make_writable(layer, fold) if writable else fold


def make_writable(layer: Layer, fold: Fold) -> Fold:
    """Give a layer's folding with memories that can be written at run time.

    Raises
    ------
    OptionError
        If the layer has none.
    """
    if not isinstance(layer, Writable):
        raise OptionError(f"Layer '{layer.name}' has no memory that could be written; leave it out")
    return layer.writable(fold)


def with_registers(plan: Plan, *, writable: str | None = None, axi_lite: bool = False) -> Plan:
    """Give a plan with writable memories, and with a register port.

    Parameters
    ----------
    plan : Plan
    writable : str or None
        "all", or names of layers with commas between; None: no more than the plan has.
    axi_lite : bool
        A register port even if nothing is writable.

    Raises
    ------
    OptionError
        If a layer is unknown or has no memory.
    """
    layers = {layer.name: layer for layer in plan.network.layers}
    chosen = writable_layers(plan.network, writable)
    folds = {name: make_writable(layers[name], plan.folds[name]) for name in chosen}
    return replace(plan, folds={**plan.folds, **folds}, axi_lite=plan.axi_lite or axi_lite)


def writable_layers(network: Network, writable: str | None) -> frozenset[str]:
    """Give the layers that an option names: "all" that have memories, or names with commas between; none for None.

    Raises
    ------
    OptionError
        If a layer is unknown.
    """
    layers = {layer.name: layer for layer in network.layers}
    if writable == "all":
        return frozenset(name for name, layer in layers.items() if isinstance(layer, Writable))
    chosen = [] if writable is None else [name.strip() for name in writable.split(",")]
    _known_keys(dict.fromkeys(chosen), layers, "--writable")
    return frozenset(chosen)


def _weights_to_json(weights: CodeType | None) -> str | list[int] | None:
    if weights is None:
        return None
    return str(weights) if weights.bipolar else [weights.low, weights.high]


def _weights(value: Any, where: str) -> CodeType | None:
    if value is None or value == str(BIPOLAR):
        return None if value is None else BIPOLAR
    is_range = isinstance(value, list) and len(value) == 2 and all(type(bound) is int for bound in value)
    if not is_range or value[0] > min(0, value[1]) or value[1] < 0:
        raise OptionError(
            f"'weights' of {where} must be 'bipolar' or the least and the greatest weight with 0 between, such as [-8, 7], not {value!r}"
        )
    return CodeType(*value)


def _choice(kind: type[Style], value: Any, where: str) -> Style:
    try:
        return kind(value)
    except ValueError:
        legal = ", ".join(f"'{style.value}'" for style in kind)
        raise OptionError(f"{where} must be one of {legal}, not {value!r}") from None


def _known_keys(entry: Any, known: Iterable[str], where: str) -> None:
    if not isinstance(entry, dict):
        raise OptionError(f"{where} must be an object with named entries, not {entry!r}")
    for key in entry:
        if key not in known:
            near = get_close_matches(key, list(known), n=1)
            hint = f"; did you mean '{near[0]}'?" if near else f"; known are {', '.join(known)}"
            raise OptionError(f"{where} has an unknown entry '{key}'{hint}")
