"""What sums of bits and of numbers consist of: groups of two and three, carry chains, and the registers between them.

Every function follows the unit of the same name in ``rtl_templates/``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from hwgen.rtl_templates.compute.adder_tree import AdderTree, range_shape
from hwgen.rtl_templates.compute.plane_sum import PlaneSum
from hwgen.rtl_templates.compute.popcount import Popcount
from hwgen.rtl_templates.compute.shared_rows import SharedRows

__all__ = ["Sums", "plane_sum", "shared_rows", "tree"]

Adder = tuple[int, bool, bool]
"""Bits of a sum, whether its adder takes a carry in, and whether the sum's top bit is a carry out."""


@dataclass
class Sums:
    """What is added.

    Parameters
    ----------
    adders : Counter of Adder
    triples, pairs : int
        Groups of three and of two bits that are counted.
    flipflops : int
    lone : int
        Flip-flops among them that hold what no adder has added yet.
    inverted : int
        Bits that adders take inverted.
    """

    adders: Counter[Adder] = field(default_factory=Counter)
    triples: int = 0
    pairs: int = 0
    flipflops: int = 0
    lone: int = 0
    inverted: int = 0


@lru_cache(maxsize=4096)
def plane_sum(planes: tuple[int, ...], spare: bool, registers: tuple[int, ...]) -> Sums:
    """Give what a `PlaneSum` consists of."""
    height = PlaneSum.height_of(planes, spare)
    spares = PlaneSum.spares_of(planes, spare)
    inner = tuple(level for level in registers if level <= height)
    sums = Sums()
    for size, left in zip(planes, spares, strict=True):
        _popcount(sums, size, left, inner, height)
    terms = [(size - left, plane) for plane, (size, left) in enumerate(zip(planes, spares, strict=True))]
    level = height
    while len(terms) > 1:
        level += 1
        joined = []
        for (low, plane), (high, upper) in zip(terms[::2], terms[1::2], strict=False):
            distance = upper - plane
            greatest = low + (high + spares[upper] << distance)
            if low.bit_length() > distance:
                bits = greatest.bit_length() - distance
                widest = max(low.bit_length() - distance, high.bit_length())
                sums.adders[bits, spares[upper], bits > widest] += 1
            joined.append((greatest, plane))
        terms = joined + terms[len(terms) & ~1 :]
        if level in registers:
            sums.flipflops += sum(greatest.bit_length() for greatest, _ in terms) + len(terms) - 1 + spare
    return sums


@lru_cache(maxsize=4096)
def tree(low: int, high: int, operands: int, registers: tuple[int, ...]) -> Sums:
    """Give what an `AdderTree` of equal operands consists of."""
    sums = Sums()
    _tree(sums, [(low, high)] * operands, 0, registers, AdderTree.levels(operands))
    return sums


def shared_rows(rows: Sequence[Sequence[bool]]) -> Sums:
    """Give what `SharedRows` consist of."""
    census = SharedRows.census(rows)
    adders = Counter((bits, False, carries) for bits, carries in census.adders)
    sums = Sums(adders=adders, flipflops=census.flipflops, inverted=census.inverted)
    for size in census.classes:
        _popcount(sums, size, False, census.inner, census.height)
    return sums


def _popcount(sums: Sums, lanes: int, spare: bool, registers: Sequence[int], height: int) -> None:
    sizes, carries = Popcount.shares(lanes, spare)
    _tree(sums, [(0, size) for size in sizes], carries, registers, height)
    sums.triples += sizes.count(3)
    sums.pairs += sizes.count(2)
    sums.flipflops += len(registers) * spare
    sums.lone += len(registers) * spare


def _tree(sums: Sums, terms: list[tuple[int, int]], carries: int, registers: Sequence[int], height: int) -> None:
    sizes, lone = [range_shape(*bounds).width for bounds in terms], len(terms)
    for level in range(height + 1):
        if level:
            added, widths = [], []
            for (a_low, a_high), (b_low, b_high) in zip(terms[::2], terms[1::2], strict=False):
                carry = int(carries > 0)
                carries -= carry
                added.append((a_low + b_low, a_high + b_high + carry))
                widths.append(range_shape(*added[-1]).width)
                sums.adders[widths[-1], bool(carry), widths[-1] > max(sizes[2 * len(added) - 2 : 2 * len(added)])] += 1
            lone = min(lone & 1, len(terms) & 1)
            terms, sizes = added + terms[len(terms) & ~1 :], widths + sizes[len(terms) & ~1 :]
        if level in registers:
            sums.flipflops += sum(sizes) + carries
            sums.lone += sum(sizes[len(sizes) - lone :]) + carries
