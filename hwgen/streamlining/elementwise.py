"""Nodes that treat every element alike: they lengthen the function that a tensor is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hwgen.errors import ModelError
from hwgen.graph import Node
from hwgen.streamlining.layout import on_map
from hwgen.streamlining.signal import Pool, Ring, Signal
from hwgen.streamlining.terms import Elements, Evaluator, Parameter, Step, Term

__all__ = ["elementwise"]

_OWN_AXES = frozenset({"BatchNormalization", "MultiThreshold", "QuantizeLinear", "DequantizeLinear"})
"""Operators whose parameters do not broadcast."""


def elementwise(node: Node, operands: Sequence[Signal | np.ndarray | None]) -> Signal:
    """Apply an elementwise node to signals of one map and to constants.

    Raises
    ------
    ModelError
        If two maps meet, or a constant does not fit the map.
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
    indices = [
        operand.index.reshape((1,) * (len(shape) - operand.index.ndim) + operand.index.shape) for operand in signals
    ]
    for signal, index in zip(signals, indices, strict=True):
        _check_alike(node, first, signal, indices[0], index)
    if indices[0].shape != shape:
        raise ModelError(
            f"Node '{node.name}' ({node.op}) widens a tensor of shape {first.index.shape} to {shape}, which has no hardware"
        )
    parts: list[Term | Parameter | None] = []
    for operand in operands:
        if isinstance(operand, Signal):
            parts.append(operand.term)
        else:
            parts.append(None if operand is None else on_map(operand, node, indices[0], first.shape))
    if first.edits and any(isinstance(part, Parameter) and not part.uniform for part in parts):
        edit = first.edits[-1].node
        raise ModelError(
            f"Node '{node.name}' ({node.op}) has parameters that differ from position to position behind '{edit.name}' "
            f"({edit.op}); give it one parameter a channel"
        )
    edits = tuple(
        edit if isinstance(edit, Pool) else _through(node, operands, parts, place, edit)
        for place, edit in enumerate(first.edits)
    )
    dropped = tuple(dict.fromkeys(name for signal in signals for name in signal.dropped))
    if dropped:
        raise ModelError(f"Node '{node.name}' ({node.op}) follows '{dropped[-1]}', which has hardware only at the end")
    return replace(first, term=Step(node, tuple(parts)), index=indices[0], edits=edits)


def _check_alike(node: Node, first: Signal, other: Signal, index: np.ndarray, other_index: np.ndarray) -> None:
    if first.origin is not other.origin:
        raise ModelError(
            f"Node '{node.name}' ({node.op}) joins two maps, from '{first.origin.node}' and from '{other.origin.node}'; "
            "real-valued shortcuts are not supported yet"
        )
    same_edits = len(first.edits) == len(other.edits) and all(
        a.node is b.node for a, b in zip(first.edits, other.edits, strict=True)
    )
    if not same_edits or not np.array_equal(index, other_index):
        raise ModelError(
            f"Node '{node.name}' ({node.op}) joins elements of '{first.origin.node}' from different places of its map, "
            "which has no hardware yet"
        )


def _through(
    node: Node,
    operands: Sequence[Signal | np.ndarray | None],
    parts: Sequence[Term | Parameter | None],
    place: int,
    ring: Ring,
) -> Ring:
    """Apply the node to what a border holds."""
    channels = len(ring.values)
    values: list[Parameter | None] = []
    for operand, part in zip(operands, parts, strict=True):
        if isinstance(operand, Signal):
            edit = operand.edits[place]
            values.append(Parameter(edit.values[None, None]) if isinstance(edit, Ring) else None)
        else:
            values.append(part if isinstance(part, Parameter) else None)
    zeros = np.zeros(channels, dtype=np.int64)
    elements = Elements(zeros, zeros, np.arange(channels))
    result = Evaluator()(Step(node, tuple(values)), np.zeros((1, channels)), elements)
    return replace(ring, values=np.array(result[0]))
