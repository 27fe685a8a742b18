"""What can be said of a node only once shapes are known: explicit pads, kernel shapes, axes counted from the front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hwgen.graph import Graph, Node
from hwgen.operators.windows import explicit_pads, output_size

__all__ = ["complete"]

_SLIDING = {"AveragePool": 0, "Conv": 1, "ConvInteger": 1, "MaxPool": 0, "QLinearAveragePool": 0, "QLinearConv": 3}
"""Windows, and which of their inputs are the weights (0: none are)."""


def complete(graph: Graph) -> Graph:
    """Fill in the attributes of a graph with known shapes."""
    shapes = {name: array.shape for name, array in graph.constants.items()}
    shapes.update({name: value.shape for name, value in graph.values.items()})
    return replace(graph, nodes=tuple(_completed(node, shapes) for node in graph.nodes))


def _completed(node: Node, shapes: dict[str, tuple[int | None, ...]]) -> Node:
    attributes = dict(node.attributes)
    shape = shapes[node.inputs[0]] if node.inputs and node.inputs[0] else ()
    rank = len(shape)
    if node.op in _SLIDING:
        weights = _SLIDING[node.op]
        kernel = shapes[node.inputs[weights]][2:] if weights else attributes["kernel_shape"]
        sizes = shape[1:-1] if attributes.get("channels_last", 0) else shape[2:]
        attributes = _window(attributes, _fixed(sizes), _fixed(kernel))
    elif node.op == "Transpose":
        attributes["perm"] = tuple(attributes.get("perm") or reversed(range(rank)))
    elif node.op == "MultiThreshold" and rank == 3 and not attributes["data_layout"]:
        attributes["channel_axis"] = 2
    for name in ("axis", "channel_axis"):
        if attributes.get(name, 0) < 0:
            attributes[name] += rank
    return replace(node, attributes=attributes)


def _fixed(sizes: Sequence[int | None]) -> list[int]:
    """Give sizes none of which is the batch: those of spatial axes."""
    return [size for size in sizes if size is not None]


def _window(attributes: dict[str, Any], sizes: Sequence[int], kernel: Sequence[int]) -> dict[str, Any]:
    """Make pads explicit; a window that hangs over the end under ``ceil_mode`` becomes one over more padding.

    An average that counts padding does not count what lies beyond it, so there ``ceil_mode`` stays.
    """
    rank = len(kernel)
    strides = tuple(attributes.get("strides") or (1,) * rank)
    dilations = tuple(attributes.get("dilations") or (1,) * rank)
    pads = list(explicit_pads(attributes, sizes, kernel))
    attributes.pop("auto_pad", None)
    if attributes.get("ceil_mode", 0) and not attributes.get("count_include_pad", 0):
        for axis in range(rank):
            count = output_size(
                sizes[axis], kernel[axis], strides[axis], dilations[axis], (pads[axis], pads[rank + axis]), True
            )
            reach = (count - 1) * strides[axis] + (kernel[axis] - 1) * dilations[axis] + 1
            pads[rank + axis] = max(pads[rank + axis], reach - sizes[axis] - pads[axis])
        attributes["ceil_mode"] = 0
    return attributes | {"kernel_shape": tuple(kernel), "strides": strides, "dilations": dilations, "pads": tuple(pads)}
