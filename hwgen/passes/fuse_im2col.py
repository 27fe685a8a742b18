"""Write the windows of a map and their product with constant weights, as FINN lowers convolutions, as a convolution."""

from __future__ import annotations

import math

import numpy as np

from hwgen.graph import Graph, Node
from hwgen.passes.rewrite import Writing, axis_constant, rebuilt

__all__ = ["fuse_im2col"]

_PRODUCTS = frozenset({"MatMul", "XnorPopcountMatMul"})


def fuse_im2col(graph: Graph) -> Graph:
    """Replace each product that reads an Im2Col; the Im2Col is dead behind that, if nothing else reads it."""
    windows = {node.outputs[0]: node for node in graph.nodes if node.op == "Im2Col"}
    if not windows:
        return graph
    constants: dict[str, np.ndarray] = {}
    nodes: list[Node] = []
    for node in graph.nodes:
        source = windows.get(node.inputs[0]) if node.op in _PRODUCTS else None
        weights = graph.constants.get(node.inputs[1]) if source else None
        if source is None or weights is None or weights.ndim != 2:
            nodes.append(node)
        else:
            nodes += _convolution(graph, source, node, weights, constants)
    return rebuilt(graph, nodes, constants) if constants else graph


def _convolution(
    graph: Graph, windows: Node, product: Node, weights: np.ndarray, constants: dict[str, np.ndarray]
) -> list[Node]:
    written = Writing(graph, product, constants)
    kernel, pads = windows.attributes["kernel_shape"], windows.attributes["pads"]
    channels = len(weights) // math.prod(kernel)
    bias: tuple[str, ...] = ()
    if product.op == "XnorPopcountMatMul":
        # What agrees, of 0 and 1, is a sum of the ones' weights and of those that want a zero.
        bias = (written.constant("bias", np.sum(1 - weights, axis=0)),)
        weights = 2 * weights - 1
    kernels = weights.reshape(*kernel, channels, -1).transpose(3, 2, 0, 1)
    groups = 1
    if windows.attributes["depthwise"] and (own := _own_channel(kernels)) is not None:
        kernels, groups = own, channels
    read = written.node("Transpose", "channels_first", windows.inputs[0], perm=(0, 3, 1, 2))
    if windows.attributes["pad_value"] and any(pads):
        border = written.constant("pads", axis_constant((0, 0, *pads[:2], 0, 0, *pads[2:])))
        value = written.constant("pad_value", np.asarray(windows.attributes["pad_value"], weights.dtype))
        read = written.node("Pad", "border", read, border, value, mode="constant")
        pads = (0, 0, 0, 0)
    attributes = {name: windows.attributes[name] for name in ("kernel_shape", "strides", "dilations")}
    rows = written.constant("kernels", np.ascontiguousarray(kernels))
    result = written.node("Conv", "windows", read, rows, *bias, **attributes, pads=tuple(pads), group=groups)
    written.node("Transpose", "channels_last", result, perm=(0, 2, 3, 1))
    return written.finished()


def _own_channel(kernels: np.ndarray) -> np.ndarray | None:
    """Give the kernels (rows, 1, ...) of a convolution whose rows see one channel each, in the order of channels; None for any other."""
    rows, channels = kernels.shape[:2]
    if rows % channels:
        return None
    own = np.arange(rows) // (rows // channels)
    rest = kernels.copy()
    rest[np.arange(rows), own] = 0
    return None if np.any(rest) else kernels[np.arange(rows), own][:, None]
