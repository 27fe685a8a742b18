"""From a build folder to a mapped, placed and routed design: what runs, in which order, and what is kept."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from amaranth.back import rtlil

from hwgen import buildfolder
from hwgen.board import Device, find_board, find_device
from hwgen.errors import OptionError, ToolError
from hwgen.progress import Progress, silent
from hwgen.synthesis import place, recipe
from hwgen.synthesis.harness import Harness
from hwgen.synthesis.keep import MAPPED, keep, kept_result, scratch_folder
from hwgen.synthesis.result import Synthesis, fits
from hwgen.toolchain import Program, Task, place_and_route, run_all, yosys

__all__ = ["DEFAULT_SEEDS", "synthesise"]

DEFAULT_SEEDS = (1, 2)
TOP = "harness"

_PORT = re.compile(r"^  (input|output) (?:\[(\d+):0\] )?(\w+);$", re.MULTILINE)


@dataclass(frozen=True)
class _Job:
    """Everything that a result depends on."""

    name: str
    rtl: Path
    sources: dict[str, str]
    ii: int
    target: str
    device: Device
    clock_mhz: float
    seeds: tuple[int, ...]
    tools: dict[str, str]

    def netlist_key(self) -> str:
        """Give the hash of what the netlist depends on."""
        steps = recipe.commands(self.device, TOP, self.name, Path())
        return _digest([self.sources, steps, self.tools["pyosys"], metadata.version("hwgen")])

    def key(self) -> str:
        """Give the hash of what the whole result depends on."""
        device = asdict(self.device) | {"family": self.device.family.value}
        return _digest([self.netlist_key(), self.target, device, self.clock_mhz, self.seeds, self.ii, self.tools])


def synthesise(
    folder: str | Path,
    *,
    board: str | None = None,
    device: str | None = None,
    place_and_route: bool = True,
    seeds: Sequence[int] = DEFAULT_SEEDS,
    jobs: int | None = None,
    clock_mhz: float | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Map a build folder's Verilog to a device, place and route it, and keep the result in ``<folder>/synth/<target>``.

    The accelerator is placed out of context: between two shift registers (`hwgen.synthesis.harness`) that reach its ports
    by four pins. A result that is already there for the same Verilog, target, options and tools is given again.

    Parameters
    ----------
    folder : str or Path
        Build folder.
    board, device : str or None
        Exactly one of them: the name of a board (or the path of its TOML file), or of a device.
    place_and_route : bool
        False: stop after mapping, with figures of resources only. Families without an open place-and-route
        program always stop there.
    seeds : sequence of int
        Seeds of the placer, all tried; the fastest result is kept.
    jobs : int or None
        Seeds tried at once; None: as many as there are processors.
    clock_mhz : float or None
        Clock to aim at; None: the device's own goal.
    progress : callable
        Called with the name of each step as it begins.

    Returns
    -------
    dict
        Contents of ``result.json``, and ``cached``: whether it was there already.

    Raises
    ------
    BuildError
        If the build folder is missing, incomplete, or was changed.
    OptionError
        If board or device are unknown or not exactly one, a number is out of range, or the design does not fit.
    ToolError
        If a program is missing, or fails with every seed.
    """
    job, placer = _prepare(Path(folder), board, device, place_and_route, seeds, clock_mhz)
    at_once = os.cpu_count() or 1 if jobs is None else jobs
    results = Path(folder) / "synth" / job.target
    kept = kept_result(results)
    if kept is not None and kept["key"] == job.key():
        return kept | {"cached": True}
    with scratch_folder() as scratch:
        reused = kept is not None and kept["netlist_key"] == job.netlist_key()
        began = time.perf_counter()
        if reused:
            progress("taking the netlist that is there")
            for file in MAPPED:
                shutil.copy(results / file, scratch / file)
        else:
            progress(f"mapping to {job.device.part}")
            _map(job, scratch)
        seconds = {"mapping": round(time.perf_counter() - began, 2)}
        accelerator, harness = _count(job, scratch)
        placements: list[place.Placement] = []
        failed: list[int] = []
        if placer is not None:
            if not fits(accelerator, harness, job.device):
                raise OptionError(_too_large(job, accelerator))
            began = time.perf_counter()
            placements, failed = _place(job, placer, at_once, scratch, progress)
            seconds["place and route"] = round(time.perf_counter() - began, 2)
        facts = Synthesis(
            target=job.target,
            device=job.device,
            accelerator=accelerator,
            harness=harness,
            clock_mhz=job.clock_mhz,
            ii=job.ii,
            placements=tuple(placements),
            failed_seeds=tuple(failed),
            seconds=seconds,
            tools=job.tools,
            notes=_notes(job, place_and_route),
            key=job.key(),
        ).facts() | {"netlist_key": job.netlist_key()}
        keep(results, scratch, facts)
    return facts | {"cached": False}


