"""Bits eight a byte, and the number of bits in which inputs and rows of weights differ.

That number, the popcount of an XOR, is found in one of two ways: from tables that hold the popcount of each byte value
against all rows (few rows,
so that a table stays in the nearest cache), or by XOR and popcount of 64-bit words.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["difference_count", "pack_bits", "unpack_bits"]

BLOCK_INPUTS = 2048
"""Inputs that meet a table at once."""

TABLE_ROWS = 128
"""Rows up to which a table of 256 counts a row fits the nearest cache."""

WORD_COUNTS = 1 << 15
"""Popcounts of 64-bit words that are formed at once."""


def pack_bits(ones: np.ndarray) -> np.ndarray:
    """Pack booleans along the last axis, the first in the lowest bit; the last byte is filled up with zeros."""
    return np.packbits(ones, axis=-1, bitorder="little")


def unpack_bits(bits: np.ndarray, channels: int) -> np.ndarray:
    """Give packed bits as int32 codes -1 and +1."""
    return np.unpackbits(bits, axis=-1, count=channels, bitorder="little").astype(np.int32) * 2 - 1


def difference_count(weights: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Count, for each input and each row of weights, the bits in which they differ: uint8 (inputs, bytes) -> (inputs, rows)."""
    rows, length = weights.shape
    counts = np.uint16 if 8 * length < 1 << 16 else np.uint32
    if rows <= TABLE_ROWS:
        values = np.arange(256, dtype=np.uint8)
        tables = list(np.bitwise_count(values[None, :, None] ^ np.ascontiguousarray(weights.T)[:, None, :]))
        return lambda x: _count_by_tables(x, tables, counts)
    filled = -(-length // 8) * 8
    words = np.zeros((rows, filled), dtype=np.uint8)
    words[:, :length] = weights
    columns = np.ascontiguousarray(words.view(np.uint64).T)
    return lambda x: _count_by_words(x, columns, counts)


def _count_by_tables(x: np.ndarray, tables: list[np.ndarray], counts: type[np.unsignedinteger]) -> np.ndarray:
    """Add up the tables' rows for each byte; 31 counts of at most 8 fit a byte."""
    out = np.zeros((len(x), tables[0].shape[1]), dtype=counts)
    for first in range(0, len(x), BLOCK_INPUTS):
        block = out[first : first + BLOCK_INPUTS]
        addresses = x[first : first + BLOCK_INPUTS].T.astype(np.intp)
        found = np.empty(block.shape, dtype=np.uint8)
        subtotal = np.empty_like(found)
        for start in range(0, len(tables), 31):
            tables[start].take(addresses[start], axis=0, out=subtotal, mode="clip")
            for table, address in zip(tables[start + 1 : start + 31], addresses[start + 1 : start + 31], strict=True):
                table.take(address, axis=0, out=found, mode="clip")
                np.add(subtotal, found, out=subtotal)
            np.add(block, subtotal, out=block)
    return out


def _count_by_words(x: np.ndarray, columns: np.ndarray, counts: type[np.unsignedinteger]) -> np.ndarray:
    """XOR and popcount word by word."""
    length, rows = columns.shape
    filled = np.zeros((len(x), 8 * length), dtype=np.uint8)
    filled[:, : x.shape[1]] = x
    words = filled.view(np.uint64)
    out = np.zeros((len(x), rows), dtype=counts)
    size = max(1, WORD_COUNTS // rows)
    for first in range(0, len(x), size):
        block, inputs = out[first : first + size], words[first : first + size]
        differ = np.empty(block.shape, dtype=np.uint64)
        ones = np.empty(block.shape, dtype=np.uint8)
        for place in range(length):
            np.bitwise_xor(inputs[:, place, None], columns[place], out=differ)
            np.bitwise_count(differ, out=ones)
            np.add(block, ones, out=block)
    return out
