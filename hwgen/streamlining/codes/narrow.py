"""Integers of many bits in front of a curve: which of them are used, and the curve over fewer."""

from __future__ import annotations

import numpy as np

from hwgen.streamlining.functions.domain import Floats
from hwgen.streamlining.functions.function import Function
from hwgen.streamlining.functions.signal import Codes
from hwgen.streamlining.functions.terms import Call, Evaluator, Leaf, Parameter, Rows, Term, calls_of

__all__ = ["Ends", "over", "used_ends", "values_between"]

LOOKED_AT = 1025
"""Points of a curve at which it must not turn."""

Ends = tuple[np.ndarray, np.ndarray]
"""Least and greatest integer of each element."""


def used_ends(function: Function, told: tuple[float, float] | None) -> Ends | None:
    """Find the integers between which a curve lies in a range; None if nothing tells one, or a curve turns.

    Parameters
    ----------
    function : Function
    told : (float, float) or None
        Least and greatest value, as frames have shown them.
    """
    elements, last = np.arange(len(function.count)), function.count - 1
    if told is None or isinstance(function.domain, Floats):
        return None
    seen = function.at(np.linspace(np.zeros_like(last), last, LOOKED_AT).astype(np.int64), elements, Evaluator())
    directions = np.sign(seen[-1] - seen[0]).astype(np.int64)
    if not np.all(directions) or np.any(np.diff(seen, axis=0) * directions < 0):
        return None
    least, greatest = (np.where(directions > 0, *ends) for ends in (told, told[::-1]))

    def first(reached: np.ndarray) -> np.ndarray:
        """Give the first point at which each curve has come as far as a value in its direction, or its last."""
        low, high = np.zeros_like(last), last.copy()
        while np.any(low < high):
            middle = (low + high) // 2
            values = function.at(middle[None], elements, Evaluator())[0].astype(np.float64)
            there = directions * values >= directions * reached
            high = np.where(there, middle, high)
            low = np.where(there, low, np.minimum(middle + 1, high))
        return low

    points = np.stack([np.maximum(first(least) - 1, 0), first(greatest)])
    low, high = function.domain.values(points, elements).astype(np.int64)
    return low, high


def values_between(leaf: Leaf, low: np.ndarray, high: np.ndarray) -> tuple[float, float]:
    """Give the least and the greatest number that integers stand for whose ends these are."""
    scale, offset = (float(part.array.ravel()[0]) for part in (leaf.scale, leaf.offset))
    ends = [scale * float(one) + offset for one in (low.min(), high.max())]
    return min(ends), max(ends)


def over(term: Term, narrow: Codes) -> Term:
    """Give a term as a function of other integers that stand for its own."""
    known: dict[int, Call] = {}
    scale, offset = (part[None, None] for part in (narrow.scale, narrow.offset))

    def moved(part: Leaf | Rows | Call | Parameter | None) -> Leaf | Rows | Call | Parameter | None:
        if isinstance(part, Call):
            return known[id(part)]
        if isinstance(part, Leaf):
            return Leaf(Parameter(part.scale.array * scale), Parameter(part.offset.array + part.scale.array * offset))
        return part

    for call in calls_of(term):
        known[id(call)] = Call(call.node, tuple(map(moved, call.operands)))
    return known[id(term)]
