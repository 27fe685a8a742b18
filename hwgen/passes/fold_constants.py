"""Replace every node whose inputs are all constant by its result, whatever it is and however large."""

from __future__ import annotations

from dataclasses import replace

from hwgen.graph import Graph
from hwgen.operators.shapes import constant_values

__all__ = ["fold_constants"]


def fold_constants(graph: Graph) -> Graph:
    """Fold latent-weight sub-graphs, computed scales and computed shapes."""
    known = constant_values(graph)
    if len(known) == len(graph.constants):
        return graph
    nodes = tuple(node for node in graph.nodes if node.outputs[0] not in known)
    values = {name: value for name, value in graph.values.items() if name not in known}
    return replace(graph, nodes=nodes, constants=known, values=values)
