"""Boards and devices, and what a network amounts to on each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hwgen.devices.boards import Board
from hwgen.devices.family import Device
from hwgen.folding.for_board import Fit

__all__ = ["render_boards", "render_fits"]


def render_boards(known: Mapping[str, Board], chips: Mapping[str, Device]) -> RenderableType:
    """Lay out boards and devices, each by its name."""
    return Group(_board_table(known), _device_table(chips))


def render_fits(name: str, fits: Sequence[Fit]) -> RenderableType:
    """Lay out what each board makes of a network."""
    title = f"{name}: the fastest folding that is estimated to fit"
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    table.add_column("--board", no_wrap=True)
    for column in ("cycles", "MHz", "frames/s", "LUT", "FF", "RAM"):
        table.add_column(column, justify="right", no_wrap=True)
    for fit in fits:
        facts = fit.facts()
        if not facts["fits"]:
            table.add_row(fit.board, "does not fit", *[""] * 5)
            continue
        table.add_row(
            fit.board,
            f"{facts['cycles']:,}",
            f"{facts['clock_mhz']:g}",
            f"{facts['fps']:,.0f}",
            f"{facts['luts']:,}",
            f"{facts['ffs']:,}",
            f"{facts['brams']:g}" + (f" + {facts['sprams']} large" if facts["sprams"] else ""),
        )
    reasons = list(dict.fromkeys(fit.reason for fit in fits if fit.plan is None))
    return Group(table, *(Text(reason) for reason in reasons))


def _board_table(known: Mapping[str, Board]) -> RenderableType:
    table = Table(title="Boards", title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    for column, right in (("--board", False), ("device", False), ("MHz", True), ("kbaud", True), ("", False)):
        table.add_column(column, justify="right" if right else "left", no_wrap=bool(column))
    for name, one in known.items():
        table.add_row(name, one.device.name, f"{one.clock.hz / 1e6:g}", f"{one.uart.max_baud / 1e3:g}", one.title)
    return table


def _device_table(chips: Mapping[str, Device]) -> RenderableType:
    title = "Devices (memories in kbit, goal in MHz)"
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    table.add_column("--device", no_wrap=True)
    for column in ("LUT", "FF", "BRAM", "SPRAM", "LUTRAM", "DSP", "goal"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, chip in chips.items():
        memories = (chip.bram_blocks * chip.bram_bits, chip.spram_blocks * chip.spram_bits, chip.lutram_bits)
        kbits = [f"{bits / 1024:,.0f}" if bits else "-" for bits in memories]
        table.add_row(
            name, f"{chip.luts:,}", f"{chip.ffs:,}", *kbits, str(chip.dsps or "-"), f"{chip.clock_goal_mhz:g}"
        )
    return table
