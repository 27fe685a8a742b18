import numpy as np

from hwgen import passes
from hwgen.passes.move_constant_right import move_constant_right

W = np.array([[1, -1, 1], [1, 1, -1]], np.float32)


def test_a_constant_on_the_left_goes_to_the_right(graph_of, applied):
    graph = graph_of("t = Transpose <perm = [1, 0]> (x) m = MatMul (w, t) y = Transpose <perm = [1, 0]> (m)", w=W)
    graph = applied(move_constant_right, graph)
    assert [node.op for node in graph.nodes] == ["Transpose", "Transpose", "MatMul", "Transpose", "Transpose"]
    graph = applied(passes.run, graph)
    assert [node.op for node in graph.nodes] == ["MatMul"]
    assert np.array_equal(graph.constants[graph.nodes[0].inputs[1]], W.T)


def test_a_constant_on_the_left_of_a_sequence(graph_of, applied):
    graph = applied(move_constant_right, graph_of("y = MatMul (w, x)", "N,3,5", w=W))
    assert [node.op for node in graph.nodes] == ["Transpose", "MatMul", "Transpose"]


def test_a_product_of_two_constants_or_of_a_vector_stays(graph_of):
    for body, shape in (("a = MatMul (w, v) y = Gemm <transB = 1> (x, a)", "N,3"), ("y = MatMul (x, w)", "N,2")):
        graph = graph_of(body, shape, w=W, v=np.ones((3, 3), np.float32))
        assert move_constant_right(graph) is graph
