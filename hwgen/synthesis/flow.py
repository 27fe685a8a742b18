"""From a build folder to a mapped, placed and routed design: what runs, in which order, and what is kept."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hwgen.board.line import Line
from hwgen.board.pins import constraints, pin_file
from hwgen.build_folder.open import load
from hwgen.devices.family import PortPin, Routed
from hwgen.devices.usage import Usage
from hwgen.errors import OptionError, ToolError
from hwgen.estimation.estimate import estimate_total
from hwgen.progress import Progress, silent
from hwgen.synthesis import place
from hwgen.synthesis.job import Job, prepare
from hwgen.synthesis.keep import MAPPED, ROUTED, keep, kept_result, scratch_folder
from hwgen.synthesis.mapping import count_cells, map_job, write_routed
from hwgen.synthesis.pack import append, pack
from hwgen.synthesis.result import Synthesis, fits
from hwgen.tools.processes import Task, run_all
from hwgen.tools.toolchain import Program

__all__ = ["DEFAULT_SEEDS", "NotPlaced", "TooLarge", "synthesise"]

DEFAULT_SEEDS = (1, 2)
SMALLER = "compile with a smaller --target-fps or --min-area, or choose a larger device"


class TooLarge(OptionError):
    """The design needs more than the device has."""


class NotPlaced(ToolError):
    """Placing or routing failed with every seed."""


def synthesise(
    folder: str | Path,
    *,
    board: str | None = None,
    device: str | None = None,
    place_and_route: bool = True,
    seeds: Sequence[int] = DEFAULT_SEEDS,
    jobs: int | None = None,
    clock_mhz: float | None = None,
    line: Line = Line.UART,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Map a build folder's Verilog to a device, place and route it, and keep the result in ``<folder>/synth/<target>``.

    On a device the accelerator is placed out of context: between two shift registers (`hwgen.synthesis.harness`) that
    reach its ports by four pins. On a board it stands behind the host link (`hwgen.board.top`), at the board's own pins
    and at the clock of the board's pin or a PLL's, and the result has a bitstream if that clock is reached. A result that is already there for the same Verilog, target, options and tools is given again.

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
        Device: clock to aim at; None: the device's own goal. Board: clock that its PLL shall make, or come nearest to
        from below; None: the clock of its pin.
    line : Line
        By which a host reaches the board.
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
    job, placing, packing = prepare(Path(folder), board, device, place_and_route, seeds, clock_mhz, line)
    at_once = os.cpu_count() or 1 if jobs is None else jobs
    results = Path(folder) / "synth" / job.target
    kept = kept_result(results)
    if kept is not None and kept["key"] == job.key():
        return kept | {"cached": True}
    cells = _routed_cells(job)
    with scratch_folder() as scratch:
        reused = kept is not None and kept["netlist_key"] == job.netlist_key()
        began = time.perf_counter()
        if reused:
            progress("taking the netlist that is there")
            for file in (*MAPPED, *_tops(job)):
                shutil.copy(results / file, scratch / file)
        else:
            progress(f"mapping to {job.device.part}")
            map_job(job, scratch)
        seconds = {"mapping": round(time.perf_counter() - began, 2)}
        accelerator, harness = count_cells(job, scratch)
        placements: list[place.Placement] = []
        failed: list[int] = []
        if placing is not None:
            if not fits(accelerator, harness, job.device):
                raise TooLarge(_too_large(job, accelerator))
            began = time.perf_counter()
            placements, failed = _place(job, placing, at_once, scratch, progress)
            seconds["place and route"] = round(time.perf_counter() - began, 2)
            if cells is not None:
                progress("writing the routed netlist")
                began = time.perf_counter()
                write_routed(job, cells, _routed(placements[0].seed), scratch)
                seconds["routed netlist"] = round(time.perf_counter() - began, 2)
        bitstream = None
        packer = job.device.family.packer
        if packing is not None and packer is not None and placements[0].slowest_mhz >= job.clock_mhz:
            progress("packing the bitstream")
            began = time.perf_counter()
            bitstream = f"{job.name}.{packer.bitstream}"
            pack(packing, packer.words(job.device, _layout(job, placements[0].seed), bitstream), scratch)
            if job.image is not None and job.flash_offset is not None:
                append(scratch / bitstream, job.image, job.flash_offset, job.target)
            seconds["packing"] = round(time.perf_counter() - began, 2)
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
            notes=_notes(job, place_and_route, placements),
            key=job.key(),
            baud=job.baud,
            link=None if job.board is None else job.line.value,
            bitstream=bitstream,
            estimated=_estimated(job),
            flash_offset=job.flash_offset,
        ).facts() | {"netlist_key": job.netlist_key()}
        more = [*_tops(job), *([] if packing is None else [_pins(job)]), *([] if bitstream is None else [bitstream])]
        more += [ROUTED] if placements and cells is not None else []
        keep(results, scratch, facts, more)
    return facts | {"cached": False}


def _estimated(job: Job) -> Usage | None:
    """Estimate the accelerator, if there is a model of the device's family."""
    if job.device.family.prices is None:
        return None
    return estimate_total(load(job.folder).plan, job.device)


