"""Write Gemm as MatMul, Mul (alpha) and Add (beta * bias)."""

from __future__ import annotations

import numpy as np

from hwgen.graph import Graph, Node
from hwgen.passes.rewrite import Writing, rebuilt

__all__ = ["split_gemm"]


def split_gemm(graph: Graph) -> Graph:
    """Transpose constant operands and scale a constant bias at once; others get nodes."""
    if not any(node.op == "Gemm" for node in graph.nodes):
        return graph
    constants: dict[str, np.ndarray] = {}
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.op == "Gemm":
            nodes += _split(graph, node, constants)
        else:
            nodes.append(node)
    return rebuilt(graph, nodes, constants)


def _split(graph: Graph, gemm: Node, constants: dict[str, np.ndarray]) -> list[Node]:
    written = Writing(graph, gemm, constants)
    kind = graph.values[gemm.outputs[0]].dtype

    def operand(name: str, transposed: int, part: str) -> str:
        if not transposed:
            return name
        if name in graph.constants:
            return written.constant(part, np.ascontiguousarray(graph.constants[name].T))
        return written.node("Transpose", part, name, perm=(1, 0))

    def scaled(name: str, factor: float, part: str) -> str:
        if factor == 1:
            return name
        if name in graph.constants:
            array = graph.constants[name]
            return written.constant(part, array * array.dtype.type(factor))
        return written.node("Mul", part, name, written.constant(f"{part}.factor", np.asarray(factor, kind)))

    a = operand(gemm.inputs[0], gemm.attributes["transA"], "a_transposed")
    b = operand(gemm.inputs[1], gemm.attributes["transB"], "b_transposed")
    result = written.node("MatMul", "product", a, b)
    if gemm.attributes["alpha"] != 1:
        factor = np.asarray(gemm.attributes["alpha"], kind)
        result = written.node("Mul", "scaled", result, written.constant("alpha", factor))
    if len(gemm.inputs) > 2 and gemm.inputs[2]:
        written.node("Add", "biased", result, scaled(gemm.inputs[2], gemm.attributes["beta"], "bias"))
    return written.finished()
