"""What every layer kind offers; a Protocol, not a base class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from amaranth.lib import wiring

from hwgen.codes import CodeType
from hwgen.fold import Fold, MemoryStyle
from hwgen.schedule import Schedule

__all__ = ["Layer", "MapShape", "MemoryShape", "Resources"]

MapShape = tuple[int, int, int]
"""Shape of a feature map without batch: (height, width, channels). A vector is (1, 1, channels)."""


@dataclass(frozen=True)
class MemoryShape:
    """One memory of a layer: ``depth`` words of ``width`` bits in block RAM, LUT RAM or constants."""

    name: str
    depth: int
    width: int
    style: MemoryStyle


@dataclass(frozen=True)
class Resources:
    """Cost of a folded layer before it is priced for a device.

    Parameters
    ----------
    luts : int
        Estimated four-input LUTs of the logic, memories excluded.
    flipflops : int
        Estimated flip-flops.
    memories : tuple of MemoryShape
    """

    luts: int
    flipflops: int
    memories: tuple[MemoryShape, ...] = ()


class Layer(Protocol):
    """A frozen record of one hardware layer: integers in, integers out.

    ``source`` names the layer, or the network input, whose map it reads.
    """

    @property
    def name(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def in_shape(self) -> MapShape: ...
    @property
    def in_type(self) -> CodeType: ...
    @property
    def out_shape(self) -> MapShape: ...
    @property
    def out_type(self) -> CodeType: ...

    def golden(self, x: np.ndarray) -> np.ndarray:
        """Map codes (frames, *in_shape) int64 to codes (frames, *out_shape) int64, in the mathematician's terms."""
        ...

    def check(self) -> None:
        """Raise ValueError with a sentence if the record is inconsistent."""
        ...

    def folds(self) -> Iterator[Fold]:
        """Every legal folding, without regard to memory style, slots and buffers."""
        ...

    def check_fold(self, fold: Fold) -> None:
        """Raise OptionError naming the layer, the illegal value and the nearest legal ones."""
        ...

    def cycles(self, fold: Fold) -> int:
        """Cycles a frame: the fold product."""
        ...

    def in_lanes(self, fold: Fold) -> int:
        """Codes in one input beat."""
        ...

    def out_lanes(self, fold: Fold) -> int:
        """Codes in one output beat."""
        ...

    def timing(self, fold: Fold) -> Schedule:
        """Schedule of one frame."""
        ...

    def resources(self, fold: Fold) -> Resources:
        """Estimated cost."""
        ...

    def component(self, fold: Fold) -> wiring.Component:
        """The hardware: ports ``i`` and ``o``, streams of ``in_lanes`` and ``out_lanes`` packed codes."""
        ...
