"""Nodes that treat every element alike: they lengthen the function that a tensor is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hwgen.errors import ModelError
from hwgen.graph import Node
from hwgen.layers.combine import Combine
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.functions.domain import Floats
from hwgen.streamlining.functions.function import over_map
from hwgen.streamlining.functions.signal import Pool, Ring, Signal, identity, signal_of
from hwgen.streamlining.functions.terms import Call, Elements, Evaluator, Parameter, Term
from hwgen.streamlining.places.layout import conflicts, on_map
from hwgen.streamlining.places.rearrange import widened
from hwgen.streamlining.resolve import codes_of, pooled_raw

__all__ = ["LEAST_SUM", "alike", "elementwise"]

LEAST_SUM = "least_sum"
"""Attribute of a node that bounds a mean of squares: the least sum of them but zero."""

LEAST_SHARE = 2.0**-12
"""Part of the greatest mean of squares beyond which its least one is not put."""

_OWN_AXES = frozenset({"BatchNormalization", "MultiThreshold", "QuantizeLinear", "DequantizeLinear", "Requantize"})
"""Operators whose parameters do not broadcast."""


def alike(signals: Sequence[Signal]) -> bool:
    """Whether signals are functions of the same integers, element by element."""
    first = signals[0]
    rank = max(signal.index.ndim for signal in signals)
    index = _ranked(first.index, rank)
    return all(
        signal.origin is first.origin
        and [edit.node for edit in signal.edits] == [edit.node for edit in first.edits]
        and np.array_equal(_ranked(signal.index, rank), index)
        for signal in signals[1:]
    )


def _ranked(index: np.ndarray, rank: int) -> np.ndarray:
    return index.reshape((1,) * (rank - index.ndim) + index.shape)


def elementwise(node: Node, operands: Sequence[Signal | np.ndarray | None], builder: Builder) -> Signal:
    """Apply an elementwise node to signals of one map and to constants.

    Raises
    ------
    ModelError
        If a constant does not fit the map.
    """
    signals = [operand for operand in operands if isinstance(operand, Signal)]
    first = signals[0]
    shapes = [operand.index.shape for operand in signals]
    if node.op not in _OWN_AXES:
        shapes += [operand.shape for operand in operands if isinstance(operand, np.ndarray)]
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError as error:
        raise ModelError(f"Node '{node.name}' ({node.op}) has operands of shapes that do not fit: {error}") from error
    indices = [_ranked(operand.index, len(shape)) for operand in signals]
    if indices[0].shape != shape or any(
        conflicts(operand, node, indices[0], first.shape) for operand in operands if isinstance(operand, np.ndarray)
    ):
        if len(signals) > 1:
            raise ModelError(f"Node '{node.name}' ({node.op}) widens two tensors of one map at once; widen them before")
        moved = widened(first, shape, node, builder)
        return elementwise(node, [moved if operand is first else operand for operand in operands], builder)
    parts: list[Term | Parameter | None] = []
    for operand in operands:
        if isinstance(operand, Signal):
            parts.append(operand.term)
        else:
            parts.append(None if operand is None else on_map(operand, node, indices[0], first.shape))
    if first.edits and any(isinstance(part, Parameter) and not part.uniform for part in parts):
        if len(signals) > 1:
            edit = first.edits[-1].node
            raise ModelError(
                f"Node '{node.name}' ({node.op}) has parameters that differ from position to position and reads two tensors behind "
                f"'{edit.name}' ({edit.op}); give it one parameter a channel"
            )
        settled = _settled(first, node, builder)
        return elementwise(node, [settled if operand is first else operand for operand in operands], builder)
    if node.attributes.get(LEAST_SUM, 0):
        parts[0] = _least_variance(node, first)
    if _is_root(node, operands) and (bounded := _not_below_zero(node, first, builder)) is not None:
        parts[0] = bounded
    edits = tuple(
        edit if isinstance(edit, Pool) else _through(node, operands, parts, place, edit)
        for place, edit in enumerate(first.edits)
    )
    dropped = tuple(dict.fromkeys(name for signal in signals for name in signal.dropped))
    if dropped:
        raise ModelError(f"Node '{node.name}' ({node.op}) follows '{dropped[-1]}', which has hardware only at the end")
    return replace(first, term=Call(_of_elements(node), tuple(parts)), index=indices[0], edits=edits, tensor="")


def _least_variance(node: Node, signal: Signal) -> Term:
    """Bound a mean of squares by what the least sum of them but zero is worth: at zero every square is, whatever it is divided by."""
    domain = signal.origin.domain
    if isinstance(domain, Floats):
        raise TypeError("A variance of floats has no least one")
    function = over_map(signal.term, domain, signal.origin.shape)
    points = np.stack([0 * function.count, np.minimum(1, function.count - 1), function.count - 1])
    first, second, last = function.at(points, np.arange(len(function.count)), Evaluator())
    slope = float(np.min((second - first) / domain.step.min()))
    least = min(slope * float(node.attributes[LEAST_SUM]), float(np.max(last)) * LEAST_SHARE)
    bounding = Node("Max", node.name, (), (), {LEAST_SUM: 1})
    return Call(bounding, (signal.term, Parameter(np.asarray(max(least, 0.0)))))


def _is_root(node: Node, operands: Sequence[Signal | np.ndarray | None]) -> bool:
    exponent = operands[1] if node.op == "Pow" else None
    return node.op == "Sqrt" or (isinstance(exponent, np.ndarray) and bool(np.all(exponent == 0.5)))


def _not_below_zero(node: Node, signal: Signal, builder: Builder) -> Term | None:
    """Bound what is under a root by zero, if it is a sum or product of maps that only their bounds let be negative; None if it is not.

    ``E[x * x] - E[x] * E[x]`` is none that knows how its terms hang together. What a layer of its own sums up reaches its bounds.
    """
    origin = signal.origin
    joined = any(isinstance(layer, Combine) and layer.name == origin.source for layer in builder.layers)
    if not joined or isinstance(origin.domain, Floats):
        return None
    function = over_map(signal.term, origin.domain, origin.shape)
    element = np.arange(len(function.count))
    ends = function.at(np.stack([np.zeros_like(function.count), function.count - 1]), element, Evaluator())
    if np.all(ends >= 0):
        return None
    builder.note(
        f"'{node.name}' takes the root of numbers that are negative if the terms of a sum reach their bounds apart; these count as 0, "
        "where the model yields NaN"
    )
    return Call(Node("Relu", node.name, (), ()), (signal.term,))


def _of_elements(node: Node) -> Node:
    """Let a node find its parameters where a term has them, whatever axis of the tensor they belong to: one for each element, on axis 1."""
    axes = {name: 1 for name in ("axis", "channel_axis") if name in node.attributes}
    return replace(node, attributes={**node.attributes, **axes}) if node.op in _OWN_AXES and axes else node


def _settled(signal: Signal, node: Node, builder: Builder) -> Signal:
    """Write the pools and borders of a signal down: what follows is a function of the map behind them."""
    if isinstance(signal.origin.domain, Floats) or any(isinstance(edit, Ring) for edit in signal.edits):
        codes = codes_of(signal, node, builder)
        return replace(signal_of(codes, signal.origin.node, signal.index), tensor=signal.tensor)
    return pooled_raw(signal, node, builder)


def _through(
    node: Node,
    operands: Sequence[Signal | np.ndarray | None],
    parts: Sequence[Term | Parameter | None],
    place: int,
    ring: Ring,
) -> Ring:
    """Apply the node to what a border holds."""
    channels = len(ring.values)
    values: list[Term | Parameter | None] = []
    for operand, part in zip(operands, parts, strict=True):
        if isinstance(operand, Signal):
            edit = operand.edits[place]
            values.append(_constant(edit.values) if isinstance(edit, Ring) else None)
        else:
            values.append(part if isinstance(part, Parameter) else None)
    zeros = np.zeros(channels, dtype=np.int64)
    elements = Elements(zeros, zeros, np.arange(channels))
    result = Evaluator()(Call(_of_elements(node), tuple(values)), np.zeros((1, channels)), elements)
    return replace(ring, values=np.array(result[0]))


def _constant(values: np.ndarray) -> Call:
    """Give one value a channel as a term, of the values' own type."""
    cast = Node("Cast", "", (), (), {"to": values.dtype})
    return Call(cast, (identity(0.0, values.astype(np.float64)),))
