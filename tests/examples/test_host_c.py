"""The C example of a host speaks the protocol of the board: the virtual one, over a good and over a bad line."""

from __future__ import annotations

import ctypes
import os
import pty
import select
import subprocess
import threading
import tty
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hwgen
from hwgen.board.line import Line
from hwgen.board.write import link_shape, network_id
from hwgen.golden.network import PackedNetwork
from hwgen.host.virtual import virtual_port
from hwgen.rtl_templates.link.link_protocol import FLAG
from tests.host.spi_device import SpiDevice
from tests.host.test_spi_port import Board
from tests.sim.faulty_line import FaultyLine
from tests.small_networks import mlp

SOURCES = Path(__file__).parents[2] / "examples" / "host_c"
LIBRARY = (SOURCES / "hwgen_link.c", SOURCES / "hwgen_spi.c")
FLAGS = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsanitize=undefined", "-fno-sanitize-recover"]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("host_c") / "hwgen_host"
    subprocess.run(["gcc", *FLAGS, "-o", file, SOURCES / "main.c", *LIBRARY], check=True)
    return file


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> hwgen.Accelerator:
    return hwgen.build(hwgen.plan(mlp(40, 12, 9), min_area=True), tmp_path_factory.mktemp("build") / "build")


def frames(build: hwgen.Accelerator, count: int, folder: Path) -> tuple[Path, bytes]:
    """Write random frames, and give the golden model's answers."""
    source, sink = build.pipeline.source, build.pipeline.sink
    codes = 2 * np.random.default_rng(5).integers(0, 2, size=(count, *build.network.input.shape)) - 1
    source.pack([codes]).tofile(folder / "frames.bin")
    return folder / "frames.bin", sink.pack(PackedNetwork(build.network).golden_maps(codes)).tobytes()


def start(program: Path, *words: object, preload: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [program, *map(str, words)]
    env = os.environ if preload is None else os.environ | {"LD_PRELOAD": str(preload)}
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, env=env)


def test_frames_pass_through_a_board(program: Path, build: hwgen.Accelerator, tmp_path: Path) -> None:
    given, golden = frames(build, 20, tmp_path)
    with virtual_port(build) as port:
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
        virtual_port(build) as port,
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


class SpiBridge:
    """SPI in front of a port of bytes; flags in a row are passed on as one."""

    def __init__(self, port: Path | str) -> None:
        self._file = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self._last: int | None = None
        self.device = SpiDevice(self._take, self._offer)

    def __enter__(self) -> SpiBridge:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def _take(self, byte: int) -> None:
        if (byte, self._last) != (FLAG, FLAG):
            os.write(self._file, bytes([byte]))
        self._last = byte

    def _offer(self) -> int | None:
        with suppress(BlockingIOError):
            return os.read(self._file, 1)[0]
        return None


READ = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_uint32)
BYTES = ctypes.POINTER(ctypes.c_uint8)
WRITE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, BYTES, ctypes.c_size_t)
TRANSFER = ctypes.CFUNCTYPE(None, ctypes.c_void_p, BYTES, BYTES, ctypes.c_size_t)
NOW = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_void_p)
OK, NO_ANSWER, REFUSED = range(3)


class CPort(ctypes.Structure):
    _fields_ = (("context", ctypes.c_void_p), ("read_byte", READ), ("write_bytes", WRITE))


class CLink(ctypes.Structure):
    _fields_ = (
        ("port", CPort),
        ("timeout_ms", ctypes.c_uint32),
        ("sequence", ctypes.c_uint16),
        ("retries", ctypes.c_uint32),
    )


class CSpi(ctypes.Structure):
    _fields_ = (
        ("context", ctypes.c_void_p),
        ("transfer", TRANSFER),
        ("now_ms", NOW),
        ("last", ctypes.c_uint8),
        ("ahead", ctypes.c_uint8),
        ("is_ahead", ctypes.c_uint8),
    )


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    file = tmp_path_factory.mktemp("host_c") / "hwgen_link.so"
    subprocess.run(["gcc", *FLAGS, "-shared", "-fPIC", "-o", file, *LIBRARY], check=True)
    loaded = ctypes.CDLL(str(file))
    loaded.hwgen_spi_port.restype = CPort
    return loaded


