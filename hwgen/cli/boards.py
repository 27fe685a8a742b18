"""The commands about boards: what there is, and what an accelerator amounts to there."""

from __future__ import annotations

from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hwgen.api import read
from hwgen.board.line import Line
from hwgen.cli.terminal import PATH, Number, Screen, chooses_link, common, declares_input
from hwgen.devices import boards as board_module
from hwgen.devices.boards import Board, Device
from hwgen.errors import OptionError
from hwgen.folding.for_board import Fit, fits_of
from hwgen.synthesis import flow, render, synthesise
from hwgen.synthesis.retry import synthesise_on_board

__all__ = ["boards", "synth"]

EXIT_CLOCK_MISSED = 1


@click.command()
@click.argument("model", type=PATH, required=False)
@declares_input
@common
def boards(model: Path | None, *, as_json: bool, verbose: bool, quiet: bool, **declared: Any) -> None:
    """Show the boards and devices and what they hold; with MODEL, an ONNX file, what each board makes of it."""
    screen = Screen(as_json, verbose - quiet)
    known, chips = board_module.boards(), board_module.devices()
    facts = {
        "boards": [_facts(one) for one in known.values()],
        "devices": [_facts(chip) for chip in chips.values()],
    }
    if model is None:
        screen.result(facts, Group(_board_table(known), _device_table(chips)))
        return
    with screen.steps() as progress:
        network = read(model, progress=progress, **declared)
        progress("folding for every board")
        fits = fits_of(network)
    screen.result(facts | {"fits": [fit.facts() for fit in fits]}, _fit_table(network.name, fits))


@click.command()
@click.argument("folder", metavar="BUILD", type=PATH)
@click.option("--board", help="Board, or the path of a board's own TOML file; see 'hwgen boards'.")
@click.option("--device", help="Device, in its usual package; see 'hwgen boards'.")
@click.option("--no-pnr", is_flag=True, help="Map only: resources, no clock.")
@click.option("--seed", "seeds", type=int, multiple=True, help="Seed of the placer; may be repeated.  [default: 1, 2]")
@click.option("--jobs", type=click.IntRange(min=1), help="Seeds tried at once.  [default: number of processors]")
@click.option(
    "--clock-mhz",
    type=Number(),
    help="Clock to reach, or exit code 1: a device's own goal without it; a board's PLL makes it, else the pin's clock.",
)
@chooses_link("--board")
@click.option(
    "--retry",
    "retries",
    type=click.IntRange(min=0),
    help="With --board: refold and try again so often; 6 times without it where 'compile' had --board.",
)
@click.option("--no-retry", is_flag=True, help="Try once.")
@common
def synth(
    folder: Path,
    *,
    board: str | None,
    device: str | None,
    no_pnr: bool,
    seeds: tuple[int, ...],
    jobs: int | None,
    clock_mhz: float | None,
    link: str,
    retries: int | None,
    no_retry: bool,
    as_json: bool,
    verbose: bool,
    quiet: bool,
) -> int:
    """Synthesise the Verilog in BUILD: a bitstream for a board, or figures of a device (resources, Fmax, critical path)."""
    screen = Screen(as_json, verbose - quiet)
    if retries is not None and (no_retry or board is None):
        raise OptionError(
            f"--retry is for --board, {'not with --no-retry' if no_retry else 'which is not given'}; leave it out"
        )
    options: dict[str, Any] = {
        "place_and_route": not no_pnr,
        "seeds": seeds or flow.DEFAULT_SEEDS,
        "jobs": jobs,
        "clock_mhz": clock_mhz,
        "line": Line(link),
    }
    with screen.steps() as progress:
        if board is not None and device is None:
            tries = 0 if no_retry else retries
            facts = synthesise_on_board(folder, board, retries=tries, progress=progress, **options)
        else:
            facts = synthesise(folder, board=board, device=device, progress=progress, **options)
    for attempt in facts.get("attempts", []):
        click.echo(f"hwgen: {attempt}", err=True)
    screen.result(facts, render(facts))
    if board is not None and facts["clock_met"] is False:
        click.echo(f"hwgen: {facts['notes'][-1]}", err=True)
    missed = (board is not None or clock_mhz is not None) and facts["clock_met"] is False
    return EXIT_CLOCK_MISSED if missed else 0


def _facts(record: Board | Device) -> dict[str, Any]:
    """Give a record as JSON types."""

    def plain(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return {name: value.value if isinstance(value, Enum) else value for name, value in pairs}

    return asdict(record, dict_factory=plain)


def _board_table(known: dict[str, Board]) -> RenderableType:
    table = Table(title="Boards", title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    for column, right in (("--board", False), ("device", False), ("MHz", True), ("kbaud", True), ("", False)):
        table.add_column(column, justify="right" if right else "left", no_wrap=bool(column))
    for name, one in known.items():
        table.add_row(name, one.device.name, f"{one.clock.hz / 1e6:g}", f"{one.uart.max_baud / 1e3:g}", one.title)
    return table


def _fit_table(name: str, fits: list[Fit]) -> RenderableType:
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


def _device_table(chips: dict[str, Device]) -> RenderableType:
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
