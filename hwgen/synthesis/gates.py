"""Verilog that simulates a netlist: its cells, and a model of each kind of cell."""

from __future__ import annotations

import importlib.resources
import re
from enum import Enum
from pathlib import Path

from hwgen.devices.boards import find_device
from hwgen.devices.family import Models
from hwgen.errors import OptionError, ToolError
from hwgen.synthesis.keep import kept_result

__all__ = ["Netlist", "gate_verilog"]


class Netlist(Enum):
    """How far down the cells come from."""

    MAPPED = "mapped"
    """The cells that Yosys mapped the Verilog to."""
    ROUTED = "routed"
    """The cells that nextpnr packed, placed and routed."""


QUIET = """/* verilator lint_off TIMESCALEMOD */
/* verilator lint_off INITIALDLY */
/* verilator lint_off UNOPTFLAT */
`define NO_ICE40_DEFAULT_ASSIGNMENTS
"""
"""Verilator knows no inputs with defaults, and all of ours are connected. A packed cell of iCE40 may have a look-up table
that feeds the carry beside it through an input that both share: no loop, but it looks like one."""

_MODULE = re.compile(r"^module\s+(\w+).*?^\s*endmodule", re.MULTILINE | re.DOTALL)
_DELAYS = re.compile(r"^\s*specify\b.*?^\s*endspecify", re.MULTILINE | re.DOTALL)
_PULL = re.compile(r"\(\w+ === 1'bz\) \? 1'b[01] : (\w+)")
_DIRECTIVE = re.compile(r"^`(?:define(?:.*\\\n)*.*|if.*|else|endif)", re.MULTILINE)


def gate_verilog(folder: Path, target: str, netlist: Netlist) -> str:
    """Give one Verilog text with the accelerator's module as it was synthesised, and everything that it needs.

    Parameters
    ----------
    folder : Path
        Build folder.
    target : str
        Device or board for which it was synthesised.
    netlist : Netlist

    Raises
    ------
    OptionError
        If it was not synthesised for the target, or not so far, or the family's placed cells have no models.
    ToolError
        If Yosys' models are missing, or a cell has none.
    """
    results = folder / "synth" / target
    facts = kept_result(results)
    again = f"run: hwgen synth {folder} --device {target}"
    if facts is None:
        raise OptionError(f"'{folder}' has no netlist for '{target}'; {again}")
    cells = find_device(facts["device"]["name"]).family.models
    if netlist is Netlist.ROUTED and (cells is None or cells.routed is None):
        raise OptionError(f"There are no models of the cells that nextpnr places on '{target}': take --netlist mapped")
    if netlist is Netlist.ROUTED and not (results / "routed.v").exists():
        if facts["out_of_context"]:
            raise OptionError(f"'{folder}' has not been placed and routed for '{target}'; {again}")
        raise OptionError(
            f"The accelerator for board '{target}' is placed together with its link and cannot be simulated alone; "
            f"place it for --device {facts['device']['name']}"
        )
    text = (results / f"{netlist.value}.v").read_text(encoding="utf-8")
    return QUIET + text + models(cells, text)


def models(cells: Models | None, netlist: str) -> str:
    """Give the models of all cells in a netlist, with the modules that those use.

    Parameters
    ----------
    cells : Models or None
        Of the family.
    netlist : str
        As Yosys writes it.

    Raises
    ------
    ToolError
        If a cell has none.
    """
    share = importlib.resources.files("pyosys") / "share"
    files = () if cells is None else (*cells.own, *(share / file for file in cells.yosys))
    texts = [file.read_text(encoding="utf-8") for file in files]
    # No delays are simulated; and open inputs, which pull resistors would hold, there are none.
    texts = [_PULL.sub(r"\1", _DELAYS.sub("", text)) for text in texts]
    found = {module[1]: module[0] for text in reversed(texts) for module in _MODULE.finditer(text)}
    directives = [line for text in texts for line in _DIRECTIVE.findall(text.partition("\nmodule")[0])]
    needed: dict[str, str] = {}
    waiting = set(re.findall(r"^  (\w+) (?:#\(|(?:\\\S+ |\w+) \()", netlist, re.MULTILINE))
    while waiting:
        cell = waiting.pop()
        if cell not in found:
            raise ToolError(f"There is no simulation model of the cell {cell}")
        needed[cell] = found[cell]
        waiting |= {word for word in re.findall(r"\w+", found[cell]) if word in found} - set(needed)
    return "\n".join([*directives, *(needed[cell] for cell in sorted(needed)), ""])
