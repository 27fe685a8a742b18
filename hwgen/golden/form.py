"""How the packed golden model holds maps: bipolar ones as bits, eight channels a byte, others as integers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hwgen.codes import CodeType

__all__ = ["Step", "integers"]

Step = Callable[..., np.ndarray]
"""A layer on its sources' maps in this form."""


def integers(kind: CodeType) -> type[np.signedinteger]:
    """Give the dtype of maps of a type: with room for negated codes and for a neutral element of the maximum."""
    return np.int32 if max(-kind.low, kind.high) < 1 << 30 else np.int64
