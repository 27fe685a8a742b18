"""Products and sums of quantised integers, as ONNX's QOperator format and ONNX Runtime's own domain have them.

A sum of products is brought to the output's scale as ONNX Runtime does: by one float32 factor, to the nearest integer, ties to the
even one, within the output's type.
"""

from __future__ import annotations

import numpy as np

from hwgen.operators import Attributes, Operator
from hwgen.operators.elementwise import ELEMENTWISE
from hwgen.operators.quantisers import QUANTISERS, integer_range, per_axis, requantized
from hwgen.operators.reductions import REDUCTIONS
from hwgen.operators.windows import WINDOWS

__all__ = ["INTEGERS", "INTEGER_CURVES", "factor", "shifted"]

Given = np.ndarray | None


def shifted(codes: np.ndarray, zero_point: Given, axis: int = 0) -> np.ndarray:
    """Give what codes stand for, in steps: float64 is exact."""
    exact = codes.astype(np.float64)
    return exact if zero_point is None else exact - per_axis(zero_point, axis, codes.ndim).astype(np.float64)


def factor(*scales: np.ndarray) -> np.ndarray:
    """Give ``a * b / c`` as ONNX Runtime calculates it, one for each channel if a scale is so."""
    first, second, third = (scale.astype(np.float32) for scale in scales)
    with np.errstate(all="ignore"):  # whoever reads a constant that is no number refuses it
        return np.asarray(first * second / third)


def _convolution(attributes: Attributes, x: np.ndarray, weights: np.ndarray, bias: Given = None) -> np.ndarray:
    result = WINDOWS["Conv"](attributes, x, weights, None if bias is None else bias.astype(np.float64))
    return np.asarray(result)


def _conv_integer(
    attributes: Attributes, x: np.ndarray, weights: np.ndarray, x_zero: Given = None, w_zero: Given = None
) -> np.ndarray:
    return _convolution(attributes, shifted(x, x_zero), shifted(weights, w_zero)).astype(np.int32)


def _qlinear_conv(
    attributes: Attributes,
    x: np.ndarray,
    x_scale: np.ndarray,
    x_zero: np.ndarray,
    weights: np.ndarray,
    w_scale: np.ndarray,
    w_zero: np.ndarray,
    y_scale: np.ndarray,
    y_zero: np.ndarray,
    bias: Given = None,
) -> np.ndarray:
    total = _convolution(attributes, shifted(x, x_zero), shifted(weights, w_zero), bias)
    return requantized(total, per_axis(factor(x_scale, w_scale, y_scale), 1, total.ndim), y_zero)


def _product(a: np.ndarray, a_zero: Given, b: np.ndarray, b_zero: Given) -> np.ndarray:
    left = shifted(
        a, None if a_zero is None else a_zero.reshape(-1, 1) if a_zero.ndim == 1 and a_zero.size > 1 else a_zero
    )
    return np.asarray(REDUCTIONS["MatMul"]({}, left, shifted(b, b_zero, -1)))


def _matmul_integer(
    attributes: Attributes, a: np.ndarray, b: np.ndarray, a_zero: Given = None, b_zero: Given = None
) -> np.ndarray:
    return _product(a, a_zero, b, b_zero).astype(np.int32)


def _qlinear_matmul(
    attributes: Attributes,
    a: np.ndarray,
    a_scale: np.ndarray,
    a_zero: np.ndarray,
    b: np.ndarray,
    b_scale: np.ndarray,
    b_zero: np.ndarray,
    y_scale: np.ndarray,
    y_zero: np.ndarray,
) -> np.ndarray:
    total = _product(a, a_zero, b, b_zero)
    return requantized(total, per_axis(factor(a_scale, b_scale, y_scale), -1, total.ndim), y_zero)


def _qgemm(
    attributes: Attributes,
    a: np.ndarray,
    a_scale: np.ndarray,
    a_zero: np.ndarray,
    b: np.ndarray,
    b_scale: np.ndarray,
    b_zero: np.ndarray,
    c: Given = None,
    y_scale: Given = None,
    y_zero: Given = None,
) -> np.ndarray:
    """Multiply matrices and add integers in steps of the product; without a scale of the output, it is real."""
    a, b = a.T if attributes["transA"] else a, b.T if attributes["transB"] else b
    total = _product(a, a_zero, b, b_zero)
    total = total if c is None else total + c
    scale = gemm_scale(attributes, a_scale, b_scale)
    if y_scale is None or y_zero is None:
        return np.asarray(total.astype(np.float32) * scale)
    return requantized(total, np.asarray(scale / y_scale.astype(np.float32)), y_zero)