def _tops(job: Job) -> list[str]:
    """Name the file of the board's Verilog, as `hwgen.board.top` calls it."""
    return [] if job.board is None else [f"{job.name}_board.v"]


def _pins(job: Job) -> str:
    """Name the file of pin constraints."""
    return "" if job.device.family.pins is None else f"pins.{job.device.family.pins.suffix}"


def _layout(job: Job, seed: int) -> str:
    """Name the routed design."""
    return "" if job.device.family.packer is None else f"layout{seed}.{job.device.family.packer.layout}"


def _routed_cells(job: Job) -> Routed | None:
    """Say what the accelerator's cells are like after routing, if it can be simulated like that: it stands alone, and they have models."""
    models = job.device.family.models
    return None if models is None or job.board is not None else models.routed


def _routed(seed: int) -> str:
    return f"routed{seed}.json"


def _place(
    job: Job, placer: Program, at_once: int, scratch: Path, progress: Progress
) -> tuple[list[place.Placement], list[int]]:
    """Place and route with every seed; give the placements, fastest first, and the seeds that failed."""
    if job.board is None:
        ports = {"clk": False, "d": False, "capture": False, "q": True}
        ends = zip(ports.items(), job.device.harness_pins, strict=False)
        pins = pin_file([PortPin(port, pin, output=output) for (port, output), pin in ends], job.device.family)
    else:
        pins = constraints(job.board, boots=job.flash_offset is not None, line=job.line)
    (scratch / _pins(job)).write_text(pins, encoding="ascii")
    tasks = [
        Task(
            [
                *placer.command,
                *place.arguments(
                    job.device,
                    seed,
                    job.clock_mhz,
                    "netlist.json",
                    f"report{seed}.json",
                    _pins(job),
                    None if _routed_cells(job) is None else _routed(seed),
                    None if job.board is None else _layout(job, seed),
                ),
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
        failure = next(failure for failure in failures if failure is not None)
        raise NotPlaced(str(failure)) from failure
    placements = [place.read_report(scratch / f"report{seed}.json", seed) for seed in job.seeds if seed not in failed]
    return sorted(placements, key=lambda placement: (-placement.slowest_mhz, placement.seed)), failed


def _notes(job: Job, asked: bool, placements: list[place.Placement]) -> tuple[str, ...]:
    notes = []
    if job.board is not None:
        clock = f"the {'board' if job.pll is None else 'PLL'}'s clock of {job.clock_mhz:g} MHz"
        notes.append(f"{clock} drives the link and the accelerator")
        at_line = job.board.uart if job.line is Line.UART else job.board.spi
        notes += [end.note for end in (job.board.clock, at_line) if end is not None and end.note]
        if job.flash_offset is not None:
            notes.append(f"after power-up the memories are loaded from byte {job.flash_offset:,} of the board's flash")
        elif job.image is not None:
            notes.append("the memories start empty: load them with 'hwgen reload --port' after each power-up")
        if placements and placements[0].slowest_mhz < job.clock_mhz:
            lower = "" if job.pll is None else "choose a lower --clock-mhz, "
            notes.append(f"no bitstream: {placements[0].slowest_mhz:.1f} MHz do not reach {clock}; {lower}{SMALLER}")
    if asked and job.device.family.placer is None:
        notes.append(
            f"no open program places and routes {job.device.part}: resources only, before the maker's own optimisation"
        )
    return tuple(notes)


def _too_large(job: Job, needs: Usage) -> str:
    device = job.device
    return (
        f"'{job.name}' needs {needs.luts:,} LUTs, {needs.ffs:,} flip-flops and {needs.brams:,} block RAMs, and {device.name} has "
        f"{device.luts:,}, {device.ffs:,} and {device.bram_blocks:,}; {SMALLER} (--no-pnr gives all figures)"
    )
