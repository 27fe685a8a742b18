"""Follow the graph from its input to its outputs."""

from __future__ import annotations

import numpy as np

from hwgen.errors import ModelError
from hwgen.evaluate import CHANNELWISE, apply
from hwgen.graph import Graph, Node
from hwgen.operators.shaping import SHAPING
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.elementwise import elementwise
from hwgen.streamlining.heads import arg_max, check_ranked
from hwgen.streamlining.layers import convolution, max_pool, padding, product
from hwgen.streamlining.signal import Signal

__all__ = ["walk"]

Tensor = Signal | np.ndarray | None

_RANKING = frozenset({"Softmax", "LogSoftmax"})
"""Operators that keep the order of scores."""


def walk(graph: Graph, source: Signal, builder: Builder) -> dict[str, Signal | np.ndarray]:
    """Give every tensor of the graph; writes down all layers but the one whose integers no layer reads.

    Raises
    ------
    ModelError
        Naming the node that has no hardware.
    """
    tensors: dict[str, Signal | np.ndarray] = {**graph.constants, graph.inputs[0]: source}
    for node in graph.nodes:
        missing = next((name for name in node.inputs if name and name not in tensors), None)
        if missing is not None:
            raise ModelError(
                f"Node '{node.name}' ({node.op}) reads '{missing}', the values of a ranking; only its indices have hardware"
            )
        operands = [tensors[name] if name else None for name in node.inputs]
        if not any(isinstance(operand, Signal) for operand in operands):
            arrays = [operand for operand in operands if not isinstance(operand, Signal)]
            tensors.update(zip(node.outputs, apply(node, arrays), strict=False))
        else:
            tensors.update(_visit(node, operands, builder))
    return tensors


def _visit(node: Node, operands: list[Tensor], builder: Builder) -> dict[str, Signal | np.ndarray]:
    first, rest = operands[0], operands[1:]
    if node.op in CHANNELWISE:
        return {node.outputs[0]: elementwise(node, operands)}
    constants = [operand for operand in rest if not isinstance(operand, Signal)]
    if not isinstance(first, Signal) or len(constants) < len(rest):
        raise ModelError(
            f"Node '{node.name}' ({node.op}) combines tensors that both depend on the input, which has no hardware yet"
        )
    output = node.outputs[0]
    match node.op:
        case "MatMul" | "XnorPopcountMatMul":
            return {output: product(node, first, _given(node, constants[0]), builder)}
        case "Conv":
            bias = constants[1] if len(constants) > 1 else None
            return {output: convolution(node, first, _given(node, constants[0]), bias, builder)}
        case "MaxPool" | "GlobalMaxPool":
            return {output: max_pool(node, first)}
        case "Pad":
            return {output: padding(node, first, constants)}
        case "ArgMax":
            keepdims, last = bool(node.attributes["keepdims"]), bool(node.attributes["select_last_index"])
            axis = int(node.attributes["axis"])
            return {output: arg_max(node, first, axis, keepdims=keepdims, last=last, builder=builder)}
        case "TopK":
            return _top(node, first, _given(node, constants[0]), builder)
    if node.op in _RANKING:
        return {output: _dropped(node, first)}
    if node.op in SHAPING:
        results = apply(node, [first.index, *constants])
        return {name: first.moved(result) for name, result in zip(node.outputs, results, strict=False)}
    raise ModelError(f"Node '{node.name}' ({node.op}) has no hardware yet; remove it, or end the model before it")


def _given(node: Node, constant: np.ndarray | None) -> np.ndarray:
    if constant is None:
        raise ModelError(f"Node '{node.name}' ({node.op}) lacks its second input")
    return constant


def _top(node: Node, signal: Signal, k: np.ndarray, builder: Builder) -> dict[str, Signal | np.ndarray]:
    """Take TopK with k = 1 as ArgMax; its values have no hardware."""
    if int(np.ravel(k)[0]) != 1 or not node.attributes["largest"]:
        raise ModelError(
            f"Node '{node.name}' (TopK) ranks more than the largest score; only k = 1 and largest = 1 have hardware"
        )
    axis = int(node.attributes["axis"])
    return {node.outputs[1]: arg_max(node, signal, axis, keepdims=True, last=False, builder=builder)}


def _dropped(node: Node, signal: Signal) -> Signal:
    """Leave out an operator that keeps the order of scores."""
    check_ranked(node, signal, int(node.attributes["axis"]) % signal.index.ndim)
    return Signal(signal.origin, signal.term, signal.shape, signal.index, signal.edits, (*signal.dropped, node.name))