def gemm_scale(attributes: Attributes, a_scale: np.ndarray, b_scale: np.ndarray) -> np.ndarray:
    """Give what a step of a QGemm's product is worth, a number or one for each column."""
    return np.asarray(np.float32(attributes["alpha"]) * a_scale.astype(np.float32) * b_scale.astype(np.float32))


def _real(x: np.ndarray, scale: np.ndarray, zero_point: Given) -> np.ndarray:
    return np.asarray(QUANTISERS["DequantizeLinear"]({"axis": 1}, x, scale, zero_point))


def _coded(x: np.ndarray, scale: np.ndarray, zero_point: np.ndarray) -> np.ndarray:
    return np.asarray(QUANTISERS["QuantizeLinear"]({"axis": 1}, x, scale, zero_point))


def _offset(x: np.ndarray, scale: np.ndarray, zero_point: np.ndarray) -> np.ndarray:
    """Quantise as ONNX Runtime's joins and pools do: the zero point is added before the sum is rounded, which decides ties."""
    low, high = integer_range(8 * zero_point.dtype.itemsize, zero_point.dtype.kind == "i", narrow=False)
    codes = np.rint(x / scale + zero_point.astype(x.dtype))
    return np.asarray(np.clip(codes, low, high).astype(zero_point.dtype))


def _joined(op: str) -> Operator:
    def join(
        attributes: Attributes,
        a: np.ndarray,
        a_scale: np.ndarray,
        a_zero: Given,
        b: np.ndarray,
        b_scale: np.ndarray,
        b_zero: Given,
        y_scale: np.ndarray,
        y_zero: Given = None,
    ) -> np.ndarray:
        zero = np.zeros((), a.dtype) if y_zero is None else y_zero
        result = ELEMENTWISE[op]({}, _real(a, a_scale, a_zero), _real(b, b_scale, b_zero))
        return _offset(np.asarray(result), y_scale, zero)

    return join


def _curve(op: str) -> Operator:
    """Give an operator on codes whose every step is in float32, whatever the precision asked for: ONNX Runtime makes a table so."""

    def curve(
        attributes: Attributes,
        x: np.ndarray,
        x_scale: np.ndarray,
        x_zero: Given,
        y_scale: np.ndarray,
        y_zero: np.ndarray,
    ) -> np.ndarray:
        real = _real(x, x_scale.astype(np.float32), x_zero)
        return _coded(np.asarray(ELEMENTWISE[op](attributes, real)), y_scale.astype(np.float32), y_zero)

    return curve


def _average_pool(
    attributes: Attributes,
    x: np.ndarray,
    x_scale: np.ndarray,
    x_zero: Given,
    y_scale: np.ndarray,
    y_zero: np.ndarray,
) -> np.ndarray:
    last = attributes.get("channels_last", 0)
    real = _real(np.moveaxis(x, -1, 1) if last else x, x_scale, x_zero)
    result = _offset(np.asarray(WINDOWS["AveragePool"](attributes, real)), y_scale, y_zero)
    return np.moveaxis(result, 1, -1) if last else result


def _global_average(
    attributes: Attributes,
    x: np.ndarray,
    x_scale: np.ndarray,
    x_zero: Given,
    y_scale: np.ndarray,
    y_zero: np.ndarray,
) -> np.ndarray:
    """Sum all pixels; their number is part of the factor."""
    axes = tuple(range(1, x.ndim - 1) if attributes.get("channels_last", 0) else range(2, x.ndim))
    total = shifted(x, x_zero).sum(axis=axes, keepdims=True)
    count = np.prod([x.shape[axis] for axis in axes])
    return requantized(total, np.asarray(x_scale / (y_scale * np.float32(count))), y_zero)


def _concatenation(attributes: Attributes, y_scale: np.ndarray, y_zero: np.ndarray, *given: np.ndarray) -> np.ndarray:
    parts = [_coded(_real(*given[first : first + 3]), y_scale, y_zero) for first in range(0, len(given), 3)]
    return np.concatenate(parts, axis=attributes["axis"])


INTEGER_CURVES: dict[str, Operator] = {
    "QLinearLeakyRelu": _curve("LeakyRelu"),
    "QLinearSigmoid": _curve("Sigmoid"),
}
"""Functions of one code."""

INTEGERS: dict[str, Operator] = {
    "ConvInteger": _conv_integer,
    "MatMulInteger": _matmul_integer,
    "QGemm": _qgemm,
    "QLinearAdd": _joined("Add"),
    "QLinearAveragePool": _average_pool,
    "QLinearConcat": _concatenation,
    "QLinearConv": _qlinear_conv,
    "QLinearGlobalAveragePool": _global_average,
    "QLinearMatMul": _qlinear_matmul,
    "QLinearMul": _joined("Mul"),
}
