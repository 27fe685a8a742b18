import numpy as np

from hwgen.passes.remove_dead import remove_dead


def test_branches_that_no_output_needs_go_with_their_constants(graph_of, applied):
    body = "a = Neg (x) b = MatMul (a, w) c = Abs (b) y = Abs (a)"
    graph = applied(remove_dead, graph_of(body, w=np.eye(3, dtype=np.float32)))
    assert [node.op for node in graph.nodes] == ["Neg", "Abs"]
    assert not graph.constants
    assert set(graph.values) == {"x", "a", "y"}


def test_a_graph_without_dead_nodes_is_left_alone(graph_of):
    graph = graph_of("y = Neg (x)")
    assert remove_dead(graph) is graph
