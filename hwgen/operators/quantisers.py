"""Quantisers of QONNX (Brevitas), FINN and ONNX itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hwgen.operators import Attributes, Operator

__all__ = ["QUANTISERS", "ROUNDING", "integer_range", "per_axis", "requantized"]

ROUNDING: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "ROUND": np.rint,
    "HALF_EVEN": np.rint,
    "CEIL": np.ceil,
    "FLOOR": np.floor,
    "UP": lambda x: np.sign(x) * np.ceil(np.abs(x)),
    "DOWN": np.trunc,
    "HALF_UP": lambda x: np.sign(x) * np.floor(np.abs(x) + 0.5),
    "HALF_DOWN": lambda x: np.sign(x) * np.ceil(np.abs(x) - 0.5),
}


def integer_range(bits: np.ndarray | float, signed: bool, narrow: bool) -> tuple[np.ndarray, np.ndarray]:
    """Give the smallest and largest integer of ``bits``-wide quantisers; narrow leaves out one extreme code."""
    codes = np.exp2(np.asarray(bits, dtype=np.float64))
    if signed:
        return np.asarray(bool(narrow) - codes / 2), np.asarray(codes / 2 - 1)
    return np.zeros_like(codes), np.asarray(codes - 1 - bool(narrow))


def _bipolar_quant(attributes: Attributes, x: np.ndarray, scale: np.ndarray) -> np.ndarray:
    one = x.dtype.type(1)
    return np.asarray(np.where(x >= 0, one, -one) * scale)


def _clamp_to_bits(attributes: Attributes, codes: np.ndarray, bits: np.ndarray) -> np.ndarray:
    low, high = integer_range(bits, bool(attributes["signed"]), bool(attributes["narrow"]))
    return np.asarray(np.minimum(np.maximum(codes, low.astype(codes.dtype)), high.astype(codes.dtype)))


def _quant(
    attributes: Attributes, x: np.ndarray, scale: np.ndarray, zero_point: np.ndarray, bits: np.ndarray
) -> np.ndarray:
    """Clamp, then round; a signed quantiser of one bit is bipolar (both as the qonnx executor does)."""
    real = x / scale + zero_point
    codes = ROUNDING[attributes["rounding_mode"].upper()](_clamp_to_bits(attributes, real, bits))
    if attributes["signed"]:
        one = real.dtype.type(1)
        codes = np.where(bits == 1, np.where(real >= 0, one, -one), codes)
    return np.asarray((codes - zero_point) * scale)


def _trunc(
    attributes: Attributes,
    x: np.ndarray,
    scale: np.ndarray,
    zero_point: np.ndarray,
    in_bits: np.ndarray,
    fourth: np.ndarray,
    out_bits: np.ndarray | None = None,
) -> np.ndarray:
    """Drop low bits: version 1 has the output's width as last input, version 2 the output's scale, then its width."""
    codes = np.rint(x / scale + zero_point)
    if out_bits is None:
        step = np.exp2(in_bits - fourth)
        return np.asarray((ROUNDING[attributes["rounding_mode"].upper()](codes / step) - zero_point) * scale)
    step = np.exp2(np.rint(np.log2(fourth / scale)))
    codes = ROUNDING[attributes["rounding_mode"].upper()](_clamp_to_bits(attributes, codes / step, out_bits))
    return np.asarray((codes - zero_point / step) * fourth)


def _multi_threshold(attributes: Attributes, x: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Count the thresholds that x reaches; thresholds has shape (channels or 1, steps)."""
    column = [1] * x.ndim
    column[attributes["channel_axis"]] = thresholds.shape[0]
    count = np.zeros(x.shape, dtype=x.dtype)
    for step in thresholds.T:
        count += x >= step.reshape(column)
    return np.asarray(count * x.dtype.type(attributes["out_scale"]) + x.dtype.type(attributes["out_bias"]))


def per_axis(parameter: np.ndarray, axis: int, rank: int) -> np.ndarray:
    """Lay a number, or one for each place of an axis, out so that it broadcasts."""
    if parameter.ndim != 1 or parameter.size == 1:
        return parameter.reshape(()) if parameter.size == 1 else parameter
    column = [1] * rank
    column[axis] = parameter.size
    return parameter.reshape(column)


def _quantize_linear(
    attributes: Attributes, x: np.ndarray, scale: np.ndarray, zero_point: np.ndarray | None = None
) -> np.ndarray:
    axis = attributes["axis"]
    if zero_point is None:
        zero_point = np.zeros((), dtype=attributes.get("output_dtype", np.dtype(np.uint8)))
    signed = zero_point.dtype.kind == "i"
    low, high = integer_range(attributes.get("bits", 8 * zero_point.dtype.itemsize), signed, narrow=False)
    codes = np.rint(x / per_axis(scale, axis, x.ndim)) + per_axis(zero_point, axis, x.ndim).astype(x.dtype)
    return np.asarray(np.clip(codes, low, high).astype(zero_point.dtype))


def _dequantize_linear(
    attributes: Attributes, x: np.ndarray, scale: np.ndarray, zero_point: np.ndarray | None = None
) -> np.ndarray:
    axis = attributes["axis"]
    codes = x.astype(scale.dtype)
    if zero_point is not None:
        codes = codes - per_axis(zero_point, axis, x.ndim).astype(scale.dtype)
    return np.asarray(codes * per_axis(scale, axis, x.ndim))


def requantized(x: np.ndarray, factor: np.ndarray, zero_point: np.ndarray) -> np.ndarray:
    """Bring integers to another scale by a factor, in float32, ties to the even integer, within the zero point's type."""
    low, high = integer_range(8 * zero_point.dtype.itemsize, zero_point.dtype.kind == "i", narrow=False)
    codes = np.rint(x.astype(np.float32) * factor.astype(np.float32)) + zero_point.astype(np.float32)
    return np.asarray(np.clip(codes, low, high).astype(zero_point.dtype))


def _requantize(attributes: Attributes, x: np.ndarray, factor: np.ndarray, zero_point: np.ndarray) -> np.ndarray:
    return requantized(x, per_axis(factor, attributes["axis"], x.ndim), zero_point)


QUANTISERS: dict[str, Operator] = {
    "BipolarQuant": _bipolar_quant,
    "DequantizeLinear": _dequantize_linear,
    "MultiThreshold": _multi_threshold,
    "Quant": _quant,
    "QuantizeLinear": _quantize_linear,
    "Requantize": _requantize,
    "Trunc": _trunc,
}
