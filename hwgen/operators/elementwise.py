"""Operators that treat every element alike, or every channel of axis 1."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce

import numpy as np

from hwgen.operators import Attributes, Operator

__all__ = ["ELEMENTWISE"]

_erf = np.frompyfunc(math.erf, 1, 1)


def _unary(function: Callable[[np.ndarray], np.ndarray]) -> Operator:
    return lambda attributes, x: np.asarray(function(x))


def _binary(function: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Operator:
    return lambda attributes, a, b: np.asarray(function(a, b))


def _variadic(function: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Operator:
    return lambda attributes, *inputs: np.asarray(reduce(function, inputs))


def _divide(attributes: Attributes, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if np.issubdtype(a.dtype, np.integer):
        quotient = np.abs(a) // np.abs(b)
        return np.asarray(np.where((a < 0) != (b < 0), -quotient, quotient).astype(a.dtype))
    return np.asarray(np.divide(a, b))


def _power(attributes: Attributes, x: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    return np.asarray(np.power(x, exponent)).astype(x.dtype)


def _modulo(attributes: Attributes, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(np.fmod(a, b) if attributes.get("fmod", 0) else np.mod(a, b))


def _mean(attributes: Attributes, *inputs: np.ndarray) -> np.ndarray:
    return np.asarray(reduce(np.add, inputs) / inputs[0].dtype.type(len(inputs)))


def _clip(
    attributes: Attributes, x: np.ndarray, low: np.ndarray | None = None, high: np.ndarray | None = None
) -> np.ndarray:
    if low is not None:
        x = np.maximum(x, low)
    return np.asarray(x if high is None else np.minimum(x, high))


def _leaky_relu(attributes: Attributes, x: np.ndarray) -> np.ndarray:
    return np.where(x < 0, x * x.dtype.type(attributes["alpha"]), x)


def _prelu(attributes: Attributes, x: np.ndarray, slope: np.ndarray) -> np.ndarray:
    return np.where(x < 0, x * slope, x)


def _hard_sigmoid(attributes: Attributes, x: np.ndarray) -> np.ndarray:
    alpha, beta = x.dtype.type(attributes["alpha"]), x.dtype.type(attributes["beta"])
    return np.asarray(np.clip(alpha * x + beta, 0, 1))


def _hard_tanh(attributes: Attributes, x: np.ndarray) -> np.ndarray:
    return np.asarray(
        np.clip(x, x.dtype.type(attributes.get("min_val", -1.0)), x.dtype.type(attributes.get("max_val", 1.0)))
    )


def _elu(attributes: Attributes, x: np.ndarray) -> np.ndarray:
    return np.where(x < 0, x.dtype.type(attributes["alpha"]) * np.expm1(np.minimum(x, 0)), x)


def _celu(attributes: Attributes, x: np.ndarray) -> np.ndarray:
    alpha = x.dtype.type(attributes["alpha"])
    return np.where(x < 0, alpha * np.expm1(np.minimum(x, 0) / alpha), x)


def _shrink(attributes: Attributes, x: np.ndarray) -> np.ndarray:
    border, bias = x.dtype.type(attributes["lambd"]), x.dtype.type(attributes["bias"])
    return np.where(x < -border, x + bias, np.where(x > border, x - bias, np.zeros_like(x)))


def _swish(attributes: Attributes, x: np.ndarray) -> np.ndarray:
    return np.asarray(x * _sigmoid(x * x.dtype.type(attributes["alpha"])))


def _selu(attributes: Attributes, x: np.ndarray) -> np.ndarray:
    return np.asarray(x.dtype.type(attributes["gamma"]) * _elu(attributes, x))


def _thresholded_relu(attributes: Attributes, x: np.ndarray) -> np.ndarray:
    return np.where(x > x.dtype.type(attributes["alpha"]), x, np.zeros_like(x))


def _sigmoid(x: np.ndarray) -> np.ndarray:
    exponential = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1 / (1 + exponential), exponential / (1 + exponential)).astype(x.dtype))


def _error_function(x: np.ndarray) -> np.ndarray:
    return np.asarray(_erf(x)).astype(x.dtype)


def _gelu(attributes: Attributes, x: np.ndarray) -> np.ndarray:
    if attributes.get("approximate", "none") == "tanh":
        return np.asarray(0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x))))
    return np.asarray(0.5 * x * (1 + _error_function(x * x.dtype.type(math.sqrt(0.5)))))


def _hard_swish(x: np.ndarray) -> np.ndarray:
    return np.asarray(x * np.clip(x * x.dtype.type(1 / 6) + x.dtype.type(0.5), 0, 1))


def _cast(attributes: Attributes, x: np.ndarray) -> np.ndarray:
    return x.astype(attributes["to"])


def _cast_like(attributes: Attributes, x: np.ndarray, target: np.ndarray) -> np.ndarray:
    return x.astype(target.dtype)


def _batch_normalization(
    attributes: Attributes, x: np.ndarray, scale: np.ndarray, bias: np.ndarray, mean: np.ndarray, variance: np.ndarray
) -> np.ndarray:
    """Parameters are of one axis, or (before opset 9) of every element of a frame.

    In float32 the roundings come in ONNX Runtime's order; in wider floats what is zero stays zero.
    """
    column = [1] * x.ndim
    column[attributes.get("channel_axis", 1)] = -1
    scale, bias, mean, variance = (
        part.reshape(column) if part.ndim < 2 else part for part in (scale, bias, mean, variance)
    )
    deviation = np.sqrt(variance + x.dtype.type(attributes["epsilon"]))
    if x.dtype == np.float32:
        slope = 1 / deviation * scale
        return np.asarray(x * slope + (bias - mean * slope))
    return np.asarray((x - mean) / deviation * scale + bias)


def _where(attributes: Attributes, condition: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.where(condition, x, y)


ELEMENTWISE: dict[str, Operator] = {
    "Abs": _unary(np.abs),
    "Add": _binary(np.add),
    "And": _binary(np.logical_and),
    "BatchNormalization": _batch_normalization,
    "Cast": _cast,
    "CastLike": _cast_like,
    "Ceil": _unary(np.ceil),
    "Celu": _celu,
    "Clip": _clip,
    "Div": _divide,
    "Elu": _elu,
    "Equal": _binary(np.equal),
    "Erf": _unary(_error_function),
    "Exp": _unary(np.exp),
    "Floor": _unary(np.floor),
    "Gelu": _gelu,
    "Greater": _binary(np.greater),
    "GreaterOrEqual": _binary(np.greater_equal),
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _unary(_hard_swish),
    "HardTanh": _hard_tanh,
    "Identity": _unary(np.asarray),
    "LeakyRelu": _leaky_relu,
    "Less": _binary(np.less),
    "LessOrEqual": _binary(np.less_equal),
    "Log": _unary(np.log),
    "Max": _variadic(np.maximum),
    "Mean": _mean,
    "Min": _variadic(np.minimum),
    "Mish": _unary(lambda x: x * np.tanh(np.logaddexp(x, 0))),
    "Mod": _modulo,
    "Mul": _binary(np.multiply),
    "Neg": _unary(np.negative),
    "Not": _unary(np.logical_not),
    "Or": _binary(np.logical_or),
    "PRelu": _prelu,
    "Pow": _power,
    "Reciprocal": _unary(np.reciprocal),
    "Relu": _unary(lambda x: np.maximum(x, 0)),
    "Round": _unary(np.rint),
    "Selu": _selu,
    "Shrink": _shrink,
    "Sigmoid": _unary(_sigmoid),
    "Sign": _unary(np.sign),
    "Softplus": _unary(lambda x: np.logaddexp(x, 0)),
    "Softsign": _unary(lambda x: x / (1 + np.abs(x))),
    "Sqrt": _unary(np.sqrt),
    "Sub": _binary(np.subtract),
    "Sum": _variadic(np.add),
    "Swish": _swish,
    "Tanh": _unary(np.tanh),
    "ThresholdedRelu": _thresholded_relu,
    "Where": _where,
    "Xor": _binary(np.logical_xor),
}
