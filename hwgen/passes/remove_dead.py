"""Remove nodes, constants and records that no output needs."""

from __future__ import annotations

from dataclasses import replace

from hwgen.graph import Graph

__all__ = ["remove_dead"]


def remove_dead(graph: Graph) -> Graph:
    """Keep what the outputs depend on, and the input."""
    needed = set(graph.outputs)
    kept = []
    for node in reversed(graph.nodes):
        if needed & set(node.outputs):
            needed |= set(node.inputs)
            kept.append(node)
    alive = needed | set(graph.inputs) | {name for node in kept for name in node.outputs}
    constants = {name: array for name, array in graph.constants.items() if name in needed}
    values = {name: value for name, value in graph.values.items() if name in alive and name not in constants}
    if len(kept) == len(graph.nodes) and len(constants) == len(graph.constants) and len(values) == len(graph.values):
        return graph
    annotations = {name: kind for name, kind in graph.annotations.items() if name in alive}
    return replace(graph, nodes=tuple(reversed(kept)), constants=constants, values=values, annotations=annotations)
