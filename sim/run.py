"""Run an accelerator's Verilog in a simulator and give back every transfer."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.errors import OptionError, ToolError
from hwgen.progress import Progress
from hwgen.rtl_templates.streams import pauses
from hwgen.sim.record import Stimulus, Trace
from hwgen.sim.verilate import LONG_RUN_CYCLES, Waves, executable
from hwgen.tools.processes import run
from hwgen.tools.toolchain import Toolchain

__all__ = ["copy_pauses", "log_folder", "run_cocotb", "run_icarus", "run_verilator", "write_vectors", "write_writes"]

_HERE = Path(__file__).resolve().parent


def run_verilator(
    build: Path,
    name: str,
    stimulus: Stimulus,
    toolchain: Toolchain,
    *,
    cycles: int = 0,
    waves: Path | None = None,
    progress: Progress | None = None,
    flags: Sequence[str] = (),
    cache: Path | None = None,
) -> Trace:
    """Run the batch driver: whole data sets at full speed.

    Parameters
    ----------
    build : Path
        Build folder with ``rtl/<name>.v``.
    name : str
        Top module.
    stimulus : Stimulus
    toolchain : Toolchain
    cycles : int
        How long the run will be, if known; long runs are compiled for speed.
    waves : Path or None
        Trace file to write, ``.vcd`` or ``.fst``.
    progress : callable or None
        Called with a sentence from time to time.
    flags : sequence of str
        Further ones for the C++ compiler.
    cache : Path or None
        Folder of compiled simulators; None: `hwgen.sim.verilate.cache_folder`.

    Returns
    -------
    Trace

    Raises
    ------
    OptionError
        If the wave file is of another format.
    ToolError
        If a tool is missing or fails, or the accelerator makes no progress.
    """
    rtl = (build / "rtl").resolve()
    program = executable(
        rtl / f"{name}.v",
        name,
        stimulus.beats.shape[1],
        stimulus.out_bytes,
        toolchain,
        optimise=max(cycles, len(stimulus.beats)) > LONG_RUN_CYCLES,
        waves=_wave_format(waves),
        flags=[*flags, *([] if stimulus.writes is None else ["-DREGISTERS"])],
        cache=cache,
    )
    with _scratch() as work:
        stimulus.beats.tofile(work / "data")
        stimulus.last.astype(np.uint8).tofile(work / "last")
        options: dict[str, int | str] = {
            "expect": stimulus.out_beats,
            "timeout": stimulus.timeout_cycles,
            "drain": stimulus.drain_cycles,
            "stall-in": round(1000 * stimulus.stall_in),
            "stall-out": round(1000 * stimulus.stall_out),
            "burst": stimulus.burst_cycles,
            "pace-in": stimulus.pace_in,
            "pace-out": stimulus.pace_out,
            "seed": stimulus.seed,
        }
        if stimulus.resets:
            options["reset-at"] = ",".join(str(cycle) for cycle in stimulus.resets)
            options["frame"] = stimulus.frame_beats
        if stimulus.writes is not None:
            stimulus.writes.astype("<u4").tofile(work / "load")
            options["load"] = str(work / "load")
        command = [str(program), str(work / "data"), str(work / "last"), str(work)]
        command += [word for option, value in options.items() for word in (f"--{option}", str(value))]
        if waves is not None:
            command += ["--waves", str(waves.resolve())]
        # In the folder of the memory files, which the Verilog names without one.
        with _deadlock_named():
            printed = run(command, rtl, log_folder(build) / "verilator.log", progress=progress)
        return _recorded(work, stimulus.out_bytes, frame_error=printed.rstrip().endswith("frame_error=1"))


def run_cocotb(
    build: Path,
    name: str,
    stimulus: Stimulus,
    toolchain: Toolchain,
    *,
    simulator: str = "verilator",
    waves: Path | None = None,
    progress: Progress | None = None,
) -> Trace:
    """Run the cocotb bench's cycle-exact test: the same transfers as the batch driver's, with Python in the loop.

    Parameters
    ----------
    build, name, stimulus, toolchain, progress
        As for `run_verilator`.
    simulator : str
        "verilator" or "icarus".
    waves : Path or None
        Trace file to write: ``.vcd`` on Verilator, ``.fst`` on Icarus.

    Returns
    -------
    Trace

    Raises
    ------
    OptionError
        If the wave file is of another format.
    ToolError
        If a tool is missing or fails, or the accelerator makes no progress.
    """
    suffix = {"verilator": ".vcd", "icarus": ".fst"}[simulator]
    if waves is not None and waves.suffix != suffix:
        raise OptionError(f"cocotb on {simulator} writes waves as {suffix}, not '{waves.name}'")
    tools = {"verilator": ("verilator", "g++", "make", "perl"), "icarus": ("iverilog", "vvp")}[simulator]
    environment = toolchain.environment(*tools)
    with _scratch() as work:
        (work / "bench.json").write_text(json.dumps(_bench_setup(build, name, stimulus)), encoding="ascii")
        copy_pauses(work)
        write_vectors(work / "input.txt", stimulus.beats, stimulus.last)
        if stimulus.writes is not None:
            write_writes(work / "load.txt", stimulus.writes)
        command = [sys.executable, str(_HERE / "runner.py"), "--folder", str(work), "--simulator", simulator]
        command += ["--module", str(_HERE / "bench.py"), "--test", "every_transfer"]
        if waves is not None:
            command += ["--waves", str(waves.resolve())]
        log = log_folder(build) / f"cocotb_{simulator}.log"
        with _deadlock_named():
            run(command, work, log, environment, progress)
        found = json.loads((work / "trace.json").read_text(encoding="ascii"))
    interrupted = tuple(_of_bench(one, stimulus.out_bytes) for one in found["interrupted"])
    return _of_bench(found, stimulus.out_bytes, interrupted, frame_error=bool(found["frame_error"]))


def run_icarus(
    build: Path,
    name: str,
    stimulus: Stimulus,
    toolchain: Toolchain,
    *,
    waves: Path | None = None,
    progress: Progress | None = None,
) -> Trace:
    """Run the cocotb bench on Icarus Verilog: see `run_cocotb`."""
    return run_cocotb(build, name, stimulus, toolchain, simulator="icarus", waves=waves, progress=progress)


def _recorded(work: Path, out_bytes: int, *, frame_error: bool) -> Trace:
    """Read what the batch driver wrote: the parts between resets one behind the other."""
    ends = np.cumsum(np.fromfile(work / "parts", np.int64).reshape(-1, 2), axis=0)
    beats = np.fromfile(work / "out_data", np.uint8).reshape(-1, out_bytes)
    parts = zip(
        np.split(np.fromfile(work / "in_cycles", np.int64), ends[:, 0]),
        np.split(beats, ends[:, 1]),
        np.split(np.fromfile(work / "out_cycles", np.int64), ends[:, 1]),
        np.split(np.fromfile(work / "out_last", np.uint8).astype(bool), ends[:, 1]),
        strict=True,
    )
    *interrupted, last = (Trace(*part, frame_error=False) for part in parts)
    return replace(last, frame_error=frame_error, interrupted=tuple(interrupted))


def _of_bench(
    found: Mapping[str, Any], out_bytes: int, interrupted: tuple[Trace, ...] = (), *, frame_error: bool = False
) -> Trace:
    beats = np.frombuffer(bytes.fromhex("".join(found["out_beats"])), np.uint8).reshape(-1, out_bytes)
    return Trace(
        in_cycles=np.array(found["in_cycles"], np.int64),
        # A number's digits begin with the highest byte.
        out_beats=np.ascontiguousarray(beats[:, ::-1]),
        out_cycles=np.array(found["out_cycles"], np.int64),
        out_last=np.array(found["out_last"], bool),
        frame_error=frame_error,
        interrupted=interrupted,
    )


def copy_pauses(folder: Path) -> None:
    """Put what the bench needs beside its vectors: when the sides pause."""
    shutil.copyfile(pauses.__file__, folder / "pauses.py")


def write_vectors(path: Path, beats: np.ndarray, last: np.ndarray) -> None:
    """Write beats (n, bytes) as text: a hexadecimal number a line, an empty line after each beat marked as last."""
    digits = beats[:, ::-1].tobytes().hex()
    width = 2 * beats.shape[1]
    rows = (digits[at : at + width] for at in range(0, len(digits), width))
    path.write_text(
        "".join(row + ("\n\n" if end else "\n") for row, end in zip(rows, last, strict=True)), encoding="ascii"
    )


def write_writes(path: Path, writes: np.ndarray) -> None:
    """Write what goes into the memories first as text: an address and a word a line, hexadecimal."""
    path.write_text("".join(f"{address:x} {word:x}\n" for address, word in writes.tolist()), encoding="ascii")


def _bench_setup(build: Path, name: str, stimulus: Stimulus) -> dict[str, object]:
    return {
        "name": name,
        "rtl": str((build / "rtl").resolve()),
        "in_bytes": stimulus.beats.shape[1],
        "out_bytes": stimulus.out_bytes,
        "out_beats": stimulus.out_beats,
        "stall_in": round(1000 * stimulus.stall_in),
        "stall_out": round(1000 * stimulus.stall_out),
        "burst_cycles": stimulus.burst_cycles,
        "pace_in": stimulus.pace_in,
        "pace_out": stimulus.pace_out,
        "seed": stimulus.seed,
        "resets": list(stimulus.resets),
        "frame_beats": stimulus.frame_beats,
        "timeout_cycles": stimulus.timeout_cycles,
        "drain_cycles": stimulus.drain_cycles,
    }


def _wave_format(waves: Path | None) -> Waves:
    if waves is None:
        return Waves.NONE
    if waves.suffix not in (".vcd", ".fst"):
        raise OptionError(f"Waves are written as .fst or .vcd, not '{waves.name}'")
    return Waves(waves.suffix)


@contextmanager
def _scratch() -> Iterator[Path]:
    """Give a folder that is gone after the block."""
    with tempfile.TemporaryDirectory(prefix="hwgen-sim-") as work:
        yield Path(work)


@contextmanager
def _deadlock_named() -> Iterator[None]:
    """Say in one sentence that the hardware, not the tool, stopped."""
    try:
        yield
    except ToolError as error:
        found = re.search(r"deadlock: (.*)", str(error))
        if found is None:
            raise
        raise ToolError(f"The accelerator stands still: {found[1]}") from error


def log_folder(build: Path) -> Path:
    """Give the build folder's place for logs, or a temporary one where it cannot be written."""
    logs = build / "logs"
    try:
        logs.mkdir(exist_ok=True)
    except OSError:
        return Path(tempfile.mkdtemp(prefix="hwgen-logs-"))
    return logs if os.access(logs, os.W_OK) else Path(tempfile.mkdtemp(prefix="hwgen-logs-"))
