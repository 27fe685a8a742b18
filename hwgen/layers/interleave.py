"""Maps of one shape woven into one of more rows and columns: the phases of an upsampled map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.codes import CodeType
from hwgen.layers.protocol import MapShape

__all__ = ["Interleave"]


@dataclass(frozen=True)
class Interleave:
    """Pixel (y * py + a, x * px + b) of the output = pixel (y, x) of source a * px + b.

    A transposed convolution is one convolution for each phase and this.

    Parameters
    ----------
    name : str
        Name of the layer.
    sources : tuple of str
        py * px layers or inputs; one may be named more than once.
    in_shape : MapShape
        Shape of every map.
    in_type : CodeType
        Type of every map's codes.
    phases : tuple of int
        (py, px): rows and columns of the output for each of an input.
    """

    name: str
    sources: tuple[str, ...]
    in_shape: MapShape
    in_type: CodeType
    phases: tuple[int, int]

    @property
    def in_shapes(self) -> tuple[MapShape, ...]:
        """The same shape for every source."""
        return (self.in_shape,) * len(self.sources)

    @property
    def in_types(self) -> tuple[CodeType, ...]:
        """The same type for every source."""
        return (self.in_type,) * len(self.sources)

    @property
    def out_shape(self) -> MapShape:
        """Shape of the woven map."""
        height, width, channels = self.in_shape
        return (height * self.phases[0], width * self.phases[1], channels)

    @property
    def out_type(self) -> CodeType:
        """Type of the codes, unchanged."""
        return self.in_type

    def golden(self, *maps: np.ndarray) -> np.ndarray:
        """Map codes (frames, *in_shape) int64 of every source to codes (frames, *out_shape) int64."""
        out = np.empty((len(maps[0]), *self.out_shape), dtype=maps[0].dtype)
        rows, columns = self.phases
        for phase, x in enumerate(maps):
            out[:, phase // columns :: rows, phase % columns :: columns] = x
        return out

    def check(self) -> None:
        """Raise ValueError with a sentence if the record is inconsistent."""
        rows, columns = self.phases
        if min(rows, columns) < 1 or rows * columns < 2:
            raise ValueError(f"Layer '{self.name}' needs at least two phases, not {rows} x {columns}")
        if len(self.sources) != rows * columns:
            raise ValueError(f"Layer '{self.name}' needs {rows} x {columns} sources, not {len(self.sources)}")
