"""Constant sub-graphs of operators hwgen has no NumPy for: onnx's own reference evaluates them once, while reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from onnx import helper
from onnx.reference import ReferenceEvaluator

from hwgen.errors import ModelError
from hwgen.frontend.domains import ONNX_DOMAINS
from hwgen.graph import Node
from hwgen.operators.budget import Budget
from hwgen.operators.evaluate import OPERATORS, apply

__all__ = ["fold_exotic"]

_NEVER = frozenset(
    "Bernoulli If Loop Multinomial RandomNormal RandomNormalLike RandomUniform RandomUniformLike Scan".split()
)
"""What is another number each time, or may take any time."""


def fold_exotic(
    nodes: Sequence[Node], constants: Mapping[str, np.ndarray], protos: Mapping[str, onnx.NodeProto], opset: int
) -> tuple[list[Node], dict[str, np.ndarray]]:
    """Replace nodes of unknown operators whose inputs are all constant by constants.

    Parameters
    ----------
    nodes : sequence of Node
        In topological order.
    constants : mapping of str to ndarray
    protos : mapping of str to NodeProto
        The nodes as the file has them, by name.
    opset : int

    Returns
    -------
    nodes, constants
        What is left, and what is known.
    """
    if all(node.op in OPERATORS for node in nodes):
        return list(nodes), dict(constants)
    known, kept, result, budget = dict(constants), [], dict(constants), Budget(constants.values())
    for node in nodes:
        constant = all(name in known for name in node.inputs if name) and node.op not in _NEVER
        if constant and node.op in OPERATORS:
            given = [known[name] if name else None for name in node.inputs]
            budget.spend(node, given)
            arrays = apply(node, given)
            known.update({name: array for name, array in zip(node.outputs, arrays, strict=False) if name})
            kept.append(node)
        elif constant and protos[node.name].domain in ONNX_DOMAINS:
            budget.spend(node, [known[name] if name else None for name in node.inputs])
            found = _reference(protos[node.name], node, known, opset)
            known.update(found)
            result.update(found)
        else:
            kept.append(node)
    return kept, result


def _reference(proto: onnx.NodeProto, node: Node, known: Mapping[str, np.ndarray], opset: int) -> dict[str, np.ndarray]:
    feeds = {name: known[name] for name in proto.input if name}
    inputs = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in feeds.items()
    ]
    outputs = [onnx.ValueInfoProto(name=name) for name in proto.output if name]
    graph = helper.make_graph([proto], "constant", inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    try:
        arrays = ReferenceEvaluator(model).run(None, feeds)
    except Exception as error:
        raise ModelError(
            f"Node '{node.name}' ({node.op}) has constant inputs that it does not accept; fold constants before the export"
        ) from error
    return {value.name: np.asarray(array) for value, array in zip(outputs, arrays, strict=True)}
