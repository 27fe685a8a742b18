"""Sums, extremes, ranks and products along axes, against onnxruntime."""

import numpy as np
import onnx
import pytest

from tests.operators.onnx_cases import both, call, hold_close, hold_equal, parse

EXACT = {
    "reduce_max": "a = Constant <value_ints = [-1, 1]> () y = ReduceMax <keepdims = 0> (x, a)",
    "reduce_min": "a = Constant <value_ints = [2]> () y = ReduceMin (x, a)",
    "argmin": "i = ArgMin <axis = 2> (x) y = Cast <to = 1> (i)",
    "argmin_last": "r = Sign (x) i = ArgMin <axis = 1, select_last_index = 1> (r) y = Cast <to = 1> (i)",
    "argmax": "i = ArgMax <axis = 1> (x) y = Cast <to = 1> (i)",
    "argmax_last": "r = Sign (x) i = ArgMax <axis = -1, select_last_index = 1, keepdims = 0> (r) y = Cast <to = 1> (i)",
    "topk": "r = Sign (x) k = Constant <value_ints = [3]> () v, i = TopK (r, k) j = Cast <to = 1> (i) y = Add (v, j)",
    "topk_smallest": "r = Sign (x) k = Constant <value_ints = [2]> () v, i = TopK <axis = 1, largest = 0> "
    "(r, k) j = Cast <to = 1> (i) y = Add (v, j)",
}
CLOSE = {
    "reduce_prod": "a = Constant <value_ints = [3]> () y = ReduceProd <keepdims = 0> (x, a)",
    "tanh_of_sum": "a = Constant <value_ints = [1]> () b = ReduceSum <keepdims = 0> (x, a) y = Tanh (b)",
    "softmax": "y = Softmax <axis = 1> (x)",
    "log_softmax": "y = LogSoftmax (x)",
    "reduce_mean": "a = Constant <value_ints = [2, 3]> () y = ReduceMean (x, a)",
    "reduce_norm": "a = Constant <value_ints = [1]> () b = ReduceL1 (x, a) c = ReduceL2 (x, a) d = ReduceSumSquare "
    "(x, a) e = ReduceLogSumExp (x, a) y = Sum (b, c, d, e)",
    "reduce_noop": "n = Constant <value = int64[0] {}> () y = ReduceSum <noop_with_empty_axes = 1> (x, n)",
}


@pytest.mark.parametrize("body", EXACT.values(), ids=EXACT)
def test_equals_onnxruntime(body, tmp_path):
    hold_equal(body, tmp_path)


@pytest.mark.parametrize("body", CLOSE.values(), ids=CLOSE)
def test_agrees_with_onnxruntime_to_float32(body, tmp_path):
    hold_close(body, tmp_path)


@pytest.mark.parametrize("flags", ["", "transB = 1", "alpha = 0.5, beta = 2.0", "transB = 1, beta = 0.0"])
def test_gemm_equals_onnxruntime(flags, tmp_path):
    rng = np.random.default_rng(2)
    model = parse(f"y = Gemm <{flags}> (x, w, b)" if flags else "y = Gemm (x, w, b)", "float[N,7] x")
    w = rng.integers(-3, 4, (5, 7) if "transB" in flags else (7, 5)).astype(np.float32)
    model.graph.initializer.append(onnx.numpy_helper.from_array(w, "w"))
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.arange(5, dtype=np.float32), "b"))
    (y,), (reference,) = both(model, rng.integers(-3, 4, (3, 7)).astype(np.float32), tmp_path)
    assert np.array_equal(y, reference)


def test_xnor_popcount_counts_agreements():
    rng = np.random.default_rng(4)
    x, w = rng.integers(0, 2, (3, 20)).astype(np.float32), rng.integers(0, 2, (20, 5)).astype(np.float32)
    expected = (x[:, :, None] == w[None]).sum(axis=1)
    assert np.array_equal(call("XnorPopcountMatMul", x, w), expected)
