"""What the command line reads from and writes to a terminal."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
import numpy as np
from click.shell_completion import CompletionItem
from rich.console import Console, RenderableType
from rich.markup import escape

from hwgen.board.line import Line
from hwgen.conversion import SIGNS, Conversion, sign_named
from hwgen.devices.boards import boards, devices
from hwgen.progress import BETWEEN, Progress, silent
from hwgen.streamlining.declaration import InputNumber, InputType
from hwgen.streamlining.options import Calibration, Options

__all__ = [
    "BOARD",
    "DEVICE",
    "PATH",
    "Command",
    "Number",
    "Screen",
    "chooses_link",
    "common",
    "declares_input",
    "may_take_frames",
    "takes_frames",
]

Command = TypeVar("Command", bound=Callable[..., Any])

PATH = click.Path(path_type=Path)


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that every command has, and hand them on as its ``screen``."""

    @wraps(command)
    def on_a_screen(*, as_json: bool, verbose: bool, quiet: bool, **others: object) -> object:
        return command(screen=Screen(as_json, verbose - quiet), **others)

    return _with_options(
        on_a_screen,
        click.option("-q", "--quiet", is_flag=True, help="No progress and no table; errors and the exit code remain."),
        click.option("-v", "--verbose", is_flag=True, help="Every step with its time."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
    )


def _with_options(command: Command, *options: Callable[[Command], Command]) -> Command:
    """Add options to a command, the last one first."""
    for option in options:
        command = option(command)
    return command


class Number(click.ParamType[float]):
    """A number, or a fraction of two: ``1/255``."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Give the number, or refuse the text."""
        try:
            number = float(Fraction(value)) if "/" in str(value) else float(value)
        except (ValueError, ZeroDivisionError):
            self.fail(f"'{value}' is not a number; write for example 0.5 or 1/255", param, ctx)
        if not np.isfinite(number):
            self.fail(f"'{value}' is not a finite number", param, ctx)
        return number


class ForInput(click.ParamType[tuple[str | None, Any]]):
    """A value for every input, or ``NAME=VALUE`` for one of them."""

    def __init__(self, value: click.ParamType[Any]) -> None:
        self.value = value
        self.name = f"[name=]{value.name}"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Show both forms."""
        return f"[NAME=]{self.value.name.upper()}"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str | None, Any]:
        """Give the name, if there is one, and the value."""
        if isinstance(self.value, click.Path):
            # A file may have an equals sign in its own name.
            name, equals, rest = ("", "", value) if Path(value).exists() else value.partition("=")
        else:
            name, equals, rest = value.rpartition("=")
        return (name, self.value.convert(rest, param, ctx)) if equals else (None, self.value.convert(value, param, ctx))


class Known(click.ParamType[str]):
    """The name of a board or a device, which a shell completes; one that is not known is refused by whoever looks it up.

    Parameters
    ----------
    name : str
    names : callable
        Gives all names.
    """

    def __init__(self, name: str, names: Callable[[], Iterable[str]]) -> None:
        self.name = name
        self._names = names

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Give the name as it is."""
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Give the names that begin so, else let the shell look for files."""
        found = [CompletionItem(name) for name in self._names() if name.startswith(incomplete)]
        return found or [CompletionItem(incomplete, type="file")]


BOARD = Known("board", boards)
DEVICE = Known("device", devices)

LINE_SECONDS = 1
"""With ``-v`` a step that goes on says where it is as often as this."""


def _gather(ctx: click.Context, param: click.Parameter, values: tuple[tuple[str | None, Any], ...]) -> Any:
    """Give the one value for every input, or the values by the names of the inputs, under None for all others."""
    found = dict(values)
    if len(found) < len(values):
        raise click.BadParameter("it says something twice of the same input; give it once for each")
    return found.get(None) if set(found) <= {None} else found


def _files(ctx: click.Context, param: click.Parameter, values: tuple[tuple[str | None, Path], ...]) -> Any:
    """Give the one file with the frames of all inputs, or the files by the names of the inputs."""
    found = _gather(ctx, param, values)
    if isinstance(found, dict) and None in found:
        raise click.BadParameter("give either one file for all inputs, or NAME=FILE for each of them")
    return found


def _for_inputs(name: str, value: click.ParamType[Any], text: str) -> Callable[[Command], Command]:
    """Make an option that is said of every input, or of each."""
    return click.option(name, type=ForInput(value), multiple=True, callback=_gather, help=text)


def chooses_link(beside: str) -> Callable[[Command], Command]:
    """Add the option for what carries the host link, which means something beside another option."""
    return click.option(
        "--link",
        type=click.Choice([one.value for one in Line]),
        default=Line.UART.value,
        show_default=True,
        help=f"With {beside}: what carries the host link.",
    )


def takes_frames(command: Command) -> Command:
    """Add the option for the files of frames that go into an accelerator."""
    return _frames(command, required=True, otherwise="")


def may_take_frames(command: Command) -> Command:
    """Add the same option to a command that chooses frames of its own without it."""
    return _frames(command, required=False, otherwise=" Without it: frames chosen so that weights matter.")


def _frames(command: Command, *, required: bool, otherwise: str) -> Command:
    text = "Frames as .npy: floats in the model's units, or codes. Of several inputs NAME=x.npy for each, or one .npz."
    return click.option(
        "--input",
        "input_files",
        type=ForInput(PATH),
        multiple=True,
        required=required,
        callback=_files,
        help=text + otherwise,
    )(command)


def declares_input(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say what the host sends, and how real numbers become integers, and hand them on as ``options``."""

    @wraps(command)
    def with_options(
        *,
        input_type: InputType,
        input_scale: InputNumber,
        input_offset: InputNumber,
        strict: bool,
        sign_at_zero: str | None,
        exact: bool,
        fixed_bits: int,
        weight_bits: int,
        calibrate: Calibration,
        **others: object,
    ) -> object:
        conversion = Conversion(strict, exact, fixed_bits, weight_bits, sign_at_zero=sign_named(sign_at_zero))
        options = Options(input_type, input_scale, input_offset, calibrate, conversion)
        return command(options=options, **others)

    return _with_options(
        with_options,
        click.option(
            "--calibrate",
            type=ForInput(PATH),
            multiple=True,
            callback=_files,
            help="Frames (.npy; .npz or NAME=x.npy of several inputs) that give streams of real numbers their ranges, and are compared.",
        ),
        click.option("--weight-bits", type=int, default=8, show_default=True, help="Bits of real weights."),
        click.option("--fixed-bits", type=int, default=16, show_default=True, help="Bits of streams of real numbers."),
        click.option("--exact", is_flag=True, help="Refuse real numbers and real weights, instead of rounding them."),
        click.option(
            "--sign-at-zero",
            type=click.Choice(list(SIGNS)),
            help="Take a Sign that can see exactly 0 as +1 or -1 there, in one bit. Without it: three values, as ONNX has it.",
        ),
        click.option("--strict", is_flag=True, help="Refuse a Sign that can see exactly 0, which needs three values."),
        _for_inputs("--input-offset", Number(), "Model input = scale * code + offset."),
        _for_inputs("--input-scale", Number(), "Meaning of one step of an input code, such as 1/255."),
        _for_inputs(
            "--input-type",
            click.STRING,
            "Type of the codes the host sends: bipolar, uint8, int8, int4, ...; of one of several inputs NAME=uint8.",
        ),
    )


class Pipe(Console):
    """A console that lets a closed pipe be seen, instead of ending the process with exit code 1."""

    def on_broken_pipe(self) -> NoReturn:
        """Tell the caller."""
        raise BrokenPipeError


class Screen:
    """Where a command writes: results to standard output, the rest to standard error.

    Parameters
    ----------
    as_json : bool
        Results are one JSON object.
    verbosity : int
        Below 0: no progress; above 0: every step with its time, kept on the screen.
    """

    def __init__(self, as_json: bool, verbosity: int) -> None:
        self.as_json = as_json
        self.verbosity = verbosity
        self.out = Pipe(highlight=False)
        self.err = Pipe(stderr=True, highlight=False)

    def result(self, facts: Any, renderable: RenderableType) -> None:
        """Print the facts as JSON, or what is made of them for people."""
        if self.as_json:
            click.echo(json.dumps(facts, indent=2))
        elif self.verbosity >= 0:
            self.out.print(renderable)

    @contextmanager
    def steps(self) -> Iterator[Progress]:
        """Show the step that runs, and where it is: a spinner on a terminal, lines with ``-v``, nothing with ``-q`` or in a pipe."""
        if self.verbosity > 0:
            yield self._lines()
        elif self.verbosity == 0 and self.err.is_terminal:
            with self.err.status("starting") as status:
                yield lambda step: status.update(f"{escape(step[:60])} ...")
        else:
            yield silent

    def _lines(self) -> Progress:
        """Give what prints a line for each step, and as long as that goes on another in each second."""
        start = time.perf_counter()
        shown = ("", start)

        def show(step: str) -> None:
            nonlocal shown
            now, name = time.perf_counter(), step.partition(BETWEEN)[0]
            if name != shown[0] or now - shown[1] >= LINE_SECONDS:
                shown = (name, now)
                self.err.print(f"{now - start:7.2f} s  {escape(step)}")

        return show
