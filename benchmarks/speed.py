"""Time compilation by the size of the network, and ten thousand frames in the batch driver.

Run as ``python -m benchmarks.speed`` from the root (about six minutes); the record is ``benchmarks/speed.json``. What is
timed is what a user starts: the command line in a process of its own, from the ONNX file to the finished build folder,
by the clock on the wall; processor time, tools included, stands beside it because other work on the machine disturbs it
less. Models are those of `benchmarks.models` and the trained TFC of the examples. Compiled simulators are kept in a cache
of the benchmark's own, empty at first, so that the driver is really built.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

import hwgen
from benchmarks.machine import facts
from benchmarks.models import write_cnv, write_mlp, write_resnet18_sized
from examples.data.load import load

EXAMPLES = Path(__file__).parent.parent / "examples"
RECORD = Path(__file__).with_suffix(".json")
FRAMES = 10_000
PIXELS = ("--input-type", "uint8")

COMPILED: tuple[tuple[str, Callable[[Path], int], tuple[str, ...], int], ...] = (
    ("tfc", partial(write_mlp, widths=(784, 64, 64, 64, 10)), (), 5),
    ("mlp_1024x2", partial(write_mlp, widths=(1024,) * 3 + (10,)), (), 3),
    ("mlp_1024x4", partial(write_mlp, widths=(1024,) * 5 + (10,)), (), 3),
    ("mlp_1024x8", partial(write_mlp, widths=(1024,) * 9 + (10,)), (), 3),
    ("cnv", write_cnv, PIXELS, 3),
    ("resnet18_sized", write_resnet18_sized, PIXELS, 1),
)
"""Name, writer, options of ``hwgen compile``, and how often it is run."""


@dataclass(frozen=True)
class Run:
    """One run of the command line.

    Parameters
    ----------
    seconds, cpu_seconds : float
        By the clock on the wall, and of all processors together.
    peak_mb : float
        Resident memory of the largest process, tools included.
    printed : str
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float
    printed: str


def run(*arguments: object, cache: Path | None = None) -> Run:
    command = [sys.executable, "-m", "hwgen", *map(str, arguments)]
    environment = dict(os.environ) if cache is None else {**os.environ, "XDG_CACHE_HOME": str(cache)}
    with tempfile.TemporaryFile("w+") as printed:
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=printed, env=environment)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise SystemExit(f"{' '.join(command)} failed")
        printed.seek(0)
        return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, printed.read())


def compiled(folder: Path, name: str, write: Callable[[Path], int], options: tuple[str, ...], runs: int) -> dict:
    bits = write(folder / f"{name}.onnx")
    found = [run("compile", folder / f"{name}.onnx", "-o", folder / name, "-q", *options) for _ in range(runs)]
    shutil.rmtree(folder / name)
    return {
        "network": name,
        "weight_bits": bits,
        "runs": runs,
        "seconds": round(statistics.median(one.seconds for one in found), 2),
        "seconds_of_runs": sorted(round(one.seconds, 2) for one in found),
        "cpu_seconds": round(statistics.median(one.cpu_seconds for one in found), 2),
        "peak_mb": round(max(one.peak_mb for one in found)),
    }


def slope(rows: list[dict]) -> dict[str, float]:
    """Fit processor seconds = fixed + per_mbit * Mbit, and tell how far the measured ones lie from it at most."""
    mbit, seconds = (np.array([row[key] for row in rows], dtype=float) for key in ("weight_bits", "cpu_seconds"))
    per_mbit, fixed = np.polyfit(mbit / 1e6, seconds, 1)
    off = np.abs(fixed + per_mbit * mbit / 1e6 - seconds) / seconds
    return {
        "fixed_cpu_seconds": round(float(fixed), 2),
        "cpu_seconds_per_mbit": round(float(per_mbit), 2),
        "largest_deviation": round(float(off.max()), 3),
    }


def simulated(folder: Path) -> dict[str, object]:
    """Run the kept test frames of the trained TFC: once with an empty cache, which builds the driver, then again."""
    build, frames, cache = folder / "trained", folder / "x.npy", folder / "cache"
    run("compile", EXAMPLES / "mnist_tfc" / "model.onnx", "-o", build, "-q")
    pixels = load("mnist_test")[0][:FRAMES]
    shape = hwgen.load(build).network.input.onnx_shape
    np.save(frames, (pixels / 255).astype(np.float32).reshape(len(pixels), *shape))
    first, *again = (run("simulate", build, "--input", frames, "--json", cache=cache) for _ in range(6))
    found = json.loads(first.printed)
    seconds = statistics.median(one.seconds for one in again)
    return {
        "frames": found["frames"],
        "mismatches": found["mismatches"],
        "beats_off_schedule": found["beats_off_schedule"],
        "cycles": found["cycles_total"],
        "ii": found["ii_measured"],
        "seconds": round(seconds, 2),
        "cycles_per_second_of_whole_command": round(found["cycles_total"] / seconds),
        "build_seconds": round(first.seconds - seconds, 2),
        "peak_mb": round(max(one.peak_mb for one in (first, *again))),
    }


def main() -> None:
    record: dict[str, object] = {"machine": facts()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = []
        for case in COMPILED:
            rows.append(compiled(folder, *case))
            print(rows[-1], flush=True)
        record["compile"] = rows
        record["dense_family"] = slope([row for row in rows if row["network"].startswith("mlp")])
        record["tfc_in_verilator"] = simulated(folder)
    print(record["dense_family"], record["tfc_in_verilator"], sep="\n")
    RECORD.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
