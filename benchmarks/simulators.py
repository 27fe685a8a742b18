"""Time the making of small simulators before and after the headers are precompiled.

``python -m benchmarks.simulators`` writes ``simulators.json`` beside this file (a minute): the Verilog of a network of 24-12-8-5, each time with another
comment so that nothing is found in the cache, is compiled with the batch driver in a cache of the benchmark's own. Processor time is that of
the tools and what starts them.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path

import hwgen
from benchmarks.machine import facts, processor_seconds
from benchmarks.models import write_mlp
from hwgen.sim.verilate import OFTEN, executable
from hwgen.tools.toolchain import Toolchain

RECORD = Path(__file__).with_suffix(".json")
AFTERWARDS = 5


def main() -> None:
    record: dict[str, object] = {"machine": facts()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_mlp(folder / "mlp.onnx", (24, 12, 8, 5))
        accelerator = hwgen.compile(folder / "mlp.onnx", folder / "build")
        top = accelerator.network.name
        verilog = accelerator.folder / "rtl" / f"{top}.v"
        text, toolchain = verilog.read_text(), Toolchain.find()
        seconds = []
        for number in range(OFTEN + 1 + AFTERWARDS):
            source = folder / f"{number}.v"
            source.write_text(f"{text}// {number}\n")
            before = processor_seconds()
            executable(source, top, 8, 8, toolchain, cache=folder / "cache")
            seconds.append(round(processor_seconds() - before, 2))
            print(seconds[-1], flush=True)
    # The first also makes Verilator's run time.
    record |= {
        "first": seconds[0],
        "before": statistics.median(seconds[1:OFTEN]),
        "with_the_making_of_headers": seconds[OFTEN],
        "after": statistics.median(seconds[OFTEN + 1 :]),
    }
    RECORD.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
