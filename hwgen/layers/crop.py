"""A rectangle cut out of a map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hwgen.codes import CodeType
from hwgen.fold import Fold
from hwgen.layers.channel_folding import ChannelFolding
from hwgen.layers.filter_schedule import filter_schedule
from hwgen.layers.protocol import MapShape, OneInput
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

    inputs = OneInput()

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

    @property
    def folding(self) -> ChannelFolding:
        """PE channels a beat, in and out."""
        return ChannelFolding(self.name, self.in_shape[2], simd=True)

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
