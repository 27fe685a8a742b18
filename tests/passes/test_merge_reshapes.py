import numpy as np

from hwgen import passes

W = np.ones((3, 5), np.float32)
S = np.array([1, -2, 3], np.float32)


def ops(graph):
    return [node.op for node in graph.nodes]


def test_a_chain_is_one_reshape(graph_of, applied):
    graph = applied(
        passes.run,
        graph_of("a = Flatten (x) u = Unsqueeze (a, s) b = Squeeze (u, s) y = Neg (b)", "N,2,3", s=np.array([1])),
    )
    assert ops(graph) == ["Reshape", "Neg"]


def test_a_reshape_to_the_same_shape_goes(graph_of, applied):
    graph = applied(passes.run, graph_of("a = Flatten (x) y = Neg (a)"))
    assert ops(graph) == ["Neg"]


def test_batch_norm_between_unsqueeze_and_squeeze(graph_of, applied):
    body = "a = Unsqueeze (x, s) b = BatchNormalization (a, g, g, g, v) c = Relu (b) d = Squeeze (c, s) y = Sign (d)"
    graph = applied(passes.run, graph_of(body, s=np.array([2]), g=S, v=np.abs(S)))
    assert ops(graph) == ["BatchNormalization", "Relu", "Sign"]
    assert graph.values[graph.nodes[0].outputs[0]].shape == (None, 3)


def test_batch_norm_stays_between_reshapes_that_move_channels(graph_of, applied):
    body = "a = Reshape (x, s) b = BatchNormalization (a, g, g, g, v) y = Reshape (b, t)"
    graph = graph_of(body, "N,2,3", s=np.array([-1, 3, 2]), t=np.array([-1, 2, 3]), g=S, v=np.abs(S))
    assert ops(applied(passes.run, graph)) == ["Reshape", "BatchNormalization", "Reshape"]


def test_the_tensordot_of_keras_is_a_product_over_the_last_axis(graph_of, applied):
    body = (
        "s = Shape (x) f = Cast <to = 6> (s) i = Constant <value_ints = [0, 1]> () h = Gather "
        "(f, i) p = ReduceProd <keepdims = 1> (h) "
        "l = Cast <to = 6> (k) c = Concat <axis = 0> (p, l) j = Cast <to = 7> (c) a = Reshape (x, j) m = MatMul (a, w) "
        "q = Cast <to = 6> (r) d = Concat <axis = 0> (h, q) e = Cast <to = 7> (d) n = Reshape (m, e) y = Add (n, b)"
    )
    graph = graph_of(body, "N,4,3", k=np.array([3]), r=np.array([5]), w=W, b=np.arange(5, dtype=np.float32))
    graph = applied(passes.run, graph)
    assert ops(graph) == ["MatMul", "Add"]
    assert graph.values[graph.nodes[0].outputs[0]].shape == (None, 4, 5)


def test_a_value_that_two_nodes_read_keeps_its_reshape(graph_of, applied):
    body = "a = Flatten (x) b = Relu (a) c = Reshape (b, s) d = Reshape (b, t) e = MatMul (c, w) y = MatMul (d, e)"
    graph = applied(
        passes.run,
        graph_of(body, "N,2,3", s=np.array([-1, 2, 3]), t=np.array([-1, 3, 2]), w=np.ones((3, 2), np.float32)),
    )
    assert ops(graph) == ["Reshape", "Relu", "Reshape", "Reshape", "MatMul", "MatMul"]


def test_a_per_element_constant_keeps_the_reshapes(graph_of, applied):
    body = "a = Flatten (x) b = Mul (a, m) y = Reshape (b, s)"
    graph = applied(passes.run, graph_of(body, "N,2,3", s=np.array([-1, 2, 3]), m=np.arange(6, dtype=np.float32)))
    assert ops(graph) == ["Reshape", "Mul", "Reshape"]


def test_batch_norm_over_rows_that_were_folded_into_the_batch_keeps_its_reshapes(graph_of, applied):
    body = "a = Reshape (x, s) b = BatchNormalization (a, g, g, g, v) y = Reshape (b, t)"
    graph = graph_of(body, "N,3,6", s=np.array([-1, 3]), t=np.array([-1, 3, 6]), g=S, v=np.abs(S))
    assert ops(applied(passes.run, graph)) == ["Reshape", "BatchNormalization", "Reshape"]


def test_a_branch_inside_a_pair_keeps_the_pair(graph_of, applied):
    body = (
        "a = Flatten (x) b = Relu (a) c = MatMul (b, w) d = Reshape (b, s) e = Flatten (d) y = Concat <axis = 1> (c, e)"
    )
    graph = graph_of(body, "N,2,3", s=np.array([-1, 2, 3]), w=np.ones((6, 2), np.float32))
    assert ops(applied(passes.run, graph)) == ["Reshape", "Relu", "MatMul", "Concat"]


def test_another_reader_of_a_value_between_two_reshapes_keeps_them(graph_of, applied):
    body = "a = Flatten (x) b = Relu (a) c = MatMul (b, w) d = Reshape (b, s) y = MatMul (d, v) z = Neg (c)"
    weights = {"s": np.array([-1, 2, 3]), "w": np.ones((6, 2), np.float32), "v": np.ones((3, 2), np.float32)}
    graph = graph_of(body, "N,2,3", outputs="float y, float z", **weights)
    assert ops(applied(passes.run, graph)) == ["Reshape", "Relu", "MatMul", "Reshape", "MatMul", "Neg"]