class SpiHost:
    """`hwgen_link` on `hwgen_spi`, on a function that exchanges bytes; each exchange takes some of its milliseconds."""

    def __init__(
        self, library: ctypes.CDLL, exchange: Callable[[bytes], bytes], *, timeout_ms: int, bytes_a_ms: int
    ) -> None:
        self.exchanged = 0
        self._library, self._exchange = library, exchange
        now = NOW(lambda context: self.exchanged // bytes_a_ms)
        self._spi = CSpi(None, TRANSFER(self._transfer), now, 0, 0, 0)
        self.link = CLink(library.hwgen_spi_port(ctypes.byref(self._spi)), timeout_ms, 0, 0)

    def infer(self, frame: bytes, answer_bytes: int) -> tuple[int, bytes]:
        answer = (ctypes.c_uint8 * answer_bytes)()
        given = (ctypes.c_uint8 * len(frame))(*frame)
        status = self._library.hwgen_infer(
            ctypes.byref(self.link), given, ctypes.c_size_t(len(frame)), answer, ctypes.c_size_t(answer_bytes)
        )
        return status, bytes(answer)

    def _transfer(self, context: object, out: Any, into: Any, count: int) -> None:
        self.exchanged += count
        ctypes.memmove(into, self._exchange(bytes(out[:count])), count)


@pytest.mark.parametrize("patience", [0, 1, 2, 70])
def test_answers_by_spi_come_whatever_pauses_there_are_within(library: ctypes.CDLL, patience: int) -> None:
    host = SpiHost(library, Board(patience).exchange, timeout_ms=5, bytes_a_ms=100)
    for payload in (b"\x7e\x7d\x7d\x7e", bytes(range(256)), *(bytes([0x7D, n]) for n in range(20))):
        assert host.infer(payload, len(payload)) == (OK, payload[::-1])
    assert host.link.retries == 0


def test_pairs_of_escapes_mean_nothing_on_any_port(library: ctypes.CDLL) -> None:
    device = Board(3).device

    def read(context: object, timeout_ms: int) -> int:
        return device.exchange(b"\x7e")[0]

    def write(context: object, out: Any, count: int) -> None:
        device.exchange(bytes(out[:count]))

    host = SpiHost(library, device.exchange, timeout_ms=5, bytes_a_ms=100)
    host.link.port = CPort(None, READ(read), WRITE(write))
    assert host.infer(b"\x7e\x7d\x7d\x7e", 4) == (OK, b"\x7e\x7d\x7d\x7e")
    assert host.link.retries == 0


@pytest.mark.parametrize("level", [0x7E, 0xFF])
def test_an_spi_board_that_is_not_there_is_given_up(library: ctypes.CDLL, level: int) -> None:
    host = SpiHost(library, lambda data: bytes([level]) * len(data), timeout_ms=5, bytes_a_ms=100)
    assert host.infer(b"frame", 5)[0] == NO_ANSWER
    assert host.link.retries == 9
    assert (host.exchanged < 10 * 1000) == (level == FLAG)


def test_an_spi_board_that_never_finishes_an_answer_is_given_up(library: ctypes.CDLL) -> None:
    begun = [FLAG, 1, 2]
    device = SpiDevice(lambda byte: None, lambda: begun.pop(0) if begun else None)
    host = SpiHost(library, device.exchange, timeout_ms=5, bytes_a_ms=100)
    assert host.infer(b"frame", 5)[0] == NO_ANSWER


def test_frames_pass_through_spi_also_over_a_bad_line(
    library: ctypes.CDLL, build: hwgen.Accelerator, tmp_path: Path
) -> None:
    given, golden = frames(build, 120, tmp_path)
    shape = link_shape(build, 1)
    size, answer_bytes = shape.frame_bytes, shape.beats_out * shape.bytes_out
    got = b""
    with (
        virtual_port(build, line=Line.SPI) as port,
        FaultyLine(port, faults=30, probability=0.01, seed=3) as faulty,
        SpiBridge(faulty.port) as bridge,
    ):
        host = SpiHost(library, bridge.device.exchange, timeout_ms=20, bytes_a_ms=1000)
        content = given.read_bytes()
        for at in range(0, len(content), size):
            status, answer = host.infer(content[at : at + size], answer_bytes)
            assert status == OK
            got += answer
    assert faulty.left == 0
    assert host.link.retries > 5
    assert got == golden


def test_the_program_exchanges_by_an_spi_device_of_linux(
    program: Path, build: hwgen.Accelerator, tmp_path: Path
) -> None:
    shim = tmp_path / "shim.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", shim, Path(__file__).with_name("spidev_shim.c")], check=True)
    given, golden = frames(build, 20, tmp_path)
    near, far = pty.openpty()
    tty.setraw(far)
    device, stop = f"spi:{os.ttyname(far)}", threading.Event()
    with virtual_port(build) as port, SpiBridge(port) as bridge:

        def serve() -> None:
            while not stop.is_set():
                if select.select([near], [], [], 0.05)[0]:
                    os.write(near, bridge.device.exchange(os.read(near, 4096)))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            done = start(program, device, 2_000_000, 0, given, tmp_path / "answers.bin", preload=shim)
            fast = start(program, device, 3_000_000, 0, given, tmp_path / "none.bin", preload=shim)
        finally:
            stop.set()
            thread.join()
    os.close(near)
    os.close(far)
    assert (done.returncode, done.stdout) == (0, "20 frames, 0 requests sent again\n"), done.stderr
    assert (tmp_path / "answers.bin").read_bytes() == golden
    assert (fast.returncode, fast.stderr) == (2, f"hwgen_host: cannot open the SPI device '{device}'\n")
