"""The commands about boards: what there is, and what an accelerator amounts to there."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

import click

from hwgen.api import read_with
from hwgen.board.line import Line
from hwgen.cli.terminal import BOARD, DEVICE, PATH, Number, Screen, chooses_link, common, declares_input
from hwgen.cli.views.boards import render_boards, render_fits
from hwgen.cli.views.synthesis import render_synthesis
from hwgen.devices import boards as board_module
from hwgen.devices.family import Family
from hwgen.errors import OptionError
from hwgen.folding.for_board import fits_of
from hwgen.streamlining.options import Options
from hwgen.synthesis import flow, synthesise
from hwgen.synthesis.retry import synthesise_on_board

__all__ = ["boards", "synth"]

EXIT_CLOCK_MISSED = 1


@click.command()
@click.argument("model", type=PATH, required=False)
@declares_input
@common
def boards(model: Path | None, *, options: Options, screen: Screen) -> None:
    """Show the boards and devices and what they hold; with MODEL, an ONNX file, what each board makes of it."""
    known, chips = board_module.boards(), board_module.devices()
    facts = {
        "boards": [_facts(one) for one in known.values()],
        "devices": [_facts(chip) for chip in chips.values()],
    }
    if model is None:
        screen.result(facts, render_boards(known, chips))
        return
    with screen.steps() as progress:
        network = read_with(model, options, progress=progress)
        progress("folding for every board")
        fits = fits_of(network)
    screen.result(facts | {"fits": [fit.facts() for fit in fits]}, render_fits(network.name, fits))


@click.command()
@click.argument("folder", metavar="BUILD", type=PATH)
@click.option("--board", type=BOARD, help="Board, or the path of a board's own TOML file; see 'hwgen boards'.")
@click.option("--device", type=DEVICE, help="Device, in its usual package; see 'hwgen boards'.")
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
    screen: Screen,
) -> int:
    """Synthesise the Verilog in BUILD: a bitstream for a board, or figures of a device (resources, Fmax, critical path)."""
    if retries is not None and (no_retry or board is None):
        raise OptionError(
            f"--retry is for --board, {'not with --no-retry' if no_retry else 'which is not given'}; leave it out"
        )
    run = (
        partial(synthesise_on_board, folder, board, retries=0 if no_retry else retries)
        if board is not None and device is None
        else partial(synthesise, folder, board=board, device=device)
    )
    with screen.steps() as progress:
        facts = run(
            place_and_route=not no_pnr,
            seeds=seeds or flow.DEFAULT_SEEDS,
            jobs=jobs,
            clock_mhz=clock_mhz,
            line=Line(link),
            progress=progress,
        )
    for attempt in facts.get("attempts", []):
        click.echo(f"hwgen: {attempt}", err=True)
    screen.result(facts, render_synthesis(facts))
    if board is not None and facts["clock_met"] is False:
        click.echo(f"hwgen: {facts['notes'][-1]}", err=True)
    missed = (board is not None or clock_mhz is not None) and facts["clock_met"] is False
    return EXIT_CLOCK_MISSED if missed else 0


def _facts(record: Any) -> Any:
    """Give a record as JSON types; a family by its name."""
    if isinstance(record, Family):
        return record.name
    if isinstance(record, Enum):
        return record.value
    if is_dataclass(record):
        return {entry.name: _facts(getattr(record, entry.name)) for entry in fields(record)}
    return record
