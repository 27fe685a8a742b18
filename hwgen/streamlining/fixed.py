"""Real numbers as fixed point: a function of one integer rounded to whole steps, by straight pieces or a table."""

from __future__ import annotations

import math

import numpy as np

from hwgen.codes import CodeType
from hwgen.errors import ModelError
from hwgen.graph import Node
from hwgen.layers.segments import Segments
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.domain import Floats, Integers
from hwgen.streamlining.encode import affine
from hwgen.streamlining.fit import Pieces, fit, quantised
from hwgen.streamlining.function import Function, over_map
from hwgen.streamlining.signal import Codes, Signal, signal_of
from hwgen.streamlining.terms import Evaluator, Leaf, Parameter, Step, steps_of

__all__ = ["fixed", "step_of"]

TABULATED = 1 << 17
"""Integers of a channel up to which a function is followed point by point; more are brought to fixed point first."""

BLOCK = 1 << 22
"""Points evaluated at once."""


def step_of(low: float, high: float, bits: int) -> float:
    """Give the least power of two in whose steps numbers of so many bits reach from low to high."""
    greatest = 2**bits - 1 if low >= 0 else 2 ** (bits - 1) - 1
    extent = max(abs(low), abs(high))
    return 2.0 ** math.ceil(math.log2(extent / greatest)) if extent > 0 else 1.0


def fixed(signal: Signal, reader: Node, builder: Builder) -> Codes:
    """Round a signal of a map that is written down, its edits left out.

    Raises
    ------
    ModelError
        If only exact calculation is allowed, or the values differ from position to position.
    """
    origin, precision = signal.origin, builder.precision
    if origin.type is None or isinstance(origin.domain, Floats):
        raise TypeError("Only integers that are written down become fixed point")
    function = over_map(signal.term, origin.domain, origin.shape)
    if function.domain.positions.count > 1:
        raise ModelError(
            f"Node '{reader.name}' ({reader.op}) reads real numbers: what comes from '{origin.node}' has parameters that differ "
            "from position to position and no sign or quantiser behind them; put one in front of it"
        )
    precision.allow(reader, f"reads real numbers that come from '{origin.node}'")
    line = affine(function, Evaluator())
    if line is None and function.count.max() > TABULATED:
        return fixed(_narrowed(signal, reader, builder), reader, builder)
    low, high = _extent(function, line is not None)
    if signal.tensor in precision.ranges:
        low, high = precision.ranges[signal.tensor]
    step = step_of(low, high, precision.fixed_bits)
    domain = function.domain
    if isinstance(domain, Floats):
        raise TypeError("Floats are quantised by the host")
    pieces = [_pieces(function, channel, step, line is not None) for channel in range(origin.shape[2])]
    breaks, factors, offsets, shift = quantised(pieces)
    kind = CodeType(round(low / step), round(high / step))
    limit = 2**precision.fixed_bits - 1 if kind.low >= 0 else 2 ** (precision.fixed_bits - 1) - 1
    kind = CodeType(max(kind.low, -limit - 1), min(kind.high, limit))
    layer = Segments(
        builder.name("fixed"), origin.source, origin.shape, origin.type, breaks, factors, offsets, shift, kind
    )
    if (
        np.all(breaks == breaks[0])
        and np.all(factors == factors[0])
        and np.all(offsets == offsets[0])
        and kind == origin.type
    ):
        same = np.arange(kind.low, kind.high + 1)
        if kind.levels <= TABULATED and np.array_equal(
            layer.golden(same[:, None, None, None] + np.zeros(origin.shape[2], dtype=np.int64))[:, 0, 0, 0], same
        ):
            ones = np.ones(origin.shape[2])
            return Codes(origin.source, origin.shape, kind, step * ones, 0 * ones)
    name = builder.add(layer)
    error, reach = _measured(function, layer, step)
    if error > 1e-9 * max(abs(low), abs(high)):
        builder.note(
            f"'{name}' holds what comes from '{origin.node}' in steps of {step:g} ({kind}, {low:g} to {high:g}) for '{reader.name}': "
            f"off by at most {error:.3g}, {error / step:.2f} steps"
        )
    ones = np.ones(origin.shape[2])
    return Codes(name, origin.shape, kind, step * ones, 0 * ones, reach)


