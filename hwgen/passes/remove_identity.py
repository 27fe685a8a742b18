"""Remove nodes that hand on what they get."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hwgen.graph import Graph, Node
from hwgen.passes.rewrite import bypass, shape_of

__all__ = ["remove_identity"]

_VARIADIC = frozenset({"Concat", "Max", "Mean", "Min", "Sum"})


def remove_identity(graph: Graph) -> Graph:
    """Remove Identity, casts to the same type, empty pads, expansions to the same shape and sums of one term."""
    nodes = tuple(_plain_cast(graph, node) for node in graph.nodes)
    if any(node is not before for node, before in zip(nodes, graph.nodes, strict=True)):
        graph = replace(graph, nodes=nodes)
    drop = {
        node.outputs[0]: node.inputs[0] for node in graph.nodes if len(node.outputs) == 1 and _does_nothing(graph, node)
    }
    return bypass(graph, drop)


def _dtype(graph: Graph, name: str) -> np.dtype:
    return graph.constants[name].dtype if name in graph.constants else graph.values[name].dtype


def _plain_cast(graph: Graph, node: Node) -> Node:
    if node.op != "CastLike":
        return node
    return replace(node, op="Cast", inputs=node.inputs[:1], attributes={"to": _dtype(graph, node.inputs[1])})


def _does_nothing(graph: Graph, node: Node) -> bool:
    if node.op == "Identity":
        return True
    if node.op == "Cast":
        return bool(_dtype(graph, node.inputs[0]) == node.attributes["to"])
    if node.op == "Expand":
        return shape_of(graph, node.inputs[0]) == shape_of(graph, node.outputs[0])
    if node.op == "Pad":
        pads = graph.constants.get(node.inputs[1])
        return pads is not None and not np.any(pads)
    return node.op in _VARIADIC and len(node.inputs) == 1
