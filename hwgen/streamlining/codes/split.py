"""A function of an integer in two steps, so that what differs from position to position is a straight line and what is curved is not."""

from __future__ import annotations

from collections.abc import Iterator

from hwgen.layers.protocol import MapShape
from hwgen.streamlining.codes.encode import lines
from hwgen.streamlining.functions.domain import Integers
from hwgen.streamlining.functions.function import over_map
from hwgen.streamlining.functions.signal import identity
from hwgen.streamlining.functions.terms import Call, Evaluator, Term, calls_of, replaced, sources_of, varies

__all__ = ["first_part"]


def first_part(term: Term, domain: Integers, shape: MapShape) -> Term | None:
    """Choose the part of a curve with parameters of positions that is to be fixed point first; None if there is none.

    What is left is a function of that part alone. The part is a straight line that differs from position to position, or, where
    there is none, a curve that does not.
    """
    parts = [part for part in _parts(term) if len(sources_of(replaced(term, part, identity()))) == 1]
    straight = (
        part for part in parts if varies(part) and lines(over_map(part, domain, shape), Evaluator()) is not None
    )
    curved = (part for part in parts if isinstance(part, Call) and not varies(part))
    return next(straight, None) or next(curved, None)


def _parts(term: Term) -> Iterator[Term]:
    """Give the parts of a term, the largest first, without the whole."""
    calls = calls_of(term)
    yield from reversed(calls[:-1])
    yield from sources_of(term)
