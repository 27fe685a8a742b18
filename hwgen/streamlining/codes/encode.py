"""From a function to codes: which values it takes, what float32 would decide otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hwgen.streamlining.builder import Builder
from hwgen.streamlining.codes.coding import FEW_LEVELS, MAX_LEVELS, Values, assign, snap, trend
from hwgen.streamlining.codes.probe import takes_levels
from hwgen.streamlining.codes.ties import named, settle
from hwgen.streamlining.functions.function import MOST_POINTS, Function
from hwgen.streamlining.functions.monotone import UNKNOWN
from hwgen.streamlining.functions.tabulate import Runs, evenly
from hwgen.streamlining.functions.terms import Evaluator, Leaf, Parameter, Term, replaced, sources_of

__all__ = ["Affine", "Coded", "affine", "alike", "codes_in", "encode", "lines"]

STRAIGHT = 1e-9
"""Relative distance from a straight line within which a function of integers is affine."""

SAMPLES = 4097
"""Points of an element that are held to the line."""

MANY = 1 << 22
"""Points in all up to which every function that may go up and down is held to the line everywhere."""

CHUNK = 1 << 20
"""Points that are held to it at a time."""

COMPARED = 1 << 21
"""Points in all up to which float32 and float64 are compared everywhere."""

MOST_RUNS = 1 << 23
"""Runs in all elements that are looked for."""

NEAR = 1e-5
"""Relative distance within which float64 calculates the same level as float32."""


@dataclass(frozen=True, eq=False)
class Affine:
    """Value = ``scale[channel] * integer + offset[channel]`` at every position."""

    scale: np.ndarray
    offset: np.ndarray


@dataclass(frozen=True, eq=False)
class Coded:
    """Codes for runs of integers.

    Parameters
    ----------
    runs : Runs
    values : Values
        What the codes stand for.
    trend : ndarray of int8, shape (elements,)
        Whether they rise, fall, stay, or neither.
    held : bool
        Whether what they stand for is what float32 holds.
    sign_at_zero : int
        What Sign gives for 0.
    """

    runs: Runs
    values: Values
    trend: np.ndarray
    held: bool = False
    sign_at_zero: int = 0


def affine(function: Function, evaluator: Evaluator) -> Affine | None:
    """Find the straight line of each channel, if there is one that holds at every position."""
    found = lines(function, evaluator)
    if found is None or not all(alike(numbers) for numbers in found):
        return None
    scale, offset = found
    return Affine(scale[0], offset[0])


def lines(function: Function, evaluator: Evaluator) -> tuple[np.ndarray, np.ndarray] | None:
    """Find scale and offset of the straight line of each class of positions and channel; None if one has none.

    Returns
    -------
    tuple of ndarray of float64, shape (classes, channels)
        What differs by no more than rounding from the first class' is the first class'.
    """
    count = function.count
    points = int(min(count.max(), SAMPLES))
    element = np.arange(len(count))
    k = evenly(points, count)
    integers = function.domain.values(k, element)
    values = function.at(k, element, evaluator).astype(np.float64)
    extent = (integers[-1] - integers[0]).astype(np.float64)
    slope = np.divide(values[-1] - values[0], extent, out=np.zeros_like(extent), where=extent != 0)
    offset = values[0] - slope * integers[0]
    size = np.max(np.abs(values), axis=0)
    offset = np.where(np.abs(offset) <= 1e-12 * size, 0.0, offset)
    if np.any(np.abs(values - (slope * integers + offset)) > STRAIGHT * size):
        return None
    if not _straight_between(function, evaluator, k, slope, offset, STRAIGHT * size):
        return None
    channels = function.domain.count.shape[1]
    noise = STRAIGHT * float(size.max())
    slopes, offsets = (
        np.where(np.all(np.abs(line - line[0]) <= noise, axis=0), line[0], line)
        for line in (slope.reshape(-1, channels), offset.reshape(-1, channels))
    )
    return slopes, offsets


def _straight_between(
    function: Function, evaluator: Evaluator, k: np.ndarray, slope: np.ndarray, offset: np.ndarray, noise: np.ndarray
) -> bool:
    """Whether lines hold where no sample was taken: next to the samples, and everywhere where a function may go up and down."""

    def met(k: np.ndarray, element: np.ndarray) -> bool:
        values = function.at(k, element, evaluator).astype(np.float64)
        line = slope[element] * function.domain.values(k, element) + offset[element]
        return bool(np.all(np.abs(values - line) <= noise[element]))

    count, element = function.count, np.arange(len(function.count))
    # Stairs of which every sample meets the same corner go on level behind it.
    if not met(np.minimum(k + 1, count - 1), element):
        return False
    element = np.flatnonzero(function.direction() == UNKNOWN)
    points = int(count[element].sum())
    if not points or (points > MANY and not function.decides):
        return True
    if points > MOST_POINTS:
        return False
    chunk = max(1, CHUNK // len(element))
    starts = range(0, int(count[element].max()), chunk)
    return all(met(np.minimum(first + np.arange(chunk)[:, None], count[element] - 1), element) for first in starts)


def alike(numbers: np.ndarray) -> bool:
    """Whether every class of positions has the same numbers, shape (classes, channels)."""
    return bool(np.all(numbers == numbers[0]))


def encode(
    function: Function, builder: Builder, node: str, *, rough: bool = False, borders: Sequence[np.ndarray] = ()
) -> Affine | Coded | None:
    """Find codes for a function; None if its values are no few equally spaced levels.

    Parameters
    ----------
    function : Function
    builder : Builder
        Takes notes.
    node : str
        Name of the node that makes the integers, for notes and errors.
    rough : bool
        The integers are rounded themselves, so that it does not matter what float32 would decide.
    borders : sequence of ndarray, shape (channels,)
        What else there is to have codes for.
    """
    line = None if function.has_sign else affine(function, Evaluator())
    if line is not None and (np.all(line.scale != 0) or function.count.max() > FEW_LEVELS):
        return line
    evaluator, runs = settle(function, builder, node)
    if runs is None and takes_levels(function, evaluator):
        most = min(MAX_LEVELS + 1, MOST_RUNS // len(function.count))
        evaluator, runs = settle(function, builder, node, most)
    if runs is not None:
        line = affine(function, evaluator) if function.has_sign and function.count.max() <= FEW_LEVELS else None
        if line is not None and np.all(line.scale != 0):
            return line
        found = codes_in(function, evaluator, runs, borders)
        if found is not None and not rough:
            _note_roundings(function, evaluator, found, builder, node)
        return found
    return None


def codes_in(function: Function, evaluator: Evaluator, runs: Runs, borders: Sequence[np.ndarray] = ()) -> Coded | None:
    """Find codes for runs of values; None if these are no levels.

    Parameters
    ----------
    function : Function
    evaluator : Evaluator
        With which the runs were found.
    runs : Runs
    borders : sequence of ndarray, shape (channels,)
        Further values, whose codes are not in the runs; they are left out if no codes hold them too.
    """
    elements, channels = len(function.count), function.domain.count.shape[1]
    if evaluator.dtype == np.float32:
        # Float32 tells where a level begins, float64 how large it is.
        clean = _inside(function, runs, replace(evaluator, dtype=np.float64))
        near = np.abs(clean - runs.values[0]) <= NEAR * np.abs(runs.values[0])
        runs = runs.with_values(np.where(near, clean, runs.values[0]))
    runs = runs.with_values(snap(runs.values[0], function.size))
    channel = runs.element % channels
    values = _assigned(runs.values[0], channel, channels, borders)
    if values is None:
        return None
    meant = (values.scale[channel] * values.codes + values.offset[channel]).astype(np.float32)
    held = np.array_equal(meant, _inside(function, runs, replace(evaluator, dtype=np.float32)))
    coded = runs.with_values(values.codes)
    return Coded(coded, values, trend(coded, elements), held, evaluator.sign_at_zero)


def _assigned(values: np.ndarray, channel: np.ndarray, channels: int, borders: Sequence[np.ndarray]) -> Values | None:
    """Find codes for values, and for what borders hold where that takes one level more at most."""
    own = assign(values, channel, channels)
    if own is None or not borders:
        return own
    numbers = [np.broadcast_to(border, channels).astype(np.float64) for border in borders]
    every = np.tile(np.arange(channels), len(numbers))
    both = assign(snap(np.concatenate([values, *numbers])), np.concatenate([channel, every]), channels)
    if both is None or both.type.levels > own.type.levels + 1:
        return own
    return replace(both, codes=both.codes[: len(values)])


def _inside(function: Function, runs: Runs, evaluator: Evaluator) -> np.ndarray:
    """Give the function in the middle of each run."""
    return function.at((runs.start + runs.end - 1)[None] // 2, runs.element, evaluator)[0]


def _note_roundings(function: Function, evaluator: Evaluator, coded: Coded, builder: Builder, node: str) -> None:
    """Compare with the graph's own float32 arithmetic, where that was not what decided, and name the channels in which it may decide otherwise."""
    if evaluator.dtype == np.float32:
        return
    runs, values = coded.runs, coded.values
    element, k = _critical(function, runs)
    channels = function.domain.count.shape[1]
    channel = element % channels
    size = int(function.count.max()) + 1
    inside = np.searchsorted(runs.element * size + runs.start, element * size + k, side="right") - 1
    differs = np.zeros(len(element), dtype=bool)
    for side in (-1, 0, 1):
        apart = replace(function, term=_moved(function.term, side))
        rough = apart.at(k[None], element, replace(evaluator, dtype=np.float32))[0].astype(np.float64)
        here = (rough - values.offset[channel]) / values.scale[channel]
        differs |= np.abs(here - runs.values[0][inside]) > 0.25 * (2 if values.type.bipolar else 1)
    if np.any(differs):
        first = int(np.flatnonzero(differs)[0])
        number = int(function.domain.values(k[first : first + 1][None], element[first : first + 1])[0, 0])
        builder.note(
            f"float32 rounding may decide otherwise than exact arithmetic in {named(channel[differs])} behind "
            f"'{node}' (channel {int(channel[first])} at {number}): exact arithmetic is used"
        )


def _moved(term: Term, side: int) -> Term:
    """Give a term whose sums are off by all that float32 may lose, to one side."""
    for source in sources_of(term):
        if isinstance(source, Leaf) and source.noise is not None and side:
            offset = Parameter(source.offset.array + side * source.noise.array)
            term = replaced(term, source, replace(source, offset=offset))
    return term


def _critical(function: Function, runs: Runs) -> tuple[np.ndarray, np.ndarray]:
    """Give elements and points at which rounding may decide: all, or both sides of each step and the ends of a large range."""
    count = function.count
    if count.sum() <= COMPARED:
        element = np.repeat(np.arange(len(count)), count)
        return element, np.arange(len(element)) - np.repeat(np.cumsum(count) - count, count)
    element = np.repeat(runs.element, 2)
    return element, np.stack([runs.start, runs.end - 1], axis=1).ravel()
