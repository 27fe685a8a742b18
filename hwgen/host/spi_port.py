"""A board's SPI as a port of the host link: a byte comes for each that is sent, so there are flags to send when there is nothing to say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from hwgen.errors import LinkError
from hwgen.rtl_templates.link.link_protocol import FLAG

__all__ = ["SpiPort", "open_spi"]

TRANSFER_BYTES = 4096
"""What Linux exchanges in one transfer unless it was set up otherwise."""

POLL_BYTES = 32
"""Flags of a look for an answer: few, as the bytes behind an answer are wasted."""


class SpiPort:
    """A `hwgen.host.link.Port` that exchanges bytes.

    What comes while something is sent is kept: it may be the end of an answer.

    Parameters
    ----------
    exchange : callable
        Sends at most `TRANSFER_BYTES` bytes with the board selected, and gives as many that came meanwhile.
    """

    def __init__(self, exchange: Callable[[bytes], bytes]) -> None:
        self._exchange = exchange
        self._came = b""

    @property
    def in_waiting(self) -> int:
        """Bytes that have come."""
        return len(self._came)

    def read(self, size: int = 1) -> bytes:
        """Give up to ``size`` bytes of those that have come; if there are none look once for more."""
        if not self._came:
            self._came = self._exchange(bytes([FLAG]) * POLL_BYTES)
        data, self._came = self._came[:size], self._came[size:]
        return data

    def write(self, data: bytes) -> int:
        """Send bytes."""
        for first in range(0, len(data), TRANSFER_BYTES):
            self._came += self._exchange(data[first : first + TRANSFER_BYTES])
        return len(data)

    def reset_input_buffer(self) -> None:
        """Forget what has come."""
        self._came = b""


@contextmanager
def open_spi(device: str, hz: int) -> Iterator[SpiPort]:
    """Open an SPI device of Linux in mode 0, and close it at the end of the block.

    Parameters
    ----------
    device : str
        Such as "/dev/spidev0.0".
    hz : int
        Highest rate of its clock.

    Raises
    ------
    LinkError
        If the package spidev is missing, or the device cannot be opened or fails.
    """
    try:
        import spidev
    except ImportError:
        raise LinkError(
            f"SPI device '{device}' needs the package spidev, which is for Linux; install it with: pip install spidev"
        ) from None
    with closing(spidev.SpiDev()) as spi:
        try:
            spi.open_path(device)
            spi.mode = 0
            spi.max_speed_hz = hz
        except OSError as error:
            raise LinkError(f"SPI device '{device}' cannot be opened at {hz:,} bit/s: {error}") from error

        def exchange(data: bytes) -> bytes:
            try:
                return bytes(spi.xfer2(list(data)))
            except OSError as error:
                raise LinkError(f"SPI device '{device}' failed: {error}") from error

        yield SpiPort(exchange)
