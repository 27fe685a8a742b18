"""Three example networks on five devices, placed and routed: what they take, how fast they run, and what holds them back.

``python -m benchmarks.boards`` measures everything and keeps it in ``boards.json`` beside this file (an hour on two cores);
``python -m benchmarks.boards tfc up5k`` measures again the cases with these words in their names,
or with this aim of cycles a frame.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import hwgen
from hwgen.devices.boards import find_device
from hwgen.network import Network
from hwgen.pipeline.fifo_depths import size_fifos
from hwgen.plan import Plan
from hwgen.synthesis import synthesise

ROOT = Path(__file__).parent.parent
RECORD = Path(__file__).with_suffix(".json")
SEEDS = (1,)

Folds = dict[str, tuple[int, int]]
"""Layer -> PE and SIMD that replace those that the target alone would choose."""

NARROW: Folds = {"dense1": (4, 49), "dense2": (4, 4), "dense3": (4, 4), "dense4": (2, 2)}
"""196 lanes in the first layer from a vector of 49 bits: a wide vector takes more block RAMs than the weights do."""

HALF: Folds = {"dense1": (8, 49), "dense2": (4, 8), "dense3": (4, 8), "dense4": (2, 4)}
"""392 lanes in the first layer."""


@dataclass(frozen=True)
class Case:
    """A network on a device with a folding.

    Parameters
    ----------
    network : str
        "tfc", "watch" or "mnist_cnv".
    device : str
    cycles : int
        Aim for the interval between frames.
    folds : Folds
    """

    network: str
    device: str
    cycles: int
    folds: Folds


CASES = (
    Case("tfc", "up5k", 256, NARROW),
    Case("tfc", "hx8k", 256, NARROW),
    Case("tfc", "gw1nr-9", 128, HALF),
    Case("tfc", "ecp5-25", 128, HALF),
    Case("tfc", "ecp5-25", 40, {}),
    Case("tfc", "ecp5-85", 16, {}),
    Case("watch", "up5k", 4960, {}),
    Case("watch", "hx8k", 701, {}),
    Case("watch", "gw1nr-9", 701, {}),
    Case("watch", "ecp5-25", 701, {}),
    Case("watch", "ecp5-85", 310, {}),
    Case("mnist_cnv", "hx8k", 8712, {}),
    Case("mnist_cnv", "ecp5-25", 8712, {}),
)


def read(name: str) -> Network:
    if name == "tfc":
        return hwgen.read(ROOT / "examples" / "mnist_tfc" / "model.onnx")
    if name == "mnist_cnv":
        return hwgen.read(ROOT / "examples" / "mnist_cnv" / "model.onnx", input_type="uint8", input_scale=1 / 255)
    return hwgen.read(ROOT / "examples" / "watch_motion" / "model.onnx", input_type="int8", input_scale=1.0)


def fold(case: Case) -> Plan:
    plan = hwgen.plan(read(case.network), clock_mhz=100, target_fps=100e6 / case.cycles)
    registers = find_device(case.device).family.fetch_registers
    folds = {
        layer: replace(one, fetch_registers=registers, slots=None, buffer_beats=None)
        for layer, one in plan.folds.items()
    }
    for layer, (pe, simd) in case.folds.items():
        folds[layer] = replace(folds[layer], pe=pe, simd=simd)
    return size_fifos(replace(plan, folds=folds))


def measure(case: Case) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        plan = fold(case)
        hwgen.build(plan, Path(folder) / "build")
        facts = synthesise(Path(folder) / "build", device=case.device, seeds=SEEDS)
    path = facts["critical_path"]
    return {
        "network": case.network,
        "device": case.device,
        "cycles": case.cycles,
        "folding": {
            layer.name: [plan.folds[layer.name].pe, plan.folds[layer.name].simd] for layer in plan.network.layers
        },
        "ii": facts["ii"],
        **{name: facts["resources"][name] for name in ("luts", "ffs", "carries", "brams", "lutrams")},
        "harness_luts": facts["harness"]["luts"],
        "fmax_mhz": facts["fmax_mhz"],
        "clock_goal_mhz": facts["clock_goal_mhz"],
        "seeds": facts["seeds"],
        "frames_per_second": facts["frames_per_second_at_fmax"],
        "seconds": facts["seconds"],
        "critical_path": {name: path[name] for name in ("delay_ns", "routing_ns", "levels", "from", "to", "units")},
        "tools": facts["tools"],
    }


def main(words: list[str]) -> None:
    """Measure the cases that have all words in their names, and replace their rows of the record."""
    rows = {
        (row["network"], row["device"], row["cycles"]): row
        for row in (json.loads(RECORD.read_text()) if RECORD.exists() else [])
    }
    for case in CASES:
        if all(word in (case.network, case.device, str(case.cycles)) for word in words):
            rows[case.network, case.device, case.cycles] = row = measure(case)
            print(
                f"{row['network']:9} {row['device']:8} II {row['ii']:5} {row['luts']:6} LUT {row['ffs']:6} FF "
                f"{row['brams']:4} BRAM {row['fmax_mhz']:6.1f} MHz {row['seconds']}",
                flush=True,
            )
            keys = [(one.network, one.device, one.steps) for one in CASES]
            ordered = [rows[key] for key in keys if key in rows]
            RECORD.write_text(json.dumps(ordered, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
