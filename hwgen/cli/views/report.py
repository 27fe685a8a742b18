"""What a build amounts to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

__all__ = ["render_report"]


def render_report(report: Mapping[str, Any]) -> RenderableType:
    """Lay out a report, the contents of report.json."""
    network = report["network"]
    title = f"{network['name']}: {_shapes(network['inputs'])} -> {_shapes(network['outputs'])}"
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=0, pad_edge=False)
    for name in ("layer", "kind", "output", "type"):
        table.add_column(name, overflow="fold")
    device, estimate = next(iter(report["estimates"].items()))
    for name in ("PE", "SIMD", "cycles", "busy", "weights", "FIFO", "LUTs", "RAMs"):
        table.add_column(name, justify="right", no_wrap=True)
    for layer in report["layers"]:
        taken = estimate["stages"][layer["name"]]
        table.add_row(
            layer["name"],
            layer["kind"],
            "x".join(map(str, layer["out_shape"])),
            layer["out_type"],
            str(layer["pe"]),
            str(layer["simd"]),
            f"{layer['cycles']:,}",
            f"{layer['busy']:.0%}",
            f"{layer['weight_bits']:,}",
            str(layer["fifo"]["depth"]),
            f"{taken['luts']:,}",
            f"{taken['brams']:g}",
        )
    summary = Text(
        f"A frame every {report['ii']:,} cycles, latency {report['latency']:,} cycles ({report['latency_us']:,.1f} us); "
        f"{report['fps']:,.0f} frames/s at {report['clock_mhz']:g} MHz; {report['weight_bits']:,} weight bits"
    )
    forks = [
        Text(f"Fork of {fork['source']}, {fork['width']} bits a beat: " + ", ".join(map(_branch, fork["branches"])))
        for fork in report["forks"]
    ]
    if report["input_fifos"]:
        waiting = ", ".join(_fifo(fifo, f"for {fifo['input']}") for fifo in report["input_fifos"])
        forks.insert(0, Text(f"Inputs in turn: {waiting}"))
    estimates = [Text(_sentence(name, one)) for name, one in report["estimates"].items()]
    columns = Text(f"Columns LUTs and RAMs are estimates for {device}.")
    found = report.get("verification")
    held = Text("Not held to the file that it was made of." if found is None else f"{found['sentence']}.")
    notes = [held, *(Text(f"Note: {note}") for note in report["notes"])]
    # Builds of earlier versions have neither entry.
    short = [] if report.get("shortage") is None else [Text(report["shortage"], style="yellow")]
    return Group(table, *forks, summary, *short, *estimates, *([columns] if len(estimates) > 1 else []), *notes)


def _sentence(device: str, estimate: Mapping[str, Any]) -> str:
    """Say what the whole takes of a device, and how good the estimate is."""
    total, has, error = estimate["total"], estimate["available"], estimate["model_error"]["luts"]["unseen"]
    more = [
        f"{total[name]:,} of {has[name]:,} {label}"
        for name, label in (("dsps", "multipliers"), ("sprams", "large RAMs"))
        if total[name]
    ]
    memories = ", ".join([f"{total['brams']:g} of {has['brams']} block RAMs", *more])
    return (
        f"Estimate for {device}: {total['luts']:,} of {has['luts']:,} LUTs, {total['ffs']:,} of {has['ffs']:,} flip-flops, "
        f"{memories} (LUTs within 10 % on {error['within_10_percent']:.0%} of layers that the model was not fitted to)"
    )


def _branch(branch: Mapping[str, Any]) -> str:
    return _fifo(branch, f"to {branch['reader']}")


def _fifo(queue: Mapping[str, Any], whose: str) -> str:
    return f"FIFO of {queue['depth']:,} {whose}" + " (block RAM)" * (queue["memory"] == "block")


def _shapes(ports: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{port['type']} {'x'.join(map(str, port['map']))}" for port in ports)
