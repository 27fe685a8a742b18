"""Replace what was computed from the shape of an activation by constants that hold for every batch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hwgen.errors import ModelError
from hwgen.graph import Graph, Node
from hwgen.operators.evaluate import CHANNELWISE
from hwgen.operators.recurrent import CELLS
from hwgen.operators.shapes import constant_values, infer
from hwgen.passes.rewrite import axis_constant, rebuilt, shape_of, unique

__all__ = ["fold_shapes"]

_RESHAPES = frozenset({"Flatten", "Reshape", "Squeeze", "Unsqueeze"})


def fold_shapes(graph: Graph) -> Graph:
    """Fold chains like Shape, Gather, Concat and Shape, ConstantOfShape, Neg up to the first node that reads data.

    The chain is evaluated for two batch sizes. Where both agree the result is a constant; an axis that grows with the
    batch becomes 1 for a reader that broadcasts, or joins what is the same in every frame to its maps. (Reshape is left to `unify_reshapes`, which needs no shape chain at
    all.)

    Raises
    ------
    ModelError
        If a node needs a number that changes with the batch.
    """
    if not any(node.op in ("Shape", "Size") for node in graph.nodes):
        return graph
    known = constant_values(graph)
    two, three = infer(graph, 2, known).statics, infer(graph, 3, known).statics
    constants: dict[str, np.ndarray] = {}
    nodes = []
    for node in graph.nodes:
        if all(name in two for name in node.outputs if name):
            if set(node.outputs) & set(graph.outputs):
                raise ModelError(
                    f"The graph's output '{node.outputs[0]}' does not depend on the input's "
                    "data; remove it from the outputs"
                )
            continue
        inputs = list(node.inputs)
        for place, name in enumerate(node.inputs):
            if name in two and name not in graph.constants and node.op not in _RESHAPES:
                inputs[place] = unique(graph, f"{node.name}.{name}", constants)
                constants[inputs[place]] = _any_batch(graph, node, name, two, three)
        if node.op in _RESHAPES and len(inputs) > 1 and inputs[1] not in graph.constants:
            inputs[1] = unique(graph, f"{node.name}.shape", constants)
            constants[inputs[1]] = axis_constant(
                -1 if size is None else size for size in shape_of(graph, node.outputs[0])
            )
            node = Node("Reshape", node.name, tuple(inputs), node.outputs)
        else:
            node = Node(node.op, node.name, tuple(inputs), node.outputs, node.attributes)
        nodes.append(node)
    return rebuilt(graph, nodes, constants)


def _any_batch(
    graph: Graph, node: Node, name: str, two: Mapping[str, np.ndarray], three: Mapping[str, np.ndarray]
) -> np.ndarray:
    first, second = two[name], three[name]
    if first.shape == second.shape and np.array_equal(first, second, equal_nan=first.dtype.kind == "f"):
        return first
    if node.op == "Expand":
        return axis_constant(1 if size is None else size for size in shape_of(graph, node.outputs[0]))
    if node.op == "Resize" and first.shape == second.shape == (len(shape_of(graph, node.inputs[0])),):
        return np.where(first == second, first, -1)
    joins = node.op == "Concat" and node.attributes["axis"] % max(first.ndim, 1) != 0
    if (node.op in CHANNELWISE or node.op in CELLS or joins) and first.ndim == second.ndim:
        grows = tuple(
            slice(0, 1) if size != other else slice(None) for size, other in zip(first.shape, second.shape, strict=True)
        )
        if np.all(first == first[grows]) and np.array_equal(first[grows], second[grows]):
            return first[grows]
    raise ModelError(
        f"Node '{node.name}' ({node.op}) takes '{name}', which changes with the size of "
        "the batch; frames must be independent"
    )
