"""Fixed-point arithmetic by pieces: each channel's straight lines between breaks, rounded and clipped to the output's codes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.codes import CodeType
from hwgen.layers.protocol import MapShape

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
        channel = np.arange(self.in_shape[2])
        piece = np.sum(x[..., None] >= self.breaks, axis=-1)
        sums = self.factors[channel, piece] * x + self.offsets[channel, piece]
        return np.clip(sums >> self.shift, self.out_type.low, self.out_type.high)

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
