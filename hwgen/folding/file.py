"""The folding as a file that people edit: written from a plan, and read back with every key checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from hwgen.codes import BIPOLAR, CodeType
from hwgen.devices.boards import find_device
from hwgen.devices.frequency import check_mhz
from hwgen.errors import OptionError
from hwgen.fold import Fold, LaneStyle, MemoryStyle, WindowStyle
from hwgen.folding.json_text import read_json
from hwgen.folding.keys import known_keys
from hwgen.folding.writable import make_writable
from hwgen.layers.protocol import Layer
from hwgen.network import Network
from hwgen.plan import Plan

__all__ = ["folding_from_json", "folding_to_json"]

Style = TypeVar("Style", LaneStyle, MemoryStyle, WindowStyle)

MOST_FETCH_REGISTERS = 4

MOST_BEATS = 1 << 20
"""Deepest FIFO: a million beats are more than any FPGA holds."""

WIDEST_WEIGHT = (1 << 16) - 1
"""Largest magnitude of a weight that may be written."""


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
    named = {"board": plan.board, "device": plan.device}
    target = {key: name for key, name in named.items() if name is not None}
    forks = {
        source: {reader: plan.depths.get((source, reader)) for reader in readers}
        for source, readers in plan.network.forks().items()
    }
    branches = {"forks": forks} if forks else {}
    names = [port.name for port in plan.network.inputs]
    queues = {"inputs": {name: plan.depths.get((name, None)) for name in names}} if len(names) > 1 else {}
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
        JSON with ``clock_mhz``, ``layers`` and perhaps ``board`` or ``device``, and ``axi_lite``; each layer has ``pe`` and ``simd`` and may have ``memory``, ``window``, ``lanes``, ``slots``, ``buffer_beats``, ``writable``, ``weights``.
        ``forks`` may give, for a map with several readers, the depth in beats of the FIFO before each of them, ``inputs`` that of the FIFO behind the input
        port for each of several inputs.
    source : str
        What errors call the text.

    Raises
    ------
    OptionError
        If the text is no JSON, a layer or a key is unknown (with the nearest known one), a layer is missing, or a value has no legal meaning.
    """
    content = read_json(text, source)
    known_keys(content, ("clock_mhz", "board", "device", "axi_lite", "layers", "forks", "inputs"), source)
    layers = content.get("layers")
    names = [layer.name for layer in network.layers]
    known_keys(layers, names, f"'layers' of {source}")
    missing = [name for name in names if name not in layers]
    if missing:
        raise OptionError(f"{source} says nothing of layer '{missing[0]}'; add it with its pe and simd")
    board, device = (_name(content, kind, source) for kind in ("board", "device"))
    if board is not None and device is not None:
        raise OptionError(f"{source} names board '{board}', which has its device; leave 'device' out")
    if device is not None:
        find_device(device, f"'device' of {source}")
    clock = check_mhz(content.get("clock_mhz", 100), f"'clock_mhz' of {source}")
    folds = {
        layer.name: _fold(layer, layers[layer.name], f"layer '{layer.name}' of {source}") for layer in network.layers
    }
    axi_lite = content.get("axi_lite", False)
    if not isinstance(axi_lite, bool):
        raise OptionError(f"'axi_lite' of {source} must be true or false, not {axi_lite!r}")
    several = [port.name for port in network.inputs] if len(network.inputs) > 1 else []
    queues = content.get("inputs", {})
    known_keys(queues, several, f"'inputs' of {source}")
    return Plan(
        network,
        folds,
        clock * 1e6,
        board,
        _branches(network, content.get("forks", {}), source)
        | {(name, None): depth for name, depth in _depths(queues, "Input", f"of {source}").items()},
        axi_lite,
        device,
    )


def _name(content: Mapping[str, Any], kind: str, source: str) -> str | None:
    """Read the name of a board or a device."""
    name = content.get(kind)
    if name is not None and not isinstance(name, str):
        raise OptionError(f"'{kind}' of {source} must be the name of a {kind}, not {name!r}")
    return name


def _branches(network: Network, entry: Any, source: str) -> dict[tuple[str, str | None], int]:
    """Read the depths of forks' branches."""
    forks = network.forks()
    known_keys(entry, forks, f"'forks' of {source}")
    branches: dict[tuple[str, str | None], int] = {}
    for name, depths in entry.items():
        known_keys(depths, forks[name], f"fork '{name}' of {source}")
        found = _depths(depths, "Branch", f"of fork '{name}' of {source}")
        branches |= {(name, reader): depth for reader, depth in found.items()}
    return branches


def _depths(entry: Mapping[str, Any], kind: str, where: str) -> dict[str, int]:
    """Read depths of FIFOs; null leaves one open."""
    for name, depth in entry.items():
        if depth is not None and (type(depth) is not int or not 0 < depth <= MOST_BEATS):
            raise OptionError(
                f"{kind} '{name}' {where} must be a positive whole number of beats, at most {MOST_BEATS:,}, not {depth!r}"
            )
    return {name: depth for name, depth in entry.items() if depth is not None}


def _fold(layer: Layer, entry: Any, where: str) -> Fold:
    known_keys(
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
        if optional and value is not None and value > MOST_BEATS:
            raise OptionError(f"'{key}' of {where} must be at most {MOST_BEATS:,} beats, not {value:,}")
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


def _weights_to_json(weights: CodeType | None) -> str | list[int] | None:
    if weights is None:
        return None
    return str(weights) if weights.bipolar else [weights.low, weights.high]


def _weights(value: Any, where: str) -> CodeType | None:
    if value is None or value == str(BIPOLAR):
        return None if value is None else BIPOLAR
    is_range = isinstance(value, list) and len(value) == 2 and all(type(bound) is int for bound in value)
    if not is_range or not -WIDEST_WEIGHT <= value[0] <= 0 <= value[1] <= WIDEST_WEIGHT:
        raise OptionError(
            f"'weights' of {where} must be 'bipolar' or the least and the greatest weight with 0 between, such as [-8, 7], of at most "
            f"16 bits, not {value!r}"
        )
    return CodeType(*value)


def _choice(kind: type[Style], value: Any, where: str) -> Style:
    try:
        return kind(value)
    except ValueError:
        legal = ", ".join(f"'{style.value}'" for style in kind)
        raise OptionError(f"{where} must be one of {legal}, not {value!r}") from None
