"""The greatest channel of each pixel."""

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

__all__ = ["ChannelMax"]


@dataclass(frozen=True)
class ChannelMax:
    """Code = greatest code of all channels.

    Parameters
    ----------
    name, source : str
        The layer and the map it reads.
    in_shape : MapShape
    in_type : CodeType
    """

    name: str
    source: str
    in_shape: MapShape
    in_type: CodeType

    inputs = OneInput()

    @property
    def out_shape(self) -> MapShape:
        """One code a pixel."""
        return (*self.in_shape[:2], 1)

    @property
    def out_type(self) -> CodeType:
        """Type of the codes, unchanged."""
        return self.in_type

    def golden(self, x: np.ndarray) -> np.ndarray:
        """Map codes (frames, height, width, channels) int64 to codes (frames, height, width, 1)."""
        return np.asarray(x.max(axis=-1, keepdims=True))

    def check(self) -> None:
        """Raise ValueError if the map has no channels."""
        if min(self.in_shape) < 1:
            raise ValueError(f"Layer '{self.name}': the map {self.in_shape} is empty")

    @property
    def folding(self) -> ChannelFolding:
        """PE channels a beat; one code a beat."""
        return ChannelFolding(self.name, self.in_shape[2], all_out=1)

    def timing(self, fold: Fold) -> Schedule:
        """Take a beat a step and yield a code with the last beat of each pixel."""
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
        """Give the unit that compares; bits of bipolar codes rank as the codes do."""
        return ArgMaxUnit(**self._unit(fold))

    def _unit(self, fold: Fold) -> dict[str, Any]:
        """Give what the unit and its bill have in common."""
        shape, channels = shape_of(self.in_type), self.in_shape[2]
        return {"lanes": fold.pe, "shape": shape, "channels": channels, "gives_number": True, "slots": fold.slots}
