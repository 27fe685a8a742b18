"""Shapes and dtypes, followed without the work of calculating."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.errors import ModelError
from hwgen.graph import Graph, Node, Value
from hwgen.operators.evaluate import run
from hwgen.operators.shapes import constant_values, infer, with_values

FLOAT = np.dtype(np.float32)


def graph_of(*nodes: Node, shape: tuple[int | None, ...] = (None, 4, 5, 6), **constants: np.ndarray) -> Graph:
    return Graph("net", nodes, constants, {"x": Value("x", shape, FLOAT)}, ("x",), (nodes[-1].outputs[0],))


def node(op: str, *inputs: str, out: str = "y", **attributes: object) -> Node:
    return Node(op, f"the_{op.lower()}", inputs, (out,), attributes)


KERNEL = np.ones((6, 2, 3, 2), np.float32)
CASES = {
    "conv": graph_of(node("Conv", "x", "w", group=2, strides=(2, 1), pads=(1, 0, 0, 2), dilations=(1, 3)), w=KERNEL),
    "pool": graph_of(node("MaxPool", "x", kernel_shape=(2, 3), strides=(2, 2), ceil_mode=1)),
    "same": graph_of(node("AveragePool", "x", kernel_shape=(2, 3), strides=(2, 2), auto_pad="SAME_UPPER")),
    "matrix": graph_of(node("MatMul", "x", "w"), w=np.ones((6, 3), np.float32)),
    "vector": graph_of(node("MatMul", "x", "w"), w=np.ones(6, np.float32)),
    "batched": graph_of(node("MatMul", "x", "w"), w=np.ones((4, 6, 3), np.float32)),
    "wider": graph_of(node("Add", "x", "w"), w=np.ones((2, 1, 1, 5, 1), np.float32), shape=(1, 4, 5, 6)),
    "norm": graph_of(node("BatchNormalization", "x", *"wwww", epsilon=1e-5), w=np.ones(4, np.float32)),
    "compare": graph_of(node("Greater", "x", "w"), w=np.zeros((), np.float32)),
    "moved": graph_of(node("Transpose", "x", perm=(0, 2, 3, 1))),
}


@pytest.mark.parametrize("graph", CASES.values(), ids=CASES)
def test_shapes_and_dtypes_are_those_of_the_values(graph: Graph) -> None:
    batch = graph.values["x"].shape[0] or 3
    facts = infer(graph, batch, constant_values(graph))
    value = run(graph, {"x": np.zeros((batch, *graph.values["x"].shape[1:]), np.float32)})["y"]
    assert (facts.shapes["y"], facts.dtypes["y"]) == (value.shape, value.dtype)
    assert "y" not in facts.statics


def test_values_of_shapes_alone_are_known() -> None:
    graph = graph_of(
        node("Shape", "x", out="s"), node("Add", "s", "one", out="t"), node("Neg", "x"), one=np.array([1, 2, 3, 4])
    )
    facts = infer(graph, 7, constant_values(graph))
    assert facts.statics["t"].tolist() == [8, 6, 8, 10]
    assert with_values(graph).values["y"].shape == (None, 4, 5, 6)
    assert with_values(graph).values["t"].shape == (4,)


def test_constants_are_evaluated_once_all_their_inputs_are() -> None:
    graph = graph_of(node("Neg", "w", out="v"), node("Add", "v", "x"), w=np.float32([1, 2]), shape=(None, 2))
    assert {name: array.tolist() for name, array in constant_values(graph).items()} == {"w": [1, 2], "v": [-1, -2]}


@pytest.mark.parametrize(
    ("graph", "sentence"),
    [
        (
            graph_of(node("Conv", "x", "w"), w=KERNEL),
            r"\(Conv\) does not accept inputs of shapes \(2, 4, 5, 6\), \(6, 2",
        ),
        (
            graph_of(node("MaxPool", "x", kernel_shape=(2,))),
            r"\(MaxPool\) has kernel_shape \(2,\), but a window over 2 axes",
        ),
        (
            graph_of(node("MaxPool", "x", kernel_shape=(6, 2), pads=(0, 1, 0, 1))),
            r"has a window \(6, 2\) larger than its map \(5, 6\) with pads \(0, 1, 0, 1\)",
        ),
        (graph_of(node("MatMul", "x", "w"), w=np.ones((5, 6))), r"\(MatMul\) does not accept inputs of shapes"),
        (graph_of(node("MatMul", "x", "w"), w=np.ones((3, 6, 2))), r"\(MatMul\) does not accept .*\(3, 6, 2\)"),
        (graph_of(node("Mul", "x", "w"), w=np.ones(5)), r"\(Mul\) does not accept inputs of shapes .*\(5,\)"),
        (
            graph_of(node("Cast", "x", to=np.dtype(np.int64), out="s"), node("Reshape", "x", "s")),
            r"\(Reshape\) takes 's' from the data, but hardware needs it fixed",
        ),
        (
            graph_of(node("ReduceSum", "x", "a", keepdims=0), a=np.array([0])),
            "mixes the frames of a batch in its output 'y'",
        ),
    ],
)
def test_shapes_without_meaning_are_refused(graph: Graph, sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        with_values(graph)
