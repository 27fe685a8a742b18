"""Write Flatten, Squeeze, Unsqueeze and every Reshape as Reshape to a constant shape with -1 for the batch."""

from __future__ import annotations

import numpy as np

from hwgen.graph import Graph, Node
from hwgen.passes.rewrite import axis_constant, shape_of, unique

__all__ = ["unify_reshapes"]

_RESHAPES = frozenset({"Flatten", "Reshape", "Squeeze", "Unsqueeze"})


def unify_reshapes(graph: Graph) -> Graph:
    """Read the shape off the output's record, so computed shapes are no longer needed."""
    constants = dict(graph.constants)
    nodes, changed = [], False
    for node in graph.nodes:
        if node.op in _RESHAPES:
            shape = axis_constant(-1 if size is None else size for size in shape_of(graph, node.outputs[0]))
            known = constants.get(node.inputs[1]) if len(node.inputs) > 1 else None
            if np.count_nonzero(shape == -1) == 1 and not (
                node.op == "Reshape" and known is not None and np.array_equal(known, shape)
            ):
                name = unique(graph, f"{node.name}.shape", constants)
                constants[name] = shape
                node = Node("Reshape", node.name, (node.inputs[0], name), node.outputs)
                changed = True
        nodes.append(node)
    return (
        Graph(graph.name, tuple(nodes), constants, graph.values, graph.inputs, graph.outputs, graph.annotations)
        if changed
        else graph
    )
