"""What is in a model file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

__all__ = ["render_description"]


def render_description(facts: Mapping[str, Any]) -> RenderableType:
    """Lay out what `hwgen.cli.info.describe` tells of a model."""
    operators = ", ".join(f"{count} {op}" if count > 1 else op for op, count in facts["operators"].items())
    parts: list[RenderableType] = [Text(f"{facts['model']}: {operators}")]
    if facts["unsupported"]:
        parts.append(Text("It cannot become hardware:", style="red"))
        for obstacle in facts["unsupported"]:
            where = "" if obstacle["node"] is None else f"'{obstacle['node']}' ({obstacle['op']}): "
            parts.append(Text(f"  {where}{obstacle['reason']}"))
        return Group(*parts)
    table = Table(box=SIMPLE_HEAD, padding=0, pad_edge=False)
    for name in ("layer", "kind", "input", "type", "output", "type"):
        table.add_column(name, overflow="fold")
    for name in ("weights", "bits", "operations"):
        table.add_column(name, justify="right", no_wrap=True)
    for layer in facts["layers"]:
        table.add_row(
            layer["name"],
            layer["kind"],
            " + ".join("x".join(map(str, shape)) for shape in layer["in_shapes"]),
            " + ".join(layer["in_types"]),
            "x".join(map(str, layer["out_shape"])),
            layer["out_type"],
            *(f"{layer[key]:,}" for key in ("weights", "weight_bits", "operations")),
        )
    sums = (
        f"{facts['weights']:,} weights in {facts['weight_bits']:,} bits, {facts['compression_ratio']:.1f} times smaller than 32-bit floats; "
        f"{facts['operations']:,} operations a frame, {facts['bit_operations']:,} of single bits"
    )
    bibench = facts["bibench"]
    convention = (
        f"By BiBench's convention, in which only what is binary counts less: {bibench['compression_ratio']:.1f} times smaller, "
        f"{bibench['speedup_ratio']:.1f} times fewer operations"
    )
    seconds, megabytes = (float(f"{facts['compile'][key]:.2g}") for key in ("seconds", "megabytes"))
    cost = f"Compiling takes about {_duration(seconds)} of one processor and {megabytes:,.0f} MB of memory"
    return Group(
        *parts, table, Text(sums), Text(convention), Text(cost), *(Text(f"Note: {note}") for note in facts["notes"])
    )


def _duration(seconds: float) -> str:
    """Give seconds, or minutes where these are many."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
