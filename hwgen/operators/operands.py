"""Whether a node's operands are such as its operator calculates with, where NumPy would calculate something else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwgen.errors import ModelError
from hwgen.graph import Node
from hwgen.operators.elementwise import ELEMENTWISE
from hwgen.operators.evaluate import mismatch

__all__ = ["hold_operands"]

_TAKES_TRUTH = frozenset("And Cast CastLike Equal Identity Not Or Where Xor".split())
"""Elementwise operators that take true and false."""

_CALCULATES = (frozenset(ELEMENTWISE) - _TAKES_TRUTH) | frozenset("Conv ConvTranspose Einsum Gemm MatMul".split())

_OF_A_CHANNEL = frozenset("BatchNormalization DequantizeLinear QuantizeLinear Requantize".split())
"""Operators whose parameters are one for all, or one for each channel."""

_OF_A_TENSOR: dict[str, tuple[int, ...]] = {
    "ConvInteger": (2,),
    "MatMulInteger": (2,),
    "QGemm": (1, 2, 7, 8),
    "QLinearAdd": (1, 2, 4, 5, 6, 7),
    "QLinearAveragePool": (1, 2, 3, 4),
    "QLinearConv": (1, 2, 6, 7),
    "QLinearGlobalAveragePool": (1, 2, 3, 4),
    "QLinearLeakyRelu": (1, 2, 3, 4),
    "QLinearMatMul": (6, 7),
    "QLinearMul": (1, 2, 4, 5, 6, 7),
    "QLinearSigmoid": (1, 2, 3, 4),
}
"""Inputs of operators on integers that are one number."""

_OF_A_ROW: dict[str, tuple[int, ...]] = {
    "ConvInteger": (3,),
    "MatMulInteger": (3,),
    "QGemm": (4, 5),
    "QLinearConv": (4, 5, 8),
    "QLinearMatMul": (1, 2, 4, 5),
}
"""Inputs of theirs that are one number, or one for each row or channel."""


def hold_operands(node: Node, arrays: Sequence[np.ndarray | None]) -> None:
    """Hold that operands are numbers where there is arithmetic, and parameters as many as there are channels.

    Raises
    ------
    ModelError
        Naming the node.
    """
    present = [array for array in arrays if array is not None]
    if node.op in _CALCULATES and any(array.dtype.kind == "b" for array in present):
        raise ModelError(f"Node '{node.name}' ({node.op}) calculates with true and false; put a Cast in front of it")
    if node.op in _OF_A_CHANNEL:
        axis = node.attributes.get("channel_axis", node.attributes.get("axis", 1))
        if not all(_fits(parameter, present[0].shape, axis) for parameter in present[1:]):
            raise mismatch(node, arrays)
    for place, array in enumerate(arrays):
        one = place in _OF_A_TENSOR.get(node.op, ())
        if array is not None and (
            (one and array.size != 1) or (place in _OF_A_ROW.get(node.op, ()) and array.ndim > 1)
        ):
            raise ModelError(
                f"Node '{node.name}' ({node.op}) has an input {place} of shape {array.shape}, which must be "
                f"{'one number' if one else 'one number, or one for each channel'}"
            )


def _fits(parameter: np.ndarray, shape: tuple[int, ...], axis: int) -> bool:
    """Tell whether there is one parameter, one for each place of the axis, or one for each number of a frame."""
    if parameter.size == 1:
        return True
    if parameter.ndim == 1:
        return -len(shape) <= axis < len(shape) and parameter.size == shape[axis]
    try:
        return np.broadcast_shapes(parameter.shape, shape) == shape
    except ValueError:
        return False
