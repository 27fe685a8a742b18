"""A map seen as one of another shape: the same codes in the same order on the stream."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from hwgen.codes import CodeType
from hwgen.fold import Fold
from hwgen.layers.channel_folding import ChannelFolding
from hwgen.layers.filter_schedule import filter_schedule
from hwgen.layers.protocol import MapShape, OneInput
from hwgen.rtl_templates.cost import Resources
from hwgen.rtl_templates.streams.channel_wires import ChannelWires
from hwgen.rtl_templates.streams.fifo import FULL_RATE_DEPTH
from hwgen.timing.schedule import Schedule

__all__ = ["Reshape"]


@dataclass(frozen=True)
class Reshape:
    """Codes in raster order, channels last, as the pixels of a map of another shape.

    A vector becomes a map so: the rows of the layer that yields it stand in the map's order.

    Parameters
    ----------
    name, source : str
        The layer and the map it reads.
    in_shape : MapShape
    in_type : CodeType
    out_shape : MapShape
        As many elements as ``in_shape``.
    """

    name: str
    source: str
    in_shape: MapShape
    in_type: CodeType
    out_shape: MapShape

    inputs = OneInput()

    @property
    def out_type(self) -> CodeType:
        """Type of the codes, unchanged."""
        return self.in_type

    def golden(self, x: np.ndarray) -> np.ndarray:
        """Map codes (frames, *in_shape) int64 to codes (frames, *out_shape) int64."""
        return x.reshape(len(x), *self.out_shape)

    def check(self) -> None:
        """Raise ValueError if elements are lost or made."""
        if math.prod(self.in_shape) != math.prod(self.out_shape) or min(self.out_shape) < 1:
            raise ValueError(f"Layer '{self.name}' cannot see a map of {self.in_shape} as one of {self.out_shape}")

    @property
    def folding(self) -> ChannelFolding:
        """PE channels a beat, a divisor of those before and after."""
        shared = math.gcd(self.in_shape[2], self.out_shape[2])
        return ChannelFolding(self.name, shared, "channels that both shapes share", simd=True)

    def timing(self, fold: Fold) -> Schedule:
        """Take a beat a step and hand it on."""
        return filter_schedule(
            [True], [True] * (math.prod(self.in_shape) // fold.pe), [True], fold, width=fold.pe * self.in_type.bits
        )

    def resources(self, fold: Fold) -> Resources:
        return ChannelWires.bill(self.name, **self._wires(fold)).resources()

    def component(self, fold: Fold) -> ChannelWires:
        """Give wires and a FIFO."""
        return ChannelWires(lanes=fold.pe, **self._wires(fold))

    def _wires(self, fold: Fold) -> dict[str, Any]:
        return {"bits": self.in_type.bits, "chosen": range(fold.pe), "slots": fold.slots or FULL_RATE_DEPTH}
