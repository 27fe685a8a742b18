"""Join neighbouring reshapes, and remove those that change nothing or are undone after nodes that do not see them."""

from __future__ import annotations

import math
from dataclasses import replace

from hwgen.graph import Graph, Node
from hwgen.operators.evaluate import CHANNELWISE
from hwgen.operators.shapes import with_values
from hwgen.passes.rewrite import bypass, shape_of, uses

__all__ = ["merge_reshapes"]


def merge_reshapes(graph: Graph) -> Graph:
    """Merge first; only what is left is looked at for pairs."""
    made = {node.outputs[0]: node for node in graph.nodes if node.op == "Reshape"}
    nodes, changed = [], False
    for node in graph.nodes:
        if node.op == "Reshape" and node.inputs[0] in made:
            node = replace(node, inputs=(made[node.inputs[0]].inputs[0], node.inputs[1]))
            made[node.outputs[0]] = node
            changed = True
        nodes.append(node)
    if changed:
        graph = replace(graph, nodes=tuple(nodes))
    drop = {
        node.outputs[0]: node.inputs[0]
        for node in graph.nodes
        if node.op == "Reshape" and shape_of(graph, node.inputs[0]) == shape_of(graph, node.outputs[0])
    }
    slim = bypass(graph, drop)
    return _without_pair(slim)


def _without_pair(graph: Graph) -> Graph:
    """Remove the first pair of reshapes that cancel around nodes that work the same on both shapes."""
    count = uses(graph)
    readers = {name: node for node in graph.nodes for name in node.inputs if name}
    for first in graph.nodes:
        if first.op != "Reshape" or count[first.outputs[0]] != 1 or first.outputs[0] in graph.outputs:
            continue
        end = first.outputs[0]
        needs: set[str] = set()
        while count[end] == 1 and end not in graph.outputs:
            node = readers[end]
            if node.op == "Reshape":
                if _restores(graph, first, node, needs):
                    slim = bypass(graph, {first.outputs[0]: first.inputs[0], node.outputs[0]: node.inputs[0]})
                    return with_values(slim)
                break
            need = _need(graph, node, end)
            if need is None:
                break
            needs |= need
            end = node.outputs[0]
    return graph


def _need(graph: Graph, node: Node, data: str) -> set[str] | None:
    """Say which axes a node looks at: none, "channel" (axis 1) or "last"; None if it cannot work on another shape."""
    names = [name for name in node.inputs if name and name != data]
    if node.inputs.count(data) != 1 or len(node.outputs) != 1 or any(name not in graph.constants for name in names):
        return None
    others = [graph.constants[name] for name in names]
    if node.op == "BatchNormalization":
        of_channels = node.attributes.get("channel_axis", 1) == 1 and all(array.ndim < 2 for array in others)
        return {"channel"} if of_channels else None
    if node.op == "MatMul" and node.inputs[0] == data and others[0].ndim == 2:
        return {"last"}
    if node.op not in CHANNELWISE or node.op in ("MultiThreshold", "QuantizeLinear", "DequantizeLinear", "Requantize"):
        return None
    rank = len(shape_of(graph, data))
    if all(array.size == 1 and array.ndim <= min(rank, 1) for array in others):
        return set()
    return {"last"} if all(array.ndim <= 1 for array in others) else None


def _restores(graph: Graph, first: Node, last: Node, needs: set[str]) -> bool:
    before, inside = shape_of(graph, first.inputs[0]), shape_of(graph, first.outputs[0])
    end, after = shape_of(graph, last.inputs[0]), shape_of(graph, last.outputs[0])
    if needs == {"last"}:
        return before[-1] == inside[-1] and after == (*before[:-1], end[-1]) and min(len(before), len(inside)) > 1
    same_frames = _frame_size(before) == _frame_size(inside) and before[0] == inside[0] is None
    return after == before and (not needs or (needs == {"channel"} and same_frames and before[:2] == inside[:2]))


def _frame_size(shape: tuple[int | None, ...]) -> int:
    """Count the elements of one frame of a shape whose first axis is the batch."""
    return math.prod(size for size in shape[1:] if size is not None)
