"""The command that puts a retrained network into hardware that is there."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from hwgen import api, board_run
from hwgen.board_top import network_id
from hwgen.built import Accelerator, load
from hwgen.cli_run import rate_of
from hwgen.errors import ModelError, OptionError
from hwgen.host_link import HostLink, open_link
from hwgen.load_image import writes_of
from hwgen.network import Network
from hwgen.progress import Progress
from hwgen.reload import Reload, keep
from hwgen.reload import reload as fit
from hwgen.terminal import PATH, Screen, common, declares_input

__all__ = ["reload"]


@click.command()
@click.argument("folder", metavar="BUILD", type=PATH)
@click.argument("model", type=PATH, required=False)
@click.option("--port", help="Write it into the board at this port, such as /dev/ttyUSB0 or spi:/dev/spidev0.0.")
@click.option("--virtual", is_flag=True, help="Write it into a simulated board, to see that it is taken.")
@click.option(
    "--baud",
    type=click.IntRange(min=1),
    help=f"Rate of the port.  [default: that of BUILD's bitstream, else {board_run.DEFAULT_BAUD}]",
)
@click.option("-o", "--output", "image_file", type=PATH, help="Write the image of the memories to this file.")
@declares_input
@common
def reload(
    folder: Path,
    model: Path | None,
    *,
    port: str | None,
    virtual: bool,
    baud: int | None,
    image_file: Path | None,
    as_json: bool,
    verbose: bool,
    quiet: bool,
    **declared: Any,
) -> None:
    """Put MODEL, an ONNX file of the same shape, into the writable memories of BUILD's hardware.

    BUILD then means MODEL: runs, simulations and the golden model are those of it. Without MODEL, what BUILD means is written once more.
    """
    if virtual and port is not None:
        raise OptionError("Give --port for a board or --virtual for a simulated one, not both")
    if baud is not None and port is None:
        raise OptionError("A rate is for a board; give its --port as well")
    screen = Screen(as_json, verbose - quiet)
    accelerator = load(folder)
    with screen.steps() as progress:
        network = accelerator.network if model is None else _read_alike(accelerator, model, declared, progress)
        progress("comparing with the build")
        loaded = fit(accelerator, network)
        if port is not None or virtual:
            opened = (
                board_run.virtual_link(accelerator, progress=progress)
                if port is None
                else open_link(port, baud or rate_of(folder, None, port))
            )
            _write(accelerator, loaded, opened, progress)
        keep(accelerator, loaded)
    if image_file is not None:
        image_file.write_bytes(loaded.image)
    words = sum(len(part) for _, part in writes_of(loaded.image, folder))
    facts = {
        "network_id": f"{network_id(folder):016x}",
        "loaded_id": f"{loaded.loaded_id:016x}",
        "original": loaded.is_original,
        "words": words,
        "written": port is not None or virtual,
    }
    where = {True: "a simulated board", False: port}[virtual] if facts["written"] else "no board yet"
    screen.result(facts, f"{folder} means network {loaded.loaded_id:016x}; {words:,} words, written into {where}")


def _read_alike(accelerator: Accelerator, model: Path, declared: dict[str, Any], progress: Progress) -> Network:
    """Read the model with the input that the user declares; else with its own, or if that differs with the build's."""
    if any(declared[name] is not None for name in ("input_type", "input_scale", "input_offset")):
        return api.read(model, **declared, progress=progress)
    port = accelerator.network.input
    others = {name: value for name, value in declared.items() if not name.startswith("input_")}
    try:
        network = api.read(model, **others, progress=progress)
    except ModelError:
        if port.steps is not None:
            raise
    else:
        if port.steps is not None or network.input.type == port.type:
            return network
    return api.read(
        model,
        input_type=port.type,
        input_scale=port.scale,
        input_offset=port.offset,
        **others,
        progress=progress,
    )


def _write(
    accelerator: Accelerator, loaded: Reload, opened: AbstractContextManager[HostLink], progress: Progress
) -> None:
    with opened as link:
        board_run.check_hardware(accelerator, link)
        board_run.load(link, loaded.image, progress=progress)
        board_run.check_loaded(replace(accelerator, plan=loaded.plan), link)
