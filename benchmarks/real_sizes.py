"""Published networks at their published sizes, with random weights: what each phase of a compile takes.

``OMP_NUM_THREADS=1 python -m benchmarks.real_sizes [NETWORK ...]`` adds to ``real_sizes.json`` beside this file. Every phase is a process of its own, so that
its peak of memory is its own, and what one phase leaves to the next is kept in ``--folder``: a run that was broken off goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hwgen
from benchmarks import machine
from benchmarks.real_models import NETWORKS
from hwgen.estimation.compile_cost import sizes_of
from hwgen.folding.target import Target
from hwgen.pipeline.fifo_depths import size_fifos

RECORD = Path(__file__).with_suffix(".json")
PHASES = ("read", "verify", "fold", "size", "build")


def kept(folder: Path, name: str) -> Any:
    """Load what an earlier phase left."""
    return pickle.loads((folder / name).read_bytes())  # noqa: S301 - its own


def run(network: str, phase: str, folder: Path) -> dict[str, Any]:
    """Do one phase in this process; give its facts."""
    real, model = NETWORKS[network], folder / f"{network}.onnx"
    facts: dict[str, Any] = {}

    def keep(name: str, value: object) -> None:
        (folder / name).write_bytes(pickle.dumps(value))

    def read() -> None:
        net = hwgen.read(model, **real.declared)
        keep("network", net)
        facts.update(layers=len(net.layers), sizes=sizes_of(net)._asdict())

    def verify() -> None:
        found = hwgen.verify(model, kept(folder, "network"))
        facts.update(agrees=found.agrees, verification=found.sentence)

    def fold() -> None:
        keep("folded", Target(target_fps=real.target_fps, clock_mhz=100).fold(kept(folder, "network")))

    def size() -> None:
        keep("sized", size_fifos(kept(folder, "folded")))

    def build() -> None:
        report = hwgen.build(kept(folder, "sized"), folder / "build").report
        verilog = sum(path.stat().st_size for path in (folder / "build" / "rtl").glob("*.v"))
        facts.update({key: report[key] for key in ("ii", "latency", "weight_bits")}, verilog_mb=round(verilog / 1e6, 1))

    steps: dict[str, Callable[[], None]] = {
        "read": read,
        "verify": verify,
        "fold": fold,
        "size": size,
        "build": build,
    }
    if phase == "read":
        folder.mkdir(parents=True, exist_ok=True)
        facts["weights"] = real.write(model)
    began = time.perf_counter(), machine.processor_seconds()
    steps[phase]()
    wall, processor = time.perf_counter() - began[0], machine.processor_seconds() - began[1]
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    return {**facts, "took": {"wall": round(wall, 1), "processor": round(processor, 1), "peak_mb": round(peak)}}


def main() -> None:
    """Run what is asked for and not yet done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", default=list(NETWORKS))
    parser.add_argument("--phases", default=",".join(PHASES))
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "hwgen_real_sizes")
    parser.add_argument("--only", help="do this phase in this process and print its facts")
    chosen = parser.parse_args()
    if chosen.only:
        print(json.dumps(run(chosen.networks[0], chosen.only, chosen.folder / chosen.networks[0])))
        return
    for network in chosen.networks:
        for phase in chosen.phases.split(","):
            record = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
            own = record.setdefault(network, {"target_fps": NETWORKS[network].target_fps, "phases": {}})
            done = own["phases"]
            if phase in done and (chosen.folder / network).exists():
                continue
            command = [sys.executable, "-m", "benchmarks.real_sizes", network, "--only", phase]
            command += ["--folder", str(chosen.folder)]
            text = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, env=dict(os.environ)).stdout
            facts = json.loads(text.splitlines()[-1])
            done[phase] = facts.pop("took")
            own.update(facts, machine=machine.facts())
            print(network, phase, done[phase], flush=True)
            RECORD.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
