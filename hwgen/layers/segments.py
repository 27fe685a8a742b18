"""Fixed-point arithmetic by pieces: straight lines between breaks for each channel and class of positions, rounded and clipped to codes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from hwgen.activation import Positions
from hwgen.codes import CodeType
from hwgen.fold import Fold
from hwgen.layers.channel_folding import ChannelFolding
from hwgen.layers.channelwise import elastic_schedule
from hwgen.layers.legal import check_positions
from hwgen.layers.protocol import MapShape, OneInput
from hwgen.rtl_templates.compute.segments import SegmentsUnit
from hwgen.rtl_templates.cost import Resources
from hwgen.rtl_templates.windows.lines import Lines
from hwgen.timing.schedule import Schedule

__all__ = ["Segments", "to_even"]

GREATEST_SUM = 1 << 62
"""Bound of ``factor * x + offset``: the golden model computes in int64."""


@dataclass(frozen=True, eq=False)
class Segments:
    """Code = ``(factor * x + offset) >> shift``, clipped; factor and offset are those of the piece in which x lies.

    The piece is the number of breaks that x reaches, of its channel and of the class of its position. The shift is arithmetic: it rounds
    down, and any other rounding is in the offset. One piece rescales; two are a PReLU; more follow a curve.

    Parameters
    ----------
    name, source : str
        The layer and the map it reads.
    in_shape : MapShape
    in_type : CodeType
    breaks : ndarray of int64, shape (classes, channels, pieces - 1)
        Rising along the last axis: the first x of each piece but the lowest.
    factors, offsets : ndarray of int64, shape (classes, channels, pieces)
    shift : int
        Bits that the sum loses.
    out_type : CodeType
        What is below its lowest code becomes that, what is above its highest that.
    positions : Positions
        Class of each position of the map.
    even : bool
        A sum of which the shift drops only zeros gives an even code: with half a step in the offset, ties go to even.
    """

    name: str
    source: str
    in_shape: MapShape
    in_type: CodeType
    breaks: np.ndarray
    factors: np.ndarray
    offsets: np.ndarray
    shift: int
    out_type: CodeType
    positions: Positions
    even: bool = False

    inputs = OneInput()

    @property
    def out_shape(self) -> MapShape:
        """Shape of the output map: that of the input."""
        return self.in_shape

    @property
    def pieces(self) -> int:
        """Straight lines a channel."""
        return int(self.factors.shape[2])

    def golden(self, x: np.ndarray) -> np.ndarray:
        """Map codes (frames, *in_shape) int64 to codes of the same shape."""
        return np.clip(self.unclipped(x), self.out_type.low, self.out_type.high)

    def unclipped(self, x: np.ndarray) -> np.ndarray:
        """Give what is clipped to the output's codes."""
        classes = self.positions.classes()
        piece = np.sum(x[..., None] >= self.breaks[classes], axis=-1)
        line = classes[..., None], np.arange(self.in_shape[2]), piece
        total = np.asarray(self.factors[line] * x + self.offsets[line])
        return to_even(total, self.shift) if self.even else total >> self.shift

    def check(self) -> None:
        """Raise ValueError if tables and types do not fit one another or a sum could leave int64."""
        height, width, channels = self.in_shape
        rows = (self.positions.count, channels)
        if self.factors.ndim != 3 or self.factors.shape[:2] != rows or self.pieces < 1:
            raise ValueError(
                f"Layer '{self.name}': factors must have shape ({rows[0]} classes, {channels} channels, pieces), not {self.factors.shape}"
            )
        check_positions(self.positions, height, width, self.name)
        if self.offsets.shape != self.factors.shape:
            raise ValueError(
                f"Layer '{self.name}': offsets must have the factors' shape {self.factors.shape}, not {self.offsets.shape}"
            )
        if self.breaks.shape != (*rows, self.pieces - 1):
            raise ValueError(
                f"Layer '{self.name}': breaks must have shape {(*rows, self.pieces - 1)}, not {self.breaks.shape}"
            )
        if np.any(np.diff(self.breaks, axis=-1) < 0):
            raise ValueError(f"Layer '{self.name}': the breaks of a channel must rise")
        if self.even and self.shift == 0:
            raise ValueError(f"Layer '{self.name}' has no ties to round to even, as its shift is 0")
        if self.shift < 0:
            raise ValueError(f"Layer '{self.name}': the shift must not be negative, but is {self.shift}")
        if self.out_type.bipolar:
            raise ValueError(f"Layer '{self.name}' cannot yield bipolar codes; that is a thresholding layer's work")
        greatest = max(abs(self.in_type.low), abs(self.in_type.high)) * _size(self.factors)
        if greatest + _size(self.offsets) > GREATEST_SUM:
            raise ValueError(f"Layer '{self.name}' has sums beyond 62 bits; use smaller factors and a smaller shift")

    @property
    def folding(self) -> ChannelFolding:
        """PE channels a beat."""
        return ChannelFolding(self.name, self.in_shape[2])

    @cached_property
    def lines(self) -> Lines:
        """The function in the hardware's terms: of the bit, where the input is bipolar, and without what is constant; class after class."""
        bounds = (self.in_type.low, self.in_type.high)
        rows = self.positions.count * self.in_shape[2]
        breaks = self.breaks.reshape(rows, self.pieces - 1)
        factors, offsets = (table.reshape(rows, self.pieces) for table in (self.factors, self.offsets))
        if self.in_type.bipolar:
            # x = 2 * bit - 1 reaches t where the bit reaches ceil((t + 1) / 2).
            bounds, breaks, factors, offsets = (0, 1), -((-1 - breaks) // 2), 2 * factors, offsets - factors
        lines = Lines(bounds, breaks, factors, offsets, self.shift, self.out_type.low, self.out_type.high, self.even)
        return lines.reduced()

    def timing(self, fold: Fold) -> Schedule:
        """Take and yield a beat a step."""
        width_out = fold.pe * self.out_type.bits
        return elastic_schedule(self.in_shape, fold, width_out=width_out, stages=self.lines.stages)

    def resources(self, fold: Fold) -> Resources:
        return SegmentsUnit.bill(self.name, **self._unit(fold)).resources()

    def component(self, fold: Fold) -> SegmentsUnit:
        """Give the unit that multiplies, adds, shifts and clips."""
        return SegmentsUnit(**self._unit(fold))

    def _unit(self, fold: Fold) -> dict[str, Any]:
        """Give what the unit and its bill have in common."""
        return {
            "lanes": fold.pe,
            "lines": self.lines,
            "out_bits": self.out_type.bits,
            "rows": self.positions.rows,
            "columns": self.positions.columns,
            "style": fold.memory,
            "slots": fold.slots,
        }


def to_even(total: np.ndarray, shift: int) -> np.ndarray:
    """Drop low bits; what is odd then, and lost only zeros, loses its lowest bit too."""
    code = total >> shift
    return np.asarray(code - ((code & 1) & ((total & ((1 << shift) - 1)) == 0)))


def _size(numbers: np.ndarray) -> int:
    """Give the greatest magnitude."""
    return max(-int(numbers.min()), int(numbers.max()))
