"""What `make demo` runs: trained networks become Verilog, real data pass through it in Verilator.

Each network is compiled into ``demo/<name>``, and all of its kept test frames are simulated.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.columns import Columns
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

import hwgen
from examples.data.load import load

EXAMPLES = Path(__file__).parent
OUTPUT = EXAMPLES.parent / "demo"


@dataclass(frozen=True)
class Job:
    """One network of the demonstration.

    Parameters
    ----------
    name : str
        Folder of the example.
    title : str
    target_fps : float
        Frames a second at 100 MHz.
    declared : bool
        The host sends the codes that ``expected.json`` declares; otherwise what the graph itself begins with.
    """

    name: str
    title: str
    target_fps: float
    declared: bool


JOBS = (
    Job("mnist_tfc", "MNIST digits, dense 784-64-64-64-10, one bit everywhere", target_fps=500_000, declared=False),
    Job("watch_motion", "Exercise from a watch's motion sensors, 8-bit input", target_fps=10_000, declared=True),
)


def run(job: Job, console: Console) -> tuple[hwgen.Accelerator, hwgen.Simulation, float, float]:
    """Compile and simulate one network; also give its accuracy in float and the seconds it took to compile."""
    folder = EXAMPLES / job.name
    expected = json.loads((folder / "expected.json").read_text())
    meaning = expected["input"]
    codes, labels = load(expected["data"])
    codes = codes.reshape(len(codes), *meaning["shape"][1:])
    declared = {"input_type": meaning["type"], "input_scale": meaning["scale"], "input_offset": meaning["offset"]}
    with console.status(job.title) as status:

        def progress(step: str) -> None:
            status.update(f"{job.title}: {step} ...")

        start = time.perf_counter()
        network = hwgen.read(
            folder / "model.onnx", name=job.name, **(declared if job.declared else {}), progress=progress
        )
        plan = hwgen.plan(network, target_fps=job.target_fps)
        accelerator = hwgen.build(plan, OUTPUT / job.name, progress=progress)
        seconds = time.perf_counter() - start
        x = codes if job.declared else (codes * meaning["scale"] + meaning["offset"]).astype(np.float32)
        result = accelerator.simulate(x, expected=labels, progress=progress)
    return accelerator, result, expected["accuracy_float"], seconds


def summary(rows: list[tuple[Job, hwgen.Accelerator, hwgen.Simulation, float, float]]) -> Table:
    """Lay the results out, one network a column."""
    table = Table(title="From ONNX to Verilog", title_style="bold", title_justify="left")
    table.add_column("")
    for job, *_ in rows:
        table.add_column(job.name, justify="right")

    def line(title: str, cell) -> None:
        table.add_row(title, *(cell(*row) for row in rows))

    def verdict(count: int | None) -> str:
        return f"[green]{count}[/]" if count == 0 else f"[red]{count}[/]"

    line("weights", lambda job, acc, sim, real, seconds: f"{acc.report['weight_bits']:,} bits")
    line("compiled in", lambda job, acc, sim, real, seconds: f"{seconds:.1f} s")
    line("frames simulated", lambda job, acc, sim, real, seconds: f"{sim.frames:,}")
    line("accuracy: ONNX in float", lambda job, acc, sim, real, seconds: f"{real:.2%}")
    line("accuracy: Verilog", lambda job, acc, sim, real, seconds: f"{sim.accuracy:.2%}")
    line("frames that differ from golden", lambda job, acc, sim, real, seconds: verdict(sim.mismatches))
    line("beats off the predicted cycle", lambda job, acc, sim, real, seconds: verdict(sim.beats_off_schedule))
    line("cycles a frame: predicted", lambda job, acc, sim, real, seconds: f"{sim.ii_predicted:,}")
    line("cycles a frame: measured", lambda job, acc, sim, real, seconds: f"{sim.ii_measured:,}")
    line("latency: predicted", lambda job, acc, sim, real, seconds: f"{sim.latency_predicted:,} cycles")
    line("latency: measured", lambda job, acc, sim, real, seconds: f"{sim.latency_measured:,} cycles")
    line("frames/s at 100 MHz", lambda job, acc, sim, real, seconds: f"{sim.frames_per_second_at_clock:,.0f}")
    return table


def digits(result: hwgen.Simulation, count: int = 5) -> Columns:
    """Draw the first digits with the Verilog's answer."""
    images, labels = load("mnist_test")
    panels = []
    for image, label, scores in zip(images[:count], labels, result.outputs, strict=False):
        dark = image[4:24, 4:24] > 127
        rows = [
            "".join(" ▀▄█"[top + 2 * bottom] for top, bottom in zip(*pair, strict=True))
            for pair in zip(dark[::2], dark[1::2], strict=True)
        ]
        panels.append(
            Panel("\n".join(rows), title=f"it is a {label}", subtitle=f"Verilog: {np.argmax(scores)}", expand=False)
        )
    return Columns(panels)


def main() -> int:
    """Run every job; the exit code is 1 if any value or cycle was wrong."""
    console = Console()
    rows = []
    for job in JOBS:
        rows.append((job, *run(job, console)))
        console.print(f"[green]done[/] {job.title}")
    console.print(digits(rows[0][2]), summary(rows))
    console.print("Look at:")
    for job, accelerator, *_ in rows:
        name = accelerator.network.name
        for file in (f"rtl/{name}.v", "report.json", "folding.json"):
            console.print(f"  {Path('demo') / job.name / file}")
    console.print("Go on with: .venv/bin/hwgen report demo/mnist_tfc, and README.md")
    return 0 if all(result.exact for _, _, result, _, _ in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
