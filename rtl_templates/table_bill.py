"""What constant tables take: bits that never change are wires, and in logic what is equal is stored once."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

import numpy as np

from hwgen.rtl_templates.cost import MemoryKind, MemoryShape, TableLogic
from hwgen.rtl_templates.memory import MemoryStyle, style_of

__all__ = ["table_logic", "table_shape"]

LEAF_BITS = 4
"""Address bits of a LUT."""

MOST_KNOWN = 1 << 18
"""Tables whose count is remembered: foldings of a layer, and places for its memories, have most tables in common."""

_known: dict[bytes, TableLogic] = {}


def table_shape(name: str, fields: np.ndarray, bits: int, style: MemoryStyle, kind: MemoryKind) -> MemoryShape | None:
    """Give the shape of a constant table.

    Parameters
    ----------
    name : str
    fields : ndarray of int64, shape (words, fields)
    bits : int
        Of a field, the lowest ones of its two's complement.
    style : MemoryStyle
        Where it is asked to be; AUTO: where its whole size suits.
    kind : MemoryKind

    Returns
    -------
    MemoryShape or None
        None: nothing changes.
    """
    depth, lanes = fields.shape
    style = style_of(depth, lanes * bits, style)
    octets = np.ascontiguousarray(fields, dtype="<i8").view(np.uint8).reshape(depth, lanes, 8)[:, :, : -(-bits // 8)]
    planes = np.unpackbits(octets, axis=2, count=bits, bitorder="little").reshape(depth, -1)
    planes = planes[:, np.any(planes != planes[:1], axis=0)]
    if planes.shape[1] == 0:
        return None
    logic = None if style is MemoryStyle.BLOCK else table_logic(planes)
    return MemoryShape(name, depth, planes.shape[1], style, kind, logic)


def table_logic(bits: np.ndarray) -> TableLogic:
    """Count what a table before a register becomes in LUTs of four inputs.

    A bit of a word is a function of the address. Functions of four address bits are leaves; a function of one more bit chooses between
    two of those. Equal functions are counted once, and of complements only the inverter; what one address bit decides is a wire. Where
    one half of the words is the same, the register is reset by that address bit, and only the other half is left.

    Parameters
    ----------
    bits : ndarray of uint8, shape (words, bits of a word)
    """
    packed = np.packbits(bits, axis=0).T
    # Of a digest of 16 bytes no two tables will ever be the same.
    key = blake2b(packed.tobytes(), key=b"%d" % len(bits), digest_size=16).digest()
    if key not in _known:
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        _known[key] = _counted(packed, len(bits))
    return _known[key]


def _counted(packed: np.ndarray, words: int) -> TableLogic:
    """Count a table whose columns are rows of packed bits."""
    columns = np.unpackbits(_different(packed), axis=1, count=words)
    columns = columns[np.any(columns != columns[:, :1], axis=1)]
    number, leaves, stacks = len(columns), 0, 0
    columns = columns[:, _filled(words)]
    while len(columns):
        half = columns.shape[1] // 2
        low, high = columns[:, :half], columns[:, half:]
        same = [np.all(part == part[:, :1], axis=1) for part in (low, high)]
        equal = np.all(low == high, axis=1)
        whole = columns[~(same[0] | same[1] | equal)]
        if len(whole):
            more_leaves, more_stacks = _count(_different(whole))
            leaves, stacks = leaves + more_leaves, stacks + more_stacks
        leaves += bool(np.any(low[same[0] & same[1], 0]))
        columns = _different(np.vstack([high[same[0] & ~same[1]], low[(same[1] | equal) & ~same[0]]]))
    return TableLogic(number, leaves, stacks)


def _different(rows: np.ndarray) -> np.ndarray:
    """Give each row of bytes once."""
    keys = _digests(rows)
    if len(np.unique(keys)) == len(keys):
        return rows
    return rows[np.sort(np.unique(keys, return_index=True)[1])]


def _digests(rows: np.ndarray) -> np.ndarray:
    """Give 64 bits for each row: of different rows they are different, but for one pair in 2**64."""
    padded = np.zeros((len(rows), -(-rows.shape[1] // 8) * 8), dtype=np.uint8)
    padded[:, : rows.shape[1]] = rows
    found = np.zeros(len(rows), dtype=np.uint64)
    for number, word in enumerate(padded.view(np.uint64).T):
        # Each word is mixed by itself, so that no difference in one can undo one in another; the constants are those of SplitMix64.
        mixed = word + np.uint64((number + 1) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed = (mixed ^ mixed >> np.uint64(shift)) * np.uint64(factor)
        found += mixed ^ mixed >> np.uint64(31)
    return found


def _count(columns: np.ndarray) -> tuple[int, int]:
    """Give leaves and stacks of different functions, uint8 (functions, words), no half of which is the same."""
    size = 1 << LEAF_BITS
    tiles = max(1, size // columns.shape[1])
    whole = np.tile(columns, tiles).reshape(-1, size)
    values = np.packbits(whole, axis=1, bitorder="little").view("<u2").reshape(len(columns), -1).astype(np.int64)
    turned = values & 1
    inverted = turned[:, 0] > 0
    places = 1 << np.arange(size)
    values ^= turned * int(places.sum())
    # Functions by number, 0 the constant; what is complemented is said beside it.
    present = np.zeros(1 << size, dtype=bool)
    present[0] = present[values] = True
    kinds = np.flatnonzero(present)
    functions = (np.cumsum(present) - 1)[values]
    wires = [int((np.arange(size) >> bit & 1) @ places) for bit in range(LEAF_BITS)]
    leaves = len(kinds) - int(np.count_nonzero(np.isin(kinds, [0, *wires])))
    stacks = 0
    while functions.shape[1] > 1:
        # Both halves and whether one of them is turned, in one number; 0 is the constant.
        choices = 2 * (functions[:, ::2] * len(kinds) + functions[:, 1::2]) + (turned[:, ::2] ^ turned[:, 1::2])
        halves = len(kinds)
        kinds, numbers = np.unique(np.append(0, choices), return_inverse=True)
        low, high, differ = kinds // 2 // halves, kinds // 2 % halves, kinds % 2
        # Two equal halves are no choice, and two constants are the address bit.
        chooses = ((low != high) | (differ > 0)) & ((low > 0) | (high > 0))
        stacks += int(np.count_nonzero(chooses))
        functions, turned = numbers[1:].reshape(choices.shape), turned[:, ::2]
    # A function beside its complement is an inverter more, and so is the complement of an address bit alone.
    is_wire = np.isin(values, wires).all(axis=1) & np.all(values == values[:, :1], axis=1)
    upright = functions[~inverted, 0]
    alone = is_wire & inverted & ~np.isin(functions[:, 0], upright)
    inverters = len(columns) - len(np.unique(functions[:, 0])) + int(np.count_nonzero(alone))
    return leaves + inverters, stacks


@lru_cache
def _filled(words: int) -> np.ndarray:
    """Give the word that stands at each address, up to a power of two: one beyond the last is what makes a choice needless."""
    addresses = np.arange(1 << (words - 1).bit_length())
    for _ in range(words.bit_length()):
        block = len(addresses)
        moved = addresses < words
        while block > 1:
            block >>= 1
            empty = ~moved & (addresses // block * block >= words)
            addresses = np.where(empty, addresses ^ block, addresses)
            moved |= empty
    return addresses
