"""Move the registers behind ECP5's block RAMs into them: their outputs take 5.6 ns without, and Yosys does not do it."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

__all__ = ["absorb"]

Bit = int | str
Cell = dict[str, Any]

WIDE = 36
"""Width at which the reading port B has the data pins of port A as well."""


def absorb(module: dict[str, Any]) -> int:
    """Replace, in place, the flip-flops that are all that reads a port of a block RAM by the port's own output register.

    They must share one clock, the port's, and one enable, and neither be reset nor begin with 1.

    Parameters
    ----------
    module : dict
        Of Yosys' JSON netlist.

    Returns
    -------
    int
        Flip-flops that are gone.
    """
    cells: dict[str, Cell] = module["cells"]
    readers: dict[Bit, list[tuple[str, str]]] = defaultdict(list)
    for name, cell in cells.items():
        for pin, bits in cell["connections"].items():
            if cell["port_directions"][pin] == "input":
                for bit in bits:
                    readers[bit].append((name, pin))
    for port in module["ports"].values():
        for bit in port["bits"]:
            readers[bit].append(("", ""))
    before = len(cells)
    for ram in [cell for cell in cells.values() if cell["type"] == "DP16KD"]:
        wide = int(ram["parameters"]["DATA_WIDTH_B"], 2) == WIDE
        for side, sides in (("B", "AB"),) if wide else (("A", "A"), ("B", "B")):
            outputs = [
                pin
                for pin, bits in ram["connections"].items()
                if pin[:2] == "DO" and pin[2] in sides and bits and readers[bits[0]]
            ]
            _absorb_port(cells, readers, ram, side, sides, outputs)
    return before - len(cells)


def _absorb_port(
    cells: dict[str, Cell],
    readers: dict[Bit, list[tuple[str, str]]],
    ram: Cell,
    side: str,
    sides: str,
    outputs: list[str],
) -> None:
    """Do it for one port, if all of its outputs allow it."""
    behind = {}
    for pin in outputs:
        (bit,) = ram["connections"][pin]
        if len(readers[bit]) != 1:
            return
        name, input_pin = readers[bit][0]
        if input_pin != "DI":
            return
        behind[pin] = name
    clock = ram["connections"][f"CLK{side}"]
    enables = {_enable(cells[name], clock) for name in behind.values()}
    if len(enables) != 1 or None in enables:
        return
    for letter in sides:
        ram["parameters"][f"REGMODE_{letter}"] = "OUTREG"
        ram["connections"][f"OCE{letter}"] = [*enables]
    for pin, name in behind.items():
        ram["connections"][pin] = cells.pop(name)["connections"]["Q"]


def _enable(cell: Cell, clock: list[Bit]) -> Bit | None:
    """Give the net that enables a flip-flop, "1" if it always takes; None if an output register cannot do what it does."""
    parameters, connections = cell["parameters"], cell["connections"]
    suits = (
        cell["type"] == "TRELLIS_FF"
        and connections["CLK"] == clock
        and parameters["CLKMUX"].strip() == "CLK"
        and parameters["REGSET"].strip() == "RESET"
        and connections.get("LSR", ["0"]) in (["0"], ["x"])
        and parameters["LSRMUX"].strip() == "LSR"
    )
    if not suits:
        return None
    mode = parameters["CEMUX"].strip()
    if mode == "1" or (mode == "CE" and connections["CE"] == ["1"]):
        return "1"
    enable: Bit = connections["CE"][0]
    return enable if mode == "CE" else None
