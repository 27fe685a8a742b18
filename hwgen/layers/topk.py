"""The indices of the k greatest, or smallest, channels of each pixel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from hwgen.codes import CodeType
from hwgen.errors import OptionError
from hwgen.fold import Fold
from hwgen.layers.channelwise import beat_schedule
from hwgen.layers.legal import check_no_window, check_slots, check_tables
from hwgen.layers.number import shape_of
from hwgen.layers.protocol import MapShape, OneInput
from hwgen.rtl_templates.compute.topk import TopKUnit
from hwgen.rtl_templates.cost import Resources
from hwgen.timing.schedule import Schedule

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

    inputs = OneInput()

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

    @property
    def folding(self) -> TopKFolding:
        """What PE and SIMD may be."""
        return TopKFolding(self)

    def timing(self, fold: Fold) -> Schedule:
        """Take a channel a step and yield the indices with the last one of each pixel."""
        return beat_schedule(
            self.in_shape,
            fold,
            width_out=self.k * self.out_type.bits,
            pipeline=TopKUnit.PIPELINE,
            interval=self.in_shape[2],
        )

    def resources(self, fold: Fold) -> Resources:
        return TopKUnit.bill(self.name, **self._unit(fold)).resources()

    def component(self, fold: Fold) -> TopKUnit:
        """Give the unit that keeps the best; bits of bipolar codes rank as the codes do."""
        return TopKUnit(largest=self.largest, **self._unit(fold))

    def _unit(self, fold: Fold) -> dict[str, Any]:
        """Give what the unit and its bill have in common."""
        return {"shape": shape_of(self.in_type), "channels": self.in_shape[2], "k": self.k, "slots": fold.slots}


@dataclass(frozen=True)
class TopKFolding:
    """A channel at a time; all k indices of a pixel in a beat."""

    layer: TopK

    def folds(self) -> Iterator[Fold]:
        """Give the single legal folding."""
        yield Fold()

    def check(self, fold: Fold) -> None:
        """Raise OptionError if PE or SIMD is not 1."""
        if (fold.pe, fold.simd) != (1, 1):
            raise OptionError(
                f"PE and SIMD must be 1, not {fold.pe} and {fold.simd}, as layer '{self.layer.name}' ranks channel by channel"
            )
        check_slots(fold, self.layer.name)
        check_no_window(fold, self.layer.name)
        check_tables(fold, self.layer.name)

    def input_lanes(self, fold: Fold) -> tuple[int, ...]:
        """Give the codes in one beat of each input."""
        return (1,)

    def out_lanes(self, fold: Fold) -> int:
        """Give the codes in one beat of the output."""
        return self.layer.k
