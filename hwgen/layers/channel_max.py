"""The greatest channel of each pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hwgen.codes import CodeType
from hwgen.fold import Fold
from hwgen.layers.greatest import Greatest
from hwgen.rtl_templates.compute.argmax import ArgMaxUnit

__all__ = ["ChannelMax"]


@dataclass(frozen=True)
class ChannelMax(Greatest):
    """Code = greatest code of all channels.

    Parameters
    ----------
    name, source : str
        The layer and the map it reads.
    in_shape : MapShape
    in_type : CodeType
    """

    @property
    def out_type(self) -> CodeType:
        """Type of the codes, unchanged."""
        return self.in_type

    def golden(self, x: np.ndarray) -> np.ndarray:
        """Map codes (frames, height, width, channels) int64 to codes (frames, height, width, 1)."""
        return np.asarray(x.max(axis=-1, keepdims=True))

    def component(self, fold: Fold) -> ArgMaxUnit:
        """Give the unit that compares."""
        return ArgMaxUnit(**self._unit(fold))

    def _unit(self, fold: Fold) -> dict[str, Any]:
        return {**super()._unit(fold), "gives_number": True}
