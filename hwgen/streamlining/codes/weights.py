"""Real weights as integers times one scale a row, typed by their values."""

from __future__ import annotations

import numpy as np

from hwgen.errors import ModelError
from hwgen.graph import Node
from hwgen.streamlining.builder import Builder

__all__ = ["integer_rows", "note_rounding", "rounded_rows"]

TOLERANCE = 1e-6
"""Distance from a multiple of the scale within which a weight is that multiple, of the row's largest: some of float32's roundings.

Rules like ``2 round(255 x) / 255 - 1`` round near the largest weight and leave that error in the smallest one. A grid of `LARGEST`
steps is 4,000 times as coarse."""

SMALL = 255
"""Largest integer weight that is looked for in every row: DoReFa-Net's 8-bit weights are odd multiples of 1/255."""

LARGEST = (1 << 16) - 1
"""Largest integer weight: 16 bits, less a zero point."""

FINE = 2.5e-7
"""The tolerance for integers beyond `SMALL`: two roundings of float32, a sixtieth of a step of the finest grid."""

CHANCE = 1e-3
"""How likely it may be that real numbers pass for integers."""

FIRST = 8
"""Weights that are tried with every scale, before all are with the few scales that suit these."""


SHORT = 12
"""Bits of a weight that is what it is meant to be, and no float32's rounding of that."""

SAME = 2.0**-50
"""Relative distance between two scales that are one."""


MAJORITY = 0.5
"""Share of a row's weights whose common scale is the row's."""


