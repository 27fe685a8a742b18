"""What the command line reads from and writes to a terminal."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import click
import pytest
from rich.text import Text

from hwgen.cli.terminal import Number, Screen, common, declares_input, takes_frames
from hwgen.conversion import Conversion
from hwgen.streamlining.options import Options


def said(*arguments: str) -> Options:
    """Give the options that a command gets."""

    @click.command()
    @declares_input
    @common
    def command(*, options: Options, screen: Screen) -> Options:
        return options

    found = command.main(list(arguments), standalone_mode=False)
    assert isinstance(found, Options)
    return found


def test_nothing_said_is_the_defaults() -> None:
    assert said() == Options()


def test_what_is_said_of_every_input_and_of_the_conversion() -> None:
    flags = ["--strict", "--exact", "--fixed-bits", "9", "--weight-bits", "5"]
    found = said(
        "--input-type", "uint8", "--input-scale", "1/255", "--input-offset=-0.5", "--calibrate", "x.npy", *flags
    )
    assert found == Options("uint8", 1 / 255, -0.5, Path("x.npy"), Conversion(True, True, 9, 5))


def test_each_flag_is_its_own() -> None:
    assert said("--strict") == Options(conversion=Conversion(strict=True))
    assert said("--exact") == Options(conversion=Conversion(exact=True))
    assert said("--sign-at-zero", "plus") == Options(conversion=Conversion(sign_at_zero=1))
    assert said("--sign-at-zero", "minus") == Options(conversion=Conversion(sign_at_zero=-1))


def test_inputs_are_named_and_none_names_all_others() -> None:
    found = said("--input-type", "a=uint8", "--input-type", "int4", "--input-scale", "b=c=2", "--calibrate", "a=x.npy")
    assert found.input_type == {"a": "uint8", None: "int4"}
    assert found.input_scale == {"b=c": 2.0}
    assert found.calibrate == {"a": Path("x.npy")}


def test_a_file_may_have_an_equals_sign_in_its_own_name(tmp_path: Path) -> None:
    file = tmp_path / "a=b.npy"
    assert said("--calibrate", str(file)).calibrate == {f"{tmp_path}/a": Path("b.npy")}
    file.touch()
    assert said("--calibrate", str(file)).calibrate == file
    assert said("--calibrate", f"x={file}").calibrate == {"x": file}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input-type", "a=int4", "--input-type", "a=int8"], "it says something twice of the same input"),
        (["--input-type", "int4", "--input-type", "int8"], "it says something twice of the same input"),
        (["--calibrate", "x.npy", "--calibrate", "a=y.npy"], "give either one file for all inputs, or NAME=FILE"),
        (["--input-scale", "1/0"], "'1/0' is not a number; write for example 0.5 or 1/255"),
        (["--input-scale", "a=wide"], "'wide' is not a number"),
        (["--input-offset", "nan"], "'nan' is not a finite number"),
        (["--input-offset", "1e400"], "'1e400' is not a finite number"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: list[str], message: str) -> None:
    with pytest.raises(click.BadParameter, match=re.escape(message)):
        said(*arguments)


def test_a_fraction_is_a_number() -> None:
    assert [Number().convert(text, None, None) for text in ("3/4", "-1/8", "2e3", "7")] == [0.75, -0.125, 2000, 7]


def test_frames_are_a_file_or_files_by_name_and_must_be_there() -> None:
    @click.command()
    @takes_frames
    def command(*, input_files: Path | dict[str, Path]) -> Path | dict[str, Path]:
        return input_files

    assert command.main(["--input", "x.npy"], standalone_mode=False) == Path("x.npy")
    named = command.main(["--input", "a=x.npy", "--input", "b=y.npy"], standalone_mode=False)
    assert named == {"a": Path("x.npy"), "b": Path("y.npy")}
    with pytest.raises(click.MissingParameter):
        command.main([], standalone_mode=False)


@pytest.mark.parametrize(
    ("flags", "as_json", "verbosity"),
    [([], False, 0), (["-q"], False, -1), (["-v", "--json"], True, 1), (["-qv"], False, 0)],
)
def test_every_command_has_a_screen(flags: list[str], as_json: bool, verbosity: int) -> None:
    @click.command()
    @common
    def command(*, screen: Screen) -> Screen:
        return screen

    found = command.main(flags, standalone_mode=False)
    assert (found.as_json, found.verbosity) == (as_json, verbosity)


def test_results_are_one_object_or_what_is_made_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    facts = {"name": "[red]", "frames": 3}
    Screen(True, -1).result(facts, Text("for people"))
    assert json.loads(capsys.readouterr().out) == facts
    Screen(False, 0).result(facts, Text("for [red] people"))
    assert capsys.readouterr().out == "for [red] people\n"
    Screen(False, -1).result(facts, Text("for people"))
    assert capsys.readouterr().out == ""


def test_steps_are_told_with_their_time_only_when_that_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    for verbosity, pattern in ((1, r" +\d\.\d\d s  step \[red\]\n"), (0, ""), (-1, "")):
        with Screen(False, verbosity).steps() as progress:
            progress("step [red]")
        out, err = capsys.readouterr()
        assert out == ""
        assert re.fullmatch(pattern, err)


def test_a_step_that_goes_on_says_where_it_is_each_second(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr("hwgen.cli.terminal.time.perf_counter", lambda: now)
    with Screen(False, 1).steps() as progress:
        for now, step in enumerate(["a", "a: 1", "a: 2", "a: 3", "a: 4", "b", "b: 1"]):
            now *= 0.4
            progress(step)
    assert [line.split("s  ")[1] for line in capsys.readouterr().err.splitlines()] == ["a", "a: 3", "b"]


def test_a_terminal_shows_the_step_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    screen, file = Screen(False, 0), io.StringIO()
    screen.err = type(screen.err)(file=file, force_terminal=True, width=100)
    with screen.steps() as progress:
        progress("x" * 70)
    assert f" {'x' * 60} ...\n" in file.getvalue()


def test_a_closed_pipe_is_seen() -> None:
    with pytest.raises(BrokenPipeError):
        Screen(False, 0).out.on_broken_pipe()
