"""NumPy semantics of the canonical operators.

Every function takes the node's attributes, then its input arrays (None for an absent optional one), and returns one
array or a tuple of arrays. The result has the dtype of the inputs, so the same function serves float32 (as ONNX
defines it) and float64.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

__all__ = ["Attributes", "Operator", "UnfitError"]

Attributes = Mapping[str, Any]
Operator = Callable[..., np.ndarray | tuple[np.ndarray, ...]]


class UnfitError(ValueError):
    """Inputs or attributes that an operator does not take, in words that are shown to the user."""
