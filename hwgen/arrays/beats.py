"""Codes to stream beats and back: the layout of ``tdata``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwgen.codes import CodeType
from hwgen.errors import DataError

__all__ = ["BeatSequence", "Beats", "pack", "unpack"]


@dataclass(frozen=True)
class Beats:
    """How one side of an accelerator carries a frame.

    A beat carries ``lanes`` codes, the first in the lowest bits, zero-extended to whole bytes. Codes follow the
    order of the flattened map (height, width, channel).

    Parameters
    ----------
    type : CodeType
        Type of the codes.
    lanes : int
        Codes in a beat.
    shape : tuple of int
        Shape of one frame; its size is a multiple of ``lanes``.

    Raises
    ------
    ValueError
        If the lanes do not divide the frame.
    """

    type: CodeType
    lanes: int
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.lanes < 1 or math.prod(self.shape) % self.lanes:
            raise ValueError(f"{self.lanes} lanes do not divide a frame of {math.prod(self.shape)} codes")

    @property
    def count(self) -> int:
        """Beats a frame."""
        return math.prod(self.shape) // self.lanes

    @property
    def bits(self) -> int:
        """Bits of a beat that carry codes."""
        return self.lanes * self.type.bits

    @property
    def bytes(self) -> int:
        """Bytes of ``tdata``."""
        return -(-self.bits // 8)

    def pack(self, codes: np.ndarray) -> np.ndarray:
        """Give the beats of codes (frames, *shape): uint8 array (frames * count, bytes)."""
        if codes.shape[1:] != self.shape:
            raise DataError(f"A frame has shape {self.shape}, not {codes.shape[1:]}")
        return pack(codes, self.type, self.lanes)

    def unpack(self, beats: np.ndarray) -> np.ndarray:
        """Give the codes of uint8 beats (frames * count, bytes): int64 array (frames, *shape)."""
        return unpack(beats, self.type, self.lanes).reshape(-1, *self.shape)


@dataclass(frozen=True)
class BeatSequence:
    """How one side of an accelerator carries several maps: all beats of the first, then those of the next.

    A beat is as wide as the widest of any map; the others are zero-extended. One map is carried as by its `Beats`.

    Parameters
    ----------
    parts : tuple of Beats
        One for each map, in order.
    """

    parts: tuple[Beats, ...]

    @property
    def count(self) -> int:
        """Beats of all maps of a frame."""
        return sum(part.count for part in self.parts)

    @property
    def bits(self) -> int:
        """Bits of the widest beat."""
        return max(part.bits for part in self.parts)

    @property
    def bytes(self) -> int:
        """Bytes of ``tdata``."""
        return -(-self.bits // 8)

    def pack(self, maps: Sequence[np.ndarray]) -> np.ndarray:
        """Give the beats of a map (frames, *shape) for each part: uint8 array (frames * count, bytes)."""
        rows = []
        for part, codes in zip(self.parts, maps, strict=True):
            beats = part.pack(codes).reshape(len(codes), part.count, part.bytes)
            rows.append(np.pad(beats, ((0, 0), (0, 0), (0, self.bytes - part.bytes))))
        return np.concatenate(rows, axis=1).reshape(-1, self.bytes)

    def unpack(self, beats: np.ndarray) -> tuple[np.ndarray, ...]:
        """Give the int64 codes (frames, *shape) of each part; bits that carry no code are not looked at.

        Raises
        ------
        DataError
            If a beat has other bytes.
        """
        if beats.ndim != 2 or beats.shape[1] != self.bytes:
            raise DataError(f"Beats of {self.bits} bits have {self.bytes} bytes; the array has shape {beats.shape}")
        rows, first, maps = beats.reshape(-1, self.count, self.bytes), 0, []
        for part in self.parts:
            own = rows[:, first : first + part.count]
            maps.append(part.unpack(own[..., : part.bytes].reshape(-1, part.bytes)))
            first += part.count
        return tuple(maps)


def pack(codes: np.ndarray, type: CodeType, lanes: int) -> np.ndarray:
    """Lay codes out as beats, lane 0 in the lowest bits of byte 0.

    Parameters
    ----------
    codes : ndarray of integers, any shape
        Codes in stream order (channels last).
    type : CodeType
    lanes : int
        Codes in a beat.

    Returns
    -------
    ndarray of uint8, shape (beats, bytes)

    Raises
    ------
    DataError
        If an element is not a code of the type, or the lanes do not divide the number of codes.
    """
    if codes.size % lanes:
        raise DataError(f"{codes.size} codes do not fill beats of {lanes} lanes")
    if not type.contains(codes):
        raise DataError(f"The codes must be {type}; they span {codes.min()} to {codes.max()}")
    fields = type.to_bits(codes).reshape(-1, lanes)
    if type.bits == 1:
        return np.packbits(fields.astype(np.uint8), axis=1, bitorder="little")
    octets = np.ascontiguousarray(fields, dtype="<u8").view(np.uint8).reshape(-1, lanes, 8)[:, :, : -(-type.bits // 8)]
    if type.bits % 8 == 0:
        return np.ascontiguousarray(octets).reshape(len(fields), lanes * octets.shape[2])
    bits = np.unpackbits(octets, axis=2, count=type.bits, bitorder="little")
    return np.packbits(bits.reshape(len(fields), lanes * type.bits), axis=1, bitorder="little")


def unpack(beats: np.ndarray, type: CodeType, lanes: int) -> np.ndarray:
    """Read codes out of beats: the inverse of `pack`.

    Parameters
    ----------
    beats : ndarray of uint8, shape (beats, bytes)
    type : CodeType
    lanes : int
        Codes in a beat.

    Returns
    -------
    ndarray of int64, shape (beats, lanes)

    Raises
    ------
    DataError
        If a beat does not have the bytes that the lanes need.
    """
    width = -(-lanes * type.bits // 8)
    if beats.ndim != 2 or beats.shape[1] != width:
        raise DataError(f"Beats of {lanes} lanes of {type} have {width} bytes; the array has shape {beats.shape}")
    octets = np.zeros((len(beats), lanes, 8), dtype=np.uint8)
    if type.bits % 8 == 0:
        octets[:, :, : type.bits // 8] = beats.reshape(len(beats), lanes, type.bits // 8)
    else:
        bits = np.unpackbits(beats, axis=1, count=lanes * type.bits, bitorder="little")
        fields = np.packbits(bits.reshape(len(beats), lanes, type.bits), axis=2, bitorder="little")
        octets[:, :, : fields.shape[2]] = fields
    return type.from_bits(octets.view("<u8")[:, :, 0])
