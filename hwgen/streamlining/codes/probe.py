"""Whether a function of many integers takes levels, found at a few of them: only then is every step looked for."""

from __future__ import annotations

import numpy as np

from hwgen.streamlining.codes.coding import levels_of, snap
from hwgen.streamlining.functions.function import Function
from hwgen.streamlining.functions.tabulate import evenly
from hwgen.streamlining.functions.terms import Evaluator

__all__ = ["takes_levels"]

SAMPLES = 2049
"""Points of an element that are tried."""

ELEMENTS = 64
"""Elements that are tried."""

STEPS = 8
"""Steps of an element between two neighbouring integers that are looked for."""


def takes_levels(function: Function, evaluator: Evaluator) -> bool:
    """Try some points of some elements; False if the values of one are no equally spaced levels."""
    element = np.unique(np.linspace(0, len(function.count) - 1, ELEMENTS).astype(np.int64))
    count = function.count[element]

    def values(k: np.ndarray) -> np.ndarray:
        return function.at(k, element, evaluator).astype(np.float64)

    k = evenly(SAMPLES, count)
    seen = [values(k)]
    changes = np.argsort(-np.abs(np.diff(seen[0], axis=0)) * (np.arange(SAMPLES - 1) % 97 + 1)[:, None], axis=0)[:STEPS]
    for place in changes:
        low, high = (np.take_along_axis(k, (place + side)[None], axis=0)[0] for side in (0, 1))
        at_low, at_high = values(low[None])[0], values(high[None])[0]
        while np.any(high - low > 1):
            middle = (low + high) // 2
            at_middle = values(middle[None])[0]
            below = at_middle == at_low
            low, high = np.where(below, middle, low), np.where(below, high, np.maximum(middle, low + 1))
            at_high = np.where(below, at_high, values(high[None])[0])
        seen += [at_low[None], at_high[None]]
    table = np.concatenate(seen)
    return all(
        levels_of(np.unique(snap(table[:, number], function.size)), least=1) is not None
        for number in range(len(element))
    )
