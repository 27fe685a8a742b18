"""How a memory of beats gives codes in another order: what it reads in each step, and how many beats it must hold."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hwgen.layers.legal import divisors
from hwgen.rtl_templates.windows.reorder_buffer import ReorderBuffer

__all__ = ["Reading", "reading"]


@dataclass(frozen=True, eq=False)
class Reading:
    """Steps of one block of a frame; the others are read alike.

    Parameters
    ----------
    blocks : int
        Blocks of a frame, each of which is read from itself alone.
    block : int
        Beats of a block that are taken.
    chosen : tuple of int
        Codes of a beat that are kept, part after part.
    parts : int
        Parts of a beat, one of which is given.
    banks, spread : int
        Beats that are read at once, and how far they lie apart.
    reads : ndarray of int64, shape (steps, 2)
        The first beat that is read in each step, and its part.
    """

    blocks: int
    block: int
    chosen: tuple[int, ...]
    parts: int
    banks: int
    spread: int
    reads: np.ndarray

    @property
    def unit(self) -> int:
        """Beats after which the banks start again."""
        return self.banks * self.spread

    def needs(self) -> np.ndarray:
        """Give the last beat that must have come before each step; the last step waits for the whole block."""
        needs: np.ndarray = self.reads[:, 0] + (self.banks - 1) * self.spread
        return np.append(needs[:-1], self.block - 1)

    def capacity(self) -> int:
        """Give the beats that keep the memory at full rate, whether these come evenly or as early as there is room.

        A block is given up as a whole. Meanwhile the next ones come in, evenly at least: a block starts so late that no step has to wait for its beats,
        and when it ends, those have room that come from then on.
        """
        needs = self.needs()
        steps, interval = len(needs), max(self.block, len(needs))
        start = float(np.max(needs * (interval / self.block) - np.arange(steps))) + ReorderBuffer.READ_LATENCY
        whole = self.block + max(0, math.ceil((start + steps - interval) * self.block / interval))
        return -(-whole // self.unit) * self.unit


def reading(order: np.ndarray, codes: int, pe: int, simd: int) -> Reading | None:
    """Find how beats of ``pe`` codes in an order are read out of beats of ``simd`` of ``codes`` codes; None if they cannot be in one step each.

    Parameters
    ----------
    order : ndarray of int64, shape (codes that are given,)
    codes, pe, simd : int
    """
    words, lanes = np.divmod(order.reshape(-1, pe), simd)
    banks = len(np.unique(words[0]))
    if pe % banks:
        return None
    words, lanes = (part.reshape(len(part), banks, -1) for part in (words, lanes))
    spread = int(words[0, 1, 0] - words[0, 0, 0]) if banks > 1 else 1
    first = words[:, 0, 0]
    if spread < 1 or codes // simd % (banks * spread) or np.any(first // spread % banks):
        return None
    if np.any(words != (first[:, None] + spread * np.arange(banks))[..., None]) or np.any(lanes != lanes[:, :1]):
        return None
    chosen, part = np.unique(lanes[:, 0], axis=0, return_inverse=True)
    if len(np.unique(chosen)) < chosen.size:
        return None
    reads = np.stack([first, part.reshape(-1)], axis=1)
    return _in_blocks(reads, codes // simd, tuple(map(int, chosen.ravel())), len(chosen), banks, spread)


def _in_blocks(reads: np.ndarray, beats: int, chosen: tuple[int, ...], parts: int, banks: int, spread: int) -> Reading:
    """Cut a frame into the most blocks that are read alike, each from itself."""
    for blocks in sorted(divisors(math.gcd(len(reads), beats // (banks * spread))), reverse=True):
        each = reads.reshape(blocks, -1, 2)
        block = beats // blocks
        starts = np.arange(blocks)[:, None] * block
        alike = np.all(each[:, :, 0] - starts == each[0, :, 0]) and np.all(each[:, :, 1] == each[0, :, 1])
        if alike and each[0, :, 0].max() < block:
            return Reading(blocks, block, chosen, parts, banks, spread, each[0])
    raise AssertionError("A frame is a block of itself")
