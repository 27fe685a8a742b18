import numpy as np

from hwgen.passes.fold_constants import fold_constants

W = np.array([[0.5, -0.0], [-3, 0], [2, -1]], np.float32)


def test_a_latent_weight_becomes_its_sign_however_it_is_spelled(graph_of, applied):
    zero = "z = Constant <value_float = 0.0> () o = Constant <value_float = 1.0> () m = Neg (o)"
    where = f"{zero} c = GreaterOrEqual (w, z) b = Where (c, o, m) y = MatMul (x, b)"
    shape = (
        "s = Shape (w) k = ConstantOfShape <value = float[1] {1.0}> (s) m = Neg (k) z = Sub (k, k) c = "
        "GreaterOrEqual (w, z) b = Where (c, k, m) y = MatMul (x, b)"
    )
    cast = (
        f"{zero} c = GreaterOrEqual (w, z) i = Cast <to = 1> (c) t = Add (o, o) d = Mul "
        f"(i, t) b = Sub (d, o) y = MatMul (x, b)"
    )
    for body in (where, shape, cast):
        graph = applied(fold_constants, graph_of(body, w=W))
        assert [node.op for node in graph.nodes] == ["MatMul"]
        assert np.array_equal(graph.constants["b"], np.where(W >= 0, 1, -1))


def test_the_xnor_net_scale_is_folded(graph_of, applied):
    body = "s = Sign (w) a = Abs (w) m = ReduceMean <axes = [0]> (a) b = Mul (s, m) y = MatMul (x, b)"
    graph = applied(fold_constants, graph_of(body, opset=17, w=W))
    assert [node.op for node in graph.nodes] == ["MatMul"]


def test_nothing_constant_changes_nothing(graph_of):
    graph = graph_of("y = MatMul (x, w)", w=W)
    assert fold_constants(graph) is graph
