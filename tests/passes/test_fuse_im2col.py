"""Windows and their product become one convolution; what else reads the windows keeps them."""

from __future__ import annotations

import numpy as np

from hwgen.graph import Graph, Node, Value
from hwgen.operators.evaluate import run
from hwgen.passes.fuse_im2col import fuse_im2col

ATTRIBUTES = {"kernel_shape": (2, 3), "strides": (1, 2), "dilations": (1, 1), "pads": (1, 0, 0, 2), "pad_value": -1.0, "depthwise": 0}  # fmt: skip


def windows(*readers: Node) -> Graph:
    """Give a graph of a map (5, 6, 2) whose windows the readers read."""
    random = np.random.default_rng(3)
    constants = {"w": random.integers(-3, 4, (12, 4)).astype(np.float32)}
    nodes = (Node("Im2Col", "windows", ("x",), ("seen",), ATTRIBUTES), *readers)
    shapes = {"x": (None, 5, 6, 2), "seen": (None, 5, 3, 12), "y": (None, 5, 3, 4), "z": (None, 5, 3, 12)}
    values = {name: Value(name, shape, np.dtype(np.float32)) for name, shape in shapes.items()}
    outputs = tuple(reader.outputs[0] for reader in readers)
    return Graph("net", nodes, constants, values, ("x",), outputs)


def test_a_product_of_windows_is_a_convolution_between_transpositions():
    graph = windows(Node("MatMul", "product", ("seen", "w"), ("y",)), Node("Neg", "other", ("seen",), ("z",)))
    fused = fuse_im2col(graph)
    assert [node.op for node in fused.nodes] == ["Im2Col", "Transpose", "Pad", "Conv", "Transpose", "Neg"]
    x = np.random.default_rng(4).integers(-4, 5, (3, 5, 6, 2)).astype(np.float32)
    before, after = run(graph, {"x": x}), run(fused, {"x": x})
    assert np.array_equal(before["y"], after["y"])
    assert np.array_equal(before["z"], after["z"])
    assert fuse_im2col(fused) is fused


def test_other_readers_are_left_alone():
    graph = windows(Node("Neg", "other", ("seen",), ("z",)))
    assert fuse_im2col(graph) is graph
