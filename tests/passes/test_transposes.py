import numpy as np
import pytest

from hwgen import passes
from hwgen.passes.merge_transposes import merge_transposes
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


@pytest.mark.parametrize(
    ("first", "second", "left"), [((0, 2, 3, 1), (0, 3, 1, 2), []), ((0, 2, 3, 1), (0, 2, 1, 3), [(0, 3, 2, 1)])]
)
def test_neighbouring_transposes_merge(first, second, left, graph_of, applied):
    body = f"a = Transpose <perm = {list(first)}> (x) b = Transpose <perm = {list(second)}> (a) y = Neg (b)"
    graph = applied(passes.run, graph_of(body, "N,2,3,4"))
    assert [node.attributes["perm"] for node in graph.nodes if node.op == "Transpose"] == left


def test_a_transpose_with_another_reader_stays(graph_of, applied):
    body = (
        "a = Transpose <perm = [0, 2, 1]> (x) b = Transpose <perm = [0, 2, 1]> (a) c = Transpose <perm "
        "= [0, 2, 1]> (a) d = Add (b, c) y = MatMul (d, a)"
    )
    graph = applied(merge_transposes, graph_of(body, "N,2,3"))
    assert [node.op for node in graph.nodes] == ["Transpose", "Add", "MatMul"]
