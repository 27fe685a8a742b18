"""The host's end of SPI, against a board that is played byte by byte and a device of Linux that is played too."""

from __future__ import annotations

import random
import sys
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from hwgen.errors import LinkError
from hwgen.host.framing import Decoder, Packet, encode
from hwgen.host.link import HostLink, open_link
from hwgen.host.spi_port import TRANSFER_BYTES, SpiPort
from hwgen.rtl_templates.link.link_protocol import ANSWER, INFER
from tests.host.spi_device import SpiDevice


class Board:
    """Answers a request with its own bytes turned round, each of them late by a random number of bytes."""

    def __init__(self, patience: int = 0, damage: Callable[[int], int] = lambda byte: byte) -> None:
        self.requests = 0
        self.device = SpiDevice(self._take, self._offer)
        self.sizes: list[int] = []
        self._damage = damage
        self._patience = patience
        self._random = random.Random(4)
        self._decoder = Decoder()
        self._waiting: deque[int | None] = deque()

    def exchange(self, data: bytes) -> bytes:
        self.sizes.append(len(data))
        return bytes(self._damage(byte) for byte in self.device.exchange(data))

    def _take(self, byte: int) -> None:
        for request in self._decoder.feed(bytes([byte])):
            assert request is not None
            self.requests += 1
            for answer in encode(Packet(request.kind | ANSWER, request.sequence, request.payload[::-1])):
                self._waiting += [None] * self._random.randrange(self._patience + 1)
                self._waiting.append(answer)

    def _offer(self) -> int | None:
        return self._waiting.popleft() if self._waiting else None


def link(board: Board) -> HostLink:
    return HostLink(SpiPort(board.exchange), baud=1_000_000, timeout_seconds=60)


@pytest.mark.parametrize("patience", [0, 1, 2, 70])
def test_answers_come_whatever_pauses_there_are_within(patience: int) -> None:
    board, rng = Board(patience), random.Random(5)
    talk = link(board)
    for payload in (
        b"",
        b"\x7e\x7d\x7d\x7e",
        bytes(range(256)),
        *(rng.randbytes(rng.randrange(40)) for _ in range(20)),
    ):
        assert talk.infer(payload, len(payload)) == payload[::-1]
    assert (talk.retries, board.requests) == (0, 23)


def test_long_requests_are_cut_into_transfers() -> None:
    board, payload = Board(), bytes(3 * TRANSFER_BYTES)
    assert link(board).infer(payload, len(payload)) == payload
    assert max(board.sizes) == TRANSFER_BYTES
    assert board.requests == 1


def test_damage_is_never_taken_for_an_answer() -> None:
    rng = random.Random(6)
    board = Board(3, lambda byte: byte ^ (1 << rng.randrange(8)) if rng.random() < 0.01 else byte)
    talk = HostLink(SpiPort(board.exchange), baud=1_000_000, timeout_seconds=0.02, attempts=100)
    for n in range(100):
        payload = bytes([n]) * 9 + b"end"
        assert talk.infer(payload, 12) == payload[::-1]
    assert talk.retries > 20


def test_what_comes_with_a_request_is_kept_until_it_is_forgotten() -> None:
    port = SpiPort(lambda data: bytes(byte ^ 0xFF for byte in data))
    assert port.write(b"\x01\x02\x03") == 3
    assert port.in_waiting == 3
    assert port.read(2) == b"\xfe\xfd"
    assert port.read(9) == b"\xfc"
    assert port.read(3) == b"\x81" * 3
    port.reset_input_buffer()
    assert port.in_waiting == 0


class FakeDevice:
    """The part of `spidev.SpiDev` that is used."""

    def __init__(self) -> None:
        self.mode = self.max_speed_hz = self.closed = None
        self.board = Board(2)

    def open_path(self, path: str) -> None:
        self.path = path
        if path == "/dev/absent":
            raise FileNotFoundError(2, "No such file or directory")

    def xfer2(self, values: list[int]) -> list[int]:
        if self.path == "/dev/broken":
            raise OSError(5, "Input/output error")
        return list(self.board.exchange(bytes(values)))

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Any:
    made = FakeDevice()
    monkeypatch.setitem(sys.modules, "spidev", SimpleNamespace(SpiDev=lambda: made))
    return made


def test_a_port_called_spi_is_opened_in_mode_0_at_its_rate(device: Any) -> None:
    with open_link("spi:/dev/spidev0.0", 2_000_000) as talk:
        assert (device.path, device.mode, device.max_speed_hz) == ("/dev/spidev0.0", 0, 2_000_000)
        assert talk.infer(b"abc", 3) == b"cba"
        assert not device.closed
    assert device.closed
    assert device.board.requests == 1


def test_a_device_that_cannot_be_opened_or_fails_is_named(device: Any) -> None:
    with (
        pytest.raises(LinkError, match=r"^SPI device '/dev/absent' cannot be opened at 1,000 bit/s: .*No such file"),
        open_link("spi:/dev/absent", 1000),
    ):
        pytest.fail("it has opened")
    assert device.closed
    with (
        pytest.raises(LinkError, match=r"^SPI device '/dev/broken' failed: .*Input/output error"),
        open_link("spi:/dev/broken", 1000) as talk,
    ):
        talk.infer(b"", INFER)


def test_without_its_package_the_command_to_install_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spidev", None)
    with (
        pytest.raises(
            LinkError,
            match=r"^SPI device '/dev/x' needs the package spidev, which is for Linux; install it with: pip install spidev$",
        ),
        open_link("spi:/dev/x", 1000),
    ):
        pytest.fail("it has opened")
