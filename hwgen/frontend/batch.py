"""Make the batch symbolic in models that were exported for one batch size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hwgen.errors import ModelError
from hwgen.graph import Graph, Node, Value
from hwgen.operators.evaluate import CHANNELWISE
from hwgen.operators.recurrent import CELLS
from hwgen.operators.shapes import Facts, constant_values, infer, with_values

__all__ = ["symbolic_batch"]


def symbolic_batch(graph: Graph) -> Graph:
    """Give the graph with None for the batch in every value's shape.

    A leading size of an input is a batch, whatever it is: shapes that were computed for it (constants of Reshape and
    Expand, masks of full size) are rewritten for any batch.

    Raises
    ------
    ModelError
        If the model cannot run on any other batch, or its inputs have different ones.
    """
    _hold_batch_first(graph)
    read = {name for node in graph.nodes for name in node.inputs} | set(graph.outputs)
    sizes = {name: graph.values[name].shape[0] for name in graph.inputs if name in read}
    fixed = {name: size for name, size in sizes.items() if size is not None}
    if len(set(fixed.values())) > 1:
        listed = ", ".join(f"{size} frames of '{name}'" for name, size in fixed.items())
        raise ModelError(
            f"The inputs have batches of different sizes ({listed}); export the model with the same for all"
        )
    if fixed:
        return _freed(graph, next(iter(fixed.values())))
    try:
        return with_values(graph)
    except ModelError as error:
        try:
            return _freed(graph, 1)
        except ModelError:
            raise error from None


def _hold_batch_first(graph: Graph) -> None:
    """Hold that no sequence comes in with its steps in front of its batch."""
    for node in graph.nodes:
        if node.op in CELLS and not node.attributes.get("layout", 0) and node.inputs[0] in graph.inputs:
            raise ModelError(
                f"Input '{node.inputs[0]}' has the steps of node '{node.name}' ({node.op}) on axis 0, where the frames of a batch must be; "
                "export it with batch_first=True, or with a Transpose behind the input"
            )


def _freed(graph: Graph, batch: int) -> Graph:
    values = [graph.values[name] for name in graph.inputs]
    free = {value.name: Value(value.name, (None, *value.shape[1:]), value.dtype) for value in values}
    graph = replace(graph, values=free)
    facts = infer(graph, batch, constant_values(graph))
    constants = dict(graph.constants)
    nodes = tuple(_free_node(node, facts, batch, constants) for node in graph.nodes)
    try:
        return with_values(replace(graph, nodes=nodes, constants=constants))
    except ModelError as error:
        raise ModelError(
            f"The batch of {batch} is built into the model ({error}); export it with a dynamic batch axis"
        ) from error


def _free_node(node: Node, facts: Facts, batch: int, constants: dict[str, np.ndarray]) -> Node:
    """Rewrite one node's static inputs that hold the batch size; new ones are added to ``constants``."""
    if all(name in facts.statics for name in node.outputs if name):
        return node
    inputs = list(node.inputs)

    def put(place: int, array: np.ndarray) -> None:
        inputs[place] = f"{node.name}.{node.inputs[place]}.any_batch"
        constants[inputs[place]] = array

    attributes = {key: value for key, value in node.attributes.items() if key != "allowzero"}
    if node.op == "Flatten" and batch == facts.shapes[node.outputs[0]][0] == 1:
        # Of one frame this is the same, and of several each keeps a row of its own.
        attributes["axis"] = 1
    elif node.op == "Reshape":
        put(1, np.array([-1, *facts.shapes[node.outputs[0]][1:]], dtype=np.int64))
    elif (
        node.op == "Resize"
        and len(node.inputs) > 3
        and node.inputs[3] in facts.statics
        and not node.attributes.get("axes")
    ):
        put(3, np.array([-1, *facts.statics[node.inputs[3]][1:]], dtype=np.int64))
    elif node.op == "Expand":
        put(1, np.array([1, *facts.shapes[node.outputs[0]][1:]], dtype=np.int64))
    elif node.op in CELLS and batch > 1:
        axis = 0 if node.attributes.get("layout", 0) else 1
        for place in range(5, min(len(node.inputs), 5 + CELLS[node.op].states)):
            array = facts.statics.get(node.inputs[place])
            first = None if array is None or array.ndim != 3 else array.take([0], axis)
            if array is not None and first is not None and np.all(array == first):
                put(place, first)
    elif (node.op in CHANNELWISE or node.op == "Concat") and batch > 1:
        rank = len(facts.shapes[node.outputs[0]])
        for place, name in enumerate(node.inputs):
            array = facts.statics.get(name)
            if array is not None and array.ndim == rank and array.shape[0] == batch and np.all(array == array[:1]):
                put(place, array[:1])
    return replace(node, inputs=tuple(inputs), attributes=attributes)
