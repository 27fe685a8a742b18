"""Yosys' part of a job: wrap the accelerator and map it, count its cells, and write it as it was routed."""

from __future__ import annotations

import json
import re
from pathlib import Path

from amaranth.back import rtlil

from hwgen.board.pins import BoardPins
from hwgen.board.write import write_board_top
from hwgen.build_folder.open import load
from hwgen.devices.family import Routed
from hwgen.devices.usage import Usage
from hwgen.synthesis import recipe
from hwgen.synthesis.harness import Harness
from hwgen.synthesis.job import TOP, Job
from hwgen.synthesis.keep import ROUTED
from hwgen.synthesis.routed import cut_out
from hwgen.tools.toolchain import yosys

__all__ = ["count_cells", "map_job", "ports_of", "write_routed"]

_PORT = re.compile(r"^  (input|output) (?:\[(\d+):0\] )?(\w+);$", re.MULTILINE)


def map_job(job: Job, scratch: Path) -> None:
    """Wrap the accelerator and map it to the device's cells."""
    top: Harness | BoardPins
    around = None
    if job.board is not None and job.baud is not None:
        board = write_board_top(
            load(job.folder),
            scratch,
            clock_hz=job.clock_hz,
            baud=job.baud,
            flash_address=job.flash_offset,
            line=job.line,
        )
        top = BoardPins(board.module, job.board, job.pll, clock_hz=job.clock_hz, boots=board.boots, line=job.line)
        around = board.file.name
    else:
        verilog = (job.rtl / f"{job.name}.v").read_text(encoding="ascii")
        top = Harness(job.name, ports_of(verilog, job.name))
    (scratch / f"{TOP}.il").write_text(rtlil.convert(top, name=TOP, emit_src=False), encoding="utf-8")
    mapping, writing = recipe.commands(job.device, TOP, job.name, scratch, around)
    rewrite = job.device.family.recipe.rewrite
    if rewrite is not None:
        yosys(mapping, job.rtl, scratch / "yosys.log")
        netlist = json.loads((scratch / "plain.json").read_text(encoding="utf-8"))
        for module in netlist["modules"].values():
            rewrite(module)
        (scratch / "rewritten.json").write_text(json.dumps(netlist), encoding="utf-8")
        yosys(writing, job.rtl, scratch / "yosys_writing.log")
    else:
        yosys([*mapping, *writing], job.rtl, scratch / "yosys.log")


def write_routed(job: Job, cells: Routed, file: str, scratch: Path) -> None:
    """Cut the accelerator out of the routed design, a JSON file, and write it as Verilog."""
    harness, routed = (json.loads((scratch / name).read_text("utf-8")) for name in ("netlist.json", file))
    ports = ports_of((job.rtl / f"{job.name}.v").read_text(encoding="ascii"), job.name)
    cut = cut_out(harness["modules"][TOP], routed["modules"]["top"], ports, cells)
    (scratch / "cut.json").write_text(json.dumps({"modules": {job.name: cut}}), encoding="utf-8")
    commands = [f"read_json {scratch}/cut.json", f"write_verilog -noattr -noexpr {scratch}/{ROUTED}"]
    yosys(commands, scratch, scratch / "yosys_routed.log")


def ports_of(verilog: str, module: str) -> dict[str, tuple[bool, int]]:
    """Read a module's ports, each (is an input, width), from text that `hwgen.verilog.write` wrote."""
    body = verilog.partition(f"\nmodule {module}(")[2].partition("\nendmodule")[0]
    return {name: (way == "input", int(high or 0) + 1) for way, high, name in _PORT.findall(body)}


def count_cells(job: Job, scratch: Path) -> tuple[Usage, Usage]:
    """Give what the accelerator takes, and what the harness around it takes."""
    modules = json.loads((scratch / "cells.json").read_text(encoding="utf-8"))["modules"]
    family = job.device.family
    inner, outer = (recipe.count(family, modules[f"\\{name}"]["num_cells_by_type"]) for name in (job.name, TOP))
    return inner, outer
