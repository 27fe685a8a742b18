"""A board's end of SPI, byte by byte: what `hwgen.rtl_templates.link.spi` does with a port of bytes behind it."""

from __future__ import annotations

from collections.abc import Callable

from hwgen.rtl_templates.link.link_protocol import ESCAPE, FLAG


class SpiDevice:
    """Exchanges bytes with a host that clocks.

    Parameters
    ----------
    take : callable
        Receives the bytes from the host, one by one.
    offer : callable
        Gives the next byte for the host, or None if there is none yet.
    """

    def __init__(self, take: Callable[[int], None], offer: Callable[[], int | None]) -> None:
        self._take, self._offer = take, offer
        self._loaded = FLAG
        self._open = self._half = False

    def exchange(self, data: bytes) -> bytes:
        """Give a byte for each that comes."""
        return bytes(self._one(byte) for byte in data)

    def _one(self, byte: int) -> int:
        out = self._loaded
        self._take(byte)
        offered = None if self._half else self._offer()
        if offered is not None:
            self._loaded, self._open = offered, offered != FLAG
        else:
            fills = self._half or self._open
            self._loaded, self._half = ESCAPE if fills else FLAG, fills and not self._half
        return out
