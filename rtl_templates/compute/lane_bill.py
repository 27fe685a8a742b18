"""What rows of a matrix-vector unit have in common, and what that leaves of each."""

from __future__ import annotations

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.cost import Part
from hwgen.rtl_templates.sum_bill import Sums

__all__ = ["GROUP_LUTS", "different", "group_luts", "shared_by"]

GROUP_LUTS = (4, 2, 1)
"""LUTs of three lanes of two inputs that are counted together, of two, and of one alone."""


def group_luts(
    rows: int, *, ternary: bool, constant: bool, halves: bool, masked: bool = False
) -> tuple[float, float, float]:
    """Give the LUTs of three lanes that are counted together, of two, and of one alone, in each of so many rows.

    The sum of two lanes of two inputs is a LUT, and so is their carry; with a third lane there are two more. A lane with a constant weight
    is its input or the complement; of the ``halves`` of a table it may also be either by the bit that chooses. Rows that have the
    same of these share a group's LUTs, the sum with all that differ by a complement.
    """
    if not (constant or halves):
        return (5, 3, 1) if ternary or masked else GROUP_LUTS
    if masked:
        # A lane is one of two bits, or one that chooses between them.
        triple, pair = (2 * different((2 if constant else 4) ** size, rows) / rows for size in (3, 2))
        return triple, pair, 0.0 if constant else 0.5
    kinds = 2 if constant else 4
    sums, inverters = different(kinds, rows), different(2, rows) - 1
    triple, pair = (sums + different(kinds**size, rows) for size in (3, 2))
    return triple / rows, pair / rows, inverters / rows if constant else 0.5


def different(kinds: int, drawn: int) -> float:
    """Give how many of equally likely kinds are expected among so many draws."""
    return kinds * (1 - (1 - 1 / kinds) ** drawn)


def shared_by(rows: int, sums: Sums, lanes: tuple[int, int, int]) -> Bill:
    """Give what each of so many rows has less because sums of inputs alone, counted as those of such lanes, are there once."""
    bill, less = Bill(), 1 / rows - 1
    for (bits, carries_in, carries_out), number in sums.adders.items():
        bill.chain(Part.ADDER_BIT, bits, less * number, carries_in=carries_in, carries_out=carries_out)
    bill.add(Part.GROUP, less * (lanes[0] * sums.triples + lanes[1] * sums.pairs))
    bill.register(less * sums.flipflops)
    return bill
