"""Quotients by a norm: where the norm is zero, so is what is divided, and the reciprocal of an epsilon is of no account."""

from __future__ import annotations

import numpy as np

from hwgen.graph import Node
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.functions.domain import Floats
from hwgen.streamlining.functions.function import over_map
from hwgen.streamlining.functions.monotone import UNKNOWN
from hwgen.streamlining.functions.signal import Signal
from hwgen.streamlining.functions.terms import Evaluator
from hwgen.streamlining.nodes.elementwise import elementwise

__all__ = ["kept_from_zero", "take_note_of_sum"]

TRIED = 1 << 20
"""Integers at which terms of a sum are looked at."""


def take_note_of_sum(total: Signal, terms: Signal, builder: Builder) -> None:
    """Remember what a sum adds up."""
    builder.sums[total.origin.node] = terms


def kept_from_zero(divisor: Signal, dividend: Signal, node: Node, builder: Builder) -> Signal:
    """Give a divisor that, where it is least, is no less than at the next integer, if the dividend is zero there.

    So ``x / (norm(x) + epsilon)`` needs no numbers as large as ``1 / epsilon``: where the norm is zero, all of x is.
    """
    terms, domain = builder.sums.get(divisor.origin.node), divisor.origin.domain
    if terms is None or isinstance(domain, Floats) or divisor.edits or not _vanish_together(terms, dividend):
        return divisor
    function = over_map(divisor.term, domain, divisor.origin.shape)
    direction = function.direction()
    if np.any(direction == UNKNOWN) or np.any(direction < 0) or function.count.min() < 2:
        return divisor
    element = np.arange(len(function.count))
    least = float(function.at(np.ones((1, len(element)), dtype=np.int64), element, Evaluator()).min())
    return elementwise(Node("Max", node.name, (), ()), [divisor, np.array(least)], builder)


def _vanish_together(terms: Signal, dividend: Signal) -> bool:
    """Whether no term of a sum is negative, and what is divided is zero wherever its term is zero."""
    domain = terms.origin.domain
    if dividend.origin is not terms.origin or dividend.edits or terms.edits or isinstance(domain, Floats):
        return False
    if terms.varies or dividend.varies:
        return False
    term, value = (over_map(signal.term, domain, terms.origin.shape) for signal in (terms, dividend))
    if term.count.sum() > TRIED:
        return False
    k, element = np.arange(term.count.max())[:, None], np.arange(len(term.count))
    k = np.minimum(k, term.count - 1)
    added, divided = (part.at(k, element, Evaluator()) for part in (term, value))
    return bool(np.all(added >= 0) and np.all(added.min(axis=0) == 0) and not np.any(divided[added == 0]))
