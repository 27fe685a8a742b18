import numpy as np
import pytest

from hwgen.errors import ModelError
from hwgen.graph import Graph, Node, Value
from hwgen.passes.fold_shapes import fold_shapes


def test_a_reshape_to_a_computed_shape_keeps_the_batch_open(graph_of, applied):
    body = (
        "s = Shape (x) i = Constant <value_int = 0> () g = Gather (s, i) a = Constant "
        "<value_ints = [0]> () u = Unsqueeze (g, a) "
        "m = Constant <value_ints = [-1]> () c = Concat <axis = 0> (u, m) r = Reshape (x, c) y = Neg (r)"
    )
    graph = applied(fold_shapes, graph_of(body, "N,2,3,4"))
    assert [node.op for node in graph.nodes] == ["Reshape", "Neg"]
    assert graph.constants[graph.nodes[0].inputs[1]].tolist() == [-1, 24]


def test_masks_of_the_activations_shape_become_broadcast_constants(graph_of, applied):
    body = (
        "s = Shape (x) o = ConstantOfShape <value = float[1] {1.0}> (s) m = Neg (o) "
        "z = Constant <value_float = 0.0> () "
        "c = GreaterOrEqual (x, z) y = Where (c, o, m)"
    )
    graph = applied(fold_shapes, graph_of(body))
    assert [node.op for node in graph.nodes] == ["GreaterOrEqual", "Where"]
    assert [graph.constants[name].shape for name in graph.nodes[1].inputs[1:]] == [(1, 3), (1, 3)]


def test_expansions_of_constants_to_the_activations_shape_fold(graph_of, applied):
    body = "s = Shape (x) o = Constant <value_float = 1.0> () e = Expand (o, s) f = Expand (x, s) y = Add (f, e)"
    graph = applied(fold_shapes, graph_of(body))
    assert [node.op for node in graph.nodes] == ["Expand", "Add"]
    assert graph.constants[graph.nodes[0].inputs[1]].tolist() == [1, 3]


def test_a_part_of_the_shape_without_batch_is_a_plain_constant(graph_of, applied):
    graph = applied(fold_shapes, graph_of("s = Shape <start = 1> (x) f = Cast <to = 1> (s) y = Div (x, f)"))
    assert graph.constants[graph.nodes[0].inputs[1]].tolist() == [3.0]


def test_arithmetic_with_the_batch_size_is_refused():
    value = Value("x", (None, 3), np.dtype(np.float32))
    nodes = (
        Node("Size", "size", ("x",), ("n",)),
        Node("Cast", "cast", ("n",), ("f",), {"to": np.dtype(np.float32)}),
        Node("Mul", "scale", ("x", "f"), ("y",)),
    )
    graph = Graph("g", nodes, {}, {"x": value}, ("x",), ("y",))
    with pytest.raises(ModelError, match=r"Node 'scale' \(Mul\) takes 'f', which changes with the size of the batch"):
        fold_shapes(graph)


def test_no_shape_changes_nothing(graph_of):
    graph = graph_of("y = Neg (x)")
    assert fold_shapes(graph) is graph
