"""The near end of the host link: talk to an accelerator through a serial port or SPI.

What the bytes mean is written in docs/host_protocol.md; `hwgen.rtl_templates.link.host_link` is the far end.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import serial

from hwgen.errors import LinkError
from hwgen.host.framing import Decoder, Packet, encode
from hwgen.host.spi_port import open_spi
from hwgen.rtl_templates.link.link_protocol import (
    ANSWER,
    COUNTERS,
    IDENTIFY,
    INFER,
    READ,
    REASON_CRC,
    REASON_UNLOADED,
    REFUSED,
    WRITE,
    LinkShape,
)

__all__ = ["ATTEMPTS", "SPI_PREFIX", "TIMEOUT_SECONDS", "Counters", "HostLink", "Port", "open_link"]

ATTEMPTS = 10
"""How often a request is sent before the host gives up."""

TIMEOUT_SECONDS = 1.0
"""What an answer may take beyond the time of its bytes on the line."""

SPI_PREFIX = "spi:"
"""What the name of a port begins with if it is an SPI device."""

_BITS_PER_BYTE = 10
_POLL_SECONDS = 0.02


class Port(Protocol):
    """The part of `serial.Serial` that the link uses."""

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read at once."""

    def read(self, size: int = 1) -> bytes:
        """Give up to ``size`` bytes, fewer when the port's own short time-out passes."""

    def write(self, data: bytes) -> int | None:
        """Send bytes."""

    def reset_input_buffer(self) -> None:
        """Forget what has arrived."""


@dataclass(frozen=True)
class Counters:
    """What the far end has counted since its reset; every number wraps round at its width.

    Parameters
    ----------
    frames : int
        Frames inferred; 32 bits.
    bad_crc : int
        Packets that ended with a wrong CRC-32, each a resynchronisation; 16 bits.
    refused : int
        Intact packets with an unknown version or command or a wrong length; 16 bits.
    dropped : int
        Packets that began while a request was served; 16 bits.
    line_errors : int
        Line bytes that were not whole; 16 bits.
    busy_cycles : int
        Cycles from an inference's request to the end of its answer; 64 bits.
    frame_error : bool
        The accelerator's own flag: must be False.
    """

    frames: int
    bad_crc: int
    refused: int
    dropped: int
    line_errors: int
    busy_cycles: int
    frame_error: bool


