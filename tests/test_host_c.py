"""The C example of a host speaks the protocol of the board: the virtual one, over a good and over a bad line."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

import hwgen
from hwgen import board_run
from hwgen.board_top import network_id
from hwgen.packed import PackedNetwork
from hwgen.ports import ports
from tests.sim.faulty_line import FaultyLine
from tests.small_networks import mlp

SOURCES = Path(__file__).parent.parent / "examples" / "host_c"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("host_c") / "hwgen_host"
    flags = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsanitize=undefined", "-fno-sanitize-recover"]
    subprocess.run(["gcc", *flags, "-o", file, SOURCES / "main.c", SOURCES / "hwgen_link.c"], check=True)
    return file


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> hwgen.Accelerator:
    return hwgen.build(hwgen.plan(mlp(40, 12, 9), min_area=True), tmp_path_factory.mktemp("build") / "build")


def frames(build: hwgen.Accelerator, count: int, folder: Path) -> tuple[Path, bytes]:
    """Write random frames, and give the golden model's answers."""
    source, sink = ports(build.plan)
    codes = 2 * np.random.default_rng(5).integers(0, 2, size=(count, *build.network.input.shape)) - 1
    source.pack(codes).tofile(folder / "frames.bin")
    return folder / "frames.bin", sink.pack(PackedNetwork(build.network).golden_maps(codes)).tobytes()


def start(program: Path, *words: object) -> subprocess.CompletedProcess[str]:
    command = [program, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


def test_frames_pass_through_a_board(program: Path, build: hwgen.Accelerator, tmp_path: Path) -> None:
    given, golden = frames(build, 20, tmp_path)
    with board_run.virtual_port(build) as port:
        identity = f"{network_id(build.folder):016x}"
        done = start(program, port, 1_000_000, identity, given, tmp_path / "answers.bin")
        assert (done.returncode, done.stdout) == (0, "20 frames, 0 requests sent again\n")
        assert (tmp_path / "answers.bin").read_bytes() == golden
        other = start(program, port, 1_000_000, "1234", given, tmp_path / "none.bin")
        assert (other.returncode, other.stderr) == (1, "hwgen_host: the board holds another network than '1234'\n")
        assert not (tmp_path / "none.bin").exists()


def test_damage_on_the_line_never_becomes_a_wrong_answer(
    program: Path, build: hwgen.Accelerator, tmp_path: Path
) -> None:
    given, golden = frames(build, 240, tmp_path)
    with (
        board_run.virtual_port(build) as port,
        FaultyLine(port, faults=30, probability=0.01, seed=3) as line,
    ):
        done = start(program, line.port, 1_000_000, 0, given, tmp_path / "answers.bin")
    assert done.returncode == 0, done.stderr
    assert line.left == 0
    assert int(done.stdout.split()[2]) > 5
    assert (tmp_path / "answers.bin").read_bytes() == golden


def test_silence_and_a_missing_port_are_told(program: Path, tmp_path: Path) -> None:
    missing = start(program, tmp_path / "tty", 115_200, 0, "x", "y")
    assert (missing.returncode, missing.stderr[:46]) == (
        2,
        "hwgen_host: cannot open the serial port '" + str(tmp_path)[:5],
    )
