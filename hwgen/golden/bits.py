"""Bits eight a byte, and the number of bits in which inputs and rows of weights differ.

That number, the popcount of an XOR, is found in one of two ways. Few rows: tables hold the popcount of each byte value
against all rows. Many rows: with w one bit of a row, ``x XOR w = w + (1 - 2 w) x``, so the sums are a product of matrices,
in which two rows share one float32, twelve bits each. NumPy's own XOR and popcount are slower than either.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["as_words", "count_type", "difference_count", "pack_bits", "unpack_bits"]

BLOCK_COUNTS = 1 << 17
"""Counts, one for each input and row, that are added up at once in the second cache."""

BLOCK_BITS = 1 << 18
"""Bits of inputs that are floating-point numbers at once."""

TABLE_ROWS = 128
"""Rows up to which tables are faster than products: one of 256 counts a row fits the nearest cache."""

FIELD_BITS = 12
"""Bits of one of two counts in the 24 bits of a float32's significand."""

FIELD_BYTES = 511
"""Bytes of columns in one product: no count of theirs exceeds its field."""

BYTE_TABLES = 31
"""Counts of at most 8 whose sum fits a byte."""


def pack_bits(ones: np.ndarray) -> np.ndarray:
    """Pack booleans along the last axis, the first in the lowest bit; the last byte is filled up with zeros."""
    channels = ones.shape[-1]
    if channels % 8:
        filled = np.zeros((*ones.shape[:-1], -(-channels // 8) * 8), dtype=bool)
        filled[..., :channels] = ones
        ones = filled
    # NumPy packs one long row many times faster than many short ones.
    return np.packbits(ones.reshape(-1), bitorder="little").reshape(*ones.shape[:-1], -1)


def unpack_bits(bits: np.ndarray, channels: int) -> np.ndarray:
    """Give packed bits as int32 codes -1 and +1."""
    return np.unpackbits(bits, axis=-1, count=channels, bitorder="little").astype(np.int32) * 2 - 1


def as_words(bits: np.ndarray) -> np.ndarray:
    """View the bytes of the last axis as the widest words that divide it: fewer and longer moves."""
    size = next(size for size in (8, 4, 2, 1) if bits.shape[-1] % size == 0)
    return bits.view(f"u{size}")


def count_type(length: int) -> type[np.unsignedinteger]:
    """Give the dtype of `difference_count` of rows of so many bytes; it also holds one more than all bits."""
    return np.uint8 if length <= BYTE_TABLES else np.uint16 if 8 * length < 1 << 16 else np.uint32


def difference_count(weights: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Count, for each input and row of weights, the bits that differ: uint8 (inputs, bytes) -> (inputs, rows)."""
    rows = len(weights)
    if rows <= TABLE_ROWS:
        values = np.arange(256, dtype=np.uint8)
        tables = list(np.bitwise_count(values[None, :, None] ^ np.ascontiguousarray(weights.T)[:, None, :]))
        return lambda x: _count_by_tables(x, tables)
    parts = [weights[:, first : first + FIELD_BYTES] for first in range(0, weights.shape[1], FIELD_BYTES)]
    products = [_paired_rows(part) for part in parts]
    return lambda x: _count_by_products(x, rows, products)


def _count_by_tables(x: np.ndarray, tables: list[np.ndarray]) -> np.ndarray:
    """Add up the tables' rows for each byte, as many as possible in bytes."""
    rows = tables[0].shape[1]
    out = np.zeros((len(x), rows), dtype=count_type(len(tables)))
    near = np.empty_like(tables[0])  # read in one sweep, a table is in the nearest cache before it is read at random
    size = max(1, BLOCK_COUNTS // rows)
    for first in range(0, len(x), size):
        block = out[first : first + size]
        found = np.empty(block.shape, dtype=np.uint8)
        subtotal = np.empty_like(found) if len(tables) > BYTE_TABLES else block
        for start in range(0, len(tables), BYTE_TABLES):
            group = slice(start, start + BYTE_TABLES)
            addresses = x[first : first + size, group].T.astype(np.intp, order="C")
            for number, (table, address) in enumerate(zip(tables[group], addresses, strict=True)):
                np.copyto(near, table)
                near.take(address, axis=0, out=found if number else subtotal, mode="clip")
                if number:
                    np.add(subtotal, found, out=subtotal)
            if subtotal is not block:
                np.add(block, subtotal, out=block)
    return out


def _paired_rows(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give float32 columns (bits, pairs) and what to add to their products with inputs: (pairs,)."""
    rows, length = weights.shape
    filled = np.zeros((2, -(-rows // 2), 8 * length), dtype=np.float32)
    filled.reshape(-1, 8 * length)[:rows] = np.unpackbits(weights, axis=-1, bitorder="little")
    high, low = 1 - 2 * filled
    ones = filled.sum(axis=2)
    return (
        np.ascontiguousarray((high * 2**FIELD_BITS + low).T),
        ones[0] * 2**FIELD_BITS + ones[1],
    )


def _count_by_products(x: np.ndarray, rows: int, products: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Multiply in float32: the pairs hold the first half of all rows above the second half."""
    out = np.zeros((len(x), rows), dtype=count_type(x.shape[1]))
    half = -(-rows // 2)
    size = max(1, BLOCK_BITS // (8 * min(x.shape[1], FIELD_BYTES)))
    for first in range(0, len(x), size):
        block = out[first : first + size]
        for number, (columns, start) in enumerate(products):
            seen = x[first : first + size, number * FIELD_BYTES : (number + 1) * FIELD_BYTES]
            sums = np.unpackbits(seen, axis=-1, bitorder="little").astype(np.float32) @ columns
            sums += start
            pairs = sums.astype(np.int32)
            block[:, :half] += (pairs >> FIELD_BITS).astype(out.dtype)
            block[:, half:] += (pairs & (2**FIELD_BITS - 1)).astype(out.dtype)[:, : rows - half]
    return out
