"""Products of an input beside a state: split where they follow one another."""

import numpy as np

from hwgen.passes.split_joined import split_joined

W = np.array([[1, -1, 1], [1, 1, -1], [-1, 1, 1], [1, 1, 1], [-1, -1, 1], [1, -1, -1]], np.float32)


def steps(count: int) -> str:
    """Give the text of so many steps of a cell."""
    state, body = "x", []
    for time in range(count):
        body.append(f"j{time} = Concat <axis = 1> (x, {state}) p{time} = MatMul (j{time}, w) s{time} = Sign (p{time})")
        state = f"s{time}"
    return " ".join([*body, f"y = Identity ({state})"])


def test_each_product_of_a_cell_is_one_of_the_input_and_one_of_the_state(graph_of, applied):
    graph = applied(split_joined, graph_of(steps(3), w=W))
    assert [node.op for node in graph.nodes] == ["MatMul", "MatMul", "Add", "Sign"] * 3 + ["Identity"]
    first, second = (graph.constants[node.inputs[1]] for node in graph.nodes[:2])
    assert np.array_equal(np.concatenate([first, second]), W)


def test_a_product_of_joined_tensors_that_is_no_step_of_a_cell_stays(graph_of):
    graph = graph_of(steps(2), w=W)
    assert split_joined(graph) is graph
    beside = " ".join(f"n{k} = Neg (x) j{k} = Concat <axis = 1> (x, n{k}) p{k} = MatMul (j{k}, w)" for k in range(3))
    graph = graph_of(f"{beside} y = Sum (p0, p1, p2)", w=W)
    assert split_joined(graph) is graph
