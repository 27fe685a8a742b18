"""Gowin's cells after placing and routing, turned back into the primitives of which there are models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["restore"]

RAMS = {"SP": "SP", "SPX9": "SPX9", "SDP": "SDPB", "SDPX9": "SDPX9B", "DP": "DPB", "DPX9": "DPX9B"}
"""Placed block RAM, type and subtype -> the primitive that it was."""

PORTS: Mapping[str, dict[str, Any]] = {
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
"""Ports of the block RAMs, and the parameter that says which pins their data have."""

Bit = int | str
Cell = dict[str, Any]


def restore(cell: Cell, fresh: Iterator[int]) -> Cell:
    """Give the primitive that a cell was.

    Parameters
    ----------
    cell : dict
        Of Yosys' JSON netlist.
    fresh : iterator of int
        Names for nets that nothing reads.
    """
    if cell["type"].startswith("RAM16"):
        # Distributed RAM has a pin that is always tied high.
        return cell | {"connections": {pin: bits for pin, bits in cell["connections"].items() if pin != "CE"}}
    if cell["type"] in RAMS:
        return _block_ram(cell, cell["attributes"]["BSRAM_SUBTYPE"].strip(), fresh)
    return cell


def _block_ram(cell: Cell, subtype: str, fresh: Iterator[int]) -> Cell:
    """Turn a placed block RAM back into the primitive that it was: its single pins become buses again.

    A port of 16 or 32 bits leaves out every ninth pin; a narrow reading port has the upper half of the pins; and a single
    port of 32 or 36 bits is both ports of the memory, each with two of the four byte enables.
    """
    kind = RAMS[cell["type"] + subtype]
    widths = {name: int(value, 2) for name, value in cell["parameters"].items() if name.startswith("BIT_WIDTH")}
    pins: dict[str, Bit] = {pin: bits[0] for pin, bits in cell["connections"].items() if bits}
    wide_single = cell["type"] == "SP" and widths["BIT_WIDTH"] in (32, 36)
    if wide_single:
        pins |= {"AD2": pins["ADB0"], "AD3": pins["ADB1"]}
    byte = 9 if subtype else 8
    data = 2 * byte if cell["type"] == "DP" else 4 * byte
    ports = PORTS[cell["type"]]
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
