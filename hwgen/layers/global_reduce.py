"""One number for a whole map, channel by channel: its sum, its greatest or its smallest code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hwgen.codes import CodeType
from hwgen.fold import Fold
from hwgen.layers.channel_folding import ChannelFolding
from hwgen.layers.number import shape_of
from hwgen.layers.protocol import MapShape, OneInput
from hwgen.rtl_templates.compute.global_reduce import GlobalReduceUnit, Reduction
from hwgen.rtl_templates.cost import Resources
from hwgen.rtl_templates.streams.output_queue import OutputQueue
from hwgen.timing.schedule import Schedule

__all__ = ["GlobalReduce", "Reduction"]


@dataclass(frozen=True)
class GlobalReduce:
    """Code = sum, maximum or minimum of the channel over the map.

    Parameters
    ----------
    name, source : str
        The layer and the map it reads.
    in_shape : MapShape
    in_type : CodeType
    operation : Reduction
    out_type : CodeType
        Holds every sum; that of the input for a maximum or minimum.
    """

    name: str
    source: str
    in_shape: MapShape
    in_type: CodeType
    operation: Reduction
    out_type: CodeType

    inputs = OneInput()

    @property
    def out_shape(self) -> MapShape:
        """A single pixel."""
        return (1, 1, self.in_shape[2])

    def golden(self, x: np.ndarray) -> np.ndarray:
        """Map codes (frames, height, width, channels) int64 to codes (frames, 1, 1, channels)."""
        reduce: np.ufunc = {Reduction.SUM: np.add, Reduction.MAX: np.maximum, Reduction.MIN: np.minimum}[self.operation]
        return np.asarray(reduce.reduce(x, axis=(1, 2), keepdims=True))

    def check(self) -> None:
        """Raise ValueError if the map is empty or a result is no output code."""
        if min(self.in_shape) < 1:
            raise ValueError(f"Layer '{self.name}': the map {self.in_shape} is empty")
        if self.operation is not Reduction.SUM:
            if self.out_type != self.in_type:
                raise ValueError(
                    f"Layer '{self.name}' yields codes of its input's type {self.in_type}, not {self.out_type}"
                )
            return
        pixels = self.in_shape[0] * self.in_shape[1]
        low, high = pixels * self.in_type.low, pixels * self.in_type.high
        if self.out_type.bipolar or self.out_type.low > low or self.out_type.high < high:
            raise ValueError(f"Layer '{self.name}' yields sums {low}..{high}, which do not fit {self.out_type}")

    @property
    def folding(self) -> ChannelFolding:
        """PE channels a beat, in and out."""
        return ChannelFolding(self.name, self.in_shape[2], simd=True)

    @property
    def _pixels(self) -> int:
        return self.in_shape[0] * self.in_shape[1]

    def _groups(self, fold: Fold) -> int:
        """Beats of a pixel."""
        return self.in_shape[2] // fold.simd

    def _slots(self, fold: Fold) -> int:
        """Depth of the output FIFO: the fold's choice, or the least that costs no cycle."""
        width = fold.pe * self.out_type.bits
        return fold.slots or GlobalReduceUnit.least_slots(width, self._groups(fold), self._pixels)

    def timing(self, fold: Fold) -> Schedule:
        """Take a beat a step; those of the last pixel yield one each."""
        groups, slots = self._groups(fold), self._slots(fold)
        beats = np.arange(self._pixels * groups, dtype=np.int64)
        latency = GlobalReduceUnit.pipeline(groups) + OutputQueue.latency(fold.pe * self.out_type.bits, slots)
        return Schedule.through(
            steps=len(beats), events=beats, accept=beats, emit=beats[-groups:], latency=latency, slots=slots
        )

    def resources(self, fold: Fold) -> Resources:
        return GlobalReduceUnit.bill(self.name, **self._unit(fold)).resources()

    def component(self, fold: Fold) -> GlobalReduceUnit:
        """Give the unit that reduces; bits of bipolar codes rank as the codes do."""
        return GlobalReduceUnit(bipolar=self.in_type.bipolar, **self._unit(fold))

    def _unit(self, fold: Fold) -> dict[str, Any]:
        """Give what the unit and its bill have in common."""
        return {
            "lanes": fold.simd,
            "shape": shape_of(self.in_type),
            "groups": self._groups(fold),
            "pixels": self._pixels,
            "reduction": self.operation,
            "result": shape_of(self.out_type),
            "slots": self._slots(fold),
        }