class HostLink:
    """A conversation with one accelerator: one request at a time, repeated until its own intact answer has come.

    Parameters
    ----------
    port : Port
        Open serial port, with a short time-out of its own, or what behaves like one.
    baud : int
        Bits a second, for time-outs.
    timeout_seconds : float
        What an answer may take beyond the time of its bytes on the line.
    attempts : int
        How often a request is sent before giving up.

    Members
    -------
    retries : int
        Requests that had to be sent again so far.
    """

    def __init__(
        self, port: Port, *, baud: int, timeout_seconds: float = TIMEOUT_SECONDS, attempts: int = ATTEMPTS
    ) -> None:
        self.retries = 0
        self._port = port
        self._baud = baud
        self._timeout_seconds = timeout_seconds
        self._attempts = attempts
        self._decoder = Decoder()
        self._sequence = int.from_bytes(time.time_ns().to_bytes(16, "little")[2:4], "little")
        port.reset_input_buffer()

    def identify(self) -> LinkShape:
        """Ask what is at the far end.

        Raises
        ------
        LinkError
            If no intact answer comes.
        """
        low, high, beats_in, beats_out, widths, clock_hz, limits = _words(self._request(IDENTIFY, b"", 28))
        return LinkShape(
            network_id=low | high << 32,
            beats_in=beats_in,
            bytes_in=widths & 0xFFFF,
            beats_out=beats_out,
            bytes_out=widths >> 16,
            clock_hz=clock_hz,
            registers=limits >> 16 != 0,
        )

    def infer(self, beats: bytes, answer_bytes: int) -> bytes:
        """Have one frame inferred.

        Parameters
        ----------
        beats : bytes
            The frame's input beats, one after another.
        answer_bytes : int
            Bytes of the frame's output beats.

        Returns
        -------
        bytes
            The frame's output beats.

        Raises
        ------
        LinkError
            If no intact answer comes, or the far end refuses the frame.
        """
        return self._request(INFER, beats, answer_bytes)

    def counters(self) -> Counters:
        """Ask what the far end has counted.

        Raises
        ------
        LinkError
            If no intact answer comes.
        """
        frames, first, second, busy_low, busy_high, status = _words(self._request(COUNTERS, b"", 24))
        return Counters(
            frames=frames,
            bad_crc=first & 0xFFFF,
            refused=first >> 16,
            dropped=second & 0xFFFF,
            line_errors=second >> 16,
            busy_cycles=busy_low | busy_high << 32,
            frame_error=bool(status & 1),
        )

    def read(self, address: int) -> int:
        """Read a register.

        Parameters
        ----------
        address : int
            Of a byte, a multiple of 4.

        Raises
        ------
        LinkError
            If no intact answer comes, or there is no such register.
        """
        value, error = _words(self._request(READ, _payload([address]), 8))
        if error:
            raise LinkError(f"The board has no register to read at {address:#x}: it holds another network")
        return value

    def write(self, address: int, words: Sequence[int]) -> None:
        """Write registers or memories at addresses in a row.

        Parameters
        ----------
        address : int
            Of a byte, a multiple of 4.
        words : sequence of int
            At most `LinkShape.write_words`.

        Raises
        ------
        LinkError
            If no intact answer comes, or one of the addresses cannot be written.
        """
        (error,) = _words(self._request(WRITE, _payload([address, *words]), 4))
        if error:
            raise LinkError(f"The board cannot write {len(words)} words at {address:#x}: it holds another network")

    def _request(self, command: int, payload: bytes, answer_bytes: int) -> bytes:
        self._sequence = (self._sequence + 1) & 0xFFFF
        line = encode(Packet(command, self._sequence, payload))
        on_line = _BITS_PER_BYTE * 2 * (len(payload) + answer_bytes + 32) / self._baud
        for attempt in range(self._attempts):
            if attempt:
                self.retries += 1
            self._port.write(line)
            answer = self._await(command, answer_bytes, time.monotonic() + on_line + self._timeout_seconds)
            if answer is not None:
                return answer
        raise LinkError(
            f"No intact answer came in {self._attempts} attempts; check the port, the baud rate, and that the board is loaded"
        )

    def _await(self, command: int, answer_bytes: int, deadline: float) -> bytes | None:
        """Give the answer to the present request, or None when it should be sent again."""
        while time.monotonic() < deadline:
            for packet in self._decoder.feed(self._port.read(max(1, self._port.in_waiting))):
                if packet is None or (packet.kind == REFUSED and packet.payload[:1] == bytes([REASON_CRC])):
                    return None
                if packet.sequence != self._sequence:
                    continue
                if packet.kind == REFUSED and packet.payload[:1] == bytes([REASON_UNLOADED]):
                    raise LinkError(
                        "The board's memories hold no network: they were not loaded, or loading failed; "
                        "write its flash again, or use 'hwgen reload'"
                    )
                if packet.kind == REFUSED:
                    raise LinkError(
                        f"The board refuses the request (reason {packet.payload[0]}): it holds another network"
                    )
                if packet.kind == command | ANSWER and len(packet.payload) == answer_bytes:
                    return packet.payload
        return None


@contextmanager
def open_link(
    port: str, baud: int, *, timeout_seconds: float = TIMEOUT_SECONDS, attempts: int = ATTEMPTS
) -> Iterator[HostLink]:
    """Open a serial port or an SPI device, and close it at the end of the block.

    Parameters
    ----------
    port : str
        Such as "/dev/ttyUSB0", or with `SPI_PREFIX` "spi:/dev/spidev0.0".
    baud : int
        Bits a second; those of the board's bitstream.
    timeout_seconds, attempts
        As for `HostLink`.

    Yields
    ------
    HostLink

    Raises
    ------
    LinkError
        If the port cannot be opened, or fails while it is used.
    """
    if port.startswith(SPI_PREFIX):
        with open_spi(port.removeprefix(SPI_PREFIX), baud) as exchanging:
            yield HostLink(exchanging, baud=baud, timeout_seconds=timeout_seconds, attempts=attempts)
        return
    try:
        opened = serial.Serial(port, baud, timeout=_POLL_SECONDS, exclusive=True)
    except (serial.SerialException, ValueError) as error:
        raise LinkError(f"Serial port '{port}' cannot be opened at {baud} baud: {error}") from error
    try:
        with opened:
            yield HostLink(opened, baud=baud, timeout_seconds=timeout_seconds, attempts=attempts)
    except serial.SerialException as error:
        raise LinkError(f"Serial port '{port}' failed ({error}); check the cable") from error


def _payload(words: Sequence[int]) -> bytes:
    return b"".join(int(word).to_bytes(4, "little") for word in words)


def _words(payload: bytes) -> list[int]:
    return [int.from_bytes(payload[at : at + 4], "little") for at in range(0, len(payload), 4)]
