"""The index of the greatest channel of each pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hwgen.codes import CodeType
from hwgen.fold import Fold
from hwgen.layers.channel_folding import ChannelFolding
from hwgen.layers.channelwise import beat_schedule
from hwgen.layers.number import shape_of
from hwgen.layers.protocol import MapShape, OneInput
from hwgen.rtl_templates.compute.argmax import ArgMaxUnit
from hwgen.rtl_templates.cost import Resources
from hwgen.timing.schedule import Schedule

__all__ = ["ArgMax"]


@dataclass(frozen=True)
class ArgMax:
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

    name: str
    source: str
    in_shape: MapShape
    in_type: CodeType
    last: bool = False

    inputs = OneInput()

    @property
    def out_shape(self) -> MapShape:
        """One index a pixel."""
        return (*self.in_shape[:2], 1)

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

    def check(self) -> None:
        """Raise ValueError if the map has no channels."""
        if min(self.in_shape) < 1:
            raise ValueError(f"Layer '{self.name}': the map {self.in_shape} is empty")

    @property
    def folding(self) -> ChannelFolding:
        """PE channels a beat; one index a beat."""
        return ChannelFolding(self.name, self.in_shape[2], all_out=1)

    def timing(self, fold: Fold) -> Schedule:
        """Take a beat a step and yield an index with the last beat of each pixel."""
        return beat_schedule(
            self.in_shape,
            fold,
            width_out=self.out_type.bits,
            pipeline=ArgMaxUnit.pipeline(fold.pe),
            interval=self.in_shape[2] // fold.pe,
        )

    def resources(self, fold: Fold) -> Resources:
        return ArgMaxUnit.bill(self.name, **self._unit(fold)).resources()

    def component(self, fold: Fold) -> ArgMaxUnit:
        """Give the argmax unit; bits of bipolar codes rank as the codes do."""
        return ArgMaxUnit(last=self.last, **self._unit(fold))

    def _unit(self, fold: Fold) -> dict[str, Any]:
        """Give what the unit and its bill have in common."""
        shape = shape_of(self.in_type)
        return {"lanes": fold.pe, "shape": shape, "channels": self.in_shape[2], "slots": fold.slots}
