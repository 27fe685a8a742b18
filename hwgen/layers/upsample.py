"""Every pixel many times: nearest-neighbour upsampling, and a single pixel spread over a map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.codes import CodeType
from hwgen.layers.protocol import MapShape

__all__ = ["Upsample"]


@dataclass(frozen=True)
class Upsample:
    """Code = code of the pixel at (row // vertical factor, column // horizontal factor).

    Parameters
    ----------
    name, source : str
        The layer and the map it reads.
    in_shape : MapShape
    in_type : CodeType
    factors : tuple of int
        How often each row and each pixel of a row is given.
    """

    name: str
    source: str
    in_shape: MapShape
    in_type: CodeType
    factors: tuple[int, int]

    @property
    def sources(self) -> tuple[str, ...]:
        """The one map that it reads."""
        return (self.source,)

    @property
    def out_shape(self) -> MapShape:
        """Shape of the enlarged map."""
        height, width, channels = self.in_shape
        return (height * self.factors[0], width * self.factors[1], channels)

    @property
    def out_type(self) -> CodeType:
        """Type of the codes, unchanged."""
        return self.in_type

    def golden(self, x: np.ndarray) -> np.ndarray:
        """Map codes (frames, *in_shape) int64 to codes (frames, *out_shape) int64."""
        height, width, _ = self.out_shape
        rows, columns = np.arange(height) // self.factors[0], np.arange(width) // self.factors[1]
        return x[:, rows[:, None], columns[None, :]]

    def check(self) -> None:
        """Raise ValueError if a factor is not positive."""
        if min(self.factors) < 1:
            raise ValueError(f"Layer '{self.name}' can only repeat rows and columns, not {self.factors} times")
