"""In which direction a term follows its integer, as far as its nodes tell.

Rounding to a float is monotone, so a chain of monotone nodes is monotone in floating point too.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hwgen.graph import Node
from hwgen.streamlining.functions.terms import Call, Elements, Leaf, Parameter, Rows, Term, calls_of

__all__ = ["UNKNOWN", "direction"]

UNKNOWN = 2
"""Neither rising (+1), falling (-1) nor constant (0), or not known."""

_RISING = frozenset(
    "Cast CastLike Ceil Celu Clip DequantizeLinear Elu Erf Exp Floor HardSigmoid HardTanh Identity LeakyRelu Log Max Mean Min PRelu "
    "QuantizeLinear Quant Relu Requantize Round Selu Sigmoid Sign Softplus Softsign Sqrt Sum Tanh ThresholdedRelu Trunc Add And Or".split()
)
"""Operators that rise with each of their operands (given a positive slope, scale or alpha)."""

_FALLING = frozenset({"Neg", "Not"})


def direction(term: Term, elements: Elements) -> np.ndarray:
    """Give +1, -1, 0 or `UNKNOWN` for each element: int8 (elements,)."""
    size = len(elements.c)
    known: dict[int, np.ndarray] = {}

    def of(operand: Term | Parameter | None) -> np.ndarray:
        if isinstance(operand, Leaf):
            return np.broadcast_to(np.sign(operand.scale.at(elements)).astype(np.int8), size)
        if isinstance(operand, Rows):
            return np.full(size, UNKNOWN, dtype=np.int8)
        if isinstance(operand, Call):
            return known[id(operand)]
        return np.zeros(size, dtype=np.int8)

    def constant(operand: Term | Parameter | None) -> np.ndarray | None:
        return operand.at(elements) if isinstance(operand, Parameter) else None

    for call in calls_of(term):
        known[id(call)] = np.broadcast_to(_call(call, of, constant), size)
    return of(term)


_Constant = Callable[[Term | Parameter | None], np.ndarray | None]


def _call(call: Call, of: Callable[[Term | Parameter | None], np.ndarray], constant: _Constant) -> np.ndarray:
    node, operands = call.node, call.operands
    first = of(operands[0])
    unknown = np.full_like(first, UNKNOWN)
    match node.op:
        case "Mul":
            slopes = [constant(operand) for operand in operands]
            for slope, other in zip(slopes, reversed(operands), strict=True):
                if slope is not None:
                    return _times(np.sign(slope), of(other))
            return unknown
        case "Div":
            slope = constant(operands[1])
            return unknown if slope is None else _times(np.sign(slope), first)
        case "BatchNormalization" | "BipolarQuant":
            slope = constant(operands[1])
            return unknown if slope is None else _times(np.sign(slope), first)
        case "MultiThreshold":
            return _times(np.sign(node.attributes["out_scale"]), first)
        case "Sub" | "Greater" | "GreaterOrEqual":
            return _both(first, _times(-1, of(operands[1])))
        case "Less" | "LessOrEqual":
            return _both(_times(-1, first), of(operands[1]))
        case "Where":
            return _where(operands, of, constant)
    if node.op in _FALLING:
        return _times(-1, first)
    if node.op not in _RISING or not _slope_is_positive(node, operands, constant):
        return unknown
    result = first
    for operand in operands[1:]:
        result = _both(result, of(operand))
    return result


def _slope_is_positive(node: Node, operands: tuple[Term | Parameter | None, ...], constant: _Constant) -> bool:
    if node.op in ("Cast", "CastLike"):
        target = node.attributes["to"] if node.op == "Cast" else np.float32
        return np.dtype(target).kind in "fiu"
    if node.op in ("PRelu", "Quant", "QuantizeLinear", "DequantizeLinear", "Requantize", "Trunc"):
        slope = constant(operands[1])
        return slope is not None and bool(np.all(slope >= 0))
    return bool(node.attributes.get("alpha", 0.0) >= 0)


def _where(
    operands: tuple[Term | Parameter | None, ...],
    of: Callable[[Term | Parameter | None], np.ndarray],
    constant: _Constant,
) -> np.ndarray:
    condition, yes, no = (constant(operand) for operand in operands)
    if condition is not None:
        return np.where(condition, of(operands[1]), of(operands[2]))
    if yes is None or no is None:
        return np.full_like(of(operands[0]), UNKNOWN)
    return _times(np.sign(yes.astype(np.float64) - no), of(operands[0]))


def _times(sign: np.ndarray | int, direction_: np.ndarray) -> np.ndarray:
    product = np.asarray(sign).astype(np.int8) * direction_
    return np.where((direction_ == UNKNOWN) & (np.asarray(sign) != 0), UNKNOWN, product).astype(np.int8)


def _both(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.where(a == 0, b, np.where((b == 0) | (a == b), a, UNKNOWN)).astype(np.int8)
