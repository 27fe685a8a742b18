"""Sums of integers whose scales have no common measure, in front of a quantiser: their decisions can still be exact.

Where all combinations of the terms that can occur are few enough to try, the real sum is calculated in float64 for each, and the thresholds on the
integer sum are put where they decide every one of them alike, if there is such a place.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hwgen.activation import Thresholds
from hwgen.streamlining.codes.encode import Coded
from hwgen.streamlining.functions.signal import Rounded
from hwgen.streamlining.functions.terms import (
    CANCELLATION,
    Elements,
    Evaluator,
    Leaf,
    Parameter,
    Term,
    replaced,
    sources_of,
)

__all__ = ["decided", "enumerable"]

COMBINATIONS = 1 << 24
"""Combinations of terms, in all channels, that are tried."""


def enumerable(rounded: Rounded, classes: int = 1) -> bool:
    """Whether all combinations can be tried, in so many classes of positions."""
    counts = np.prod([domain.count[0].astype(np.float64) for domain in rounded.numbers], axis=0)
    return bool(classes * counts.sum() <= COMBINATIONS)


def decided(
    term: Term, elements: Elements, rounded: Rounded, coding: Coded, levels: Thresholds, falls: np.ndarray
) -> tuple[Thresholds, int]:
    """Place thresholds where they decide as exact arithmetic does.

    Parameters
    ----------
    term : Term
        What follows the sum, as a function of its integer.
    elements : Elements
        An example of each class of positions, and every channel.
    rounded : Rounded
    coding : Coded
        What the values of the term are coded as.
    levels : Thresholds
        On the integers, or, in channels that fall, on the negated ones.
    falls : ndarray of bool, shape (channels,)

    Returns
    -------
    levels : Thresholds
    wrong : int
        Combinations that are still decided otherwise.
    """
    kind = coding.values.type
    targets = np.array([1]) if kind.bipolar else np.arange(kind.low + 1, kind.high + 1)
    exact, wrong = _of_reals(term), 0
    moved = levels.levels.copy()
    for element in range(len(elements.c)):
        where, channel = divmod(element, len(falls))
        one = elements.pick(np.array([element]))
        integers, reals = _combinations(rounded, one)
        values = Evaluator(sign_at_zero=coding.sign_at_zero)(exact, reals[:, None], one).astype(np.float64)[:, 0]
        codes = np.rint((values - coding.values.offset[channel]) / coding.values.scale[channel])
        turned = -integers if falls[channel] else integers
        unclear = []
        for place, target in enumerate(targets):
            reached = codes >= target
            below = int(turned[~reached].max()) if not np.all(reached) else None
            first = int(turned[reached].min()) if np.any(reached) else None
            if first is not None and below is not None and first <= below:
                unclear.append(place)
                continue
            level = int(moved[where, channel, place])
            level = level if below is None else max(level, below + 1)
            moved[where, channel, place] = level if first is None else min(level, first)
        if unclear:
            # What integers leave unclear may stand between levels that were moved.
            moved[where, channel] = np.maximum.accumulate(moved[where, channel])
            for place, target in enumerate(targets):
                wrong += int(np.sum((turned >= moved[where, channel, place]) != (codes >= target)))
    return replace(levels, levels=moved), wrong


def _combinations(rounded: Rounded, element: Elements) -> tuple[np.ndarray, np.ndarray]:
    """Give the integer sum and the real sum of every combination at an element."""
    channel = int(element.c[0])
    integers, reals = np.zeros(1, dtype=np.int64), Parameter(rounded.offset).at(element)
    extent = np.abs(reals)
    for domain, scales, factors in zip(rounded.numbers, rounded.scales, rounded.factors, strict=True):
        numbers = domain.low[0, channel] + domain.step[0, channel] * np.arange(domain.count[0, channel])
        integers = np.add.outer(integers, numbers * factors[channel]).ravel()
        reals = np.add.outer(reals, numbers * scales[channel]).ravel()
        extent = np.add.outer(extent, np.abs(numbers * scales[channel])).ravel()
    return integers, np.where(np.abs(reals) <= CANCELLATION * extent, 0.0, reals)


def _of_reals(term: Term) -> Term:
    """Give a term as a function of the real sum itself."""
    itself = Leaf(Parameter(np.ones(())), Parameter(np.zeros(())))
    for source in sources_of(term):
        term = replaced(term, source, itself)
    return term
