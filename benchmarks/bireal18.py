"""A Bi-Real Net of ResNet-18's size, 224 x 224, with random weights: compiled, predicted, and one frame through the Verilog.

``OMP_NUM_THREADS=1 python -m benchmarks.bireal18`` writes ``bireal18.json`` beside this file.
"""

from __future__ import annotations

import json
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

import hwgen
from benchmarks import machine
from benchmarks.models import write_bireal18

RECORD = Path(__file__).with_suffix(".json")
TARGET = {"target_fps": 100, "clock_mhz": 100}


def main() -> None:
    """Compile, simulate, and keep what each step took."""
    began, steps = (time.perf_counter(), machine.processor_seconds()), {}

    def done(step: str) -> None:
        nonlocal began
        now = (time.perf_counter(), machine.processor_seconds())
        steps[step] = {
            "wall": round(now[0] - began[0], 1),
            "processor": round(now[1] - began[1], 1),
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        }
        print(step, steps[step], flush=True)
        began = now

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bireal18.onnx"
        weight_bits = write_bireal18(file)
        network = hwgen.read(file, input_type="uint8", input_scale=1 / 255)
        done("read")
        plan = hwgen.plan(network, **TARGET)
        done("fold and size FIFOs")
        accelerator = hwgen.build(plan, Path(folder) / "build")
        done("build")
        height, width, channels = network.input.shape
        frame = np.random.default_rng(0).integers(0, 256, (1, channels, height, width), dtype=np.uint8)
        result = accelerator.simulate(frame)
        done("simulate one frame")
    record = {
        "machine": machine.facts(),
        "weight_bits": weight_bits,
        "layers": len(network.layers),
        **TARGET,
        "ii_predicted": result.ii_predicted,
        "latency_predicted": result.latency_predicted,
        "latency_measured": result.latency_measured,
        "frames": result.frames,
        "mismatches": result.mismatches,
        "beats_off_schedule": result.beats_off_schedule,
        "steps": steps,
    }
    RECORD.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(record, indent=2))


if __name__ == "__main__":
    main()
