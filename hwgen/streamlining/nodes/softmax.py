"""Softmax whose values are read: exponentials of the distance from the greatest score, and the reciprocal of their sum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from hwgen.activation import Lookup, Positions
from hwgen.codes import CodeType
from hwgen.conversion import Announced
from hwgen.graph import Graph, Node
from hwgen.layers.table import Table
from hwgen.operators.shaping import SHAPING
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.functions.domain import Floats
from hwgen.streamlining.functions.function import over_map
from hwgen.streamlining.functions.signal import Codes, Signal, signal_of
from hwgen.streamlining.functions.terms import Evaluator, Leaf
from hwgen.streamlining.nodes.elementwise import elementwise
from hwgen.streamlining.nodes.joins import merged
from hwgen.streamlining.nodes.quotients import integers_of, undecided
from hwgen.streamlining.nodes.reduce import channel_groups, reduction
from hwgen.streamlining.places.rearrange import rearranged
from hwgen.streamlining.resolve import codes_of

__all__ = ["RANKERS", "RANKING", "computed", "softmax"]

RANKING = frozenset({"Softmax", "LogSoftmax"})
"""Operators that keep the order of scores."""

RANKERS = frozenset({"ArgMax", "ArgMin", "TopK"})
"""Operators that read the order alone."""

FINER = 4
"""Bits by which exponentials and sums are finer than other real numbers."""

NOTHING = 20.0
"""Distance below the greatest score from which on an exponential is taken for what it is there, 2e-9."""


COMPARED_BITS = 24
"""Bits of exponentials that are compared with a part of their sum."""

TABULATED = 1 << 12
"""Distances up to which exponentials are a table."""

MOST_REFINED = 256
"""Greatest sum up to which lines for its reciprocal are near enough for a step of Newton's."""

REFINED = 0.25
"""Share by which such lines are off, at the very most."""

SLACK = 1e-6
"""Part of an integer by which a bound may be missed through rounding."""


def computed(graph: Graph) -> frozenset[str]:
    """Name the nodes that keep an order whose result something else than a ranking or a reader of outputs takes."""
    found: set[str] = set()
    makers: dict[str, str] = {}
    for node in graph.nodes:
        sources = {makers[name] for name in node.inputs if name in makers}
        if node.op in SHAPING:
            makers.update(dict.fromkeys(node.outputs, next(iter(sources))) if sources else {})
        elif node.op not in RANKERS:
            found |= sources
        if node.op in RANKING:
            makers.update(dict.fromkeys(node.outputs, node.name))
    return frozenset(found)


def softmax(node: Node, signal: Signal, axis: int, builder: Builder) -> Signal:
    """Compute Softmax or LogSoftmax along an axis, in fixed point.

    Raises
    ------
    ModelError
        If only exact calculation is allowed.
    """
    builder.allow_rounding(node, "takes exponentials")

    def of(op: str, *parts: Signal | np.ndarray) -> Signal:
        inner, join = Node(op, node.name, (), ()), sum(isinstance(part, Signal) for part in parts) > 1
        return merged(inner, parts, builder) if join else elementwise(inner, parts, builder)

    steps = node.op == "Softmax" and node.outputs[0] in builder.stepped and node.name not in builder.divided
    bits = max(builder.conversion.fixed_bits + FINER, COMPARED_BITS if steps else 0)
    with builder.rounding(bits):
        scores = _far_below_cut(node, signal, axis, builder)
        grouped = channel_groups(scores, axis, node, builder)
        if grouped is None:
            front = scores.moved(np.moveaxis(scores.index, axis, 1))
            scores = rearranged(front, front.index.shape, node, builder)
            index = np.moveaxis(scores.index, 1, axis)
            grouped = channel_groups(scores.moved(index), axis, node, builder)
        if grouped is None:
            raise TypeError("A map with the axis as its channels is one group of them")
        scores, index = grouped

        def over(op: str, part: Signal) -> Signal:
            return reduction(Node(op, node.name, (), ()), part, (2,), keepdims=True, builder=builder)

        distance = _within(of("Sub", scores, over("ReduceMax", scores)), -np.inf, 0.0)
        powers = _powers(node, distance, builder)
        total = _within(over("ReduceSum", powers), 1.0, float(scores.index.shape[2]))
        decided = _compared(node, powers, total, builder) if steps else None
        if decided is not None:
            return decided.moved(decided.index.ravel()[index])
        if node.op == "LogSoftmax":
            result = of("Sub", distance, of("Log", total))
        else:
            result = of("Mul", powers, _reciprocal(node, total, scores.index.shape[2], of, builder))
    return result.moved(result.index.ravel()[index])


