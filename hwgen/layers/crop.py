"""A rectangle cut out of a map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.codes import CodeType
from hwgen.layers.protocol import MapShape

__all__ = ["Crop"]


@dataclass(frozen=True)
class Crop:
    """Keep the rows ``top .. bottom - 1`` and the columns ``left .. right - 1``.

    Parameters
    ----------
    name, source : str
        The layer and the map it reads.
    in_shape : MapShape
    in_type : CodeType
    window : tuple of int
        (top, left, bottom, right): the first row and column that are kept, and the first ones behind them that are not.
    """

    name: str
    source: str
    in_shape: MapShape
    in_type: CodeType
    window: tuple[int, int, int, int]

    @property
    def sources(self) -> tuple[str, ...]:
        """The one map that it reads."""
        return (self.source,)

    @property
    def out_shape(self) -> MapShape:
        """Shape of the rectangle."""
        top, left, bottom, right = self.window
        return (bottom - top, right - left, self.in_shape[2])

    @property
    def out_type(self) -> CodeType:
        """Type of the codes, unchanged."""
        return self.in_type

    def golden(self, x: np.ndarray) -> np.ndarray:
        """Map codes (frames, *in_shape) int64 to codes (frames, *out_shape) int64."""
        top, left, bottom, right = self.window
        return x[:, top:bottom, left:right]

    def check(self) -> None:
        """Raise ValueError if the rectangle is empty or reaches beyond the map."""
        height, width, _ = self.in_shape
        top, left, bottom, right = self.window
        if not (0 <= top < bottom <= height and 0 <= left < right <= width):
            raise ValueError(
                f"Layer '{self.name}' keeps rows {top}..{bottom - 1} and columns {left}..{right - 1} "
                f"of a map of {height}x{width}"
            )
