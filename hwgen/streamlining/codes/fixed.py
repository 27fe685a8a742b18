"""Real numbers as fixed point: a function of one integer rounded to whole steps, by straight pieces or a table."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from hwgen.activation import Lookup
from hwgen.codes import CodeType
from hwgen.conversion import Announced
from hwgen.errors import ModelError
from hwgen.graph import Node
from hwgen.layers.segments import Segments
from hwgen.layers.table import Table
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.codes.narrow import Ends, over, used_ends, values_between
from hwgen.streamlining.codes.rounding import range_in_words
from hwgen.streamlining.codes.split import first_part
from hwgen.streamlining.functions.domain import Floats, Integers
from hwgen.streamlining.functions.fit import Pieces, curve, kinked, meets, quantised, scaled, straight
from hwgen.streamlining.functions.function import Function, over_map
from hwgen.streamlining.functions.signal import Codes, Signal, identity, signal_of
from hwgen.streamlining.functions.terms import Call, Evaluator, Leaf, Term, calls_of, replaced

__all__ = ["fixed", "step_of"]

MOST_BITS = 24
"""Bits of a reciprocal."""

NARROW_BITS = 17
TABULATED = 1 << NARROW_BITS
"""Integers of a channel up to which a function is followed point by point; more are brought to fixed point first."""

TABLE_ENTRIES = 1 << 8
"""Codes up to which a curve is a table."""

MEASURED = 1 << 22
"""Integers of all channels and classes of positions up to which the error is measured at every one."""

TOGETHER = 1 << 20
"""Integers of neighbouring elements that are evaluated at once."""

RECIPROCALS = 1 << 13
"""Entries of all channels up to which a reciprocal is a table: lines that are as precise everywhere would be many."""

FEW_CLASSES = 16
"""Classes of positions of which each may have a curve of its own; more only where there is no other way."""


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
        If only exact calculation is allowed, or each of many positions has a curve of its own.
    """
    origin, conversion = signal.origin, builder.conversion
    if origin.type is None or isinstance(origin.domain, Floats):
        raise TypeError("Only integers that are written down become fixed point")
    function = over_map(signal.term, origin.domain, origin.shape)
    domain = function.domain
    if isinstance(domain, Floats):
        raise TypeError("Only integers that are written down become fixed point")
    builder.allow_rounding(reader, f"reads real numbers that come from '{origin.node}'")
    values = _Values(function)
    pieces = values.checked(straight(values, domain.low.ravel(), function.count, domain.step.ravel()))
    many, classes = function.count.max() > TABULATED, domain.positions.count
    if pieces is None and (classes > FEW_CLASSES or (many and classes > 1)):
        first = _split(signal, reader, builder)
        if first is not None:
            return fixed(first, reader, builder)
        if values.points > MEASURED:
            raise ModelError(
                f"Node '{reader.name}' ({reader.op}) reads real numbers: what comes from '{origin.node}' follows another curve at each position, "
                f"{values.points} numbers in all; put a quantiser in front of the node, or scales and shifts of positions before or behind the curve"
            )
    elif pieces is None and many:
        used = used_ends(function, conversion.range_of(signal.tensor))
        return fixed(_narrowed(signal, reader, builder, used), reader, builder)
    low, high = values.extent(pieces)
    bits = _bits(signal.term, low, high, conversion.fixed_bits)
    low, high = conversion.range_of(signal.tensor) or (low, high)
    step = step_of(low, high, bits)
    layer: Segments | Table
    reach: Integers | None
    limit = 2**bits - 1 if low >= 0 else 2 ** (bits - 1) - 1
    kind = CodeType(max(round(low / step), -limit - 1), min(round(high / step), limit))
    name = builder.name("fixed")
    entries = TABLE_ENTRIES if bits == conversion.fixed_bits else RECIPROCALS // len(function.count)
    if pieces is None and origin.type.levels <= entries:
        layer, error, reach = _table(name, origin.source, origin.type, function, step, kind)
    else:
        lines = (
            [values.curve(element, step) for element in range(len(function.count))]
            if pieces is None
            else scaled(pieces, step)
        )
        *tables, shift = quantised(lines)
        breaks, factors, offsets = (table.reshape(*domain.low.shape, table.shape[1]) for table in tables)
        layer = Segments(
            name, origin.source, origin.shape, origin.type, breaks, factors, offsets, shift, kind, domain.positions
        )
        error, reach = _error(values, layer, lines, step), _reach(layer, lines)
    name = builder.add(layer)
    if error > 1e-9 * max(abs(low), abs(high)):
        builder.announce(Announced(name, error / step))
        builder.note(
            f"'{name}' holds what comes from '{origin.node}' in steps of {step:g} ({kind}, {range_in_words(low, high, step)}) for '{reader.name}': "
            f"off by at most {error:.3g}, {error / step:.2f} steps"
        )
    ones = np.ones(origin.shape[2])
    return Codes(name, origin.shape, kind, step * ones, 0 * ones, reach)


