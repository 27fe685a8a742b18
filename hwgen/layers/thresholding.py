"""A quantiser on its own: each channel of a map compared with rising levels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hwgen.activation import Thresholds
from hwgen.codes import CodeType
from hwgen.fold import Fold
from hwgen.layers.channel_folding import ChannelFolding
from hwgen.layers.channelwise import elastic_schedule
from hwgen.layers.legal import check_positions
from hwgen.layers.number import shape_of
from hwgen.layers.protocol import MapShape, OneInput
from hwgen.rtl_templates.compute.threshold import ThresholdUnit
from hwgen.rtl_templates.cost import Resources
from hwgen.timing.schedule import Schedule

__all__ = ["Thresholding"]


@dataclass(frozen=True, eq=False)
class Thresholding:
    """Code = lowest output code + number of levels that the input, or its negative, reaches.

    Parameters
    ----------
    name, source : str
        The layer and the map it reads.
    in_shape : MapShape
    in_type : CodeType
    thresholds : Thresholds
        Levels of each class of positions and channel.
    negate : tuple of bool
        For each channel: compare ``-x`` instead of ``x``.
    out_type : CodeType
    """

    name: str
    source: str
    in_shape: MapShape
    in_type: CodeType
    thresholds: Thresholds
    negate: tuple[bool, ...]
    out_type: CodeType

    inputs = OneInput()

    @property
    def out_shape(self) -> MapShape:
        """Shape of the output map: that of the input."""
        return self.in_shape

    def golden(self, x: np.ndarray) -> np.ndarray:
        """Map codes (frames, *in_shape) int64 to codes of the same shape."""
        counts = self.thresholds.counts(np.where(self.negate, -x, x))
        return 2 * counts - 1 if self.out_type.bipolar else self.out_type.low + counts

    def check(self) -> None:
        """Raise ValueError if levels, positions and types do not fit one another."""
        height, width, channels = self.in_shape
        levels, positions = self.thresholds.levels, self.thresholds.positions
        if levels.ndim != 3 or levels.shape[:2] != (positions.count, channels):
            raise ValueError(
                f"Layer '{self.name}': levels must have shape ({positions.count} classes, {channels} channels, steps), not {levels.shape}"
            )
        check_positions(positions, height, width, self.name)
        if len(self.negate) != channels:
            raise ValueError(f"Layer '{self.name}': negate must name {channels} channels, not {len(self.negate)}")
        if not 1 <= self.thresholds.steps < self.out_type.levels:
            raise ValueError(
                f"Layer '{self.name}': {self.out_type} codes take 1 to {self.out_type.levels - 1} levels, not {self.thresholds.steps}"
            )
        if np.any(np.diff(levels, axis=-1) < 0):
            raise ValueError(f"Layer '{self.name}': the levels of a channel must rise")

    @property
    def folding(self) -> ChannelFolding:
        """PE channels a beat."""
        return ChannelFolding(self.name, self.in_shape[2])

    def writable(self, fold: Fold) -> Fold:
        """Give the folding with memories that can be written."""
        return replace(fold, writable=True)

    def timing(self, fold: Fold) -> Schedule:
        """Take and yield a beat a step."""
        return elastic_schedule(
            self.in_shape,
            fold,
            width_out=fold.pe * self.out_type.bits,
            stages=ThresholdUnit.pipeline(self.thresholds.steps),
        )

    def resources(self, fold: Fold) -> Resources:
        return ThresholdUnit.bill(self.name, **self._unit(fold)).resources()

    def component(self, fold: Fold) -> ThresholdUnit:
        """Give the threshold unit."""
        return ThresholdUnit(low=0 if self.out_type.bipolar else self.out_type.low, **self._unit(fold))

    def _unit(self, fold: Fold) -> dict[str, Any]:
        """Give what the unit and its bill have in common."""
        return {
            "lanes": fold.pe,
            "in_shape": shape_of(self.in_type),
            "levels": self._levels(),
            "falling": self.negate,
            "out_bits": self.out_type.bits,
            "rows": self.thresholds.positions.rows,
            "columns": self.thresholds.positions.columns,
            "style": fold.memory,
            "slots": fold.slots,
            "writable": fold.writable,
        }

    def _levels(self) -> np.ndarray:
        """Give the levels that the hardware compares with: int64 (classes, channels, steps); a bipolar input is compared as its bit."""
        levels = self.thresholds.levels
        falling = np.array(self.negate)
        # -x >= t is x < 1 - t, so a negated channel falls at the levels 1 - t.
        levels = np.where(falling[None, :, None], 1 - levels[..., ::-1], levels)
        if self.in_type.bipolar:
            levels = -((-1 - levels) // 2)  # 2 * bit - 1 >= t is bit >= ceil((t + 1) / 2)
        return levels
