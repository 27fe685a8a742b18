"""The numbers on which both ends of the host link agree; docs/host_protocol.md explains them."""

from dataclasses import dataclass

__all__ = [
    "ANSWER",
    "COUNTERS",
    "CREDITS",
    "ESCAPE",
    "ESCAPE_FLIP",
    "FLAG",
    "IDENTIFY",
    "INFER",
    "LEAST_WRITE_WORDS",
    "READ",
    "REASON_CRC",
    "REASON_LENGTH",
    "REASON_UNKNOWN",
    "REASON_UNLOADED",
    "REFUSED",
    "VERSION",
    "WRITE",
    "LinkShape",
]

FLAG = 0x7E
"""Stands before and after each packet and never within."""

ESCAPE = 0x7D
"""Stands before a byte of the packet that was a flag or an escape."""

ESCAPE_FLIP = 0x20
"""What the byte behind an escape was xored with."""

VERSION = 1
IDENTIFY, INFER, COUNTERS, READ, WRITE = 1, 2, 3, 4, 5
ANSWER = 0x80
"""Added to the command by its answer."""
REFUSED = 0xFF
REASON_CRC, REASON_UNKNOWN, REASON_LENGTH, REASON_UNLOADED = 1, 2, 3, 4

CREDITS = 1
"""Requests that the far end holds at a time."""

LEAST_WRITE_WORDS = 16
"""Words that a request may write even where an input frame is shorter."""

_WORD_BYTES = 4


@dataclass(frozen=True)
class LinkShape:
    """What a host has to know about the accelerator behind a link.

    Parameters
    ----------
    network_id : int
        64 bits that no other build has.
    beats_in, beats_out : int
        Beats of a frame.
    bytes_in, bytes_out : int
        Bytes of a beat.
    clock_hz : int
    registers : bool
        Whether there are registers to be read and written.
    """

    network_id: int
    beats_in: int
    bytes_in: int
    beats_out: int
    bytes_out: int
    clock_hz: int
    registers: bool = False

    @property
    def frame_bytes(self) -> int:
        """Payload of a request to infer."""
        return self.beats_in * self.bytes_in

    @property
    def write_words(self) -> int:
        """Words that a request may write."""
        return max(LEAST_WRITE_WORDS, self.frame_bytes // _WORD_BYTES - 1) if self.registers else 0

    @property
    def payload_bytes(self) -> int:
        """Longest payload of a request."""
        return max(self.frame_bytes, _WORD_BYTES * (1 + self.write_words) if self.registers else 0)

    @property
    def words(self) -> list[int]:
        """The identity's payload as 32-bit words."""
        return [
            self.network_id & 0xFFFFFFFF,
            self.network_id >> 32,
            self.beats_in,
            self.beats_out,
            self.bytes_in | self.bytes_out << 16,
            self.clock_hz,
            CREDITS | self.write_words << 16,
        ]
