"""The command that loads a bitstream into a board."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from hwgen.cli.terminal import BOARD, PATH, Screen, common
from hwgen.cli.views.runs import render_loading
from hwgen.host import program as host

__all__ = ["program"]


@click.command()
@click.argument("folder", metavar="BUILD", type=PATH)
@click.option("--board", type=BOARD, help="Board, where BUILD has bitstreams for several.")
@click.option("--volatile", is_flag=True, help="Load it until power goes, instead of writing the board's flash.")
@click.option("--dry-run", is_flag=True, help="Only print the command.")
@common
def program(folder: Path, *, board: str | None, volatile: bool, dry_run: bool, screen: Screen) -> None:
    """Load BUILD's bitstream into the board that is plugged in: with iceprog, openFPGALoader or dfu-util."""
    with screen.steps() as progress:
        loading = host.program(folder, board=board, volatile=volatile, dry_run=dry_run, progress=progress)
    if dry_run and not screen.as_json:
        click.echo(shlex.join(loading.command))  # in one line, to be copied
        return
    screen.result(loading.facts(), render_loading(loading))
