"""Hold 10,000 random files of hostile idioms to ONNX Runtime and QONNX: ``OMP_NUM_THREADS=1 python -m benchmarks.hostile``.

Each process takes a stretch of seeds; `tests.hostile` says of each what became of it. The record is `benchmarks/hostile.json`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks import machine

RECORD = Path(__file__).with_suffix(".json")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hostile", description=__doc__)
    parser.add_argument("--networks", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    known, ends = (
        machine.facts(),
        [options.networks * part // options.processes for part in range(options.processes + 1)],
    )
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{first}.json" for first in ends[:-1]]
        running = [
            subprocess.Popen([sys.executable, "-m", "tests.hostile", str(first), str(last), "--json", str(file)])
            for first, last, file in zip(ends, ends[1:], files, strict=False)
        ]
        faults = [one.wait() for one in running]
        parts = [json.loads(file.read_text()) for file in files]
    record = {"machine": known, "processor_seconds": round(machine.processor_seconds()), **merged(parts)}
    RECORD.write_text(json.dumps(record, indent=1) + "\n")
    return int(any(faults))


def merged(parts: list[dict[str, Any]]) -> dict[str, object]:
    """Add up the counts of several stretches."""
    refusals: Counter[str] = sum((Counter(part["refusals"]) for part in parts), Counter())
    return {
        "networks": sum(part["networks"] for part in parts),
        "outcomes": {name: sum(part["outcomes"][name] for part in parts) for name in parts[0]["outcomes"]},
        "refusals": dict(sorted(refusals.items(), key=lambda pair: (-pair[1], pair[0]))),
    }


if __name__ == "__main__":
    raise SystemExit(main())
