"""Maps of one shape woven into one of more rows and columns: the phases of an upsampled map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hwgen.codes import CodeType
from hwgen.fold import Fold
from hwgen.layers.channel_folding import ChannelFolding
from hwgen.layers.joining import in_turn
from hwgen.layers.number import coding
from hwgen.layers.protocol import MapInput, MapShape
from hwgen.rtl_templates.cost import Resources
from hwgen.rtl_templates.streams.fifo import FULL_RATE_DEPTH, Fifo
from hwgen.rtl_templates.streams.merge import Merge
from hwgen.timing.schedule import Schedule

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
    def inputs(self) -> tuple[MapInput, ...]:
        """The maps that it reads, all of the same shape and type."""
        return tuple(MapInput(source, self.in_shape, self.in_type) for source in self.sources)

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

    @property
    def folding(self) -> ChannelFolding:
        """PE channels a beat, of every source."""
        return ChannelFolding(self.name, self.in_shape[2], inputs=len(self.sources))

    def timing(self, fold: Fold) -> Schedule:
        """Yield a beat a step: a row of each row phase in turn, and within it a pixel of each column phase."""
        height, width, channels = self.in_shape
        rows, columns = self.phases
        slots = fold.slots or FULL_RATE_DEPTH
        turns = np.arange(rows * columns).reshape(1, rows, 1, columns, 1)
        turns = np.broadcast_to(turns, (height, rows, width, columns, channels // fold.pe))
        latency = Fifo.latency(slots, fold.pe * self.out_type.bits)
        return in_turn(turns.ravel(), range(len(self.sources)), latency, slots)

    def resources(self, fold: Fold) -> Resources:
        return Merge.bill(self.name, **self._unit(fold)).resources()

    def component(self, fold: Fold) -> Merge:
        """Give the unit that takes the sources in turn."""
        return Merge(group=self.phases[1], **self._unit(fold))

    def _unit(self, fold: Fold) -> dict[str, Any]:
        """Give what the unit and its bill have in common."""
        kind, count = coding(self.in_type), len(self.sources)
        return {
            "lanes": fold.pe,
            "codings": [kind] * count,
            "out_coding": kind,
            "runs": [self.in_shape[2] // fold.pe] * count,
            "rounds": self.in_shape[1],
            "slots": fold.slots or FULL_RATE_DEPTH,
        }
