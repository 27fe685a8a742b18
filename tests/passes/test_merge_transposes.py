import pytest

from hwgen import passes
from hwgen.passes.merge_transposes import merge_transposes


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
