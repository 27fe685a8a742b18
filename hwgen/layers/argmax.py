"""The index of the greatest channel of each pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.codes import CodeType
from hwgen.fold import Fold
from hwgen.layers.greatest import Greatest
from hwgen.rtl_templates.compute.argmax import ArgMaxUnit

__all__ = ["ArgMax"]


@dataclass(frozen=True)
class ArgMax(Greatest):
    """Code = index of the channel with the greatest code.

    Parameters
    ----------
    name, source : str
        The layer and the map it reads.
    in_shape : MapShape
    in_type : CodeType
    last : bool
        Of equal channels the highest index wins, not the lowest.
    """

    last: bool = False

    @property
    def out_type(self) -> CodeType:
        """Every channel's index."""
        return CodeType(0, self.in_shape[2] - 1)

    def golden(self, x: np.ndarray) -> np.ndarray:
        """Map codes (frames, height, width, channels) int64 to indices (frames, height, width, 1)."""
        channels = self.in_shape[2]
        if self.last:
            return np.asarray(channels - 1 - np.argmax(x[..., ::-1], axis=-1, keepdims=True))
        return np.asarray(np.argmax(x, axis=-1, keepdims=True))

    def component(self, fold: Fold) -> ArgMaxUnit:
        """Give the unit that compares and counts."""
        return ArgMaxUnit(last=self.last, **self._unit(fold))
