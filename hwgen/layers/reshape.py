"""A map seen as one of another shape: the same codes in the same order on the stream."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from hwgen.codes import CodeType
from hwgen.errors import OptionError
from hwgen.fold import Fold, WindowStyle
from hwgen.layers.filter_schedule import filter_schedule
from hwgen.layers.legal import check_divides, check_same_lanes, check_slots, divisors
from hwgen.layers.protocol import MapShape
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

    @property
    def sources(self) -> tuple[str, ...]:
        """The one map that it reads."""
        return (self.source,)

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
    def _most_lanes(self) -> int:
        """Channels that a beat can hold before and after."""
        return math.gcd(self.in_shape[2], self.out_shape[2])

    def folds(self) -> Iterator[Fold]:
        """Every number of lanes that divides the channels of both shapes."""
        return (Fold(pe=lanes, simd=lanes) for lanes in divisors(self._most_lanes))

    def check_fold(self, fold: Fold) -> None:
        """Raise OptionError naming the layer, the illegal value and the legal ones."""
        check_same_lanes(fold, self.name)
        check_slots(fold, self.name)
        check_divides("PE", fold.pe, self._most_lanes, "channels that both shapes share", self.name)
        if fold.window is WindowStyle.PARALLEL:
            raise OptionError(f"Layer '{self.name}' has no window that could be parallel")

    def cycles(self, fold: Fold) -> int:
        """Beats of a frame."""
        return math.prod(self.in_shape) // fold.pe

    def in_lanes(self, fold: Fold) -> int:
        """PE channels a beat."""
        return fold.pe

    def out_lanes(self, fold: Fold) -> int:
        """PE channels a beat."""
        return fold.pe

    def timing(self, fold: Fold) -> Schedule:
        """Take a beat a step and hand it on."""
        return filter_schedule([True], [True] * self.cycles(fold), [True], fold, width=fold.pe * self.in_type.bits)

    def resources(self, fold: Fold) -> Resources:
        return ChannelWires.bill(self.name, **self._wires(fold)).resources()

    def component(self, fold: Fold) -> ChannelWires:
        """Give wires and a FIFO."""
        return ChannelWires(lanes=fold.pe, **self._wires(fold))

    def _wires(self, fold: Fold) -> dict[str, Any]:
        return {"bits": self.in_type.bits, "chosen": range(fold.pe), "slots": fold.slots or FULL_RATE_DEPTH}
