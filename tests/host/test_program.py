"""Bitstreams go into boards by the board's own program, and what is missing is told in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hwgen.cli import main
from hwgen.cli.run import rate_of
from hwgen.devices.boards import Programmer, boards
from hwgen.errors import BuildError, OptionError, ToolError
from hwgen.host.program import program

FAKE = """#!/bin/sh
echo "$0 $@" >> "{log}"
exit {code}
"""


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A build folder with bitstreams for two boards and none for a third."""
    folder = tmp_path / "build"
    for board, bitstream in (("tang_nano_9k", "net.fs"), ("icebreaker", "net.bin"), ("ulx3s_12f", None)):
        results = folder / "synth" / board
        results.mkdir(parents=True)
        (results / "result.json").write_text(json.dumps({"target": board, "bitstream": bitstream, "baud": 921_600}))
        if bitstream is not None:
            (results / bitstream).write_bytes(b"bits")
    return folder


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs that only write down how they were called."""
    log, folder = tmp_path / "calls", tmp_path / "bin"
    folder.mkdir()
    for one in Programmer:
        file = folder / one.value
        file.write_text(FAKE.format(log=log, code=0))
        file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")
    return log


def words(log: Path) -> list[str]:
    return log.read_text().replace(str(log.parent) + "/", "").split()


@pytest.mark.parametrize(
    ("board", "volatile", "expected"),
    [
        ("icebreaker", False, "bin/iceprog build/synth/icebreaker/net.bin"),
        ("icebreaker", True, "bin/iceprog -S build/synth/icebreaker/net.bin"),
        ("tang_nano_9k", False, "bin/openFPGALoader -b tangnano9k -f build/synth/tang_nano_9k/net.fs"),
        ("tang_nano_9k", True, "bin/openFPGALoader -b tangnano9k -m build/synth/tang_nano_9k/net.fs"),
    ],
)
def test_the_board_s_program_gets_the_bitstream(
    build: Path, calls: Path, board: str, volatile: bool, expected: str
) -> None:
    done = program(build, board=board, volatile=volatile)
    assert words(calls) == expected.split()
    assert (done.board, done.volatile, done.done) == (board, volatile, True)


def test_the_command_line_shows_what_it_would_do(build: Path, calls: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["program", str(build), "--board", "icebreaker", "--dry-run"]) == 0
    assert capsys.readouterr().out.split() == ["iceprog", str(build / "synth" / "icebreaker" / "net.bin")]
    assert not calls.exists()
    assert main.main(["program", str(build), "--board", "icebreaker", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["board"], facts["done"], facts["volatile"]) == ("icebreaker", True, False)
    assert words(calls)[0] == "bin/iceprog"


def test_a_board_must_be_chosen_among_several(build: Path) -> None:
    with pytest.raises(OptionError, match=r"has bitstreams for icebreaker, tang_nano_9k: choose one with --board$"):
        program(build)


def test_a_missing_bitstream_says_how_to_make_it(build: Path, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"has no bitstream; make one with 'hwgen synth .* --board ulx3s_12f'$"):
        program(build, board="ulx3s_12f")
    with pytest.raises(BuildError, match=r"^'.*' is no build folder"):
        program(tmp_path / "nowhere")


def test_a_missing_program_says_what_to_install(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolError, match=r"^openFPGALoader was not found, .*apt install openfpgaloader\)$"):
        program(build, board="tang_nano_9k")


def test_a_program_that_fails_shows_what_it_said(build: Path, calls: Path) -> None:
    file = calls.parent / "bin" / "iceprog"
    file.write_text(FAKE.format(log=calls, code=3) + "\n")
    with pytest.raises(ToolError, match=r"^iceprog failed with exit code 3; the whole output is in .*program.log"):
        program(build, board="icebreaker")


def test_a_board_that_keeps_its_bitstream_cannot_load_it_for_now(build: Path) -> None:
    results = build / "synth" / "orangecrab"
    results.mkdir()
    (results / "result.json").write_text(json.dumps({"target": "orangecrab", "bitstream": "net.bit", "baud": 1}))
    with pytest.raises(OptionError, match=r"^dfu-util always writes the flash of board 'orangecrab': leave out"):
        program(build, board="orangecrab", volatile=True)


def test_every_board_s_program_knows_the_board() -> None:
    needs = {Programmer.OPENFPGALOADER: "-b", Programmer.DFU_UTIL: "-d"}
    for board in boards().values():
        option = needs.get(board.programmer)
        assert board.programmer_options[:1] == (() if option is None else (option,))


def test_run_takes_the_rate_of_the_bitstream(build: Path) -> None:
    assert rate_of(build, "icebreaker", "/dev/tty") == 921_600
    assert rate_of(build, "ulx3s_12f", "spi:/dev/spidev0.0") == 1_000_000


def test_run_refuses_a_port_that_the_bitstream_does_not_have(build: Path) -> None:
    with pytest.raises(
        OptionError,
        match=r"for board 'icebreaker' has its host link at its serial port: give that as --port, not 'spi:",
    ):
        rate_of(build, "icebreaker", "spi:/dev/spidev0.0")
    file = build / "synth" / "icebreaker" / "result.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"link": "spi", "baud": 2_000_000}))
    assert rate_of(build, "icebreaker", "spi:/dev/spidev0.0") == 2_000_000
    with pytest.raises(OptionError, match=r"has its host link at SPI: give --port spi:DEVICE, not '/dev/ttyUSB0'"):
        rate_of(build, "icebreaker", "/dev/ttyUSB0")


def test_a_board_that_loads_memories_from_its_flash_is_not_loaded_until_power_goes(build: Path) -> None:
    file = build / "synth" / "icebreaker" / "result.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"flash_offset": 0x20000}))
    assert program(build, board="icebreaker", dry_run=True).file.name == "net.bin"
    with pytest.raises(
        OptionError, match=r"'icebreaker' loads this build's memories from its flash: leave out --volatile"
    ):
        program(build, board="icebreaker", volatile=True)
