"""Types of the integer codes that travel on a stream."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["BIPOLAR", "TERNARY", "CodeType", "signed", "unsigned"]


@dataclass(frozen=True)
class CodeType:
    """An interval of integers, or the two values -1 and +1, and how they are encoded in bits.

    A bipolar code is one bit: 1 stands for +1 and 0 for -1. Any other code is a plain binary
    number when ``low >= 0`` and two's complement otherwise, with the fewest bits that hold the
    interval.

    Parameters
    ----------
    low, high : int
        Smallest and largest code.
    bipolar : bool
        The codes are only -1 and +1; requires ``low == -1`` and ``high == 1``.

    Raises
    ------
    ValueError
        If the interval is empty, or bipolar with other bounds.
    """

    low: int
    high: int
    bipolar: bool = False

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"Code type must have low <= high, not {self.low} and {self.high}")
        if self.bipolar and (self.low, self.high) != (-1, 1):
            raise ValueError(f"A bipolar code is -1 or +1, not {self.low}..{self.high}")

    @property
    def signed(self) -> bool:
        """Whether the bits are two's complement."""
        return self.low < 0 and not self.bipolar

    @property
    def bits(self) -> int:
        """Width of one code on a stream."""
        if self.bipolar:
            return 1
        if self.signed:
            return max((-self.low - 1).bit_length(), max(self.high, 0).bit_length()) + 1
        return max(1, self.high.bit_length())

    @property
    def levels(self) -> int:
        """How many different codes there are."""
        return 2 if self.bipolar else self.high - self.low + 1

    def contains(self, codes: np.ndarray) -> bool:
        """Whether every element of an integer array is a code of this type."""
        inside = (codes >= self.low) & (codes <= self.high)
        return bool(np.all(inside & (codes != 0) if self.bipolar else inside))

    def to_bits(self, codes: np.ndarray) -> np.ndarray:
        """Encode: int array of codes -> uint64 array, each below ``2**bits``."""
        codes = np.asarray(codes, dtype=np.int64)
        if self.bipolar:
            return (codes > 0).astype(np.uint64)
        return codes.astype(np.uint64) & np.uint64((1 << self.bits) - 1)

    def from_bits(self, bits: np.ndarray) -> np.ndarray:
        """Decode: unsigned array of ``bits``-wide fields -> int64 array of codes."""
        values = np.asarray(bits).astype(np.int64)
        if self.bipolar:
            return 2 * values - 1
        if self.signed:
            sign = np.int64(1) << (self.bits - 1)
            return (values ^ sign) - sign
        return values

    def __str__(self) -> str:
        if self.bipolar:
            return "bipolar"
        if (self.low, self.high) == (-1, 1):
            return "ternary"
        if self.low == 0 and self.high == (1 << self.bits) - 1:
            return f"uint{self.bits}"
        if (self.low, self.high) == (-(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1):
            return f"int{self.bits}"
        return f"int[{self.low},{self.high}]"


BIPOLAR = CodeType(-1, 1, bipolar=True)
TERNARY = CodeType(-1, 1)


def unsigned(bits: int) -> CodeType:
    """Give the type of all unsigned numbers of ``bits`` bits."""
    return CodeType(0, (1 << bits) - 1)


def signed(bits: int) -> CodeType:
    """Give the type of all two's complement numbers of ``bits`` bits."""
    return CodeType(-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
