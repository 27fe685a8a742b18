"""Packets of the host link as bytes on a serial line, and back; docs/host_protocol.md explains them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from hwgen.errors import LinkError
from hwgen.rtl_templates.link.link_protocol import ESCAPE, ESCAPE_FLIP, FLAG, VERSION

__all__ = ["Decoder", "Packet", "encode"]

_HEADER_BYTES = 4
_CRC_BYTES = 4


@dataclass(frozen=True)
class Packet:
    """An intact packet.

    Parameters
    ----------
    kind : int
        Command or answer.
    sequence : int
        0 to 65535.
    payload : bytes
    """

    kind: int
    sequence: int
    payload: bytes


def encode(packet: Packet) -> bytes:
    """Give a packet's bytes on the line."""
    body = bytes([VERSION, packet.kind]) + packet.sequence.to_bytes(2, "little") + packet.payload
    body += zlib.crc32(body).to_bytes(_CRC_BYTES, "little")
    stuffed = bytearray()
    for byte in body:
        stuffed += bytes([ESCAPE, byte ^ ESCAPE_FLIP]) if byte in (FLAG, ESCAPE) else bytes([byte])
    return bytes([FLAG, *stuffed, FLAG])


class Decoder:
    """Finds packets among line bytes; two escapes in a row fill a gap and mean nothing.

    Members
    -------
    damaged : int
        Packets so far that were not intact.
    """

    def __init__(self) -> None:
        self.damaged = 0
        self._body = bytearray()
        self._escaped = False

    def feed(self, data: bytes) -> Iterator[Packet | None]:
        """Take line bytes; give each intact packet that ends in them, and None for each that is damaged."""
        for byte in data:
            if byte == FLAG:
                body, self._body, self._escaped = bytes(self._body), bytearray(), False
                if body:
                    yield self._open(body)
            elif byte == ESCAPE:
                self._escaped = not self._escaped
            else:
                self._body.append(byte ^ (ESCAPE_FLIP if self._escaped else 0))
                self._escaped = False

    def _open(self, body: bytes) -> Packet | None:
        content, check = body[:-_CRC_BYTES], body[-_CRC_BYTES:]
        if len(content) < _HEADER_BYTES or zlib.crc32(content).to_bytes(_CRC_BYTES, "little") != check:
            self.damaged += 1
            return None
        if content[0] != VERSION:
            raise LinkError(
                f"The board speaks version {content[0]} of the host protocol, this hwgen version {VERSION}; "
                "load a bitstream that this hwgen made"
            )
        return Packet(content[1], int.from_bytes(content[2:4], "little"), content[_HEADER_BYTES:])
