"""The accelerator as it was placed and routed: cut out of the shift registers around it, with its own ports again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from itertools import count
from typing import Any

from hwgen.devices.family import Routed
from hwgen.synthesis.harness import CLOCK_PORT

__all__ = ["cut_out"]

INSTANCE = "accelerator"
"""What `hwgen.synthesis.harness.Harness` calls the accelerator."""

CONSTANTS = {"GND": "0", "VCC": "1"}
"""Cells that drive a constant."""

Bit = int | str
Module = dict[str, Any]
Cell = dict[str, Any]


def cut_out(before: Module, after: Module, ports: Mapping[str, tuple[bool, int]], routed: Routed) -> Module:
    """Make the accelerator's ports those of the routed netlist.

    The pads are removed, and the registers that drove the accelerator's inputs are cut off; those that read its outputs
    stay, and so does every cell that packing and routing added. Inputs where nothing is connected get the constant that
    the device gives them.

    Parameters
    ----------
    before : dict
        The module that was placed, of Yosys' JSON netlist; in it the nets of port p are called ``accelerator.p``.
    after : dict
        The module that nextpnr wrote of it.
    ports : mapping
        Port of the accelerator -> (is an input, width in bits).
    routed : Routed
        What the family's cells are like after routing.

    Returns
    -------
    dict
        A module with these ports.

    Raises
    ------
    ValueError
        If the net of an output is not in the routed netlist.
    """
    fresh = count(1 + max(bit for net in after["netnames"].values() for bit in net["bits"] if isinstance(bit, int)))
    outside = {bit for port in after["ports"].values() for bit in port["bits"]}
    pads = {cell for cell, facts in after["cells"].items() if outside & _bits(facts)}
    found = {port: _find(f"{INSTANCE}.{port}", before, after) for port in ports if port != CLOCK_PORT}
    found[CLOCK_PORT] = [_behind_pad(after, "clk")]
    module: Module = {"attributes": {}, "ports": {}, "cells": {}, "netnames": {}}
    entering: set[Bit] = set()
    for port, (inward, _) in ports.items():
        if not inward and None in found[port]:
            raise ValueError(f"Output '{port}' is not in the routed netlist")
        # An input that nothing reads has no net.
        bits = [next(fresh) if bit is None else bit for bit in found[port]]
        module["ports"][port] = {"direction": "input" if inward else "output", "bits": bits}
        if inward:
            entering |= set(bits)
    for cell, facts in after["cells"].items():
        if cell not in pads:
            tied = _tied(facts, routed)
            for pin, bits in tied["connections"].items():
                if facts["port_directions"][pin] == "output":
                    tied["connections"][pin] = [next(fresh) if bit in entering else bit for bit in bits]
            module["cells"][cell] = routed.restore(tied, fresh) | {"attributes": {}}
    for net, facts in after["netnames"].items():
        # In Yosys cells and nets must have different names.
        if net not in ports and net not in module["cells"]:
            module["netnames"][net] = {"hide_name": facts["hide_name"], "bits": facts["bits"], "attributes": {}}
    return module


def _bits(cell: Cell) -> set[Bit]:
    return {bit for bits in cell["connections"].values() for bit in bits}


def _find(net: str, before: Module, after: Module) -> list[Bit | None]:
    """Give the bits that a net of the placed netlist has in the routed one, which keeps one of each bit's names."""
    names = defaultdict(list)
    for alias, facts in before["netnames"].items():
        for position, bit in enumerate(facts["bits"], facts.get("offset", 0)):
            names[bit].append(alias if len(facts["bits"]) == 1 else f"{alias}[{position}]")
    constants: dict[Bit, Bit] = {"0": "0", "1": "1", "x": "0"}
    for facts in before["cells"].values():
        if facts["type"] in CONSTANTS:
            constants |= dict.fromkeys(_bits(facts), CONSTANTS[facts["type"]])
    routed = {alias: facts["bits"][0] for alias, facts in after["netnames"].items() if alias not in after["ports"]}
    return [
        constants.get(bit) or next((routed[alias] for alias in names[bit] if alias in routed), None)
        for bit in before["netnames"][net]["bits"]
    ]


def _behind_pad(module: Module, port: str) -> Bit:
    """Give the net that an input pad drives."""
    (bit,) = module["ports"][port]["bits"]
    (pad,) = (facts for facts in module["cells"].values() if bit in _bits(facts))
    (inside,) = _bits(pad) - {bit}
    return inside


def _tied(cell: Cell, routed: Routed) -> Cell:
    """Give a cell with every open input tied to the constant that it has in the device."""
    parameters, connections = dict(cell["parameters"]), dict(cell["connections"])
    for pin, bits in connections.items():
        if not bits and cell["port_directions"][pin] == "input":
            connections[pin] = ["1" if routed.is_high(cell["type"], parameters, pin) else "0"]
    return cell | {"parameters": parameters, "connections": connections}
