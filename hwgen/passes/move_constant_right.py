"""Write ``MatMul(W, x)`` with a constant W as Transpose, ``MatMul(x, W.T)``, Transpose."""

from __future__ import annotations

import numpy as np

from hwgen.graph import Graph, Node
from hwgen.passes.rewrite import rebuilt, shape_of, unique

__all__ = ["move_constant_right"]


def move_constant_right(graph: Graph) -> Graph:
    """Let every product have its constant matrix on the right."""
    constants: dict[str, np.ndarray] = {}
    nodes: list[Node] = []
    for node in graph.nodes:
        nodes += _swapped(graph, node, constants) if _matches(graph, node) else [node]
    return rebuilt(graph, nodes, constants) if constants else graph


def _matches(graph: Graph, node: Node) -> bool:
    if node.op != "MatMul" or node.inputs[0] not in graph.constants or node.inputs[1] in graph.constants:
        return False
    return graph.constants[node.inputs[0]].ndim == 2 and len(shape_of(graph, node.inputs[1])) >= 2


def _swapped(graph: Graph, node: Node, constants: dict[str, np.ndarray]) -> list[Node]:
    rank = len(shape_of(graph, node.inputs[1]))
    perm = (*range(rank - 2), rank - 1, rank - 2)
    weights, turned, product = (
        unique(graph, f"{node.name}.{part}", constants) for part in ("weights", "turned", "product")
    )
    constants[weights] = np.ascontiguousarray(graph.constants[node.inputs[0]].T)
    return [
        Node("Transpose", turned, (node.inputs[1],), (turned,), {"perm": perm}),
        Node("MatMul", node.name, (turned, weights), (product,)),
        Node("Transpose", f"{node.name}.back", (product,), node.outputs, {"perm": perm}),
    ]
