"""Channels chosen from a map: any subset, order and repetition."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.codes import CodeType
from hwgen.layers.protocol import MapShape

__all__ = ["Select"]


@dataclass(frozen=True)
class Select:
    """Output channel n is input channel ``channels[n]``.

    Parameters
    ----------
    name, source : str
        The layer and the map it reads.
    in_shape : MapShape
    in_type : CodeType
    channels : tuple of int
        Numbers of input channels.
    """

    name: str
    source: str
    in_shape: MapShape
    in_type: CodeType
    channels: tuple[int, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """The one map that it reads."""
        return (self.source,)

    @property
    def out_shape(self) -> MapShape:
        """As many channels as are named."""
        return (*self.in_shape[:2], len(self.channels))

    @property
    def out_type(self) -> CodeType:
        """Type of the codes, unchanged."""
        return self.in_type

    def golden(self, x: np.ndarray) -> np.ndarray:
        """Map codes (frames, *in_shape) int64 to codes (frames, *out_shape) int64."""
        return x[..., list(self.channels)]

    def check(self) -> None:
        """Raise ValueError if no channel is named, or one that the map does not have."""
        if not self.channels:
            raise ValueError(f"Layer '{self.name}' selects no channel")
        for channel in self.channels:
            if not 0 <= channel < self.in_shape[2]:
                raise ValueError(f"Layer '{self.name}' selects channel {channel} of {self.in_shape[2]}")
