import numpy as np
import pytest

from hwgen.passes.remove_identity import remove_identity


@pytest.mark.parametrize(
    "node",
    [
        "Identity (a)",
        "Dropout (a)",
        "Cast <to = 1> (a)",
        "CastLike (a, x)",
        "Sum (a)",
        "Concat <axis = 1> (a)",
        "Pad (a, p)",
        "Expand (a, e)",
    ],
)
@pytest.mark.parametrize("place", ["middle", "end", "end_and_inner", "twice"])
def test_a_node_that_hands_on_its_input_goes(node, place, graph_of, applied):
    bodies = {
        "middle": f"a = Neg (x) b = {node} y = Abs (b)",
        "end": f"a = Neg (x) y = {node}",
        "end_and_inner": f"a = Neg (x) y = {node} z = Abs (a)",
        "twice": f"a = Neg (x) b = {node} y = Identity (b)",
    }
    outputs = "float y, float z" if place == "end_and_inner" else "float y"
    graph = graph_of(bodies[place], outputs=outputs, p=np.zeros(4, np.int64), e=np.array([1, 3]))
    graph = applied(remove_identity, graph)
    assert [node.op for node in graph.nodes] == (["Neg"] if place in ("end", "twice") else ["Neg", "Abs"])


def test_what_is_an_input_and_an_output_at_once_keeps_its_identity(graph_of):
    graph = graph_of("y = Identity (x)")
    assert remove_identity(graph) is graph


def test_one_value_may_be_two_outputs(graph_of, applied):
    graph = applied(
        remove_identity, graph_of("a = Neg (x) y = Identity (a) z = Identity (a)", outputs="float y, float z")
    )
    assert [node.op for node in graph.nodes] == ["Neg", "Identity"]


def test_a_cast_that_rounds_stays(graph_of):
    graph = graph_of("a = Cast <to = 10> (x) y = Cast <to = 1> (a)")
    assert remove_identity(graph) is graph


def test_a_pad_that_pads_and_an_expansion_that_expands_stay(graph_of):
    body = "a = Neg (x) b = Pad (a, p) c = Neg (b) d = Unsqueeze (c, u) f = Expand (d, e) y = Neg (f)"
    graph = graph_of(body, p=np.array([0, 0, 0, 1]), u=np.array([1]), e=np.array([1, 2, 4]))
    assert remove_identity(graph) is graph
