"""Write Gemm as MatMul, Mul (alpha) and Add (beta * bias)."""

from __future__ import annotations

import numpy as np

from hwgen.graph import Graph, Node
from hwgen.passes.rewrite import rebuilt, unique

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
    nodes: list[Node] = []
    fresh: set[str] = set()

    def name_for(suffix: str) -> str:
        name = unique(graph, f"{gemm.name}.{suffix}", {*constants, *fresh})
        fresh.add(name)
        return name

    def node(op: str, suffix: str, inputs: tuple[str, ...], **attributes: object) -> str:
        nodes.append(Node(op, f"{gemm.name}.{suffix}", inputs, (name_for(suffix),), attributes))
        return nodes[-1].outputs[0]

    def constant(suffix: str, array: np.ndarray) -> str:
        name = name_for(suffix)
        constants[name] = array
        return name

    def operand(name: str, transposed: int, suffix: str) -> str:
        if not transposed:
            return name
        if name in graph.constants:
            return constant(suffix, np.ascontiguousarray(graph.constants[name].T))
        return node("Transpose", suffix, (name,), perm=(1, 0))

    def scaled(name: str, factor: float, suffix: str) -> str:
        if factor == 1:
            return name
        if name in graph.constants:
            array = graph.constants[name]
            return constant(suffix, array * array.dtype.type(factor))
        return node(
            "Mul", suffix, (name, constant(f"{suffix}.factor", np.asarray(factor, graph.values[gemm.outputs[0]].dtype)))
        )

    a = operand(gemm.inputs[0], gemm.attributes["transA"], "a_transposed")
    b = operand(gemm.inputs[1], gemm.attributes["transB"], "b_transposed")
    result = node("MatMul", "product", (a, b))
    if gemm.attributes["alpha"] != 1:
        factor = np.asarray(gemm.attributes["alpha"], graph.values[gemm.outputs[0]].dtype)
        result = node("Mul", "scaled", (result, constant("alpha", factor)))
    if len(gemm.inputs) > 2 and gemm.inputs[2]:
        result = node("Add", "biased", (result, scaled(gemm.inputs[2], gemm.attributes["beta"], "bias")))
    last = nodes[-1]
    nodes[-1] = Node(last.op, gemm.name, last.inputs, gemm.outputs, last.attributes)
    return nodes
