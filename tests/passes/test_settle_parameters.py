import numpy as np
import pytest

from hwgen.passes.settle_parameters import settle_parameters


@pytest.mark.parametrize(
    ("node", "weights", "inputs"),
    [
        ("Pad (x, p, v, a)", {"p": [1, 0, 0, 2], "v": np.float32(-1), "a": [3, -2]}, [[0, 0, 0, 1, 0, 0, 2, 0], -1.0]),
        ("Pad (x, p)", {"p": [0, 0, 1, 1, 0, 0, 1, 1]}, [[0, 0, 1, 1, 0, 0, 1, 1], 0.0]),
        ("ReduceMax (x, a)", {"a": [-1, 1]}, [[1, 3]]),
        ("Slice (x, b, e)", {"b": [0, 1], "e": [9, 2]}, [[0, 1], [9, 2], [0, 1], [1, 1]]),
        ("Slice (x, b, e, a)", {"b": [1], "e": [-1], "a": [-1]}, [[1], [-1], [3], [1]]),
    ],
)
def test_parameters_are_written_out(node, weights, inputs, graph_of, applied):
    arrays = {name: np.asarray(value) for name, value in weights.items()}
    graph = applied(settle_parameters, graph_of(f"y = {node}", "N,2,3,4", **arrays))
    (settled,) = graph.nodes
    assert [graph.constants[name].tolist() for name in settled.inputs[1:]] == inputs


def test_an_even_split_gets_its_sizes(graph_of, applied):
    graph = applied(settle_parameters, graph_of("a, y = Split <axis = -1, num_outputs = 2> (x)", "N,5"))
    assert graph.constants[graph.nodes[0].inputs[1]].tolist() == [3, 2]


def test_settled_parameters_stay(graph_of):
    graph = graph_of("a = Constant <value_ints = [1]> () y = Neg (x)")
    assert settle_parameters(graph) is graph