def _powers(node: Node, distance: Signal, builder: Builder) -> Signal:
    """Give exponentials of numbers up to 0: of few integers a table, rounded entry by entry."""
    origin, leaf, domain = distance.origin, distance.term, distance.origin.domain
    kind = origin.type
    if kind is None or kind.levels > TABULATED or not isinstance(leaf, Leaf) or isinstance(domain, Floats):
        return elementwise(Node("Exp", node.name, (), ()), [distance], builder)
    step = 2.0 ** (1 - builder.conversion.fixed_bits)
    scale, offset = (float(part.array.flat[0]) for part in (leaf.scale, leaf.offset))
    exact = np.exp(np.minimum(scale * np.arange(kind.low, kind.high + 1) + offset, 0.0))
    codes = np.rint(exact / step).astype(np.int64)
    out_type, channels = CodeType(int(codes.min()), int(codes.max())), origin.shape[2]
    where = Positions.uniform(*origin.shape[:2])
    lookup = Lookup(np.tile(codes, (1, channels, 1)), kind.low, where)
    table = Table(builder.name("powers", node), origin.source, origin.shape, kind, lookup, out_type)
    error = float(np.max(np.abs(codes * step - exact)))
    name = builder.add(table)
    builder.announce(Announced(name, error / step))
    builder.note(f"'{name}' holds the exponentials of '{node.name}' in steps of {step:g}: off by at most {error:.3g}")
    ones = np.ones(channels)
    return signal_of(Codes(name, origin.shape, out_type, step * ones, 0 * ones), node.name, distance.index)


def _compared(node: Node, powers: Signal, total: Signal, builder: Builder) -> Signal | None:
    """Give shares of a sum of which only steps are read; None if they are not integers that can be compared."""
    parts = [integers_of(part, builder) for part in (powers, total)]
    if parts[0] is None or parts[1] is None:
        builder.divided.add(node.name)
        return None
    return undecided(node, (powers, total), parts[0], parts[1], builder, most=1.0)


def _reciprocal(node: Node, total: Signal, most: int, of: Callable[..., Signal], builder: Builder) -> Signal:
    """Give 1 / sum for sums from 1 on: lines, which are off by some ten thousandths, made better by a step of Newton's."""
    near = of("Reciprocal", total)
    if most > MOST_REFINED:
        return near
    guess = codes_of(near, node, builder)
    builder.note(
        f"'{guess.source}' is a first guess at the reciprocal of '{node.name}': a step of Newton's squares its error"
    )
    near = signal_of(guess, node.name, near.index)
    product = _within(of("Mul", total, near), 1 - REFINED, 1 + REFINED)
    return of("Mul", near, of("Sub", np.array(2.0), product))


def _within(signal: Signal, low: float, high: float) -> Signal:
    """Say of a line of integers that its values lie between two bounds, which the integers alone do not tell."""
    domain, leaf = signal.origin.domain, signal.term
    if isinstance(domain, Floats) or not isinstance(leaf, Leaf) or np.any(leaf.scale.array <= 0):
        raise TypeError("Bounds are those of a rising line")
    scale, offset = (part.array.reshape(1, -1) for part in (leaf.scale, leaf.offset))
    least, most = (np.clip((bound - offset) / scale, domain.low - 1, domain.high + 1) for bound in (low, high))
    first = np.maximum(np.ceil((least - SLACK - domain.low) / domain.step), 0).astype(np.int64)
    last = np.minimum(np.floor((most + SLACK - domain.low) / domain.step).astype(np.int64), domain.count - 1)
    bounded = replace(domain, low=domain.low + first * domain.step, count=last - first + 1)
    return replace(signal, origin=replace(signal.origin, domain=bounded))


def _far_below_cut(node: Node, signal: Signal, axis: int, builder: Builder) -> Signal:
    """Raise scores that are nothing beside the greatest, whatever it is, such as masked ones: they would need bits of their own."""
    domain = signal.origin.domain
    if isinstance(domain, Floats) or signal.edits or signal.dropped or signal.origin.symbols is not None:
        return signal
    function = over_map(signal.term, domain, signal.origin.shape)
    element = np.arange(len(function.count))
    ends = function.at(np.stack([0 * function.count, function.count - 1]), element, Evaluator()).astype(np.float64)
    channels = domain.count.shape[1]
    least, greatest = ends.min(axis=0), ends.max(axis=0)
    classes = function.domain.positions.classes()
    low = least.reshape(-1, channels)[classes].reshape(-1)[signal.index]
    surely = float(low.max(axis=axis).min())
    if greatest.max() - surely > 10 * NOTHING or least.min() >= surely - NOTHING:
        return signal
    return elementwise(Node("Max", node.name, (), ()), [signal, np.array(surely - NOTHING)], builder)
