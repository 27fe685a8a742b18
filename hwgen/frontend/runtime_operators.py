"""What ONNX Runtime's optimiser writes for a transformer, in ONNX's operators: norms with the sum in front of them, GELU with its bias."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hwgen.errors import ModelError
from hwgen.graph import Node

__all__ = ["RUNTIME_OPERATORS", "in_onnx"]

Fresh = Callable[[str], str]

RUNTIME_OPERATORS: dict[str, tuple[int, int]] = {
    "BiasGelu": (2, 2),
    "FastGelu": (1, 2),
    "Gelu": (1, 1),
    "SimplifiedLayerNormalization": (2, 2),
    "SkipLayerNormalization": (3, 5),
    "SkipSimplifiedLayerNormalization": (3, 4),
}
"""How many inputs each has."""


def in_onnx(node: Node, fresh: Fresh) -> tuple[Node, ...]:
    """Give the nodes that compute what a node of these operators does; any other node is what it is.

    Raises
    ------
    ModelError
        If statistics of a norm are outputs.
    """
    match node.op:
        case "BiasGelu" | "FastGelu":
            kind = {"approximate": "tanh" if node.op == "FastGelu" else "none"}
            total = fresh(f"{node.name}.biased") if node.inputs[1:] else node.inputs[0]
            curve = Node("Gelu", node.name, (total,), node.outputs, kind)
            return (Node("Add", f"{node.name}.biased", node.inputs, (total,)), curve) if node.inputs[1:] else (curve,)
        case "SimplifiedLayerNormalization":
            return (replace(node, op="RMSNormalization", outputs=_only(node, (0,))),)
        case "SkipLayerNormalization":
            return _behind_sum(node, "LayerNormalization", 2, fresh)
        case "SkipSimplifiedLayerNormalization":
            return _behind_sum(node, "RMSNormalization", 1, fresh)
    return (node,)


def _behind_sum(node: Node, op: str, parameters: int, fresh: Fresh) -> tuple[Node, ...]:
    """Normalise the sum of input, skip and bias, which may be an output, too."""
    first, skip, *rest = node.inputs
    bias = [name for name in rest[parameters:] if name]
    outputs = _only(node, (0, 3))
    total = outputs[3] if outputs[3:] and outputs[3] else fresh(f"{node.name}.sum")
    nodes, read = [], first
    for number, name in enumerate([skip, *bias]):
        result = total if number == len(bias) else fresh(f"{node.name}.skip")
        nodes.append(Node("Add", f"{node.name}.sum", (read, name), (result,)))
        read = result
    given = tuple(rest[:parameters])
    while given and not given[-1]:
        given = given[:-1]
    attributes = {"axis": -1, "epsilon": node.attributes["epsilon"], "stash_type": 1}
    return (*nodes, Node(op, node.name, (read, *given), outputs[:1], attributes))


def _only(node: Node, known: tuple[int, ...]) -> tuple[str, ...]:
    for place, name in enumerate(node.outputs):
        if name and place not in known:
            raise ModelError(
                f"Node '{node.name}' ({node.op}) gives its statistics as output '{name}', which only training reads; export the model for inference"
            )
    return node.outputs if len(known) > 1 else node.outputs[:1]