def _bits(term: Term, low: float, high: float, bits: int) -> int:
    """Give a reciprocal as many more bits as its smallest number needs to be as precise as its largest: it is a factor."""
    if not (isinstance(term, Call) and term.node.op == "Reciprocal" and low * high > 0):
        return bits
    ratio = max(abs(low), abs(high)) / min(abs(low), abs(high))
    return min(bits + math.ceil(math.log2(ratio)), max(bits, MOST_BITS))


def _table(
    name: str, source: str, in_type: CodeType, function: Function, step: float, kind: CodeType
) -> tuple[Table, float, None]:
    """Round a curve of few integers entry by entry; give the greatest distance too."""
    domain = function.domain
    if isinstance(domain, Floats):
        raise TypeError("Floats are quantised by the host")
    low, each, count = (part.ravel() for part in (domain.low, domain.step, domain.count))
    symbols = np.arange(in_type.low, in_type.high + 1)[:, None]
    points = np.clip((symbols - low) // each, 0, count - 1)
    values = function.at(points, np.arange(len(count)), Evaluator()).astype(np.float64)
    rounded = np.rint(values / step).astype(np.int64)
    table = np.clip(rounded, kind.low, kind.high)
    error = float(np.max(np.abs(rounded * step - values)))
    shape = (len(domain.positions.rows), len(domain.positions.columns), domain.low.shape[1])
    entries = np.ascontiguousarray(table.T).reshape(-1, shape[2], len(symbols))
    lookup = Lookup(entries, in_type.low, domain.positions)
    return Table(name, source, shape, in_type, lookup, kind), error, None


class _Values:
    """A function over the integers of each element, a class of positions and a channel, in its own units."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self._elements = np.arange(len(function.count))
        self._together = max(1, TOGETHER // int(function.count.max()))
        self._first: int | None = None

    def __call__(self, k: np.ndarray) -> np.ndarray:
        return np.asarray(self._function.at(k, self._elements, Evaluator()), dtype=np.float64)

    def of(self, element: int) -> tuple[np.ndarray, np.ndarray]:
        """Give all integers of an element and the function there."""
        first = element - element % self._together
        if first != self._first:
            elements = self._elements[first : first + self._together]
            count = self._function.count[elements]
            k = np.minimum(np.arange(int(count.max()))[:, None], count - 1)
            self._x = np.ascontiguousarray(self._function.domain.values(k, elements).astype(np.int64).T)
            self._values = np.ascontiguousarray(self._function.at(k, elements, Evaluator()).astype(np.float64).T)
            self._first = first
        among, count = element - first, self._function.count[element]
        return self._x[among, :count], self._values[among, :count]

    def checked(self, pieces: list[Pieces] | None) -> list[Pieces] | None:
        """Hold lines to every value, where there are not too many; what bisection overlooked is found one by one."""
        if self.points > MEASURED:
            return pieces
        checked = []
        for element in range(len(self._elements)):
            x, values = self.of(element)
            found = pieces[element] if pieces is not None and meets(pieces[element], x, values) else kinked(x, values)
            if found is None:
                return None
            checked.append(found)
        return checked

    def curve(self, element: int, step: float) -> Pieces:
        """Follow one element point by point."""
        x, values = self.of(element)
        return curve(x, values / step)

    def extent(self, pieces: list[Pieces] | None) -> tuple[float, float]:
        """Give the least and the greatest value."""
        if pieces is None:
            ends = np.concatenate([self.of(element)[1] for element in range(len(self._elements))])
        else:
            ends = np.concatenate([part.slopes * x + part.levels for part in pieces for x in (part.starts, part.ends)])
        return float(ends.min()), float(ends.max())

    @property
    def points(self) -> int:
        """Integers of all elements."""
        return int(self._function.count.sum())


def _error(values: _Values, layer: Segments, pieces: list[Pieces], step: float) -> float:
    """Give the greatest distance from the function, clipping left out of account.

    It is measured at every integer that can occur; where these are too many, the distance of the lines at their ends and half a
    step of rounding bound it.
    """
    if values.points > MEASURED:
        worst = 0.0
        for element, part in enumerate(pieces):
            factors, offsets = (
                np.ldexp(table.reshape(-1, layer.pieces)[element, : len(part.starts)], -layer.shift)
                for table in (layer.factors, layer.offsets)
            )
            for x in (part.starts, part.ends):
                centred = offsets - (0.5 if layer.shift else 0)
                worst = max(worst, float(np.max(np.abs(factors * x + centred - part.slopes * x - part.levels))))
        return step * (worst + 0.5)
    worst = 0.0
    for element in range(len(pieces)):
        x, wanted = values.of(element)
        codes = _codes(layer, element, x)
        inside = (codes >= layer.out_type.low) & (codes <= layer.out_type.high)
        if np.any(inside):
            worst = max(worst, float(np.max(np.abs(codes * step - wanted)[inside])))
    return worst


def _codes(layer: Segments, element: int, x: np.ndarray) -> np.ndarray:
    where, channel = divmod(element, layer.in_shape[2])
    line = where, channel, np.searchsorted(layer.breaks[where, channel], x, side="right")
    return np.asarray((layer.factors[line] * x + layer.offsets[line]) >> layer.shift)


def _reach(layer: Segments, pieces: list[Pieces]) -> Integers:
    """Give the codes between the extremes of each channel's lines."""
    ends = [
        np.clip(
            _codes(layer, element, np.concatenate([part.starts, part.ends])), layer.out_type.low, layer.out_type.high
        )
        for element, part in enumerate(pieces)
    ]
    low, high = (
        np.reshape([getattr(codes, end)() for codes in ends], (-1, layer.in_shape[2])) for end in ("min", "max")
    )
    return Integers(low, np.ones_like(low), high - low + 1, layer.positions).merged()


def _split(signal: Signal, reader: Node, builder: Builder) -> Signal | None:
    """Bring a part of a curve to fixed point first, so that not each of many positions has a curve of its own; None if no part can be."""
    origin = signal.origin
    if isinstance(origin.domain, Floats):
        raise TypeError("Only integers that are written down become fixed point")
    part = first_part(signal.term, origin.domain, origin.shape)
    if part is None:
        return None
    codes = fixed(replace(signal, term=part, tensor=""), reader, builder)
    first = signal_of(codes, origin.node, signal.index)
    term = replaced(signal.term, part, identity(codes.scale, codes.offset))
    return replace(first, term=term, tensor=signal.tensor)


def _narrowed(signal: Signal, reader: Node, builder: Builder, used: Ends | None) -> Signal:
    """Bring integers of many bits, or those of them that are used, to fixed point first; what follows is then tabulated over those."""
    origin, leaves = (
        signal.origin,
        [part for call in calls_of(signal.term) for part in call.operands if isinstance(part, Leaf)],
    )
    if isinstance(origin.domain, Floats) or origin.type is None or not leaves:
        raise TypeError("Only a curve over integers that are written down is narrowed")
    # In the units of the first node, so that the note says something.
    name, range_ = f"{signal.tensor} ahead", None if used is None else values_between(leaves[0], *used)
    with builder.rounding(min(builder.conversion.fixed_bits, NARROW_BITS), {} if range_ is None else {name: range_}):
        narrow = fixed(replace(signal, term=leaves[0], tensor=name), reader, builder)
    scale, offset = leaves[0].scale.array.reshape(-1), leaves[0].offset.array.reshape(-1)
    whole = Codes(narrow.source, narrow.shape, narrow.type, narrow.scale / scale, -offset / scale, narrow.reach)
    replaced = signal_of(whole, origin.node, signal.index)
    return Signal(replaced.origin, over(signal.term, whole), signal.shape, signal.index, tensor=signal.tensor)
