"""Fixed-point arithmetic by pieces: each channel's straight lines between breaks, rounded and clipped to the output's codes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hwgen.codes import CodeType
from hwgen.fold import Fold
from hwgen.layers.channelwise import channel_folds, check_channel_fold, elastic_schedule
from hwgen.layers.legal import check_tables
from hwgen.layers.protocol import MapShape, MemoryShape, Resources
from hwgen.rtl_templates.adder_tree import range_shape
from hwgen.rtl_templates.elastic import QUEUE
from hwgen.rtl_templates.lines import Lines
from hwgen.rtl_templates.segments import SegmentsUnit
from hwgen.schedule import Schedule

__all__ = ["Segments"]

GREATEST_SUM = 1 << 62
"""Bound of ``factor * x + offset``: the golden model computes in int64."""


@dataclass(frozen=True, eq=False)
class Segments:
    """Code = ``(factor * x + offset) >> shift``, clipped; factor and offset are those of the piece in which x lies.

    The piece is the number of the channel's breaks that x reaches. The shift is arithmetic: it rounds down, and any
    other rounding is in the offset. One piece rescales; two are a PReLU; more follow a curve.

    Parameters
    ----------
    name, source : str
        The layer and the map it reads.
    in_shape : MapShape
    in_type : CodeType
    breaks : ndarray of int64, shape (channels, pieces - 1)
        Rising along the last axis: the first x of each piece but the lowest.
    factors, offsets : ndarray of int64, shape (channels, pieces)
    shift : int
        Bits that the sum loses.
    out_type : CodeType
        What is below its lowest code becomes that, what is above its highest that.
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

    @property
    def sources(self) -> tuple[str, ...]:
        """The one map that it reads."""
        return (self.source,)

    @property
    def out_shape(self) -> MapShape:
        """Shape of the output map: that of the input."""
        return self.in_shape

    @property
    def pieces(self) -> int:
        """Straight lines a channel."""
        return int(self.factors.shape[1])

    def golden(self, x: np.ndarray) -> np.ndarray:
        """Map codes (frames, *in_shape) int64 to codes of the same shape."""
        return np.clip(self.unclipped(x), self.out_type.low, self.out_type.high)

    def unclipped(self, x: np.ndarray) -> np.ndarray:
        """Give what is clipped to the output's codes."""
        channel = np.arange(self.in_shape[2])
        piece = np.sum(x[..., None] >= self.breaks, axis=-1)
        sums = self.factors[channel, piece] * x + self.offsets[channel, piece]
        return np.asarray(sums >> self.shift)

    def check(self) -> None:
        """Raise ValueError if tables and types do not fit one another or a sum could leave int64."""
        channels = self.in_shape[2]
        if self.factors.ndim != 2 or len(self.factors) != channels or self.pieces < 1:
            raise ValueError(
                f"Layer '{self.name}': factors must have shape ({channels} channels, pieces), not {self.factors.shape}"
            )
        if self.offsets.shape != self.factors.shape:
            raise ValueError(
                f"Layer '{self.name}': offsets must have the factors' shape {self.factors.shape}, not {self.offsets.shape}"
            )
        if self.breaks.shape != (channels, self.pieces - 1):
            raise ValueError(
                f"Layer '{self.name}': breaks must have shape ({channels}, {self.pieces - 1}), not {self.breaks.shape}"
            )
        if np.any(np.diff(self.breaks, axis=-1) < 0):
            raise ValueError(f"Layer '{self.name}': the breaks of a channel must rise")
        if self.shift < 0:
            raise ValueError(f"Layer '{self.name}': the shift must not be negative, but is {self.shift}")
        if self.out_type.bipolar:
            raise ValueError(f"Layer '{self.name}' cannot yield bipolar codes; that is a thresholding layer's work")
        greatest = max(abs(self.in_type.low), abs(self.in_type.high)) * max(abs(int(f)) for f in self.factors.flat)
        if greatest + max(abs(int(offset)) for offset in self.offsets.flat) > GREATEST_SUM:
            raise ValueError(f"Layer '{self.name}' has sums beyond 62 bits; use smaller factors and a smaller shift")

    def folds(self) -> Iterator[Fold]:
        """Every divisor of the channel count."""
        return channel_folds(self.in_shape[2])

    def check_fold(self, fold: Fold) -> None:
        """Raise OptionError if PE does not divide the channels."""
        check_channel_fold(self.name, self.in_shape[2], fold)
        check_tables(fold, self.name)

    def cycles(self, fold: Fold) -> int:
        """Beats of a frame."""
        height, width, channels = self.in_shape
        return height * width * channels // fold.pe

    def in_lanes(self, fold: Fold) -> int:
        """PE channels a beat."""
        return fold.pe

    def out_lanes(self, fold: Fold) -> int:
        """PE channels a beat."""
        return fold.pe

    @cached_property
    def lines(self) -> Lines:
        """The function in the hardware's terms: of the bit, where the input is bipolar, and without what is constant."""
        bounds, breaks, factors, offsets = (
            (self.in_type.low, self.in_type.high),
            self.breaks,
            self.factors,
            self.offsets,
        )
        if self.in_type.bipolar:
            # x = 2 * bit - 1 reaches t where the bit reaches ceil((t + 1) / 2).
            bounds, breaks, factors, offsets = (0, 1), -((-1 - breaks) // 2), 2 * factors, offsets - factors
        return Lines(bounds, breaks, factors, offsets, self.shift, self.out_type.low, self.out_type.high).reduced()

    def timing(self, fold: Fold) -> Schedule:
        """Take and yield a beat a step."""
        width_out = fold.pe * self.out_type.bits
        return elastic_schedule(self.in_shape, fold, width_out=width_out, stages=self.lines.stages)

    def resources(self, fold: Fold) -> Resources:
        """Count a comparator for each bit of the piece's number, and for each lane multiplier, adder and clip."""
        lines, lanes = self.lines, fold.pe
        number, total = lines.number.width, range_shape(*lines.sums).width
        factor = lines.factor.width if lines.varies else 0
        product = range_shape(*lines.products).width
        multiply = lines.number.width * lines.factor.width if lines.multiplies else product * lines.product_stages
        add = total * lines.sum_stages
        lane = lines.search_stages * number + multiply + add + 2 * self.out_type.bits
        queue = lanes * self.out_type.bits * QUEUE
        depth = 1 if lines.pieces == 1 else 1 << lines.search_stages
        folds = self.in_shape[2] // lanes
        width = factor + lines.offset.width
        memories = (
            (MemoryShape(f"{self.name}.lines", depth * folds, lanes * width, fold.memory),) if lines.varies else ()
        )
        return Resources(lanes * lane + queue, lanes * lines.stages * number + queue, memories)

    def component(self, fold: Fold) -> SegmentsUnit:
        """Give the unit that multiplies, adds, shifts and clips."""
        return SegmentsUnit(
            lanes=fold.pe,
            lines=self.lines,
            out_bits=self.out_type.bits,
            style=fold.memory.value,
            slots=fold.slots,
        )
