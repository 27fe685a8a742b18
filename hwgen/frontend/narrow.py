"""Integers of fewer than eight bits: NumPy keeps them in bytes, and their width is told apart."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from hwgen.errors import ModelError

__all__ = ["array_of", "dtype_of", "narrow_bits", "number_type_of"]

_NARROW: dict[int, tuple[int, np.dtype]] = {
    getattr(TensorProto, f"{sign}INT{bits}"): (bits, np.dtype(np.uint8 if sign else np.int8))
    for sign in ("", "U")
    for bits in (2, 4)
    if hasattr(TensorProto, f"{sign}INT{bits}")
}
"""Element types of ONNX, their bits, and the bytes that hold them. (Two bits came with opset 25.)"""


_NO_NUMBERS = {"c": "complex numbers", "O": "text", "S": "text", "U": "text"}
"""Kinds of NumPy's types that nothing here calculates with."""


def narrow_bits(data_type: int) -> int:
    """Give the bits of an element type that NumPy lacks, 0 for any other."""
    return _NARROW[data_type][0] if data_type in _NARROW else 0


def dtype_of(data_type: int) -> np.dtype:
    """Give the NumPy type that holds an element type.

    Raises
    ------
    ModelError
        If there is none.
    """
    if data_type in _NARROW:
        return _NARROW[data_type][1]
    try:
        return np.dtype(helper.tensor_dtype_to_np_dtype(data_type))
    except (KeyError, TypeError) as error:
        raise ModelError(
            f"The model has a tensor of element type {data_type}, which ONNX does not know; export it again"
        ) from error


def number_type_of(data_type: int, where: str) -> np.dtype:
    """Give the NumPy type of elements that hardware shall calculate with.

    Raises
    ------
    ModelError
        If they are no numbers.
    """
    dtype = dtype_of(data_type)
    if dtype.kind in _NO_NUMBERS:
        raise ModelError(f"{where} is of {_NO_NUMBERS[dtype.kind]}, which no hardware computes with")
    return dtype


def array_of(tensor: onnx.TensorProto, name: str = "") -> np.ndarray:
    """Give a tensor's values, those of two and four bits as bytes.

    Parameters
    ----------
    tensor : TensorProto
    name : str
        What errors call it where it has no name of its own.

    Raises
    ------
    ModelError
        If it has not as many values as its shape says, or none that one can calculate with.
    """
    where = f"The constant '{tensor.name or name}'"
    try:
        array = np.asarray(numpy_helper.to_array(tensor))
        array = array.astype(dtype_of(tensor.data_type)) if narrow_bits(tensor.data_type) else array
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise ModelError(
            f"{where} is damaged: it does not hold the values of its shape {tuple(tensor.dims)} and its type; export the model again"
        ) from error
    if array.dtype.kind in _NO_NUMBERS:
        raise ModelError(
            f"{where} holds {_NO_NUMBERS[array.dtype.kind]}, which no hardware computes with; leave it out"
        )
    return array
