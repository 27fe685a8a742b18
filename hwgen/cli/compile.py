"""The command that writes a build folder."""

from __future__ import annotations

import time
from pathlib import Path

import click
from rich.console import Group
from rich.text import Text

from hwgen.api import compile_with
from hwgen.cli.terminal import BOARD, DEVICE, PATH, Number, Screen, common, declares_input
from hwgen.cli.views.report import render_report
from hwgen.folding.target import Target
from hwgen.streamlining.options import Options

__all__ = ["compile_"]


@click.command("compile")
@click.argument("model", type=PATH)
@click.option("-o", "--output", "folder", type=PATH, required=True, help="Build folder to write.")
@click.option("--target-fps", type=Number(), help="Frames a second to reach at the clock.")
@click.option("--board", type=BOARD, help="Board whose room to fill, or the path of its TOML file; see 'hwgen boards'.")
@click.option(
    "--device",
    type=DEVICE,
    help="Device to fill, or to price on, without a board; see 'hwgen boards'.  [default: up5k]",
)
@click.option(
    "--clock-mhz", type=Number(), help="Clock at which frames are counted; 100, or the board's best, if not given."
)
@click.option("--max-throughput", is_flag=True, help="As fast as the network allows.")
@click.option("--min-area", is_flag=True, help="As small as the network allows.")
@click.option("--folding", "folding_file", type=PATH, help="Folding file in JSON; 'compile' writes one to start from.")
@click.option("--writable", metavar="all|LAYER,...", help="Layers whose weights can be written at run time.")
@click.option("--axi-lite", is_flag=True, help="A port for registers and counters; writable layers bring it.")
@click.option(
    "--verify/--no-verify",
    default=True,
    show_default=True,
    help="Hold the network to MODEL itself, as ONNX Runtime or QONNX runs it.",
)
@click.option(
    "--cut",
    metavar="auto|[TENSOR,...:]TENSOR,...",
    help="Leave nodes to the host: those that cannot become hardware, or those behind (and in front of) named tensors.",
)
@click.option("--name", help="Name of the Verilog module; the graph's own, or the file's, if not given.")
@declares_input
@common
def compile_(
    model: Path,
    folder: Path,
    *,
    target_fps: float | None,
    board: str | None,
    device: str | None,
    clock_mhz: float | None,
    max_throughput: bool,
    min_area: bool,
    folding_file: Path | None,
    writable: str | None,
    axi_lite: bool,
    verify: bool,
    cut: str | None,
    name: str | None,
    options: Options,
    screen: Screen,
) -> None:
    """Compile MODEL, an ONNX file, to Verilog in a build folder."""
    start = time.perf_counter()
    target = Target(target_fps, clock_mhz, max_throughput, min_area, folding_file, board, device)
    with screen.steps() as progress:
        accelerator = compile_with(
            model,
            folder,
            options,
            target,
            writable=writable,
            axi_lite=axi_lite,
            name=name,
            verified=verify,
            cut=cut,
            progress=progress,
        )
    keys = ("ii", "latency", "fps", "clock_mhz", "device", "shortage", "weight_bits", "layers", "verification", "notes")
    facts = {key: accelerator.report[key] for key in keys}
    facts |= {"build_seconds": round(time.perf_counter() - start, 3), "folder": str(folder), "files": accelerator.files}
    wrote = f"Wrote {len(accelerator.files)} files to {folder} in {facts['build_seconds']:.1f} s"
    screen.result(facts, Group(render_report(accelerator.report), Text(wrote)))
