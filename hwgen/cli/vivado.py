"""The command that writes scripts for Vivado."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from hwgen.board.line import Line
from hwgen.cli.terminal import PATH, Number, Screen, chooses_link, common
from hwgen.synthesis.vivado import DEFAULT_BAUD, write_vivado

__all__ = ["vivado"]


@click.command()
@click.argument("folder", metavar="BUILD", type=PATH)
@click.option("--part", required=True, help="Part with package and speed grade, such as xc7a35tcpg236-1.")
@click.option("-o", "--output", type=PATH, required=True, help="Folder to write.")
@click.option("--clock-mhz", type=Number(), help="Clock to reach; the build's own if not given.")
@click.option(
    "--pins",
    type=PATH,
    help="XDC file with pins for clk, rst, uart_rx, uart_tx (or the ports of SPI): then there is a bitstream.",
)
@click.option(
    "--baud",
    type=click.IntRange(min=1),
    default=DEFAULT_BAUD,
    show_default=True,
    help="With --pins: rate of the serial port, or the highest of SPI.",
)
@chooses_link("--pins")
@common
def vivado(
    folder: Path,
    *,
    part: str,
    output: Path,
    clock_mhz: float | None,
    pins: Path | None,
    baud: int,
    link: str,
    screen: Screen,
) -> None:
    """Write Tcl scripts that take BUILD through Vivado: place and route, bitstream, IP core."""
    facts = write_vivado(folder, output, part=part, clock_mhz=clock_mhz, pins=pins, baud=baud, line=Line(link))
    screen.result(
        facts, Text(f"Wrote {len(facts['files'])} files to {output}; run: vivado -mode batch -source implement.tcl")
    )
