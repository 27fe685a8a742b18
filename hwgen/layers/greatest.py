"""What the layers have in common that pass over the channels of each pixel for the greatest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from hwgen.codes import CodeType
from hwgen.fold import Fold
from hwgen.layers.channel_folding import ChannelFolding
from hwgen.layers.channelwise import beat_schedule
from hwgen.layers.number import shape_of
from hwgen.layers.protocol import MapShape, OneInput
from hwgen.rtl_templates.compute.argmax import ArgMaxUnit
from hwgen.rtl_templates.cost import Resources
from hwgen.timing.schedule import Schedule

__all__ = ["Greatest"]


@dataclass(frozen=True)
class Greatest(ABC):
    """One number a pixel, known with its last channel.

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
        """One number a pixel."""
        return (*self.in_shape[:2], 1)

    @property
    @abstractmethod
    def out_type(self) -> CodeType:
        """Type of the number."""

    def check(self) -> None:
        """Raise ValueError if the map has no channels."""
        if min(self.in_shape) < 1:
            raise ValueError(f"Layer '{self.name}': the map {self.in_shape} is empty")

    @property
    def folding(self) -> ChannelFolding:
        """PE channels a beat; one number a beat."""
        return ChannelFolding(self.name, self.in_shape[2], all_out=1)

    def timing(self, fold: Fold) -> Schedule:
        """Take a beat a step and yield a number with the last beat of each pixel."""
        return beat_schedule(
            self.in_shape,
            fold,
            width_out=self.out_type.bits,
            pipeline=ArgMaxUnit.pipeline(fold.pe),
            interval=self.in_shape[2] // fold.pe,
        )

    def resources(self, fold: Fold) -> Resources:
        return ArgMaxUnit.bill(self.name, **self._unit(fold)).resources()

    def _unit(self, fold: Fold) -> dict[str, Any]:
        """Give what the unit and its bill have in common; bits of bipolar codes rank as the codes do."""
        shape = shape_of(self.in_type)
        return {"lanes": fold.pe, "shape": shape, "channels": self.in_shape[2], "slots": fold.slots}
