"""The command that infers on a board, on the virtual one."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import hwgen
from hwgen.cli import run as command
from hwgen.errors import LinkError, OptionError
from hwgen.host.link import HostLink
from hwgen.host.virtual import virtual_port


@pytest.fixture
def x_file(tmp_path: Path) -> Path:
    np.save(tmp_path / "x.npy", np.random.default_rng(1).standard_normal((7, 24)).astype(np.float32))
    return tmp_path / "x.npy"


def run(*arguments: object) -> int:
    return command.run.main([str(argument) for argument in arguments], standalone_mode=False)


def test_json_gives_the_facts(capsys: pytest.CaptureFixture[str], dense_build: Path, x_file: Path) -> None:
    assert run(dense_build, "--virtual", "--input", x_file, "--check", "--frames", "5", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["frames"], facts["mismatches"], facts["retries"]) == (5, 0, 0)
    assert facts["frames_per_second"] > 0
    assert facts["counters"]["frames"] == 5
    assert facts["clock_hz"] == 100_000_000
    assert len(facts["network_id"]) == 16


def test_outputs_are_written(
    capsys: pytest.CaptureFixture[str], dense_build: Path, x_file: Path, tmp_path: Path
) -> None:
    accelerator = hwgen.load(dense_build)
    assert run(dense_build, "--virtual", "--input", x_file, "-o", tmp_path / "y.npy") == 0
    assert "7 frames on the board" in capsys.readouterr().out
    assert np.array_equal(np.load(tmp_path / "y.npy"), accelerator.golden(np.load(x_file)))
    assert run(dense_build, "--virtual", "--input", x_file, "-o", tmp_path / "c.npy", "--codes", "-q") == 0
    assert np.array_equal(np.load(tmp_path / "c.npy"), accelerator.golden(np.load(x_file), codes=True))
    assert capsys.readouterr().out == ""


def test_a_difference_from_golden_is_exit_code_1(
    capsys: pytest.CaptureFixture[str], dense_build: Path, x_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = HostLink.infer

    def lying(link: HostLink, beats: bytes, answer_bytes: int) -> bytes:
        answer = honest(link, beats, answer_bytes)
        return answer if link.counters().frames != 3 else bytes([answer[0] ^ 2]) + answer[1:]

    monkeypatch.setattr(HostLink, "infer", lying)
    assert run(dense_build, "--virtual", "--input", x_file, "--check", "--json") == 1
    assert json.loads(capsys.readouterr().out)["mismatches"] == 1


def test_verbose_tells_the_steps(capsys: pytest.CaptureFixture[str], dense_build: Path, x_file: Path) -> None:
    assert run(dense_build, "--virtual", "--input", x_file, "-v", "--frames", "2") == 0
    told = capsys.readouterr().err
    assert [step for step in ("building the virtual board", "inferring frame 2 of 2") if step not in told] == []


@pytest.mark.parametrize("options", [[], ["--virtual", "--port", "/dev/absent"]])
def test_port_and_virtual_exclude_each_other(dense_build: Path, x_file: Path, options: list[str]) -> None:
    with pytest.raises(OptionError, match="Give either --port for a board or --virtual for a simulated one"):
        run(dense_build, "--input", x_file, *options)


def test_a_virtual_board_may_have_spi(capsys: pytest.CaptureFixture[str], dense_build: Path, x_file: Path) -> None:
    assert run(dense_build, "--virtual", "--link", "spi", "--input", x_file, "--check", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["mismatches"], facts["retries"], facts["counters"]["line_errors"]) == (0, 0, 0)
    with pytest.raises(OptionError, match="--link is for --virtual; a --port is SPI if its name begins with spi:"):
        run(dense_build, "--port", "/dev/absent", "--link", "spi", "--input", x_file)


def test_an_absent_spi_device_is_named(monkeypatch: pytest.MonkeyPatch, dense_build: Path, x_file: Path) -> None:
    monkeypatch.setitem(sys.modules, "spidev", None)
    with pytest.raises(LinkError, match=r"'/dev/absent' needs the package spidev.*pip install spidev"):
        run(dense_build, "--port", "spi:/dev/absent", "--input", x_file)


def test_a_virtual_board_has_no_rate(dense_build: Path, x_file: Path) -> None:
    with pytest.raises(OptionError, match="A virtual board has no --baud and is no --board: its port takes any rate"):
        run(dense_build, "--virtual", "--baud", "9600", "--input", x_file)


def test_an_absent_port_is_named(dense_build: Path, x_file: Path) -> None:
    with pytest.raises(LinkError, match=r"'/dev/absent' cannot be opened at 1000000 baud"):
        run(dense_build, "--port", "/dev/absent", "--input", x_file)


def test_a_real_port_is_any_terminal(capsys: pytest.CaptureFixture[str], dense_build: Path, x_file: Path) -> None:
    with virtual_port(hwgen.load(dense_build)) as port:
        assert run(dense_build, "--port", port, "--baud", "115200", "--input", x_file, "--check", "--json") == 0
    assert json.loads(capsys.readouterr().out)["mismatches"] == 0
