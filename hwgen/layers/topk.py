"""The indices of the k greatest, or smallest, channels of each pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.codes import CodeType
from hwgen.layers.protocol import MapShape

__all__ = ["TopK"]


@dataclass(frozen=True)
class TopK:
    """Codes = indices of the k best channels, the best first; of equal channels the lowest index comes first.

    Parameters
    ----------
    name, source : str
        The layer and the map it reads.
    in_shape : MapShape
    in_type : CodeType
    k : int
        How many.
    largest : bool
        The greatest are best, not the smallest.
    """

    name: str
    source: str
    in_shape: MapShape
    in_type: CodeType
    k: int
    largest: bool = True

    @property
    def sources(self) -> tuple[str, ...]:
        """The one map that it reads."""
        return (self.source,)

    @property
    def out_shape(self) -> MapShape:
        """K indices a pixel."""
        return (*self.in_shape[:2], self.k)

    @property
    def out_type(self) -> CodeType:
        """Every channel's index."""
        return CodeType(0, self.in_shape[2] - 1)

    def golden(self, x: np.ndarray) -> np.ndarray:
        """Map codes (frames, height, width, channels) int64 to indices (frames, height, width, k)."""
        order = np.argsort(-x if self.largest else x, axis=-1, kind="stable")
        return order[..., : self.k]

    def check(self) -> None:
        """Raise ValueError if there are fewer channels than are asked for."""
        if not 1 <= self.k <= self.in_shape[2]:
            raise ValueError(f"Layer '{self.name}' picks {self.k} of {self.in_shape[2]} channels")
