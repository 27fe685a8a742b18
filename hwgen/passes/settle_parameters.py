"""Bring constant structural inputs into one form: every axis given, none negative, every default written out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from hwgen.graph import Graph, Node
from hwgen.passes.rewrite import axis_constant, rebuilt, shape_of, unique

__all__ = ["settle_parameters"]


def settle_parameters(graph: Graph) -> Graph:
    """Settle Pad, Reduce*, Slice, Split and TopK."""
    constants: dict[str, np.ndarray] = {}
    nodes = []
    for node in graph.nodes:
        settle = _SETTLE.get(node.op) or (_reduce if node.op.startswith("Reduce") else None)
        fixed = all(name in graph.constants for name in node.inputs[1:] if name)
        wanted = settle(graph, node) if settle and fixed and node.inputs[0] not in graph.constants else None
        if wanted is None:
            nodes.append(node)
            continue
        inputs = [*node.inputs, *[""] * (len(wanted) + 1 - len(node.inputs))]
        for place, array in enumerate(wanted, start=1):
            if not inputs[place] or not _same(graph.constants[inputs[place]], array):
                inputs[place] = unique(graph, f"{node.name}.settled{place}", constants)
                constants[inputs[place]] = array
        inputs = inputs[: len(wanted) + 1]
        nodes.append(
            node if tuple(inputs) == node.inputs else replace(node, inputs=tuple(inputs), attributes=_kept(node))
        )
    if all(node is before for node, before in zip(nodes, graph.nodes, strict=True)):
        return graph
    return rebuilt(graph, nodes, constants)


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b)


def _kept(node: Node) -> dict[str, Any]:
    return {
        name: value for name, value in node.attributes.items() if name not in ("num_outputs", "noop_with_empty_axes")
    }


def _given(graph: Graph, node: Node, place: int) -> list[int] | None:
    if len(node.inputs) <= place or not node.inputs[place]:
        return None
    return [int(element) for element in np.ravel(graph.constants[node.inputs[place]])]


def _pad(graph: Graph, node: Node) -> list[np.ndarray]:
    rank = len(shape_of(graph, node.inputs[0]))
    pads = _given(graph, node, 1) or []
    axes = _given(graph, node, 3)
    axes = list(range(rank)) if axes is None else axes
    full = np.zeros(2 * rank, dtype=np.int64)
    for place, axis in enumerate(axes):
        full[axis % rank], full[rank + axis % rank] = pads[place], pads[len(axes) + place]
    dtype = graph.values[node.inputs[0]].dtype
    given = len(node.inputs) > 2 and node.inputs[2]
    value = np.ravel(graph.constants[node.inputs[2]])[0].astype(dtype) if given else dtype.type(0)
    return [full, np.asarray(value, dtype=dtype)]


def _reduce(graph: Graph, node: Node) -> list[np.ndarray] | None:
    rank, axes = len(shape_of(graph, node.inputs[0])), _given(graph, node, 1)
    if not axes:
        if node.attributes.get("noop_with_empty_axes", 0):
            return None
        axes = list(range(rank))
    return [axis_constant(sorted(axis % rank for axis in axes))]


def _slice(graph: Graph, node: Node) -> list[np.ndarray]:
    rank = len(shape_of(graph, node.inputs[0]))
    starts, ends = _given(graph, node, 1) or [], _given(graph, node, 2) or []
    axes, steps = _given(graph, node, 3), _given(graph, node, 4)
    axes = list(range(len(starts))) if axes is None else [axis % rank for axis in axes]
    return [axis_constant(part) for part in (starts, ends, axes, steps or [1] * len(starts))]


def _split(graph: Graph, node: Node) -> list[np.ndarray]:
    axis = node.attributes["axis"]
    return [axis_constant(shape_of(graph, name)[axis] for name in node.outputs)]


def _top_k(graph: Graph, node: Node) -> list[np.ndarray]:
    return [axis_constant(_given(graph, node, 1) or [])]


_SETTLE: dict[str, Callable[[Graph, Node], list[np.ndarray] | None]] = {
    "Pad": _pad,
    "Slice": _slice,
    "Split": _split,
    "TopK": _top_k,
}
