"""Normalisations by the mean and the variance of the data itself."""

from __future__ import annotations

import numpy as np

from hwgen.operators import Attributes, Operator

__all__ = ["NORMALISATIONS"]


def _normalised(x: np.ndarray, axes: tuple[int, ...], epsilon: float, centred: bool = True) -> np.ndarray:
    distance = x - x.mean(axis=axes, keepdims=True, dtype=x.dtype) if centred else x
    variance = np.square(distance).mean(axis=axes, keepdims=True, dtype=x.dtype)
    return np.asarray(distance / np.sqrt(variance + x.dtype.type(epsilon)))


def _behind(x: np.ndarray, axis: int) -> tuple[int, ...]:
    return tuple(range(axis % x.ndim, x.ndim))


def _layer(attributes: Attributes, x: np.ndarray, scale: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray:
    result = _normalised(x, _behind(x, attributes["axis"]), attributes["epsilon"]) * scale
    return np.asarray(result if bias is None else result + bias)


def _root_mean_square(attributes: Attributes, x: np.ndarray, scale: np.ndarray) -> np.ndarray:
    return np.asarray(_normalised(x, _behind(x, attributes["axis"]), attributes["epsilon"], centred=False) * scale)


def _instance(attributes: Attributes, x: np.ndarray, scale: np.ndarray, bias: np.ndarray) -> np.ndarray:
    column = (1, -1) + (1,) * (x.ndim - 2)
    result = _normalised(x, tuple(range(2, x.ndim)), attributes["epsilon"])
    return np.asarray(result * scale.reshape(column) + bias.reshape(column))


def _group(attributes: Attributes, x: np.ndarray, scale: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Normalise groups of channels; scale and bias are a group's (before opset 21) or a channel's."""
    groups, channels = attributes["num_groups"], x.shape[1]
    result = _normalised(x.reshape(len(x), groups, -1), (2,), attributes["epsilon"]).reshape(x.shape)
    column = (1, -1) + (1,) * (x.ndim - 2)
    each = (np.repeat(part, channels // part.size).reshape(column) for part in (scale, bias))
    return np.asarray(result * next(each) + next(each))


NORMALISATIONS: dict[str, Operator] = {
    "GroupNormalization": _group,
    "InstanceNormalization": _instance,
    "LayerNormalization": _layer,
    "RMSNormalization": _root_mean_square,
}
