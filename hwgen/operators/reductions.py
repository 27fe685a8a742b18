"""Matrix products, and operators that reduce or rank along axes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hwgen.operators import Attributes, Operator

__all__ = ["REDUCTIONS"]


def _matmul(attributes: Attributes, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(np.matmul(a, b))


def _einsum(attributes: Attributes, *inputs: np.ndarray) -> np.ndarray:
    return np.asarray(np.einsum(attributes["equation"], *inputs, optimize=True))


def _gemm(attributes: Attributes, a: np.ndarray, b: np.ndarray, c: np.ndarray | None = None) -> np.ndarray:
    a = a.T if attributes["transA"] else a
    b = b.T if attributes["transB"] else b
    product = np.matmul(a, b)
    if attributes["alpha"] != 1:
        product = product * product.dtype.type(attributes["alpha"])
    if c is None:
        return np.asarray(product)
    return np.asarray(product + (c if attributes["beta"] == 1 else c * c.dtype.type(attributes["beta"])))


def _xnor_popcount_matmul(attributes: Attributes, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Count agreeing elements: operands hold 0 and 1, columns = x.shape[-1]."""
    return np.asarray(np.asarray(np.matmul(2 * x - 1, 2 * weights - 1) + x.shape[-1]) / x.dtype.type(2))


def _reduction(function: Callable[..., np.ndarray]) -> Operator:
    def reduce(attributes: Attributes, x: np.ndarray, axes: np.ndarray | None = None) -> np.ndarray:
        if axes is None or not np.size(axes):
            if attributes.get("noop_with_empty_axes", 0):
                return x
            chosen = tuple(range(x.ndim))
        else:
            chosen = tuple(int(axis) for axis in np.ravel(axes))
        return np.asarray(function(x, axis=chosen, keepdims=bool(attributes["keepdims"]))).astype(x.dtype)

    return reduce


def _log_sum_exp(x: np.ndarray, axis: tuple[int, ...], keepdims: bool) -> np.ndarray:
    top = x.max(axis=axis, keepdims=True)
    result = np.log(np.exp(x - top).sum(axis=axis, keepdims=True)) + top
    return np.asarray(result if keepdims else np.squeeze(result, axis))


def _arg_extreme(attributes: Attributes, x: np.ndarray, function: Callable[..., np.ndarray]) -> np.ndarray:
    axis = attributes["axis"]
    if attributes["select_last_index"]:
        index = x.shape[axis] - 1 - function(np.flip(x, axis), axis=axis)
    else:
        index = function(x, axis=axis)
    return np.expand_dims(index, axis).astype(np.int64) if attributes["keepdims"] else np.asarray(index, dtype=np.int64)


def _arg_max(attributes: Attributes, x: np.ndarray) -> np.ndarray:
    return _arg_extreme(attributes, x, np.argmax)


def _arg_min(attributes: Attributes, x: np.ndarray) -> np.ndarray:
    return _arg_extreme(attributes, x, np.argmin)


def _top_k(attributes: Attributes, x: np.ndarray, k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rank along an axis; ties keep the lowest index first."""
    axis = attributes["axis"]
    if attributes["largest"]:
        order = x.shape[axis] - 1 - np.flip(np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis)
    else:
        order = np.argsort(x, axis=axis, kind="stable")
    indices = np.take(order, np.arange(int(np.ravel(k)[0])), axis=axis)
    return np.take_along_axis(x, indices, axis), indices.astype(np.int64)


def _softmax(attributes: Attributes, x: np.ndarray) -> np.ndarray:
    axes = tuple(range(attributes["axis"] % x.ndim, x.ndim)) if attributes.get("flatten", 0) else (attributes["axis"],)
    exponential = np.exp(x - x.max(axis=axes, keepdims=True))
    return np.asarray(exponential / exponential.sum(axis=axes, keepdims=True))


def _log_softmax(attributes: Attributes, x: np.ndarray) -> np.ndarray:
    axes = tuple(range(attributes["axis"] % x.ndim, x.ndim)) if attributes.get("flatten", 0) else (attributes["axis"],)
    shifted = x - x.max(axis=axes, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=axes, keepdims=True)))


REDUCTIONS: dict[str, Operator] = {
    "ArgMax": _arg_max,
    "ArgMin": _arg_min,
    "Einsum": _einsum,
    "Gemm": _gemm,
    "LogSoftmax": _log_softmax,
    "MatMul": _matmul,
    "ReduceL1": _reduction(lambda x, **over: np.abs(x).sum(**over)),
    "ReduceL2": _reduction(lambda x, **over: np.sqrt(np.square(x).sum(**over))),
    "ReduceLogSumExp": _reduction(_log_sum_exp),
    "ReduceMax": _reduction(np.max),
    "ReduceMean": _reduction(np.mean),
    "ReduceMin": _reduction(np.min),
    "ReduceProd": _reduction(np.prod),
    "ReduceSum": _reduction(np.sum),
    "ReduceSumSquare": _reduction(lambda x, **over: np.square(x).sum(**over)),
    "Softmax": _softmax,
    "TopK": _top_k,
    "XnorPopcountMatMul": _xnor_popcount_matmul,
}