def integer_rows(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Write each row as ``scale * integers`` with the smallest integers; None if a row is not a few integers times one scale.

    Parameters
    ----------
    weights : ndarray of float64, shape (rows, columns)

    Returns
    -------
    integers : ndarray of int64, shape (rows, columns)
        -1 and +1 where a row has one magnitude. A row of zeros is +1 with scale 0.
    scale : ndarray of float64, shape (rows,)
        Never negative.
    """
    magnitude = np.abs(weights)
    largest = magnitude.max(axis=1)
    smallest = np.where(magnitude <= TOLERANCE * largest[:, None], np.inf, magnitude).min(axis=1)
    integers = np.ones(weights.shape, dtype=np.int64)
    scale = np.zeros(len(weights))
    open_rows = np.flatnonzero(largest > 0)
    for multiple in range(1, SMALL + 1):
        if not len(open_rows):
            return integers, scale
        ratio = weights[open_rows] * (multiple / largest[open_rows])[:, None]
        whole = np.rint(ratio)
        fits = np.all(np.abs(ratio - whole) <= TOLERANCE * multiple, axis=1)
        rows = open_rows[fits]
        integers[rows] = whole[fits].astype(np.int64)
        # One magnitude only: keep it to the last bit, which a sum could lose.
        scale[rows] = np.where(largest[rows] == smallest[rows], largest[rows], _scales(magnitude[rows], integers[rows]))
        open_rows = open_rows[~fits]
        if any(len(np.unique(magnitude[row])) > SMALL + 1 for row in open_rows[:1]):
            break
    together = _fine_step(weights[open_rows].ravel()) if len(open_rows) else None
    for row in open_rows:
        step = together or _fine_step(weights[row])
        if step is None:
            return None
        whole = np.rint(weights[row] / step).astype(np.int64)
        integers[row] = whole // np.gcd.reduce(whole)
        scale[row] = _scales(magnitude[[row]], integers[[row]])[0]
    return integers, scale


def _scales(magnitude: np.ndarray, integers: np.ndarray) -> np.ndarray:
    """Give the scale of each row: that of weights of few bits, which are no roundings, or of half of the weights, exactly; else the mean."""
    weight = np.abs(integers)
    mean = (magnitude * weight).sum(axis=1) / (weight * weight).sum(axis=1)
    for row in range(len(mean)):
        counted = weight[row] > 0
        scales = magnitude[row, counted] / weight[row, counted]
        short = scales[np.ldexp(np.frexp(magnitude[row, counted])[0], SHORT) % 1 == 0]
        if len(short) and np.ptp(short) <= SAME * short[0]:
            mean[row] = short[0]
            continue
        middle = np.sort(scales)[len(scales) // 2]
        if np.mean(np.abs(scales - middle) <= SAME * middle) >= MAJORITY:
            mean[row] = middle
    return mean


def _fine_step(weights: np.ndarray) -> float | None:
    """Find the number that all weights are multiples of, up to `LARGEST` times; None if that could be chance."""
    distinct = np.unique(np.abs(weights[weights != 0]))
    largest, count = float(distinct[-1]), len(distinct)
    # Reals are multiples of one of m numbers by chance m * (2 * FINE * m) ** (count - 1) times.
    evidence = min(count, FIRST)
    most = min(LARGEST, (CHANCE / (2 * FINE) ** (evidence - 1)) ** (1 / evidence))
    multiples = np.arange(SMALL + 1, int(most) + 1)
    for weight in distinct[:: max(count // FIRST, 1)]:
        ratio = weight / largest * multiples
        multiples = multiples[np.abs(ratio - np.rint(ratio)) <= FINE * multiples]
    for multiple in multiples:
        ratio = distinct / largest * multiple
        if np.all(np.abs(ratio - np.rint(ratio)) <= FINE * multiple):
            return float(largest / multiple)
    return None


def note_rounding(weights: np.ndarray, integers: np.ndarray, scale: np.ndarray, node: Node, builder: Builder) -> None:
    """Say so where weights are integers times their row's scale only up to a rounding that is larger than their own."""
    magnitude = np.abs(weights)
    off = np.abs(integers * scale[:, None] - weights) * (scale > 0)[:, None]
    if np.all(off <= TOLERANCE * magnitude):
        return
    relative = np.divide(off, magnitude, out=np.zeros_like(off), where=magnitude > 0)
    builder.rounded_weights[node.name] = float(
        np.max(np.divide(off, scale[:, None], out=np.zeros_like(off), where=scale[:, None] > 0))
    )
    largest = magnitude.max(axis=1, keepdims=True)
    of_largest = np.divide(off, largest, out=np.zeros_like(off), where=largest > 0)
    builder.note(
        f"'{node.name}' has weights that are integers times one scale a row up to float32's rounding, and is taken so: off by "
        f"at most {relative.max():.2g} of a weight, {of_largest.max():.2g} of a row's largest"
    )


def rounded_rows(weights: np.ndarray, node: Node, builder: Builder) -> tuple[np.ndarray, np.ndarray]:
    """Write each row of real weights as ``scale * integers``, rounded to the bits that the user gave.

    Raises
    ------
    ModelError
        If only exact calculation is allowed; names the node and a row.
    """
    largest = np.abs(weights).max(axis=1)
    row = int(np.argmax([len(np.unique(np.abs(part))) for part in weights]))
    bits = builder.conversion.weight_bits
    if builder.conversion.exact:
        raise ModelError(
            f"Node '{node.name}' ({node.op}) has weights that are not a few integers times one scale: row {row} holds "
            f"{_examples(weights[row])}; binarize the weights before export, keep the quantiser in the graph, or compile "
            "without --exact to round them"
        )
    limit = 2 ** (bits - 1) - 1
    scale = np.where(largest > 0, largest / limit, 0.0)
    integers = np.rint(np.divide(weights, scale[:, None], out=np.ones_like(weights), where=scale[:, None] > 0)).astype(
        np.int64
    )
    off = np.abs(integers * scale[:, None] - weights).max(axis=1)
    builder.rounded_weights[node.name] = float(np.max(np.divide(off, scale, out=np.zeros_like(off), where=scale > 0)))
    relative = float(np.max(np.divide(off, largest, out=np.zeros_like(off), where=largest > 0)))
    builder.note(
        f"'{node.name}' has real weights, rounded to {bits} bits with one scale a row: off by at most {relative:.2g} of a row's largest"
    )
    return integers, scale


def _examples(row: np.ndarray) -> str:
    distinct = np.unique(row)
    shown = ", ".join(f"{value:.6g}" for value in distinct[:3])
    return f"{shown}{', ...' if len(distinct) > 3 else ''} ({len(distinct)} different values)"
