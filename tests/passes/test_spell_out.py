"""What is written for an operator computes the same, on codes exactly."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.graph import Graph, Node, Value
from hwgen.operators.evaluate import run
from hwgen.passes.spell_out import spell_out

SCALE, POINT, OUT = np.float32(0.03), np.uint8(120), np.float32(0.7)
WINDOW = {"strides": (1, 1), "dilations": (1, 1), "pads": (1, 1, 0, 0), "group": 1}
POOL = {"kernel_shape": (2, 2), "strides": (2, 2), "dilations": (1, 1), "pads": (0, 0, 0, 0)}


def codes(*shape, kind=np.int8):
    return np.random.default_rng(2).integers(-60, 60, shape).astype(kind)


CASES = {
    "ConvInteger": ((3, 6, 6), [codes(4, 3, 2, 2), POINT], WINDOW, np.int32),
    "QLinearConv": ((3, 6, 6), [SCALE, POINT, codes(4, 3, 2, 2), SCALE, np.int8(2), OUT, POINT, codes(4, kind=np.int32)], WINDOW, np.uint8),
    "MatMulInteger": ((5, 6), [codes(6, 4), POINT, codes(4)], {}, np.int32),
    "QLinearMatMul": ((5, 6), [SCALE, POINT, codes(6, 4), np.full(4, SCALE), codes(4), OUT, POINT], {}, np.uint8),
    "QGemm": ((6,), [SCALE, POINT, codes(4, 6), SCALE, np.int8(0), codes(4, kind=np.int32), OUT, POINT], {"alpha": 0.5, "transA": 0, "transB": 1}, np.uint8),
    "QLinearAdd": ((3, 4, 4), [SCALE, POINT, codes(1, 3, 1, 1, kind=np.uint8), SCALE, POINT, OUT, POINT], {}, np.uint8),
    "QLinearAveragePool": ((4, 4, 3), [SCALE, POINT, SCALE, POINT], {**POOL, "channels_last": 1}, np.uint8),
    "QLinearGlobalAveragePool": ((3, 4, 4), [SCALE, POINT, SCALE, POINT], {}, np.uint8),
}  # fmt: skip


def graph_of(op, data, constants, attributes, kind):
    names = [f"c{number}" for number in range(len(constants))]
    node = Node(op, "node", ("x", *names), ("y",), attributes)
    values = {"x": Value("x", (None, *data), np.dtype(np.uint8)), "y": Value("y", (None,), np.dtype(kind))}
    return Graph("net", (node,), dict(zip(names, map(np.asarray, constants), strict=True)), values, ("x",), ("y",))


@pytest.mark.parametrize("op", CASES)
def test_an_operator_and_its_spelling_give_the_same(op):
    data, constants, attributes, kind = CASES[op]
    graph = graph_of(op, data, constants, attributes, kind)
    graph = spell_out(Graph(**{**vars(graph), "values": {**graph.values, "y": _recorded(graph)}}))
    assert op not in [node.op for node in graph.nodes]
    x = np.random.default_rng(3).integers(0, 256, (4, *data), dtype=np.uint8)
    before = run(graph_of(op, data, constants, attributes, kind), {"x": x})["y"]
    after = run(graph, {"x": x})["y"]
    assert (before.dtype, before.shape) == (after.dtype, after.shape) == (np.dtype(kind), before.shape)
    assert np.array_equal(before, after)
    assert len(np.unique(before)) > 4
    assert spell_out(graph) is graph


def _recorded(graph):
    """Give the record that shape inference has."""
    x = np.zeros((2, *(size for size in graph.values["x"].shape if size)), np.uint8)
    result = run(graph, {"x": x})["y"]
    return Value("y", (None, *result.shape[1:]), result.dtype)


@pytest.mark.parametrize("op", ["MatMulInteger", "QLinearMatMul"])
def test_weights_of_the_data_are_left_alone(op):
    data, constants, attributes, kind = CASES[op]
    graph = graph_of(op, data, constants, attributes, kind)
    place = 1 if op == "MatMulInteger" else 3
    inputs = tuple("x" if number == place else name for number, name in enumerate(graph.nodes[0].inputs))
    other = Graph(**{**vars(graph), "nodes": (Node(op, "node", inputs, ("y",), attributes),)})
    assert spell_out(other) is other