def _narrowed(signal: Signal, reader: Node, builder: Builder) -> Signal:
    """Bring integers of many bits to fixed point first; what follows is then tabulated over those."""
    origin = signal.origin
    if isinstance(origin.domain, Floats) or origin.type is None:
        raise TypeError("Only integers that are written down become fixed point")
    ones = np.ones(origin.shape[2])
    itself = Codes(origin.source, origin.shape, origin.type, ones, 0 * ones, origin.domain.merged())
    narrow = fixed(signal_of(itself, origin.node, signal.index), reader, builder)
    replaced = signal_of(narrow, origin.node, signal.index)
    return Signal(replaced.origin, _over(signal, replaced), signal.shape, signal.index, tensor=signal.tensor)


def _over(signal: Signal, narrow: Signal) -> Leaf | Step:
    """Give the signal's term as a function of other integers that stand for its own."""
    known: dict[int, Leaf | Step] = {}

    def moved(part: Leaf | Step | Parameter | None) -> Leaf | Step | Parameter | None:
        if isinstance(part, Leaf):
            inner = narrow.term
            if not isinstance(inner, Leaf):
                raise TypeError("Fixed point is affine")
            return Leaf(
                Parameter(part.scale.array * inner.scale.array),
                Parameter(part.offset.array + part.scale.array * inner.offset.array),
            )
        return part

    for step in steps_of(signal.term):
        known[id(step)] = Step(
            step.node, tuple(known[id(part)] if id(part) in known else moved(part) for part in step.operands)
        )
    last = known.get(id(signal.term)) or moved(signal.term)
    if not isinstance(last, Leaf | Step):
        raise TypeError("A term is a leaf or a step")
    return last


def _points(function: Function, channel: int) -> tuple[np.ndarray, np.ndarray]:
    """Give all integers of a channel and the function there."""
    k = np.arange(int(function.count[channel]))[:, None]
    element = np.array([channel])
    x = function.domain.values(k, element)[:, 0].astype(np.int64)
    return x, function.at(k, element, Evaluator()).astype(np.float64)[:, 0]


def _extent(function: Function, straight: bool) -> tuple[float, float]:
    """Give the least and the greatest value."""
    low, high = math.inf, -math.inf
    for channel in range(len(function.count)):
        values = _ends(function, channel)[1] if straight else _points(function, channel)[1]
        low, high = min(low, float(values.min())), max(high, float(values.max()))
    return low, high


def _ends(function: Function, channel: int) -> tuple[np.ndarray, np.ndarray]:
    k = np.array([[0], [int(function.count[channel]) - 1]])
    element = np.array([channel])
    x = function.domain.values(k, element)[:, 0].astype(np.int64)
    return x, function.at(k, element, Evaluator()).astype(np.float64)[:, 0]


def _pieces(function: Function, channel: int, step: float, straight: bool) -> Pieces:
    if not straight:
        x, values = _points(function, channel)
        return fit(x, values / step)
    x, values = _ends(function, channel)
    slope = 0.0 if x[1] == x[0] else float((values[1] - values[0]) / (x[1] - x[0]) / step)
    return Pieces(x[:1], x[1:], np.array([slope]), np.array([values[0] / step - slope * x[0]]))


def _measured(function: Function, layer: Segments, step: float) -> tuple[float, Integers]:
    """Compare with the function at every integer that can occur (at 2**17 of a wider range), clipping left out of account."""
    worst, lows, highs = 0.0, [], []
    kind = layer.out_type
    for channel in range(len(function.count)):
        count = int(function.count[channel])
        k = np.unique(np.linspace(0, count - 1, min(count, TABULATED)).astype(np.int64))[:, None]
        element = np.array([channel])
        x = function.domain.values(k, element)[:, 0].astype(np.int64)
        values = function.at(k, element, Evaluator()).astype(np.float64)[:, 0]
        piece = np.searchsorted(layer.breaks[channel], x, side="right")
        codes = (layer.factors[channel, piece] * x + layer.offsets[channel, piece]) >> layer.shift
        inside = (values >= (kind.low - 0.5) * step) & (values <= (kind.high + 0.5) * step)
        codes = np.clip(codes, kind.low, kind.high)
        if np.any(inside):
            worst = max(worst, float(np.max(np.abs(codes * step - values)[inside])))
        lows.append(int(codes.min()))
        highs.append(int(codes.max()))
    low = np.array(lows)[None]
    ones = np.ones_like(low)
    return worst, Integers(low, ones, np.array(highs)[None] - low + 1, function.domain.positions)
