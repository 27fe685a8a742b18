"""Join neighbouring transposes and remove those that change nothing."""

from __future__ import annotations

from dataclasses import replace

from hwgen.graph import Graph
from hwgen.passes.rewrite import bypass

__all__ = ["merge_transposes"]


def merge_transposes(graph: Graph) -> Graph:
    """Let a transpose of a transpose read the original; it is dropped if that is the same order."""
    made = {node.outputs[0]: node for node in graph.nodes if node.op == "Transpose"}
    nodes, changed = [], False
    for node in graph.nodes:
        before = made.get(node.inputs[0]) if node.op == "Transpose" else None
        if before is not None:
            perm = tuple(before.attributes["perm"][axis] for axis in node.attributes["perm"])
            node = replace(node, inputs=before.inputs, attributes={"perm": perm})
            made[node.outputs[0]] = node
            changed = True
        nodes.append(node)
    if changed:
        graph = replace(graph, nodes=tuple(nodes))
    drop = {
        node.outputs[0]: node.inputs[0]
        for node in graph.nodes
        if node.op == "Transpose" and tuple(node.attributes["perm"]) == tuple(range(len(node.attributes["perm"])))
    }
    return bypass(graph, drop)
