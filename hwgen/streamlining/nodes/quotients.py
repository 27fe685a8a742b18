"""Quotients of two maps of which only steps are read: decided by comparison, so that nothing is divided and no root is taken.

``x / y >= c`` is ``x - c * y >= 0`` where y is positive, and ``x / sqrt(y) >= c`` is ``x |x| - c |c| * y >= 0``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hwgen.activation import Positions
from hwgen.codes import CodeType
from hwgen.errors import ModelError
from hwgen.graph import Node
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.codes.encode import Affine, affine
from hwgen.streamlining.codes.steps import first_points
from hwgen.streamlining.functions.domain import LIMIT, Floats
from hwgen.streamlining.functions.function import Function, over_map
from hwgen.streamlining.functions.monotone import UNKNOWN
from hwgen.streamlining.functions.signal import Codes, Origin, Pool, Signal, flat_map, identity, signal_of
from hwgen.streamlining.functions.tabulate import evenly
from hwgen.streamlining.functions.terms import Call, Evaluator, Leaf, Rows, Term, calls_of, replaced, sources_of
from hwgen.streamlining.nodes.elementwise import LEAST_SUM, elementwise
from hwgen.streamlining.nodes.host_quantiser import float_levels, over_floats
from hwgen.streamlining.nodes.joins import Summand, layout_of, merged, places_of, product_codes, steps_off, weighted_sum
from hwgen.streamlining.places.arrange import arranged
from hwgen.streamlining.resolve import codes_of
from hwgen.streamlining.writing import raw_codes

__all__ = ["integers_of", "quotient", "undecided"]

MOST_LEVELS = 7
"""Levels of a quantiser up to which each is a comparison of its own: a sum of two maps and a bit."""

WIDEST_COMPARED = 44
"""Bits of what is compared, so that its products with factors of `SIGN_BITS` are within an int64."""

STRAIGHT = 1e-9
"""Distance from a line, as a share of the greatest number, within which a divisor, or its square, is one."""

MOST_BOUND = 1e6
"""Bound of a quotient that stands for never; a quotient of integers that are so far apart is none of a norm."""

SLACK = 1e-6
"""Part of a step by which rounding may miss where a variance begins."""

SAMPLES = 129
"""Numbers of a divisor that are held to a line."""


@dataclass(frozen=True, eq=False)
class Quotient:
    """What a tensor is a quotient of.

    Parameters
    ----------
    node : Node
        That divides.
    dividend, divisor : Codes
        Integers on the quotient's map; all numbers of the divisor are positive.
    rooted : bool
        The divisor is the square of what divides, and the dividend the square of what is divided, with the sign of that.
    """

    node: Node
    dividend: Codes
    divisor: Codes
    rooted: bool


def quotient(node: Node, operands: Sequence[Signal | np.ndarray | None], builder: Builder) -> Signal | None:
    """Give a quotient that is still to be decided; None if its divisor, or the square of that, is no positive line of integers."""
    first, second, *more = operands
    if more or not isinstance(first, Signal) or not isinstance(second, Signal) or first.origin is second.origin:
        return None
    pairs = [(first, second)] if node.op == "Div" else [(first, second), (second, first)]
    for dividend, factor in pairs:
        for rooted in (False, True):
            power = (2 if rooted else 1) * (1 if node.op == "Div" else -1)
            divisor = _positive_line(factor, power, builder)
            given = None if divisor is None else integers_of(dividend, builder)
            if divisor is not None and given is not None:
                return undecided(node, (dividend, factor), given, divisor, builder, rooted=rooted)
    return None


def undecided(
    node: Node,
    signals: tuple[Signal, Signal],
    dividend: Codes,
    divisor: Codes,
    builder: Builder,
    *,
    rooted: bool = False,
    most: float = LIMIT,
) -> Signal | None:
    """Give dividend / divisor, or dividend / sqrt(divisor), up to ``most``, as real numbers that a step function is to make codes of."""
    try:
        shape = np.broadcast_shapes(*(signal.index.shape for signal in signals))
    except ValueError:
        return None
    index, map_shape = layout_of(signals, shape)
    above, below = (
        arranged(codes, places_of(signal, index, map_shape), node, builder)
        for signal, codes in zip(signals, (dividend, divisor), strict=True)
    )
    if rooted:
        squared = _signed_square(node, above, builder)
        if squared is None:
            return None
        above = squared
    each = Quotient(node, above, below, rooted)
    builder.deciders[node.name] = lambda signal, reader: _decided(each, signal, reader, builder)
    domain = Floats(most, Positions.uniform(*map_shape[:2]), map_shape[2])
    return Signal(Origin(node.name, map_shape, domain), identity(), map_shape, index)


def _positive_line(signal: Signal, power: int, builder: Builder) -> Codes | None:
    """Give integers of which a power of the signal is a line that is always positive."""
    origin, domain = signal.origin, signal.origin.domain
    if signal.edits or signal.dropped or origin.symbols is not None or isinstance(domain, Floats):
        return None
    term, bounded = _unbounded(signal.term)
    function = over_map(term, domain, origin.shape)
    if function.domain.positions.count > 1 or function.count.min() < 2 or _bits(origin) > WIDEST_COMPARED:
        return None
    element, evaluator, last = np.arange(len(function.count)), Evaluator(finite=False), function.count - 1
    first = 0 * last
    if bounded is not None:
        ends = replace(function, term=bounded).at(np.stack([first, last]), element, evaluator).astype(np.float64)
        if np.any(ends[1] <= np.maximum(ends[0], 0)):
            return None
        first = np.ceil(np.maximum(-ends[0], 0) / (ends[1] - ends[0]) * last - SLACK).astype(np.int64)
    k = first + evenly(SAMPLES, last - first + 1)
    with np.errstate(all="ignore"):
        values = function.at(k, element, evaluator).astype(np.float64)
        numbers = values**power
    integers = function.domain.values(k, element).astype(np.float64)
    if np.any(first == last) or not (np.all(np.isfinite(numbers)) and np.all(values > 0)):
        return None
    slope = (numbers[-1] - numbers[0]) / (integers[-1] - integers[0])
    offset = numbers[0] - slope * integers[0]
    near = np.abs(numbers - (slope * integers + offset)) <= STRAIGHT * np.max(numbers)
    if np.any(slope == 0) or not np.all(near):
        return None
    return raw_codes(origin, Affine(slope, offset), builder)


def _unbounded(term: Term) -> tuple[Term, Term | None]:
    """Take off the bounds of a variance, which nothing that is divided meets, and give what they bound."""
    found = None
    while True:
        bounds = [call for call in calls_of(term) if LEAST_SUM in call.node.attributes]
        inner = bounds[-1].operands[0] if bounds else None
        if not isinstance(inner, Leaf | Rows | Call):
            return term, found
        term, found = replaced(term, bounds[-1], inner), inner


def _bits(origin: Origin) -> int:
    if isinstance(origin.domain, Floats):
        raise TypeError("Floats have no width")
    return CodeType(int(origin.domain.low.min()), int(origin.domain.high.max())).bits


def integers_of(signal: Signal, builder: Builder) -> Codes | None:
    """Give a signal that is a line of integers as these."""
    origin = signal.origin
    if signal.edits or signal.dropped or origin.symbols is not None or isinstance(origin.domain, Floats):
        return None
    function = over_map(signal.term, origin.domain, origin.shape)
    line = affine(function, Evaluator(function.dtype))
    if line is None or function.domain.positions.count > 1 or _bits(origin) > WIDEST_COMPARED:
        return None
    return raw_codes(origin, line, builder)


def _signed_square(node: Node, codes: Codes, builder: Builder) -> Codes | None:
    """Give x |x|; None if it is too wide, or x is no multiple of a number."""
    if steps_off(codes) is None or 2 * codes.type.bits > WIDEST_COMPARED:
        return None
    index = flat_map(codes.shape)[None]
    one, minus = np.array(1.0), np.array(-1.0)
    rises = elementwise(
        Node("GreaterOrEqual", node.name, (), ()), [signal_of(codes, node.name, index), 0 * one], builder
    )
    side = codes_of(elementwise(Node("Where", node.name, (), ()), [rises, one, minus], builder), node, builder)
    square = _product(node, codes, codes, index, builder)
    return _product(node, square, side, index, builder)


def _product(node: Node, first: Codes, second: Codes, index: np.ndarray, builder: Builder) -> Codes:
    codes = product_codes(node, (first, second), index, builder)
    signal = signal_of(codes, node.name, index)
    return raw_codes(signal.origin, Affine(codes.scale, 0 * codes.scale), builder)


def _decided(each: Quotient, signal: Signal, reader: Node, builder: Builder) -> tuple[Codes, list[np.ndarray]]:
    """Write down the comparisons that a step function of a quotient is.

    Raises
    ------
    ModelError
        If it is no such function, or has too many steps: the graph is walked again, and the quotient calculated.
    """
    found = _count(each, signal, builder)
    if found is None:
        builder.divided.add(each.node.name)
        raise ModelError(f"Node '{reader.name}' ({reader.op}) reads '{each.node.name}' as real numbers")
    return found


def _count(each: Quotient, signal: Signal, builder: Builder) -> tuple[Codes, list[np.ndarray]] | None:
    channels = signal.origin.shape[2]
    function = over_floats(signal)
    if function is None or len(sources_of(signal.term)) != 1:
        return None
    falls = np.broadcast_to(function.direction() < 0, channels)
    if np.any(falls):
        # A function that falls with a quotient rises with its negative.
        (leaf,) = sources_of(signal.term)
        turn = np.where(falls, -1.0, 1.0)
        turned = replaced(signal.term, leaf, identity(-1.0 if np.all(falls) else turn))
        function = over_floats(replace(signal, term=turned))
    found = None if function is None else float_levels(function, builder, each.node.name)
    if function is None or found is None or np.any(found.trend < 0) or np.any(found.trend == UNKNOWN):
        return None
    seen = [function.direction(edit.before) for edit in signal.edits if isinstance(edit, Pool)]
    if any(np.any(direction == UNKNOWN) for direction in seen):
        return None
    kind = found.values.type
    points = first_points(found.runs, function.count, kind, np.zeros(len(function.count), dtype=bool))
    bounds = np.broadcast_to(_between(function, points), (channels, points.shape[1]))
    surely = np.all(bounds == -np.inf, axis=0)
    bounds = bounds[:, ~surely & ~np.all(bounds == np.inf, axis=0)]
    if not 1 <= bounds.shape[1] <= MOST_LEVELS:
        return None
    index = flat_map(signal.origin.shape)[None]
    side = np.where(falls, -1.0, 1.0)
    reached = [_reached(each, bound, side, index, builder) for bound in bounds.T]
    node = Node("Sum", each.node.name, (), ())
    count = reached[0] if len(reached) == 1 else merged(node, reached, builder)
    step = (2 if kind.bipolar else 1) * found.values.scale
    first = found.values.offset + found.values.scale * kind.low + step * int(surely.sum())
    for op, constant in (("Mul", step), ("Add", first)):
        operand = np.broadcast_to(constant, channels).astype(np.float64)
        count = elementwise(Node(op, node.name, (), ()), [count, operand], builder)
    trends = [np.where(np.broadcast_to(direction, channels) * side < 0, -1, 1) for direction in seen]
    return codes_of(count, node, builder), trends


def _between(function: Function, points: np.ndarray) -> np.ndarray:
    """Give real numbers half way from the last float32 number below each point to its own: what is nearer to that one rounds to it."""
    element = np.arange(len(points))
    last = function.count[:, None] - 1
    own, before = (
        function.domain.values(np.clip(part, 0, last).T, element).T.astype(np.float64) for part in (points, points - 1)
    )
    bounds = np.where(points == 0, -np.inf, (own + before) / 2)
    return np.where(points > last, np.inf, bounds)


def _reached(each: Quotient, bound: np.ndarray, side: np.ndarray, index: np.ndarray, builder: Builder) -> Signal:
    """Compare the quotient, or its negative in some channels, with a bound for each channel: 1 where it is reached."""
    factor = np.clip(bound, -MOST_BOUND, MOST_BOUND)
    factor = factor * np.abs(factor) if each.rooted else factor
    terms = [
        Summand(codes, scale * codes.scale, (scale * codes.offset)[None, None])
        for codes, scale in ((each.dividend, side), (each.divisor, -factor))
    ]
    node = replace(each.node, attributes={"sign": 1})
    difference = weighted_sum(node, terms, index, builder)
    above = elementwise(Node("GreaterOrEqual", node.name, (), ()), [difference, np.array(0.0)], builder)
    return elementwise(Node("Cast", node.name, (), (), {"to": np.dtype(np.float32)}), [above], builder)
