"""A rectangle cut out of a map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from hwgen.codes import CodeType
from hwgen.fold import Fold
from hwgen.layers.filter_schedule import filter_schedule
from hwgen.layers.legal import check_divides, check_same_lanes, check_slots, divisors
from hwgen.layers.protocol import MapShape
from hwgen.rtl_templates.cost import Resources
from hwgen.rtl_templates.streams.beat_filter import BeatFilter
from hwgen.rtl_templates.streams.fifo import FULL_RATE_DEPTH
from hwgen.timing.schedule import Schedule

__all__ = ["Crop"]


@dataclass(frozen=True)
class Crop:
    """Keep the rows ``top .. bottom - 1`` and the columns ``left .. right - 1``.

    Parameters
    ----------
    name, source : str
        The layer and the map it reads.
    in_shape : MapShape
    in_type : CodeType
    window : tuple of int
        (top, left, bottom, right): the first row and column that are kept, and the first ones behind them that are not.
    """

    name: str
    source: str
    in_shape: MapShape
    in_type: CodeType
    window: tuple[int, int, int, int]

    @property
    def sources(self) -> tuple[str, ...]:
        """The one map that it reads."""
        return (self.source,)

    @property
    def out_shape(self) -> MapShape:
        """Shape of the rectangle."""
        top, left, bottom, right = self.window
        return (bottom - top, right - left, self.in_shape[2])

    @property
    def out_type(self) -> CodeType:
        """Type of the codes, unchanged."""
        return self.in_type

    def golden(self, x: np.ndarray) -> np.ndarray:
        """Map codes (frames, *in_shape) int64 to codes (frames, *out_shape) int64."""
        top, left, bottom, right = self.window
        return x[:, top:bottom, left:right]

    def check(self) -> None:
        """Raise ValueError if the rectangle is empty or reaches beyond the map."""
        height, width, _ = self.in_shape
        top, left, bottom, right = self.window
        if not (0 <= top < bottom <= height and 0 <= left < right <= width):
            raise ValueError(
                f"Layer '{self.name}' keeps rows {top}..{bottom - 1} and columns {left}..{right - 1} "
                f"of a map of {height}x{width}"
            )

    def folds(self) -> Iterator[Fold]:
        """Every legal folding: as many output as input lanes, a divisor of the channels."""
        return (Fold(pe=lanes, simd=lanes) for lanes in divisors(self.in_shape[2]))

    def check_fold(self, fold: Fold) -> None:
        """Raise OptionError naming the layer, the illegal value and the legal ones."""
        check_same_lanes(fold, self.name)
        check_divides("PE", fold.pe, self.in_shape[2], "channels", self.name)
        check_slots(fold, self.name)

    def cycles(self, fold: Fold) -> int:
        """Input beats of a frame."""
        height, width, channels = self.in_shape
        return height * width * channels // fold.simd

    def in_lanes(self, fold: Fold) -> int:
        """SIMD channels a beat."""
        return fold.simd

    def out_lanes(self, fold: Fold) -> int:
        """The same."""
        return fold.pe

    def _kept(self, fold: Fold) -> tuple[list[bool], list[bool], list[bool]]:
        """Tell which words of a pixel, which columns and which rows are kept."""
        height, width, channels = self.in_shape
        top, left, bottom, right = self.window
        columns, rows = [left <= x < right for x in range(width)], [top <= y < bottom for y in range(height)]
        return [True] * (channels // fold.simd), columns, rows

    def timing(self, fold: Fold) -> Schedule:
        """Take a beat a step; those of the rectangle are handed on."""
        return filter_schedule(*self._kept(fold), fold, width=fold.pe * self.in_type.bits)

    def resources(self, fold: Fold) -> Resources:
        return BeatFilter.bill(self.name, **self._unit(fold)).resources()

    def component(self, fold: Fold) -> BeatFilter:
        """Give the unit that drops beats."""
        return BeatFilter(**self._unit(fold))

    def _unit(self, fold: Fold) -> dict[str, Any]:
        words, columns, rows = self._kept(fold)
        width, slots = fold.pe * self.in_type.bits, fold.slots or FULL_RATE_DEPTH
        return {"width": width, "words": words, "columns": columns, "rows": rows, "slots": slots}
