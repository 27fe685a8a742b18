"""The command that infers on a board, real or virtual."""

from __future__ import annotations

from pathlib import Path

import click

from hwgen import board_run
from hwgen.arrays import check_arrays_path, load_array, save_arrays
from hwgen.built import load
from hwgen.errors import OptionError
from hwgen.host_link import open_link
from hwgen.programming import board_result
from hwgen.terminal import PATH, Screen, common

__all__ = ["rate_of", "run"]

EXIT_MISMATCH = 1


@click.command()
@click.argument("folder", metavar="BUILD", type=PATH)
@click.option(
    "--input", "input_file", type=PATH, required=True, help="Frames as .npy: floats in the model's units, or codes."
)
@click.option("--virtual", is_flag=True, help="On the whole board in Verilator, through a pseudo-terminal.")
@click.option("--port", help="Serial port of the board, such as /dev/ttyUSB0.")
@click.option(
    "--baud",
    type=click.IntRange(min=1),
    help=f"Rate of the board's serial port.  [default: that of BUILD's bitstream, else {board_run.DEFAULT_BAUD}]",
)
@click.option("--board", help="Board, where BUILD has bitstreams for several: its rate is taken.")
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
    input_file: Path,
    virtual: bool,
    port: str | None,
    baud: int | None,
    board: str | None,
    check: bool,
    frames: int | None,
    output_file: Path | None,
    codes: bool,
    as_json: bool,
    verbose: bool,
    quiet: bool,
) -> int:
    """Infer on a board that holds BUILD, through its serial port."""
    if virtual == (port is not None):
        raise OptionError("Give either --port for a board or --virtual for a simulated one")
    if virtual and (baud is not None or board is not None):
        raise OptionError("A virtual board has no --baud and is no --board: its port takes any rate")
    screen = Screen(as_json, verbose - quiet)
    accelerator = load(folder)
    x = load_array(input_file)
    if output_file is not None:
        check_arrays_path(output_file, [port.name for port in accelerator.network.outputs])
    with screen.steps() as progress:
        opened = (
            board_run.virtual_link(accelerator, frames=frames or (len(x) if x.ndim else 1), progress=progress)
            if port is None
            else open_link(port, baud or rate_of(folder, board))
        )
        with opened as link:
            result = board_run.run(accelerator, link, x, frames=frames, check=check, progress=progress)
    if output_file is not None:
        save_arrays(output_file, result.codes if codes else result.outputs)
    screen.result(result.facts(), result.render())
    return 0 if result.exact else EXIT_MISMATCH


def rate_of(folder: Path, board: str | None) -> int:
    """Give the rate of the bitstream that a board was made of."""
    result = board_result(folder, board)
    return board_run.DEFAULT_BAUD if result is None else int(result[2]["baud"])
