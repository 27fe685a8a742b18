"""Quantisers of many levels as a layer of lines."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from hwgen.codes import CodeType
from hwgen.layers.protocol import MapShape
from hwgen.layers.segments import GREATEST_SUM, Segments
from hwgen.streamlining.codes.encode import Coded
from hwgen.streamlining.codes.stairs import Stairs, stairs
from hwgen.streamlining.functions.domain import Floats
from hwgen.streamlining.functions.function import Function

__all__ = ["many_levels"]


def many_levels(
    name: str, source: str, shape: MapShape, in_type: CodeType, coding: Coded, function: Function
) -> Segments | None:
    """Give the layer whose lines meet every code of every integer; None if few lines do not."""
    domain, kind = function.domain, coding.values.type
    if isinstance(domain, Floats) or kind.bipolar:
        return None
    for even in (False, True):
        found = _all_stairs(coding, function, even=even)
        if found is not None:
            break
    else:
        return None
    shift = max(part.shift for part in found)
    found = [part.shifted(shift) for part in found]
    count = max(len(part.starts) for part in found)
    beyond = np.repeat(domain.high.reshape(-1, 1) + 1, count, axis=1)
    breaks, factors, offsets = beyond, 0 * beyond, 0 * beyond
    for row, part in enumerate(found):
        used = len(part.starts)
        breaks[row, :used] = part.starts
        factors[row, :used], factors[row, used:] = part.factors, part.factors[-1]
        offsets[row, :used], offsets[row, used:] = part.offsets, part.offsets[-1]
    largest = max(abs(in_type.low), abs(in_type.high)) * int(np.abs(factors).max()) + int(np.abs(offsets).max())
    if largest > GREATEST_SUM:
        return None
    breaks, factors, offsets = (
        part.reshape(*domain.low.shape, part.shape[1]) for part in (breaks[:, 1:], factors, offsets)
    )
    return Segments(name, source, shape, in_type, breaks, factors, offsets, shift, kind, domain.positions, even)


def _all_stairs(coding: Coded, function: Function, *, even: bool) -> list[Stairs] | None:
    """Draw lines through the codes of every element; None as soon as one has none."""
    runs, kind = coding.runs, coding.values.type
    first, last = (function.domain.values(k[None], runs.element)[0] for k in (runs.start, runs.end - 1))
    ends = np.searchsorted(runs.element, np.arange(len(function.count) + 1))
    found = []
    for start, end in pairwise(ends):
        part = slice(start, end)
        one = stairs(first[part], last[part], runs.values[0][part].astype(np.int64), (kind.low, kind.high), even=even)
        if one is None:
            return None
        found.append(one)
    return found
