"""Write products of an input beside a state as a sum of two products: the steps of a hand-written recurrent cell."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from hwgen.graph import Graph, Node
from hwgen.passes.rewrite import Writing, rebuilt, shape_of, uses

__all__ = ["split_joined"]

LEAST_STEPS = 3
"""Steps from which on a cell is worth looking for."""


def split_joined(graph: Graph) -> Graph:
    """Split ``MatMul(Concat(x, h), W)`` where products of the same matrix follow one another, so that what depends on a state stands by itself."""
    makers = {node.outputs[0]: node for node in graph.nodes if node.op == "Concat"}
    readers = uses(graph)
    groups: dict[object, list[Node]] = {}
    for node in graph.nodes:
        joined = makers.get(node.inputs[0]) if node.op == "MatMul" and node.inputs[1] in graph.constants else None
        if joined is None or readers[joined.outputs[0]] > 1:
            continue
        sizes = [shape_of(graph, name) for name in joined.inputs]
        weights = graph.constants[node.inputs[1]]
        if weights.ndim == 2 and joined.attributes["axis"] == len(sizes[0]) - 1 and None not in [s[-1] for s in sizes]:
            content = hashlib.sha256(np.ascontiguousarray(weights).tobytes()).digest()
            groups.setdefault((content, weights.shape, tuple(size[-1] for size in sizes)), []).append(node)
    steps = [node for group in groups.values() if _in_turn(graph, group) for node in group]
    if not steps:
        return graph
    constants: dict[str, np.ndarray] = {}
    nodes: list[Node] = []
    gone = {makers[node.inputs[0]].name for node in steps}
    chosen = {node.name for node in steps}
    for node in graph.nodes:
        if node.name in chosen:
            nodes += _split(graph, node, makers[node.inputs[0]], constants)
        elif node.name not in gone:
            nodes.append(node)
    return rebuilt(graph, nodes, constants)


def _in_turn(graph: Graph, group: Sequence[Node]) -> bool:
    """Whether each product depends on the one before it."""
    if len(group) < LEAST_STEPS:
        return False
    for one, following in pairwise(group):
        depends = set(one.outputs)
        for node in graph.nodes:
            if depends & set(node.inputs):
                depends |= set(node.outputs)
        if following.inputs[0] not in depends:
            return False
    return True


def _split(graph: Graph, product: Node, joined: Node, constants: dict[str, np.ndarray]) -> list[Node]:
    written, weights, begin = Writing(graph, product, constants), graph.constants[product.inputs[1]], 0
    parts: list[str] = []
    for number, name in enumerate(joined.inputs):
        end = begin + int(shape_of(graph, name)[-1] or 0)
        rows = written.constant(f"rows_{number}", np.ascontiguousarray(weights[begin:end]))
        parts.append(written.node("MatMul", f"part_{number}", name, rows))
        begin = end
    total = parts[0]
    for number, part in enumerate(parts[1:]):
        total = written.node("Add", f"sum_{number}", total, part)
    return written.finished()