def _prepare(
    folder: Path, board: str | None, device: str | None, routed: bool, seeds: Sequence[int], clock_mhz: float | None
) -> tuple[_Job, Program | None]:
    """Check every argument and find every program before anything runs."""
    if clock_mhz is not None and not 0 < clock_mhz < float("inf"):
        raise OptionError(f"The clock must be a positive number of MHz, not {clock_mhz:g}")
    if not seeds or len(set(seeds)) < len(seeds) or min(seeds) < 0:
        raise OptionError(
            f"The seeds must be different whole numbers from 0 on, not {', '.join(map(str, seeds)) or 'none'}"
        )
    if board is not None and device is None:
        chip, target = find_board(board).device, Path(board).stem
    elif device is not None and board is None:
        chip, target = find_device(device), device
    else:
        raise OptionError("Give either a board or a device; 'hwgen boards' lists both")
    manifest = buildfolder.check(folder)
    sources = {
        file: digest for file, digest in manifest["files"].items() if re.fullmatch(r"rtl/.*(?<!_inst)\.(v|mem)", file)
    }
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    tools = {"pyosys": _pyosys_version()}
    placer = None
    if routed and chip.family in place.PLACERS:
        placer = place_and_route(place.PLACERS[chip.family])
        tools[placer.name] = placer.version
    job = _Job(
        name=manifest["name"],
        rtl=(folder / "rtl").absolute(),
        sources=sources,
        ii=report["ii"],
        target=target,
        device=chip,
        clock_mhz=chip.clock_goal_mhz if clock_mhz is None else clock_mhz,
        seeds=tuple(seeds) if placer is not None else (),
        tools=tools,
    )
    return job, placer


def _map(job: _Job, scratch: Path) -> None:
    """Wrap the accelerator and map it to the device's cells."""
    verilog = (job.rtl / f"{job.name}.v").read_text(encoding="ascii")
    harness = rtlil.convert(Harness(job.name, _ports(verilog, job.name)), name=TOP, emit_src=False)
    (scratch / f"{TOP}.il").write_text(harness, encoding="utf-8")
    yosys(recipe.commands(job.device, TOP, job.name, scratch), job.rtl, scratch / "yosys.log")


def _ports(verilog: str, module: str) -> dict[str, tuple[bool, int]]:
    """Read a module's ports, each (is an input, width), from text that `hwgen.verilog` wrote."""
    body = verilog.partition(f"\nmodule {module}(")[2].partition("\nendmodule")[0]
    return {name: (way == "input", int(high or 0) + 1) for way, high, name in _PORT.findall(body)}


def _count(job: _Job, scratch: Path) -> tuple[recipe.Resources, recipe.Resources]:
    """Give what the accelerator takes, and what the harness around it takes."""
    modules = json.loads((scratch / "cells.json").read_text(encoding="utf-8"))["modules"]
    family = job.device.family
    inner, outer = (recipe.count(family, modules[f"\\{name}"]["num_cells_by_type"]) for name in (job.name, TOP))
    return inner, outer


def _place(
    job: _Job, placer: Program, at_once: int, scratch: Path, progress: Progress
) -> tuple[list[place.Placement], list[int]]:
    """Place and route with every seed; give the placements, fastest first, and the seeds that failed."""
    ports = ("clk", "d", "capture", "q")
    pins = "".join(f'IO_LOC "{port}" {pin};\n' for port, pin in zip(ports, job.device.harness_pins, strict=False))
    (scratch / "pins.cst").write_text(pins, encoding="ascii")
    tasks = [
        Task(
            [
                *placer.command,
                *place.arguments(job.device, seed, job.clock_mhz, "netlist.json", f"report{seed}.json", "pins.cst"),
            ],
            scratch,
            scratch / f"nextpnr{seed}.log",
        )
        for seed in job.seeds
    ]

    def tell(done: int) -> None:
        progress(f"placing and routing: {done} of {len(tasks)} seeds done")

    tell(0)
    failures = run_all(tasks, at_once, tell)
    failed = [seed for seed, failure in zip(job.seeds, failures, strict=True) if failure is not None]
    if len(failed) == len(tasks):
        raise next(failure for failure in failures if failure is not None)
    placements = [place.read_report(scratch / f"report{seed}.json", seed) for seed in job.seeds if seed not in failed]
    return sorted(placements, key=lambda placement: (-placement.slowest_mhz, placement.seed)), failed


def _notes(job: _Job, asked: bool) -> tuple[str, ...]:
    notes = []
    if asked and job.device.family not in place.PLACERS:
        notes.append(
            f"no open program places and routes {job.device.part}: resources only, before the maker's own optimisation"
        )
    return tuple(notes)


def _too_large(job: _Job, needs: recipe.Resources) -> str:
    device = job.device
    return (
        f"'{job.name}' needs {needs.luts:,} LUTs, {needs.ffs:,} flip-flops and {needs.brams:,} block RAMs, and {device.name} has "
        f"{device.luts:,}, {device.ffs:,} and {device.bram_blocks:,}; compile with a smaller --target-fps or --min-area, "
        "or choose a larger device (--no-pnr gives all figures)"
    )


def _pyosys_version() -> str:
    try:
        return metadata.version("pyosys")
    except metadata.PackageNotFoundError:
        raise ToolError("Yosys was not found; install it with: pip install pyosys") from None


def _digest(facts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
