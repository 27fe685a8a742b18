"""The command that infers on a board, real or virtual."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from hwgen.arrays.codec import Inputs
from hwgen.arrays.files import check_arrays_path, load_frames, save_arrays
from hwgen.board.line import Line
from hwgen.build_folder.open import load
from hwgen.cli.terminal import BOARD, PATH, Screen, common, takes_frames
from hwgen.cli.views.runs import render_board_run
from hwgen.errors import OptionError
from hwgen.host import run as host
from hwgen.host.link import SPI_PREFIX, open_link
from hwgen.host.program import board_result
from hwgen.host.virtual import virtual_link

__all__ = ["rate_of", "run"]

EXIT_MISMATCH = 1


@click.command()
@click.argument("folder", metavar="BUILD", type=PATH)
@takes_frames
@click.option("--virtual", is_flag=True, help="On the whole board in Verilator, through a pseudo-terminal.")
@click.option(
    "--link", type=click.Choice([one.value for one in Line]), help="What the virtual board has.  [default: uart]"
)
@click.option("--port", help="Serial port of the board, such as /dev/ttyUSB0, or its SPI: spi:/dev/spidev0.0.")
@click.option(
    "--baud",
    type=click.IntRange(min=1),
    help=f"Rate of the port.  [default: that of BUILD's bitstream, else {host.DEFAULT_BAUD}]",
)
@click.option("--board", type=BOARD, help="Board, where BUILD has bitstreams for several: its rate is taken.")
@click.option("--check", is_flag=True, help="Compare every output with the golden model; exit code 1 if one differs.")
@click.option("--frames", type=click.IntRange(min=1), help="Only the first so many frames.")
@click.option(
    "-o", "--output", "output_file", type=PATH, help="Write the outputs to this .npy file; several to a .npz file."
)
@click.option("--codes", is_flag=True, help="Write raw integers instead of the model's own units.")
@common
def run(
    folder: Path,
    *,
    input_files: Path | dict[str, Path],
    virtual: bool,
    link: str | None,
    port: str | None,
    baud: int | None,
    board: str | None,
    check: bool,
    frames: int | None,
    output_file: Path | None,
    codes: bool,
    screen: Screen,
) -> int:
    """Infer on a board that holds BUILD, through its serial port or SPI."""
    if virtual == (port is not None):
        raise OptionError("Give either --port for a board or --virtual for a simulated one")
    if virtual and (baud is not None or board is not None):
        raise OptionError("A virtual board has no --baud and is no --board: its port takes any rate")
    if link is not None and not virtual:
        raise OptionError(f"--link is for --virtual; a --port is SPI if its name begins with {SPI_PREFIX}")
    accelerator = load(folder)
    x = load_frames(input_files)
    if output_file is not None:
        check_arrays_path(output_file, [port.name for port in accelerator.network.outputs])
    with screen.steps() as progress:
        opened = (
            virtual_link(
                accelerator,
                frames=frames or _about(x),
                line=Line(link or Line.UART),
                progress=progress,
            )
            if port is None
            else open_link(port, baud or rate_of(folder, board, port))
        )
        with opened as talk:
            result = host.run(accelerator, talk, x, frames=frames, check=check, progress=progress)
    if output_file is not None:
        save_arrays(output_file, result.codes if codes else result.outputs)
    screen.result(result.facts(), render_board_run(result))
    return 0 if result.exact else EXIT_MISMATCH


def _about(x: Inputs) -> int:
    """Say about how many frames there are; whether they suit the network is seen later."""
    arrays = x.values() if isinstance(x, Mapping) else [x]
    return max((len(array) for array in arrays if array.ndim), default=1)


def rate_of(folder: Path, board: str | None, port: str) -> int:
    """Give the rate of the bitstream that a board was made of.

    Raises
    ------
    OptionError
        If the port is not of the kind that the bitstream has.
    """
    result = board_result(folder, board)
    if result is None:
        return host.DEFAULT_BAUD
    found, _, facts = result
    line = Line(facts.get("link", Line.UART))  # earlier versions had no other
    if (line is Line.SPI) != port.startswith(SPI_PREFIX):
        other = f"SPI: give --port {SPI_PREFIX}DEVICE" if line is Line.SPI else "its serial port: give that as --port"
        raise OptionError(f"The bitstream for board '{found.name}' has its host link at {other}, not '{port}'")
    return int(facts["baud"])
