"""How Yosys maps a design to each family, and what the cells of the result amount to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from hwgen.devices.family import Device, Family
from hwgen.devices.usage import Usage

__all__ = ["commands", "count", "mapping"]


def mapping(device: Device, top: str, memories: Sequence[str] = ()) -> list[str]:
    """Give the commands that map all below ``top``; those of ``memories`` come in front of the step that maps memories."""
    recipe = device.family.recipe
    whole, step = f"{recipe.mapper(device)} -top {top}", recipe.memory_step
    between = [*recipe.before_memories, *memories]
    return [f"{whole} -run begin:{step}", *between, f"{whole} -run {step}:"] if between else [whole]


def commands(
    device: Device, top: str, module: str, folder: Path, around: str | None = None
) -> tuple[list[str], list[str]]:
    """Give the Yosys commands that map ``module`` within ``top``, run in the folder of its Verilog.

    The module is mapped by itself, so its cells can be counted apart from those around it, and is made one with them
    at the end. Both lists run in one process unless the family's recipe rewrites the netlist in between, by way of the files
    ``plain.json`` and ``rewritten.json``.

    Parameters
    ----------
    device : Device
    top, module : str
        Names of the whole and of the accelerator, whose file is ``<module>.v``.
    folder : Path
        Holds ``<top>.il``, the RTLIL of the top; ``cells.json`` (cells by module), ``mapped.v`` (the module's cells) and
        ``netlist.json`` (all of it as one module) are written to it.
    around : str or None
        Verilog file, in ``folder``, of what ``top`` puts around the module.

    Returns
    -------
    list of str
        Up to the device's cells.
    list of str
        From there to the files.
    """
    recipe = device.family.recipe
    mapped = [
        f"read_rtlil {folder}/{top}.il",
        f"read_verilog {module}.v",
        *([] if around is None else [f"read_verilog {folder}/{around}"]),
        f"setattr -mod -set keep_hierarchy 1 {module}",
        # Its SAT self-check does not finish on popcount trees, and its don't-care pass can hang there; the pass saves
        # no LUT in a thousand.
        "scratchpad -set abc9.verify false",
        "scratchpad -set abc9.nomfs true",
        *mapping(device, top),
        *([] if recipe.rewrite is None else [f"write_json {folder}/plain.json"]),
    ]
    writing = [
        *([] if recipe.rewrite is None else [f"read_json {folder}/rewritten.json"]),
        f"tee -q -o {folder}/cells.json stat -json",
        f"select {module}",
        f"write_verilog -noattr -noexpr -selected {folder}/mapped.v",
        "select -clear",
        f"setattr -mod -unset keep_hierarchy {module}",
        # The names by which the accelerator's ports are found again after routing.
        f"setattr -set keep 1 {module}/x:*",
        "flatten",
        *recipe.finish,
        "clean -purge",
        "setattr -unset keep w:*",
        # Source locations are paths of this machine.
        "setattr -unset src =*/w:* =*/c:*",
        "setattr -mod -unset src =*",
        f"write_json {folder}/netlist.json",
    ]
    return mapped, writing


def count(family: Family, cells: Mapping[str, int]) -> Usage:
    """Add up cells.

    Parameters
    ----------
    family : Family
    cells : mapping
        Cell type -> number of cells.
    """
    takes = [
        (asdict(usage), number)
        for kind, number in cells.items()
        for pattern, usage in family.recipe.cells
        if re.fullmatch(pattern, kind)
    ]
    totals = {name: sum(usage[name] * number for usage, number in takes) for name in asdict(Usage())}
    brams = totals.pop("brams")
    return Usage(brams=int(brams) if brams == int(brams) else brams, **totals)
