"""QONNX's operators on maps of channels last, and its average pool of integers, in ONNX's operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from hwgen.frontend.domains import is_channels_last
from hwgen.frontend.normalise import AddConstant
from hwgen.graph import Node

__all__ = ["spelled_out"]

Fresh = Callable[[str], str]


def spelled_out(
    node: Node,
    domain: str,
    op: str,
    known: Mapping[str, tuple[int, ...]],
    add: AddConstant,
    fresh: Fresh,
) -> tuple[Node, ...]:
    """Give the nodes that compute what a node of the file does; most nodes are what they are.

    Parameters
    ----------
    node : Node
        In its canonical form.
    domain, op : str
        As the file has them.
    known : mapping of str to tuple of int
        Shapes of constants.
    add, fresh : callable
        To store a constant, and to give a name that nothing has.
    """
    if node.op == "QuantAvgPool2d":
        return _integer_average(node, add, fresh)
    if not is_channels_last(domain, op):
        return (node,)
    if node.op == "BatchNormalization":
        return (replace(node, attributes={**node.attributes, "channel_axis": -1}),)
    return _between_transposes((node,), len(node.attributes["kernel_shape"]), known, fresh)


def _integer_average(node: Node, add: AddConstant, fresh: Fresh) -> tuple[Node, ...]:
    """Sum windows and drop the low bits of the sums: as many as a sum of the widest inputs has beyond those of the output."""
    kernel, stride = int(node.attributes["kernel"]), int(node.attributes["stride"])
    widest = (2 ** int(node.attributes["ibits"]) - 1) * kernel**2
    shift = max(widest.bit_length() - int(node.attributes["obits"]), 0)
    pool: dict[str, object] = {"kernel_shape": (kernel, kernel), "strides": (stride, stride)}
    area, step = (
        add(name, np.asarray(value, np.float32)) for name, value in (("area", kernel**2), ("step", 2.0**-shift))
    )
    steps: list[tuple[str, tuple[str, ...], dict[str, object]]] = [
        ("AveragePool", (), pool),
        ("Mul", (area,), {}),
        ("Round", (), {}),
        ("Mul", (step,), {}),
        ("Floor", (), {}),
    ]
    nodes, read = [], node.inputs[0]
    for number, (op, constants, attributes) in enumerate(steps, start=1):
        result = node.outputs[0] if number == len(steps) else fresh(f"{node.name}.{number}")
        nodes.append(Node(op, f"{node.name}.{number}", (read, *constants), (result,), attributes))
        read = result
    nodes[-1] = replace(nodes[-1], name=node.name)
    last = node.attributes["data_layout"] == "NHWC"
    return _between_transposes(nodes, 2, {}, fresh) if last else tuple(nodes)


def _between_transposes(
    nodes: Sequence[Node], rank: int, known: Mapping[str, tuple[int, ...]], fresh: Fresh
) -> tuple[Node, ...]:
    """Let nodes for maps of channels first see maps of ``rank`` dimensions with channels last."""
    first, last = nodes[0], nodes[-1]
    to_front, to_back = (0, rank + 1, *range(1, rank + 1)), (0, *range(2, rank + 2), 1)

    def transposed(name: str, suffix: str, result: str, perm: tuple[int, ...]) -> Node:
        return Node("Transpose", f"{last.name}.{suffix}", (name,), (result,), {"perm": perm})

    front, back = fresh(f"{last.name}.channels_first"), fresh(f"{last.name}.result")
    before = [transposed(first.inputs[0], "channels_first", front, to_front)]
    inputs = [front, *first.inputs[1:]]
    if first.op == "Conv" and _weights_are_channels_last(first, known):
        inputs[1] = fresh(f"{last.name}.weights")
        before.append(transposed(first.inputs[1], "weights", inputs[1], to_front))
    inside = [replace(first, inputs=tuple(inputs)), *nodes[1:]]
    inside[-1] = replace(inside[-1], outputs=(back,))
    return (*before, *inside, transposed(back, "channels_last", last.outputs[0], to_back))


def _weights_are_channels_last(node: Node, known: Mapping[str, tuple[int, ...]]) -> bool:
    """Tell whether a kernel's axes are as QONNX has them: rows, window, channels. Only where that cannot be are they as in ONNX."""
    shape, kernel = known.get(node.inputs[1]), tuple(node.attributes["kernel_shape"])
    return shape is None or shape[1:-1] == kernel or shape[2:] != kernel
