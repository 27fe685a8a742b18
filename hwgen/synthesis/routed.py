"""The accelerator as it was placed and routed: cut out of the shift registers around it, with its own ports again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from hwgen.devices.boards import Family
from hwgen.synthesis.harness import CLOCK_PORT

__all__ = ["cut_out"]

INSTANCE = "accelerator"
"""What `hwgen.synthesis.harness.Harness` calls the accelerator."""

HIGH = {Family.ICE40: ("CEN", "RCLKE", "WCLKE")}
"""iCE40: inputs of cells that are 1 where nothing is connected; all others are 0."""

CONSTANTS = {"GND": "0", "VCC": "1"}
"""Cells that drive a constant."""

GOWIN_RAMS = {"SP": "SP", "SPX9": "SPX9", "SDP": "SDPB", "SDPX9": "SDPX9B", "DP": "DPB", "DPX9": "DPX9B"}
"""Gowin's placed block RAM, type and subtype -> the primitive that it was."""

RAM_PORTS: Mapping[str, dict[str, Any]] = {
    "SP": {
        "single": ("CLK", "CE", "OCE", "RESET", "WRE"),
        "address": ("AD",),
        "select": ("BLKSEL",),
        "data": {"DI": "BIT_WIDTH", "DO": "BIT_WIDTH"},
    },
    "SDP": {
        "single": ("CLKA", "CEA", "RESETA", "CLKB", "CEB", "OCE", "RESETB"),
        "address": ("ADA", "ADB"),
        "select": ("BLKSELA", "BLKSELB"),
        "data": {"DI": "BIT_WIDTH_1", "DO": "BIT_WIDTH_1"},
    },
    "DP": {
        "single": ("CLKA", "CEA", "OCEA", "RESETA", "WREA", "CLKB", "CEB", "OCEB", "RESETB", "WREB"),
        "address": ("ADA", "ADB"),
        "select": ("BLKSELA", "BLKSELB"),
        "data": {"DIA": "BIT_WIDTH_0", "DOA": "BIT_WIDTH_0", "DIB": "BIT_WIDTH_1", "DOB": "BIT_WIDTH_1"},
    },
}
"""Ports of Gowin's block RAMs, and the parameter that says which pins their data have."""

Bit = int | str
Module = dict[str, Any]
Cell = dict[str, Any]


def cut_out(before: Module, after: Module, ports: Mapping[str, tuple[bool, int]], family: Family) -> Module:
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
    family : Family

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
            module["cells"][cell] = tied = _tied(facts, family)
            for pin, bits in tied["connections"].items():
                if facts["port_directions"][pin] == "output":
                    tied["connections"][pin] = [next(fresh) if bit in entering else bit for bit in bits]
            if facts["type"] in GOWIN_RAMS:
                module["cells"][cell] = _gowin_ram(tied, facts["attributes"]["BSRAM_SUBTYPE"].strip(), fresh)
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


def _tied(cell: Cell, family: Family) -> Cell:
    """Give a cell without attributes, with every open input tied to the constant that it has in the device."""
    parameters, connections = dict(cell["parameters"]), dict(cell["connections"])
    if cell["type"].startswith("RAM16"):
        # Gowin's distributed RAM has a pin that is always tied high.
        connections.pop("CE")
    for pin, bits in connections.items():
        if bits or cell["port_directions"][pin] != "input":
            continue
        if family is Family.ECP5:
            # Open inputs are pulled up, and the multiplexer in front of the pin inverts or replaces that.
            high = parameters.get(f"{pin}MUX", pin).strip() not in ("0", "INV")
            if pin == "LSR":
                # A flip-flop whose open reset is not of use has its reset network switched off.
                high = parameters.get("LSRMUX") == "INV"
            elif cell["type"] != "TRELLIS_FF":
                parameters.pop(f"{pin}MUX", None)
        else:
            high = pin in HIGH.get(family, ())
        connections[pin] = ["1" if high else "0"]
    return cell | {"attributes": {}, "parameters": parameters, "connections": connections}


def _gowin_ram(cell: Cell, subtype: str, fresh: Iterator[int]) -> Cell:
    """Turn a placed block RAM of Gowin back into the primitive that it was: its single pins become buses again.

    A port of 16 or 32 bits leaves out every ninth pin; a narrow reading port has the upper half of the pins; and a single
    port of 32 or 36 bits is both ports of the memory, each with two of the four byte enables.
    """
    kind = GOWIN_RAMS[cell["type"] + subtype]
    widths = {name: int(value, 2) for name, value in cell["parameters"].items() if name.startswith("BIT_WIDTH")}
    pins: dict[str, Bit] = {pin: bits[0] for pin, bits in cell["connections"].items() if bits}
    wide_single = cell["type"] == "SP" and widths["BIT_WIDTH"] in (32, 36)
    if wide_single:
        pins |= {"AD2": pins["ADB0"], "AD3": pins["ADB1"]}
    byte = 9 if subtype else 8
    data = 2 * byte if cell["type"] == "DP" else 4 * byte
    ports = RAM_PORTS[cell["type"]]
    connections: dict[str, list[Bit]] = {pin: [pins[pin]] for pin in ports["single"]}
    for bus, length in (*((bus, 14) for bus in ports["address"]), *((bus, 3) for bus in ports["select"])):
        connections[bus] = [pins[f"{bus}{bit}"] for bit in range(length)]
    for bus, width_name in ports["data"].items():
        width = widths[width_name]
        upper = 18 if bus == "DO" and cell["type"] == "SDP" and width not in (32, 36) else 0
        gaps = width in (16, 32)
        positions = [(upper + bit + (bit // 8 if gaps else 0)) % 36 for bit in range(data)]
        bits = [pins.get(f"{bus}{position}") for position in positions]
        unread = (next(fresh) if bus.startswith("DO") else "0" for _ in bits)
        connections[bus] = [bit if bit is not None else other for bit, other in zip(bits, unread, strict=True)]
    directions = {pin: "output" if pin.startswith("DO") else "input" for pin in connections}
    return cell | {"type": kind, "connections": connections, "port_directions": directions}
