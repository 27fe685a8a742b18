"""The command line: parse, call one public function, print.

Exit codes: 0 done; 1 a simulation differs from what was expected, or a network from its file; 2 the user can put it right, and one sentence on
standard error says how; 70 a bug in hwgen; 130 interrupted.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import click
from click.shell_completion import get_completion_class
from rich.console import Group
from rich.text import Text

import hwgen
from hwgen.arrays.files import check_arrays_path, load_arrays, load_frames, save_arrays
from hwgen.cli import boards, compile, program, reload, run, verify, vivado
from hwgen.cli.info import describe
from hwgen.cli.terminal import BOARD, DEVICE, PATH, Screen, common, declares_input, may_take_frames, takes_frames
from hwgen.cli.views.model import render_description
from hwgen.cli.views.report import render_report
from hwgen.cli.views.runs import render_simulation
from hwgen.cli.views.synthesis import render_counted
from hwgen.errors import DifferenceError, HwgenError, OptionError
from hwgen.streamlining.options import Options
from hwgen.synthesis import simulate_netlist
from hwgen.synthesis.keep import synthesised

__all__ = ["EXIT_BUG", "EXIT_INTERRUPTED", "EXIT_MISMATCH", "EXIT_USER", "cli", "main"]

EXIT_MISMATCH = 1
EXIT_USER = 2
EXIT_BUG = 70
EXIT_INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, no_args_is_help=True)
@click.version_option(metadata.version("hwgen"), prog_name="hwgen", message="%(prog)s %(version)s")
def cli() -> None:
    """Turn a binarized neural network in ONNX into a streaming FPGA accelerator in Verilog.

    The Verilog is bit-exact and cycle-exact against a golden model. Exit codes: 0 done, 1 a simulation differs, or a network from its file, 2 something the user can put right, 130 interrupted.
    """


@cli.command()
@click.argument("model", type=PATH)
@declares_input
@common
def info(model: Path, *, options: Options, screen: Screen) -> int:
    """Show what is in MODEL: layers, types, weights, operations, and what is unsupported and why (then with exit code 2)."""
    with screen.steps() as progress:
        progress("reading")
        description = describe(model, options)
    screen.result(description, render_description(description))
    return EXIT_USER if description["unsupported"] else 0


@cli.command()
@click.argument("folder", metavar="BUILD", type=PATH)
@may_take_frames
@click.option(
    "--expect", "expect_file", type=PATH, help="Also compare with these labels or outputs (.npy; .npz of several)."
)
@click.option("--engine", type=click.Choice(["verilator", "cocotb", "icarus"]), default="verilator", show_default=True)
@click.option("--frames", type=click.IntRange(min=1), help="Only the first so many frames.")
@click.option(
    "--stall", is_flag=True, help="Once more with resets, and with stalls on both sides, some longer than a frame."
)
@click.option("--waves", type=PATH, help="Write the waves to this .fst file.")
@click.option(
    "--netlist",
    type=click.Choice(["mapped", "routed"]),
    help="Simulate the cells that 'hwgen synth' made, after mapping or after routing, instead of the Verilog.",
)
@click.option("--device", type=DEVICE, help="With --netlist: the device that it was made for.")
@click.option("--board", type=BOARD, help="With --netlist mapped: the board that it was made for.")
@common
def simulate(
    folder: Path,
    *,
    input_files: Path | dict[str, Path] | None,
    expect_file: Path | None,
    engine: str,
    frames: int | None,
    stall: bool,
    waves: Path | None,
    netlist: str | None,
    device: str | None,
    board: str | None,
    screen: Screen,
) -> int:
    """Simulate the Verilog in BUILD, and hold every value and every cycle to the golden model."""
    target = device or board
    if (netlist is None) != (target is None) or (device is not None and board is not None):
        raise OptionError("--netlist needs either --device or --board, and they need it")
    accelerator = hwgen.load(folder)
    x = None if not input_files else load_frames(input_files)
    expected = None if expect_file is None else load_arrays(expect_file)
    run = (
        accelerator.simulate
        if netlist is None or target is None
        else partial(simulate_netlist, folder, target=target, netlist=netlist)
    )
    with screen.steps() as progress:
        result = run(x, expected=expected, frames=frames, engine=engine, stall=stall, waves=waves, progress=progress)
    screen.result(result.facts(), render_simulation(result))
    return 0 if result.exact else EXIT_MISMATCH


@cli.command()
@click.argument("folder", metavar="BUILD", type=PATH)
@takes_frames
@click.option("-o", "--output", "output_file", type=PATH, required=True, help="Outputs, as .npy; several as .npz.")
@click.option("--codes", is_flag=True, help="Raw integers instead of the model's own units.")
@common
def golden(
    folder: Path,
    *,
    input_files: Path | dict[str, Path],
    output_file: Path,
    codes: bool,
    screen: Screen,
) -> None:
    """Run the golden model of BUILD."""
    accelerator = hwgen.load(folder)
    x = load_frames(input_files)
    check_arrays_path(output_file, [port.name for port in accelerator.network.outputs])
    with screen.steps() as progress:
        progress("running the golden model")
        y = accelerator.golden(x, codes=codes)
    save_arrays(output_file, y)
    if isinstance(y, dict):
        found: dict[str, Any] = {name: {"shape": list(one.shape), "dtype": str(one.dtype)} for name, one in y.items()}
        facts = {"frames": len(next(iter(y.values()))), "outputs": found, "file": str(output_file)}
        text = ", ".join(f"{name} {one.shape} {one.dtype}" for name, one in y.items())
    else:
        facts = {"frames": len(y), "shape": list(y.shape), "dtype": str(y.dtype), "file": str(output_file)}
        text = f"{y.shape} {y.dtype}"
    screen.result(facts, Text(f"Wrote {text} to {output_file}"))


@cli.command()
@click.argument("folder", metavar="BUILD", type=PATH)
@common
def report(folder: Path, *, screen: Screen) -> None:
    """Show what BUILD amounts to."""
    facts = hwgen.load(folder).report | {"synthesised": synthesised(folder)}
    screen.result(facts, Group(render_report(facts), *map(render_counted, facts["synthesised"].values())))


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@common
def completion(shell: str, *, screen: Screen) -> None:
    """Print the completion script for SHELL; for bash: eval "$(hwgen completion bash)"."""
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"There is no completion for '{shell}'")
    script = kind(cli, {}, "hwgen", "_HWGEN_COMPLETE").source()
    screen.result({"shell": shell, "script": script}, Text(script))


cli.add_command(boards.boards)
cli.add_command(compile.compile_)
cli.add_command(boards.synth)
cli.add_command(program.program)
cli.add_command(reload.reload)
cli.add_command(run.run)
cli.add_command(verify.verify)
cli.add_command(vivado.vivado)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str or None
        Without the program's name; None: those of the process.

    Returns
    -------
    int
        The exit code.
    """
    try:
        with _ended_like_ctrl_c():
            return cli.main(arguments, prog_name="hwgen", standalone_mode=False) or 0
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "", err=True)
        return EXIT_USER
    except click.ClickException as error:
        return _refuse(error.format_message())
    except DifferenceError as error:
        _refuse(str(error))
        return EXIT_MISMATCH
    except HwgenError as error:
        return _refuse(str(error))
    except (BrokenPipeError, SystemExit):
        # Whoever read the output has gone (click ends the process then, and only then). Python's own flush at exit must
        # not stumble over it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = f" '{error.filename}'" if error.filename else ""
        return _refuse(f"Cannot access{where}: {(error.strerror or str(error)).lower()}")
    except MemoryError:
        return _refuse(
            "This takes more memory than there is; choose a smaller model or folding, or a computer with more"
        )
    except (KeyboardInterrupt, click.Abort):
        click.echo("hwgen: interrupted; nothing half-written was kept", err=True)
        return EXIT_INTERRUPTED
    except Exception:  # the last line of defence: a bug is told apart from a user's error by its exit code
        traceback.print_exc()
        click.echo("hwgen: this is a bug in hwgen; please report it with the lines above", err=True)
        return EXIT_BUG


def _refuse(sentence: str) -> int:
    click.echo(f"hwgen: {' '.join(sentence.split())}", err=True)
    return EXIT_USER


@contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does, so that temporary folders go."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
