"""What holding a compile to its file takes: the steps of ``hwgen compile`` that run the ONNX file and the golden model side by side, beside all others.

``python -m benchmarks.verification`` writes ``verification.json`` beside this file. The networks are the trained TFC and CNV of the
examples, and ResNet-18's convolutions in a chain with random weights, whose whole compile is in ``speed.json``.
"""

from __future__ import annotations

import json
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import hwgen
from benchmarks import machine
from benchmarks.models import write_resnet18_sized

EXAMPLES = Path(__file__).parent.parent / "examples"
RECORD = Path(__file__).with_suffix(".json")
BYTES = {"input_type": "uint8", "input_scale": 1 / 255}


def measured(name: str, model: Path, options: dict[str, object], built: bool) -> dict[str, object]:
    """Time reading, verification and, where that is short, all else of a compile: once, as a process that has loaded no executor yet."""
    began = (time.perf_counter(), machine.processor_seconds())
    steps: dict[str, dict[str, float]] = {}

    def done(step: str) -> None:
        nonlocal began
        now = (time.perf_counter(), machine.processor_seconds())
        wall, processor = (round(after - before, 2) for before, after in zip(began, now, strict=True))
        steps[step], began = {"wall": wall, "processor": processor}, now

    network = hwgen.read(model, **options)
    done("read")
    found = hwgen.verify(model, network)
    done("verify")
    if built:
        with tempfile.TemporaryDirectory() as folder:
            hwgen.build(hwgen.plan(network), Path(folder) / "build", verification=found)
        done("fold, size FIFOs, build")
    return {"network": name, "verified": found.sentence, "steps": steps}


def median(name: str, model: Path, options: dict[str, object], *, runs: int) -> dict[str, object]:
    """Give the run whose verification is neither the fastest nor the slowest."""
    found = []
    for _ in range(runs):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
            found.append(alone.submit(measured, name, model, options, runs > 1).result())
    row = sorted(found, key=lambda one: one["steps"]["verify"]["processor"])[runs // 2]
    print(row, flush=True)
    return {**row, "runs": runs}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "resnet18_sized.onnx"
        write_resnet18_sized(large)
        rows = [
            median("mnist_tfc", EXAMPLES / "mnist_tfc" / "model.onnx", {}, runs=3),
            median("mnist_cnv", EXAMPLES / "mnist_cnv" / "model.onnx", BYTES, runs=3),
            median("resnet18_sized", large, {"input_type": "uint8"}, runs=1),
        ]
    record = {"machine": machine.facts(), "networks": rows}
    RECORD.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
