"""One number for a whole map, channel by channel: its sum, its greatest or its smallest code."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from hwgen.codes import CodeType
from hwgen.layers.protocol import MapShape

__all__ = ["GlobalReduce", "Reduction"]


class Reduction(Enum):
    """How all pixels become one."""

    SUM = "sum"
    MAX = "max"
    MIN = "min"


@dataclass(frozen=True)
class GlobalReduce:
    """Code = sum, maximum or minimum of the channel over the map.

    Parameters
    ----------
    name, source : str
        The layer and the map it reads.
    in_shape : MapShape
    in_type : CodeType
    operation : Reduction
    out_type : CodeType
        Holds every sum; that of the input for a maximum or minimum.
    """

    name: str
    source: str
    in_shape: MapShape
    in_type: CodeType
    operation: Reduction
    out_type: CodeType

    @property
    def sources(self) -> tuple[str, ...]:
        """The one map that it reads."""
        return (self.source,)

    @property
    def out_shape(self) -> MapShape:
        """A single pixel."""
        return (1, 1, self.in_shape[2])

    def golden(self, x: np.ndarray) -> np.ndarray:
        """Map codes (frames, height, width, channels) int64 to codes (frames, 1, 1, channels)."""
        reduce: np.ufunc = {Reduction.SUM: np.add, Reduction.MAX: np.maximum, Reduction.MIN: np.minimum}[self.operation]
        return np.asarray(reduce.reduce(x, axis=(1, 2), keepdims=True))

    def check(self) -> None:
        """Raise ValueError if the map is empty or a result is no output code."""
        if min(self.in_shape) < 1:
            raise ValueError(f"Layer '{self.name}': the map {self.in_shape} is empty")
        if self.operation is not Reduction.SUM:
            if self.out_type != self.in_type:
                raise ValueError(
                    f"Layer '{self.name}' yields codes of its input's type {self.in_type}, not {self.out_type}"
                )
            return
        pixels = self.in_shape[0] * self.in_shape[1]
        low, high = pixels * self.in_type.low, pixels * self.in_type.high
        if self.out_type.bipolar or self.out_type.low > low or self.out_type.high < high:
            raise ValueError(f"Layer '{self.name}' yields sums {low}..{high}, which do not fit {self.out_type}")
