"""What synthesis and place-and-route found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

__all__ = ["render_counted", "render_synthesis"]

_UNITS_SHOWN = 8

_LABELS = {
    "luts": "LUTs",
    "ffs": "flip-flops",
    "carries": "carry bits",
    "brams": "block RAMs",
    "lutrams": "LUT RAM cells",
    "sprams": "large RAMs",
    "dsps": "multipliers",
}


def render_counted(facts: Mapping[str, Any]) -> RenderableType:
    """Lay out what an accelerator was estimated to take of a device beside what synthesis counted, as `hwgen.synthesis.keep.synthesised` gives it."""
    reached = "" if facts["fmax_mhz"] is None else f", placed at {facts['fmax_mhz']:.1f} MHz"
    title = f"Synthesised for {facts['device']}{'' if facts['out_of_context'] else ' on its board'}{reached}"
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    table.add_column("")
    for column in ("estimated", "counted", "available"):
        table.add_column(column, justify="right")
    for resource, label in _LABELS.items():
        guess, used = (facts["estimated"] or {}).get(resource), facts["counted"][resource]
        if guess or used:
            numbers = (guess, used, facts["available"].get(resource))
            table.add_row(label, *("-" if number is None else f"{number:,}" for number in numbers))
    return table


def render_synthesis(facts: Mapping[str, Any]) -> RenderableType:
    """Lay out the contents of a result.json."""
    name = facts["device"]["part"]
    context = ", out of context" if facts["out_of_context"] else ""
    title = f"{facts['target']} ({name} {facts['device']['package']}){context}"
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    table.add_column("")
    for column in ("accelerator", "estimated", "harness" if facts["out_of_context"] else "link", "available", ""):
        table.add_column(column, justify="right")
    for resource, label in _LABELS.items():
        used, around, of = facts["resources"][resource], facts["harness"][resource], facts["available"].get(resource)
        if used or around:
            share = "" if not of else f"{used / of:.0%}"
            guess = (facts["estimated"] or {}).get(resource)
            guessed = "-" if guess is None else f"{guess:,g}"
            table.add_row(label, f"{used:,}", guessed, f"{around:,}", "-" if of is None else f"{of:,}", share)
    parts: list[RenderableType] = [table]
    if facts["fmax_mhz"] is not None:
        verdict = "[green]met[/]" if facts["clock_met"] else "[yellow]missed[/]"
        parts.append(
            Text.from_markup(
                f"Fmax {facts['fmax_mhz']:.1f} MHz with seed {facts['seed']}; goal {facts['clock_goal_mhz']:g} MHz {verdict}; "
                f"{facts['frames_per_second_at_fmax']:,.0f} frames/s at Fmax"
            )
        )
        path = facts["critical_path"]
        if path is not None:
            units = path["units"]
            shown = units if len(units) <= _UNITS_SHOWN else [*units[: _UNITS_SHOWN - 1], "...", units[-1]]
            parts.append(
                Text.from_markup(
                    f"Critical path {path['delay_ns']:.1f} ns, {path['routing_ns']:.1f} ns of it wires, "
                    f"{path['levels']} cells: {escape(' > '.join(shown))}"
                )
            )
    if facts.get("bitstream") is not None:
        spi, rate = facts["link"] == "spi", f"{facts['baud']:,}"
        line = f"SPI up to {rate} bit/s" if spi else f"serial port at {rate} baud"
        parts.append(Text(f"Bitstream {facts['bitstream']}, {line}"))
    steps = ", ".join(f"{step} {seconds:.1f} s" for step, seconds in facts["seconds"].items())
    parts.append(Text(f"{steps}{' (cached)' if facts['cached'] else ''}"))
    parts += [Text(f"Note: {note}") for note in facts["notes"]]
    return Group(*parts)
