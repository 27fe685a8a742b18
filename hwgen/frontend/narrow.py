"""Integers of fewer than eight bits: NumPy keeps them in bytes, and their width is told apart."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["array_of", "dtype_of", "narrow_bits"]

_NARROW: dict[int, tuple[int, np.dtype]] = {
    getattr(TensorProto, f"{sign}INT{bits}"): (bits, np.dtype(np.uint8 if sign else np.int8))
    for sign in ("", "U")
    for bits in (2, 4)
    if hasattr(TensorProto, f"{sign}INT{bits}")
}
"""Element types of ONNX, their bits, and the bytes that hold them. (Two bits came with opset 25.)"""


def narrow_bits(data_type: int) -> int:
    """Give the bits of an element type that NumPy lacks, 0 for any other."""
    return _NARROW[data_type][0] if data_type in _NARROW else 0


def dtype_of(data_type: int) -> np.dtype:
    """Give the NumPy type that holds an element type."""
    return _NARROW[data_type][1] if data_type in _NARROW else np.dtype(helper.tensor_dtype_to_np_dtype(data_type))


def array_of(tensor: onnx.TensorProto) -> np.ndarray:
    """Give a tensor's values, those of two and four bits as bytes."""
    array = np.asarray(numpy_helper.to_array(tensor))
    return array.astype(dtype_of(tensor.data_type)) if narrow_bits(tensor.data_type) else array
