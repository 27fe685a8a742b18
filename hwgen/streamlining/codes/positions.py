"""Straight lines that differ from position to position: their offsets apart from the codes, or all of it in exact integers."""

from __future__ import annotations

import numpy as np

from hwgen.codes import CodeType
from hwgen.layers.segments import Segments
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.codes.encode import alike, lines
from hwgen.streamlining.functions.domain import Floats, Integers
from hwgen.streamlining.functions.function import Function
from hwgen.streamlining.functions.scales import common_unit
from hwgen.streamlining.functions.signal import Codes, Origin
from hwgen.streamlining.functions.terms import Evaluator

__all__ = ["aligned", "offsets_apart"]


def offsets_apart(function: Function) -> tuple[np.ndarray, np.ndarray] | None:
    """Take a function apart that is the same line at every position but for its offset.

    Returns
    -------
    scale : ndarray of float64, shape (channels,)
    offset : ndarray of float64, shape (height, width, channels)
        Both, or None if that is not all that tells positions apart.
    """
    found = None if function.has_sign else lines(function, Evaluator())
    if found is None or not alike(found[0]) or alike(found[1]) or not np.all(found[0]):
        return None
    scale, offset = found
    return scale[0], offset[function.domain.positions.classes()]


def aligned(
    origin: Origin, function: Function, most_bits: int, builder: Builder, *, together: bool = False
) -> Codes | None:
    """Write lines of positions down as integers, where each channel has a number that all its factors and offsets are small multiples of.

    So an average whose padding does not count is thirds and quarters of its sum, here 4, 6 and 9 times the sum.

    Parameters
    ----------
    origin : Origin
        Integers that are written down.
    function : Function
        Over these integers.
    most_bits : int
        Bits of the result beyond which that is no better than fixed point.
    builder : Builder
    together : bool
        All channels have that number in common.

    Returns
    -------
    Codes or None
        None if there is no such number.
    """
    domain = function.domain
    if function.has_sign or isinstance(domain, Floats) or origin.type is None:
        return None
    found = lines(function, Evaluator())
    numbers = None if found is None else np.concatenate(found)
    unit = None if numbers is None else common_unit(numbers.reshape(-1, 1) if together else numbers)
    if found is None or unit is None:
        return None
    unit = np.broadcast_to(unit, origin.shape[2:])
    factors, offsets = (np.rint(numbers / unit).astype(np.int64) for numbers in found)
    ends = np.stack([factors * domain.low + offsets, factors * domain.high + offsets])
    low, high = ends.min(axis=0), ends.max(axis=0)
    kind = CodeType(int(low.min()), int(high.max()))
    if kind.bits > most_bits:
        return None
    name, breaks = builder.name("aligned"), np.zeros((*factors.shape, 0), dtype=np.int64)
    tables = breaks, factors[..., None], offsets[..., None]
    name = builder.add(Segments(name, origin.source, origin.shape, origin.type, *tables, 0, kind, domain.positions))
    step = np.where(factors == 0, 1, domain.step * np.abs(factors))
    reach = Integers(low, step, (high - low) // step + 1, domain.positions).merged()
    return Codes(name, origin.shape, kind, unit, 0 * unit, reach)
