"""What float32 holds exactly, and how far its sums may lie from what they stand for."""

from __future__ import annotations

import numpy as np

from hwgen.codes import CodeType

__all__ = ["grain", "holds", "product_noise", "range_in_words", "sum_noise"]

SIGNIFICAND = 24
"""Bits of a float32's significand."""


NOTHING = 1e-9
"""Share of a step below which a number is none."""


def grain(numbers: np.ndarray | float) -> float:
    """Give the greatest power of two that all numbers are multiples of; infinity if all are 0."""
    mantissas, exponents = np.frexp(np.asarray(numbers, dtype=np.float64)[np.asarray(numbers) != 0])
    if not mantissas.size:
        return np.inf
    whole = np.ldexp(mantissas, 53).astype(np.int64)
    return float(np.ldexp((whole & -whole).astype(np.float64), exponents - 53).min())


def range_in_words(low: float, high: float, step: float) -> str:
    """Give a range for people: an end that is nothing beside a step is 0, whatever digits a sum of floats left there."""
    low, high = (0.0 if abs(end) < NOTHING * step else end for end in (low, high))
    return f"{low:g} to {high:g}"


def holds(scale: np.ndarray | float, offset: np.ndarray | float, kind: CodeType) -> bool:
    """Whether float32 holds ``scale * code + offset`` of every code."""
    largest = np.maximum(np.abs(scale * kind.low + offset), np.abs(scale * kind.high + offset))
    return bool(np.max(largest) <= min(grain(scale), grain(offset)) * 2.0**SIGNIFICAND)


def sum_noise(weights: np.ndarray, scale: np.ndarray, offset: np.ndarray, kind: CodeType) -> np.ndarray:
    """Bound the distance between a sum of products in float32, in whatever order, and the real sum.

    Where all products are multiples of one power of two, and no sum of them needs more than a float32's significand,
    nothing is ever rounded. Elsewhere every addition rounds, up as likely as down: by much less than the square root of
    their number times the rounding of the largest sum there can be.

    Parameters
    ----------
    weights : ndarray of float64, shape (rows, ...)
    scale, offset : ndarray of float64
        Meaning of a code, broadcast to the weights.
    kind : CodeType
        Of the codes that are multiplied.

    Returns
    -------
    ndarray of float64, shape (rows,)
        0 where nothing is rounded.
    """
    largest = np.maximum(np.abs(scale * kind.low + offset), np.abs(scale * kind.high + offset))
    sums = (np.abs(weights) * largest).reshape(len(weights), -1).sum(axis=1)
    unit = np.array([grain(row) for row in weights]) * min(grain(scale), grain(offset))
    return np.asarray(_noise(sums, unit, weights[0].size))


def product_noise(scales: np.ndarray, largest: int, terms: int) -> np.ndarray:
    """Bound the same distance for products of two codes.

    Parameters
    ----------
    scales : ndarray of float64, shape (operands, rows)
        What a step of each operand's codes is worth.
    largest : int
        Greatest product of two codes.
    terms : int
        Products of a sum.

    Returns
    -------
    ndarray of float64, shape (rows,)
        0 where nothing is rounded.
    """
    sums = np.abs(np.prod(scales, axis=0)) * largest * terms
    unit = np.prod([[grain(scale) for scale in operand] for operand in scales], axis=0)
    return np.asarray(_noise(sums, unit, terms))


def _noise(sums: np.ndarray, unit: np.ndarray, terms: int) -> np.ndarray:
    """Give 0 where sums of multiples of a unit need no more than a significand, elsewhere the rounding of so many terms."""
    return np.where(sums <= unit * 2.0**SIGNIFICAND, 0.0, 2.0**-SIGNIFICAND * np.sqrt(terms) * sums)
