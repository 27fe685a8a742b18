"""Tools that the passes share."""

import numpy as np

from hwgen.graph import check
from hwgen.passes.rewrite import bypass, shape_of, unique, uses


def test_names_are_new_to_graph_and_caller(graph_of):
    graph = graph_of("a = Neg (x) y = Add (a, w)", w=np.ones(3, np.float32))
    assert unique(graph, "b") == "b"
    assert unique(graph, "w") == "w_2"
    assert unique(graph, "a", ["a_2", "a_3"]) == "a_4"
    assert uses(graph) == {"x": 1, "a": 1, "w": 1, "y": 1}
    assert (shape_of(graph, "w"), shape_of(graph, "a")) == ((3,), (None, 3))


def test_readers_read_what_a_chain_of_removed_nodes_read(graph_of):
    graph = graph_of("a = Neg (x) b = Identity (a) c = Identity (b) y = Add (c, b)")
    found = bypass(graph, {"b": "a", "c": "b"})
    check(found, after="bypass")
    assert [(node.op, node.inputs) for node in found.nodes] == [("Neg", ("x",)), ("Add", ("a", "a"))]
    assert set(found.values) == {"x", "a", "y"}


def test_the_tensor_before_takes_the_name_of_an_output(graph_of):
    found = bypass(graph_of("a = Neg (x) b = Abs (a) y = Identity (a)"), {"y": "a"})
    assert [(node.op, node.inputs, node.outputs) for node in found.nodes] == [
        ("Neg", ("x",), ("y",)),
        ("Abs", ("y",), ("b",)),
    ]
    assert found.values["y"].name == "y"
    assert "a" not in found.values


def test_an_output_that_cannot_take_its_name_stays(graph_of):
    """The input is no node's; an output has a name already; two outputs cannot both give theirs."""
    from_input = graph_of("y = Identity (x)")
    assert bypass(from_input, {"y": "x"}) is from_input
    from_output = graph_of("y = Neg (x) z = Identity (y)", outputs="float y, float z")
    assert bypass(from_output, {"z": "y"}) is from_output
    twins = graph_of("a = Neg (x) y = Identity (a) z = Identity (a)", outputs="float y, float z")
    found = bypass(twins, {"y": "a", "z": "a"})
    assert [(node.op, node.inputs, node.outputs) for node in found.nodes] == [
        ("Neg", ("x",), ("y",)),
        ("Identity", ("y",), ("z",)),
    ]
