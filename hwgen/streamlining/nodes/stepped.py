"""Tensors of which nothing is read but the steps of a function: where a number lies between these makes no difference."""

from __future__ import annotations

import numpy as np

from hwgen.graph import Graph, Node
from hwgen.operators.evaluate import CHANNELWISE
from hwgen.operators.shaping import SHAPING

__all__ = ["only_stepped"]

_STEPS = frozenset(
    "BipolarQuant Ceil Equal Floor Greater GreaterOrEqual Less LessOrEqual MultiThreshold Quant QuantizeLinear Round Sign".split()
)


def only_stepped(graph: Graph) -> frozenset[str]:
    """Name the tensors of which nothing is read but what a step function of each element makes of them."""
    readers: dict[str, list[Node]] = {}
    for node in graph.nodes:
        for name in node.inputs:
            readers.setdefault(name, []).append(node)
    found: set[str] = set()

    def steps(node: Node, name: str) -> bool:
        """Whether a reader's result tells no more than steps do."""
        if any(other != name and other and other not in graph.constants for other in node.inputs):
            return False
        if node.op in _STEPS or (node.op == "Cast" and np.dtype(node.attributes["to"]).kind in "iub"):
            return True
        return (node.op in CHANNELWISE or node.op in SHAPING) and all(output in found for output in node.outputs)

    for node in reversed(graph.nodes):
        for name in node.outputs:
            mine = readers.get(name, [])
            if mine and name not in graph.outputs and all(steps(reader, name) for reader in mine):
                found.add(name)
    return frozenset(found)
