"""The command that holds a build to the file that it was made of, on a user's data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import click

from hwgen.arrays.files import load_array, load_frames
from hwgen.build_folder import network_file
from hwgen.build_folder.open import load
from hwgen.cli.reload import read_alike
from hwgen.cli.terminal import PATH, Screen, common, declares_input, takes_frames
from hwgen.cli.views.verify import render_survey
from hwgen.errors import OptionError
from hwgen.streamlining.options import Options

__all__ = ["verify"]

EXIT_MISMATCH = 1
"""As in `hwgen.cli.main`, which is above."""


@click.command()
@click.argument("model", type=PATH)
@click.argument("folder", metavar="BUILD", type=PATH)
@takes_frames
@click.option("--labels", "labels_file", type=PATH, help="The right class of each frame, or a score of each (.npy).")
@click.option("--frames", type=click.IntRange(min=1), help="Only the first so many frames.")
@declares_input
@common
def verify(
    model: Path,
    folder: Path,
    *,
    input_files: Path | dict[str, Path],
    labels_file: Path | None,
    frames: int | None,
    options: Options,
    screen: Screen,
) -> int:
    """Run your data through MODEL, an ONNX file, through BUILD's golden model and its Verilog, and show tensor by tensor where they differ."""
    accelerator = load(folder)
    x = load_frames(input_files)
    x = {name: one[:frames] for name, one in x.items()} if isinstance(x, Mapping) else x[:frames]
    labels = None if labels_file is None else load_array(labels_file)[:frames]
    # Here and not above: loading ONNX Runtime takes longer than most of what needs no ONNX file.
    from hwgen.verification.survey import survey

    with screen.steps() as progress:
        network = replace(read_alike(accelerator, model, options, progress), name=accelerator.network.name)
        if network_file.digest(replace(network, notes=())) != network_file.digest(
            replace(accelerator.network, notes=())
        ):
            raise OptionError(
                f"'{folder}' was not made of '{model}', or with other options; name the file that it was made of"
            )
        simulation = accelerator.simulate(x, progress=progress)
        found = survey(model, network, x, simulation.outputs, labels=labels, progress=progress)
    screen.result(found.facts(), render_survey(found))
    return (
        EXIT_MISMATCH
        if found.verilog_differing or any(row.frames for row in found.rows[-len(network.outputs) :])
        else 0
    )
