"""What the estimates are worth: a few networks in their smallest folding, mapped by Yosys, and a frame through their Verilog.

``OMP_NUM_THREADS=1 python -m benchmarks.bibench.counted`` measures what ``counted.json`` does not hold yet.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import hwgen
from benchmarks.bibench.architectures import ARCHITECTURES, write
from benchmarks.bibench.measure import NETWORKS, frames, read
from benchmarks.bibench.targets import TARGETS
from hwgen.devices.boards import find_device
from hwgen.estimation.estimate import estimate_total
from hwgen.synthesis import synthesise

RECORD = Path(__file__).with_name("counted.json")
CASES = (
    ("dfsmn", "bnn", "ecp5"),
    ("dfsmn", "xnorpp", "ecp5"),
    ("dfsmn", "xnor", "ecp5"),
    ("bert", "bnn", "ecp5"),
    ("pointnet", "xnorpp", "ecp5"),
    ("resnet20", "bireal", "ecp5"),
)


def measure(architecture: str, algorithm: str, family: str) -> dict[str, Any]:
    """Build, map and simulate a network."""
    what, device = ARCHITECTURES[architecture], TARGETS[family].device
    written = write(what, NETWORKS[algorithm])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        written.save(file)
        network, known = read(file, what, frames(what))
        if network is None:
            raise ValueError(known["refused"])
        plan = hwgen.plan(network, min_area=True, device=device)
        estimate = estimate_total(plan, find_device(device))
        accelerator = hwgen.build(plan, Path(folder) / "build")
        result = accelerator.simulate(what.samples(1)[:1])
        facts = synthesise(Path(folder) / "build", device=device, place_and_route=False)
    return {
        "architecture": architecture,
        "algorithm": algorithm,
        "family": family,
        "cycles": plan.cycles,
        "estimated": {"luts": estimate.luts, "ffs": estimate.ffs, "brams": estimate.brams},
        "counted": {name: facts["resources"][name] for name in ("luts", "ffs", "brams")},
        "mismatches": result.mismatches,
        "beats_off_schedule": result.beats_off_schedule,
        "latency": result.latency_measured,
    }


def main() -> None:
    rows = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else []
    for case in CASES:
        if case not in [(row["architecture"], row["algorithm"], row["family"]) for row in rows]:
            rows.append(measure(*case))
            RECORD.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
            print(rows[-1], flush=True)


if __name__ == "__main__":
    main()
