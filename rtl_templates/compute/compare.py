"""Comparison with a constant table's entries by a carry chain alone."""

import numpy as np
from amaranth.hdl import Cat, Const, Shape, Value

__all__ = ["as_level", "reaches"]


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
