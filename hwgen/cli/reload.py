"""The command that puts a retrained network into hardware that is there."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import click
from click.core import ParameterSource
from rich.text import Text

from hwgen.api import read_with
from hwgen.board.write import network_id
from hwgen.build_folder.open import Accelerator, load
from hwgen.cli.run import rate_of
from hwgen.cli.terminal import PATH, Screen, common, declares_input
from hwgen.conversion import Conversion
from hwgen.errors import ModelError, OptionError
from hwgen.host import run
from hwgen.host.link import HostLink, open_link
from hwgen.host.reload import Reload, keep
from hwgen.host.reload import reload as fit
from hwgen.host.virtual import virtual_link
from hwgen.network import Network
from hwgen.pipeline.memory_image import writes_of
from hwgen.progress import Progress
from hwgen.streamlining.options import Options

__all__ = ["read_alike", "reload"]


@click.command()
@click.argument("folder", metavar="BUILD", type=PATH)
@click.argument("model", type=PATH, required=False)
@click.option("--port", help="Write it into the board at this port, such as /dev/ttyUSB0 or spi:/dev/spidev0.0.")
@click.option("--virtual", is_flag=True, help="Write it into a simulated board, to see that it is taken.")
@click.option(
    "--baud",
    type=click.IntRange(min=1),
    help=f"Rate of the port.  [default: that of BUILD's bitstream, else {run.DEFAULT_BAUD}]",
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
    options: Options,
    screen: Screen,
) -> None:
    """Put MODEL, an ONNX file of the same shape, into the writable memories of BUILD's hardware.

    BUILD then means MODEL: runs, simulations and the golden model are those of it. Without MODEL, what BUILD means is written once more.
    """
    if virtual and port is not None:
        raise OptionError("Give --port for a board or --virtual for a simulated one, not both")
    if baud is not None and port is None:
        raise OptionError("A rate is for a board; give its --port as well")
    accelerator = load(folder)
    with screen.steps() as progress:
        network = accelerator.network if model is None else read_alike(accelerator, model, options, progress)
        progress("comparing with the build")
        loaded = fit(accelerator, network)
        if port is not None or virtual:
            opened = (
                virtual_link(accelerator, progress=progress)
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
    screen.result(facts, Text(f"{folder} means network {loaded.loaded_id:016x}; {words:,} words, written into {where}"))


def read_alike(accelerator: Accelerator, model: Path, options: Options, progress: Progress) -> Network:
    """Read the model with the inputs that the user declares; else with its own, or if those differ with the build's.

    Real numbers become integers as in the build, except for what the user says.
    """
    options = _kept(options, accelerator.network.conversion)
    if any(said is not None for said in (options.input_type, options.input_scale, options.input_offset)):
        return read_with(model, options, progress=progress)
    ports = accelerator.network.inputs
    # What the graph itself quantises cannot be declared. The only input may be called otherwise in the new model.
    typed = {port.name if len(ports) > 1 else None: port for port in ports if port.steps is None}
    try:
        network = read_with(model, options, progress=progress)
    except ModelError:
        if not typed:
            raise
    else:
        if not typed or [port.type for port in network.inputs] == [port.type for port in ports]:
            return network
    as_built = replace(
        options,
        input_type={name: port.type for name, port in typed.items()},
        input_scale={name: port.scale for name, port in typed.items()},
        input_offset={name: port.offset for name, port in typed.items()},
    )
    return read_with(model, as_built, progress=progress)


def _kept(options: Options, conversion: Conversion | None) -> Options:
    """Give the options with the build's own conversion in what the user has not said anew."""
    if conversion is None:
        return options
    source = click.get_current_context().get_parameter_source
    said = {
        name: getattr(options.conversion, name)
        for name in ("strict", "exact", "fixed_bits", "weight_bits", "sign_at_zero")
        if source(name) is not ParameterSource.DEFAULT
    }
    return replace(options, conversion=replace(conversion, **said))


def _write(
    accelerator: Accelerator, loaded: Reload, opened: AbstractContextManager[HostLink], progress: Progress
) -> None:
    with opened as link:
        run.check_hardware(accelerator, link)
        run.load(link, loaded.image, progress=progress)
        run.check_loaded(replace(accelerator, plan=loaded.plan), link)
