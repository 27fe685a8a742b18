"""All passes together, on the habits of real exporters."""

import numpy as np
import pytest

from hwgen import passes
from hwgen.errors import ModelError
from hwgen.graph import Graph, Node, Value

W = np.random.default_rng(6).normal(size=(4, 6)).astype(np.float32)
BN = {name: np.random.default_rng(7).uniform(0.5, 2, 4).astype(np.float32) for name in ("g", "h", "m", "v")}
WHERE = (
    "s{0} = Shape ({1}) o{0} = ConstantOfShape <value = float[1] {{1.0}}> (s{0}) n{0} = Neg (o{0}) "
    "c{0} = GreaterOrEqual ({1}, z) q{0} = Where (c{0}, o{0}, n{0}) "
)


def test_one_layer_in_three_dialects_is_the_same_layer(graph_of, applied):
    where = (
        "z = Constant <value_float = 0.0> () "
        + WHERE.format(1, "x")
        + WHERE.format(2, "w")
        + "t = Transpose <perm = [1, 0]> (q2) a = MatMul (q1, t) "
    )
    plain = "q1 = Sign (x) i = Identity (w) s = Sign (i) a = Gemm <transB = 1> (q1, s) "
    left = (
        "q1 = Sign (x) s = Sign (w) xt = Transpose <perm = [1, 0]> (q1) at = MatMul (s, "
        "xt) a = Transpose <perm = [1, 0]> (at) "
    )
    norm = "y = BatchNormalization (a, g, h, m, v)"
    kept = []
    for body in (where, plain, left):
        graph = applied(passes.run, graph_of(body + norm, "N,6", w=W, **BN))
        matmul, bn = graph.nodes[-2:]
        assert (matmul.op, bn.op) == ("MatMul", "BatchNormalization")
        kept.append(graph.constants[matmul.inputs[1]])
    for weights in kept:
        assert np.array_equal(weights, np.sign(W.T))


def test_the_pads_that_the_legacy_exporter_computes(graph_of, applied):
    body = (
        "k = Constant <value = int64[4] {1, 1, 1, 1}> () l = Constant <value = int64[1] {4}> () "
        "z = ConstantOfShape <value = int64[1] {0}> (l) "
        "c = Concat <axis = 0> (k, z) r = Constant <value_ints = [-1, 2]> () e = Reshape "
        "(c, r) b = Constant <value_ints = [-1]> () "
        "f = Constant <value_ints = [-9223372036854775807]> () a = Constant <value_ints "
        "= [0]> () s = Slice (e, b, f, a, b) "
        "t = Transpose <perm = [1, 0]> (s) u = Constant <value_ints = [-1]> () w2 = "
        "Reshape (t, u) p = Cast <to = 7> (w2) "
        "v = Constant <value_float = -1.0> () y = Pad (x, p, v)"
    )
    graph = applied(passes.run, graph_of(body, "N,2,3,3"))
    (pad,) = graph.nodes
    assert graph.constants[pad.inputs[1]].tolist() == [0, 0, 1, 1, 0, 0, 1, 1]


def test_a_division_by_a_constant_zero_names_node_and_constant(graph_of):
    graph = graph_of(
        "z = Constant <value_float = 0.0> () o = Constant <value_float = 1.0> () d = Div (o, z) y = Mul (x, d)"
    )
    with pytest.raises(ModelError, match=r"\(Mul\) has infinity in its constant 'd'"):
        passes.run(graph)


def test_the_law_names_the_pass_that_broke_it(monkeypatch):
    value = {name: Value(name, (None, 3), np.dtype(np.float32)) for name in "xy"}
    graph = Graph("g", (Node("Neg", "n", ("x",), ("y",)),), {}, value, ("x",), ("y",))

    def lose_the_input(graph):
        return Graph("g", (Node("Neg", "n", ("gone",), ("y",)),), {}, value, ("x",), ("y",))

    monkeypatch.setattr(passes, "PASSES", (lose_the_input,))
    with pytest.raises(ModelError, match=r"After lose_the_input: node 'n' \(Neg\) reads 'gone'"):
        passes.run(graph)


def test_a_second_run_finds_nothing(graph_of):
    graph = passes.run(graph_of("a = Flatten (x) y = Gemm <transB = 1> (a, w)", "N,2,3", w=W))
    assert passes.run(graph) is graph


def test_constants_cast_like_an_activation_fold(graph_of, applied):
    body = "z = Constant <value_int = 1> () c = CastLike (z, x) d = Neg (c) y = Mul (x, d)"
    graph = applied(passes.run, graph_of(body))
    assert [node.op for node in graph.nodes] == ["Mul"]
    assert graph.constants["d"].dtype == np.float32
