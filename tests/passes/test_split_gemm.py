import numpy as np
import pytest

from hwgen.passes.split_gemm import split_gemm

B = np.array([1, -2], np.float32)


@pytest.mark.parametrize("transposed", [0, 1])
@pytest.mark.parametrize(
    ("flags", "inputs", "ops"),
    [
        ("", "x, w", ["MatMul"]),
        ("", "x, w, b", ["MatMul", "Add"]),
        ("alpha = 0.5", "x, w", ["MatMul", "Mul"]),
        ("alpha = 0.5, beta = 2.0", "x, w, b", ["MatMul", "Mul", "Add"]),
    ],
)
def test_gemm_becomes_product_scale_and_bias(transposed, flags, inputs, ops, graph_of, applied):
    w = np.array([[1, -1], [1, 1], [-1, 2]], np.float32)
    attributes = ", ".join(part for part in (f"transB = {transposed}", flags) if part)
    body = f"y = Gemm <{attributes}> ({inputs})"
    graph = applied(split_gemm, graph_of(body, w=np.ascontiguousarray(w.T) if transposed else w, b=B))
    assert [node.op for node in graph.nodes] == ops
    assert np.array_equal(graph.constants[graph.nodes[0].inputs[1]], w)
    if "beta" in flags:
        assert graph.constants[graph.nodes[-1].inputs[1]].tolist() == [2, -4]


def test_a_transposed_activation_and_a_bias_of_the_data_get_nodes(graph_of, applied):
    body = "t = Transpose <perm = [1, 0]> (x) y = Gemm <transA = 1, beta = 3.0> (t, w, x)"
    graph = applied(split_gemm, graph_of(body, w=np.eye(3, dtype=np.float32)))
    assert [node.op for node in graph.nodes] == ["Transpose", "Transpose", "MatMul", "Mul", "Add"]


def test_no_gemm_changes_nothing(graph_of):
    graph = graph_of("y = Neg (x)")
    assert split_gemm(graph) is graph
