"""Nodes that hwgen cannot follow, kept as far as their shapes go, so that what is behind and beside them is looked at too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import onnx

from hwgen.errors import Obstacle
from hwgen.frontend.narrow import dtype_of
from hwgen.graph import UNKNOWN, Graph, Node, Value

__all__ = ["recorded_values", "with_stand_ins"]


def recorded_values(model: onnx.ModelProto) -> dict[str, Value]:
    """Give the tensors whose shape behind the batch a file records, or onnx infers from its own operators."""
    with suppress(onnx.shape_inference.InferenceError, RuntimeError, ValueError):
        model = onnx.shape_inference.infer_shapes(model, data_prop=True)
    found = {}
    for entry in (*model.graph.value_info, *model.graph.output):
        kind = entry.type.tensor_type
        sizes = [size.dim_value if size.HasField("dim_value") else 0 for size in kind.shape.dim]
        if kind.elem_type and sizes and all(size > 0 for size in sizes[1:]):
            found[entry.name] = Value(entry.name, (None, *sizes[1:]), dtype_of(kind.elem_type))
    return found


def with_stand_ins(graph: Graph, obstacles: Sequence[Obstacle], values: Mapping[str, Value]) -> Graph:
    """Replace the nodes of obstacles by nodes of operator `UNKNOWN`, whose outputs have a shape and no meaning.

    What depends on an output of unknown shape is left out.

    Parameters
    ----------
    graph : Graph
    obstacles : sequence of Obstacle
    values : mapping of str to Value
        Recorded shapes, by tensor.
    """
    reasons = {obstacle.node: obstacle.reason for obstacle in obstacles}
    lost: set[str] = set()
    kept: list[Node] = []
    for node in graph.nodes:
        if node.name in reasons:
            known = tuple(name for name in node.outputs if name in values)
            lost |= set(node.outputs) - set(known)
            facts = {"op": node.op, "reason": reasons[node.name], "values": tuple(values[name] for name in known)}
            inputs = tuple(name for name in node.inputs if name and name not in lost)
            kept += [Node(UNKNOWN, node.name, inputs, known, facts)] if known else []
        elif lost & set(node.inputs):
            lost |= set(node.outputs)
        else:
            kept.append(node)
    read = {name for node in kept for name in node.inputs}
    ends = [name for node in kept for name in node.outputs if name and name not in read and name not in graph.outputs]
    whole = tuple(name for name in graph.outputs if name not in lost)
    return replace(graph, nodes=tuple(kept), outputs=whole + tuple(ends) if lost else whole)
