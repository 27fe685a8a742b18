"""What every layer kind offers; Protocols, not base classes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import Field, dataclass
from itertools import starmap
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from amaranth.lib import wiring

from hwgen.codes import CodeType
from hwgen.fold import Fold
from hwgen.rtl_templates.cost import Resources
from hwgen.timing.schedule import Junction, Schedule

__all__ = [
    "Join",
    "Layer",
    "MapInput",
    "MapShape",
    "SingleInput",
    "Writable",
    "input_lanes",
    "inputs",
]

MapShape = tuple[int, int, int]
"""Shape of a feature map without batch: (height, width, channels). A vector is (1, 1, channels)."""


@dataclass(frozen=True)
class MapInput:
    """One of the maps that a layer reads: whose it is, its shape, and the type of its codes."""

    source: str
    shape: MapShape
    type: CodeType


class Foldable(Protocol):
    """What every layer kind offers, however many maps it reads.

    ``sources`` names the layers, or network inputs, whose maps it reads, one for each input. Every record is a frozen dataclass.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def name(self) -> str: ...
    @property
    def sources(self) -> tuple[str, ...]: ...
    @property
    def out_shape(self) -> MapShape: ...
    @property
    def out_type(self) -> CodeType: ...

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

    def out_lanes(self, fold: Fold) -> int:
        """Codes in one output beat."""
        ...

    def resources(self, fold: Fold) -> Resources:
        """Estimated cost."""
        ...

    def component(self, fold: Fold) -> wiring.Component:
        """The hardware: an input port ``i`` (joins: ``i_0``, ``i_1``, ...) and ``o``, streams of ``in_lanes`` and ``out_lanes`` packed codes."""
        ...


class SingleInput(Foldable, Protocol):
    """A layer that reads one map."""

    @property
    def source(self) -> str: ...
    @property
    def in_shape(self) -> MapShape: ...
    @property
    def in_type(self) -> CodeType: ...

    def golden(self, x: np.ndarray, /) -> np.ndarray:
        """Map codes (frames, *in_shape) int64 to codes (frames, *out_shape) int64, in the mathematician's terms."""
        ...

    def in_lanes(self, fold: Fold) -> int:
        """Codes in one input beat."""
        ...

    def timing(self, fold: Fold) -> Schedule:
        """Schedule of one frame."""
        ...


@runtime_checkable
class ManyInputs(Protocol):
    """What tells a layer that reads several maps from one that reads one."""

    @property
    def sources(self) -> tuple[str, ...]: ...
    @property
    def in_shapes(self) -> tuple[MapShape, ...]: ...
    @property
    def in_types(self) -> tuple[CodeType, ...]: ...


class Join(Foldable, ManyInputs, Protocol):
    """A layer that reads several maps."""

    def golden(self, *maps: np.ndarray) -> np.ndarray:
        """Map codes (frames, *in_shapes[n]) int64 of every source to codes (frames, *out_shape) int64."""
        ...

    def input_lanes(self, fold: Fold) -> tuple[int, ...]:
        """Codes in one beat of each input."""
        ...

    def timing(self, fold: Fold) -> Junction:
        """Schedule of one frame."""
        ...


Layer = SingleInput | Join
"""A frozen record of one hardware layer: integers in, integers out."""


def inputs(layer: Layer) -> tuple[MapInput, ...]:
    """Give the maps that a layer reads, input by input."""
    if isinstance(layer, ManyInputs):
        return tuple(starmap(MapInput, zip(layer.sources, layer.in_shapes, layer.in_types, strict=True)))
    return (MapInput(layer.source, layer.in_shape, layer.in_type),)


@runtime_checkable
class Writable(Protocol):
    """A layer with memories that can be written at run time."""

    def writable(self, fold: Fold) -> Fold:
        """Give the folding with all memories writable, and the type that new weights may have."""
        ...


def input_lanes(layer: Layer, fold: Fold) -> tuple[int, ...]:
    """Give the codes in one beat of each of a layer's inputs."""
    return layer.input_lanes(fold) if isinstance(layer, ManyInputs) else (layer.in_lanes(fold),)
