"""From ONNX to a bitstream on boards: seconds, resources, clock, frames a second, latency, and an estimate of the energy.

``python -m benchmarks.board_bitstreams`` makes every bitstream (an hour on two idle cores) and keeps the figures in
``board_bitstreams.json`` beside this file, from which the pages of the boards are written; words choose cases, as in ``benchmarks.boards``.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hwgen
from benchmarks import machine
from benchmarks.models import write_cnv, write_mlp
from hwgen.devices.boards import find_board
from hwgen.devices.family import Device
from hwgen.synthesis.retry import synthesise_on_board

ROOT = Path(__file__).parent.parent
RECORD = Path(__file__).with_suffix(".json")
SEEDS = (1,)

PIXELS: dict[str, Any] = {"input_type": "uint8", "input_scale": 1 / 255}

PICOJOULES = {"ice40": (0.08, 1.5), "ecp5": (0.10, 3.0), "gowin": (0.12, 3.0)}
"""Rule of thumb: energy of a logic cell, and of a block RAM, in each clock cycle, with an eighth of all nodes toggling.

The basis is 10 to 15 fF of wire and gate a node at the core's supply (1.2 V; 1.1 V for ECP5), with ten nodes a cell: it has not been compared
with a measurement of ours and may be off by a factor of three.
"""

LARGE_RAM = 4
"""Energy of a large RAM in block RAMs, by the same rule of thumb."""

STATIC_MILLIWATTS = {"up5k": 0.1, "hx8k": 1.4, "gw1nr-9": 5.0, "ecp5-12": 60.0, "ecp5-25": 60.0, "ecp5-85": 150.0}
"""Typical static power at room temperature, rounded from what the makers' data sheets give for the core supply; without it there is no estimate of the energy."""


@dataclass(frozen=True)
class Case:
    """A network on a board; ``target_fps`` None: as fast as the board has room for."""

    network: str
    board: str
    target_fps: float | None = None


CASES = (
    Case("tfc", "icebreaker"),
    Case("watch", "icebreaker"),
    Case("sfc", "icebreaker"),
    Case("tfc", "tang_nano_9k"),
    Case("watch", "tang_nano_9k"),
    Case("tfc", "hx8k_breakout"),
    Case("mnist_cnv", "hx8k_breakout"),
    Case("mnist_cnv", "ulx3s_85f", 5_000),
    Case("tfc", "ulx3s_85f", 1_000_000),
    Case("sfc", "ulx3s_85f", 100_000),
    Case("cnv", "ulx3s_85f", 100),
    Case("tfc", "crosslink_nx_evn", 100_000),
    Case("tfc", "gatemate_evb", 150_000),
    Case("tfc", "upduino31"),
    Case("tfc", "tang_nano_20k", 60_000),
    Case("tfc", "ulx3s_12f", 1_000_000),
    Case("tfc", "ulx3s_25f", 1_000_000),
    Case("tfc", "ulx3s_45f", 1_000_000),
    Case("tfc", "colorlight_i5", 1_000_000),
    Case("tfc", "orangecrab", 1_000_000),
)


def model(name: str, folder: Path) -> tuple[Path, dict[str, Any]]:
    """Give a network's file and what the host sends."""
    if name in ("sfc", "cnv"):
        file = folder / f"{name}.onnx"
        if name == "sfc":
            write_mlp(file, (784, 256, 256, 256, 10))
        else:
            write_cnv(file)
        return file, {} if name == "sfc" else PIXELS
    trained = {"tfc": "mnist_tfc", "watch": "watch_motion"}.get(name, name)
    options = {"watch": {"input_type": "int8", "input_scale": 1.0}, "mnist_cnv": PIXELS}.get(name, {})
    return ROOT / "examples" / trained / "model.onnx", options


def microjoules(device: Device, facts: dict[str, Any]) -> float | None:
    """Estimate the energy of a frame; None where the rules of thumb do not reach."""
    if device.name not in STATIC_MILLIWATTS:
        return None
    cells = facts["resources"]["luts"] + facts["harness"]["luts"]
    cell, bram = PICOJOULES[device.family.name]
    rams = facts["resources"]["brams"] + LARGE_RAM * facts["resources"]["sprams"]
    cycle = cells * cell + rams * bram + STATIC_MILLIWATTS[device.name] * 1e3 / facts["clock_goal_mhz"]
    return round(cycle * facts["ii"] / 1e6, 3)


def measure(case: Case) -> dict[str, Any]:
    """Make one bitstream."""
    with tempfile.TemporaryDirectory() as folder:
        file, options = model(case.network, Path(folder))
        build = Path(folder) / "build"
        began, computed = time.perf_counter(), machine.processor_seconds()
        hwgen.compile(file, build, board=case.board, target_fps=case.target_fps, **options)
        compiled = time.perf_counter() - began
        facts = synthesise_on_board(build, case.board, seeds=SEEDS)
        seconds = time.perf_counter() - began
        computed = machine.processor_seconds() - computed
        report = hwgen.load(build).report
    clock, interval = facts["clock_goal_mhz"], facts["ii"]
    return {
        "network": case.network,
        "board": case.board,
        "ii": interval,
        **{name: facts["resources"][name] for name in ("luts", "ffs", "brams", "lutrams", "sprams", "dsps")},
        "link_luts": facts["harness"]["luts"],
        "clock_mhz": clock,
        "clock_met": facts["clock_met"],
        "fmax_mhz": facts["fmax_mhz"],
        "frames_per_second": round(clock * 1e6 / interval, 1),
        "latency_us": round(report["latency"] / clock, 2),
        "energy_uj": microjoules(find_board(case.board).device, facts),
        "seconds": round(seconds, 1),
        "seconds_processor": round(computed, 1),
        "seconds_compile": round(compiled, 1),
        "seconds_steps": facts["seconds"],
        "attempts": facts.get("attempts", []),
        "tools": facts["tools"],
    }


def main(words: list[str]) -> None:
    """Measure the cases that have all words in their names, and replace their rows of the record."""
    rows = {(row["network"], row["board"]): row for row in (json.loads(RECORD.read_text()) if RECORD.exists() else [])}
    for case in CASES:
        if all(word in (case.network, case.board) for word in words):
            rows[case.network, case.board] = row = measure(case)
            print(
                f"{row['network']:9} {row['board']:13} II {row['ii']:6} {row['luts']:6} LUT {row['brams']:4} BRAM "
                f"{row['clock_mhz']:g} of {row['fmax_mhz']:.1f} MHz {row['seconds']:.0f} s",
                flush=True,
            )
            ordered = [rows[one.network, one.board] for one in CASES if (one.network, one.board) in rows]
            RECORD.write_text(json.dumps(ordered, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
