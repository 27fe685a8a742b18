"""Several maps of one shape made one, element by element: a sum with factors, or a product."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import prod
from typing import Any

import numpy as np

from hwgen.codes import CodeType
from hwgen.fold import Fold
from hwgen.layers.channel_folding import ChannelFolding
from hwgen.layers.joining import in_step
from hwgen.layers.number import coding
from hwgen.layers.protocol import MapInput, MapShape
from hwgen.rtl_templates.compute.combine import CombineUnit
from hwgen.rtl_templates.cost import Resources
from hwgen.rtl_templates.streams.elastic import ElasticPipeline
from hwgen.timing.schedule import Schedule

__all__ = ["Combine", "Operation"]


class Operation(Enum):
    """How the elements of the maps become one."""

    ADD = "add"
    MULTIPLY = "multiply"


@dataclass(frozen=True, eq=False)
class Combine:
    """Code = sum over the sources of factor times code, or product of the codes.

    Parameters
    ----------
    name : str
        Name of the layer.
    sources : tuple of str
        The layers or inputs that it reads, at least two; one may be named more than once.
    in_shape : MapShape
        Shape of every map.
    in_types : tuple of CodeType
        Type of each map's codes.
    operation : Operation
    factors : ndarray of int64, shape (sources, channels)
        What each source's channel is multiplied by before the addition (-1 subtracts); 1 in a product.
    out_type : CodeType
        Holds every result.
    """

    name: str
    sources: tuple[str, ...]
    in_shape: MapShape
    in_types: tuple[CodeType, ...]
    operation: Operation
    factors: np.ndarray
    out_type: CodeType

    @property
    def inputs(self) -> tuple[MapInput, ...]:
        """The maps that it reads, all of the same shape."""
        named = zip(self.sources, self.in_types, strict=True)
        return tuple(MapInput(source, self.in_shape, kind) for source, kind in named)

    @property
    def out_shape(self) -> MapShape:
        """Shape of the output map: that of each input."""
        return self.in_shape

    def golden(self, *maps: np.ndarray) -> np.ndarray:
        """Map codes (frames, *in_shape) int64 of every source to codes of the same shape."""
        if self.operation is Operation.MULTIPLY:
            return np.multiply.reduce(maps)
        total = np.zeros_like(maps[0])
        for factor, x in zip(self.factors, maps, strict=True):
            total += factor * x
        return total

    def result_range(self) -> tuple[np.ndarray, np.ndarray]:
        """Give the exact least and greatest result of each channel.

        Returns
        -------
        low, high : ndarray of int64, shape (channels,)
        """
        bounds = np.array([[kind.low, kind.high] for kind in self.in_types])
        scaled = self.factors[:, None, :] * bounds[:, :, None]
        if self.operation is Operation.ADD:
            return scaled.min(axis=1).sum(axis=0), scaled.max(axis=1).sum(axis=0)
        low, high = scaled[0].min(axis=0), scaled[0].max(axis=0)
        for both in scaled[1:]:
            corners = np.stack([bound * code for bound in (low, high) for code in both])
            low, high = corners.min(axis=0), corners.max(axis=0)
        return low, high

    def check(self) -> None:
        """Raise ValueError with a sentence if the record is inconsistent."""
        count, channels = len(self.sources), self.in_shape[2]
        if count < 2 or len(self.in_types) != count:
            raise ValueError(
                f"Layer '{self.name}' needs at least two sources and a type for each, not {count} and {len(self.in_types)}"
            )
        if self.factors.shape != (count, channels):
            raise ValueError(
                f"Layer '{self.name}' needs factors of shape ({count}, {channels}), not {self.factors.shape}"
            )
        if self.operation is Operation.MULTIPLY and np.any(self.factors != 1):
            raise ValueError(f"Layer '{self.name}' multiplies, so its factors must all be 1")
        if self.out_type.bipolar:
            if self.operation is Operation.ADD or not all(kind.bipolar for kind in self.in_types):
                raise ValueError(f"Layer '{self.name}' yields bipolar codes, which only a product of bipolar codes is")
            return
        low, high = self.result_range()
        if low.min() < self.out_type.low or high.max() > self.out_type.high:
            raise ValueError(
                f"Layer '{self.name}' yields {low.min()}..{high.max()}, which does not fit {self.out_type}"
            )

    @property
    def folding(self) -> ChannelFolding:
        """PE channels a beat, of every source."""
        return ChannelFolding(self.name, self.in_shape[2], inputs=len(self.sources))

    def timing(self, fold: Fold) -> Schedule:
        """Take a beat of every source a step, and yield one."""
        latency, slots = ElasticPipeline.timing(self._pipeline(fold), fold.pe * self.out_type.bits, fold.slots)
        return in_step(len(self.sources), prod(self.in_shape) // fold.pe, latency, slots)

    def resources(self, fold: Fold) -> Resources:
        return CombineUnit.bill(self.name, **self._unit(fold)).resources()

    def component(self, fold: Fold) -> CombineUnit:
        """Give the combining unit."""
        return CombineUnit(**self._unit(fold))

    def _unit(self, fold: Fold) -> dict[str, Any]:
        """Give what the unit and its bill have in common."""
        return {
            "lanes": fold.pe,
            "codings": [coding(kind) for kind in self.in_types],
            "factors": self._scales,
            "out_coding": coding(self.out_type),
            "style": fold.memory,
            "slots": fold.slots,
        }

    @property
    def _scales(self) -> np.ndarray | None:
        """Factors in the hardware's terms: a product has none."""
        return self.factors if self.operation is Operation.ADD else None

    def _pipeline(self, fold: Fold) -> int:
        return CombineUnit.pipeline(fold.pe, len(self.sources), self._scales)
