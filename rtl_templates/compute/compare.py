"""Comparison with a constant table's entries by a carry chain alone."""

import numpy as np
from amaranth.hdl import Cat, Const, Shape, Value

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.cost import Part

__all__ = ["as_level", "reaches", "reaches_bill"]


def _sign_bit(shape: Shape) -> int:
    """Turn two's complement order into plain order."""
    return 1 << (shape.width - 1) if shape.signed else 0


def as_level(levels: np.ndarray, shape: Shape) -> np.ndarray:
    """Give the entries, as bits, with which `reaches` compares: the levels in plain order, complemented."""
    return ~(levels ^ _sign_bit(shape)) & ((1 << shape.width) - 1)


def reaches(number: Value, entry: Value, shape: Shape) -> Value:
    """Tell whether a number is at least a level of that shape, which is no narrower: the carry of ``number + ~level + 1``.

    The table holds the complement, as a carry chain needs no LUTs where its inputs come as they are.
    """
    plain = (number ^ Const(_sign_bit(shape), shape.width))[: shape.width]
    return (Cat(Const(1, 1), plain) + Cat(Const(1, 1), entry))[shape.width + 1]


def reaches_bill(levels: np.ndarray, bits: int) -> Bill:
    """Give what comparisons of numbers of so many bits with levels, int64 (words, comparisons), are made of; a level's lowest zeros are not compared."""
    bill = Bill()
    for column in levels.T:
        level = int(column[0])
        zeros = (level & -level).bit_length() - 1 if level and np.all(column == level) else 0
        bill.chain(Part.LEVEL_BIT, max(1, bits + 1 - zeros))
    return bill
