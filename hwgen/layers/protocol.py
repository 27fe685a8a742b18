"""What every layer kind offers; Protocols, not base classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import Field, dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from amaranth.lib import wiring

from hwgen.codes import CodeType
from hwgen.fold import Fold
from hwgen.rtl_templates.cost import Resources
from hwgen.timing.schedule import Schedule

__all__ = ["Folding", "Layer", "MapInput", "MapShape", "OneInput", "Timed", "Writable", "interval_of", "sources_of"]

MapShape = tuple[int, int, int]
"""Shape of a feature map without batch: (height, width, channels). A vector is (1, 1, channels)."""


@dataclass(frozen=True)
class MapInput:
    """One of the maps that a layer reads: whose it is, its shape, and the type of its codes."""

    source: str
    shape: MapShape
    type: CodeType


class Folding(Protocol):
    """How a layer kind can be folded; `hwgen.layers.channel_folding.ChannelFolding` is that of most."""

    def folds(self) -> Iterator[Fold]:
        """Give every legal folding, without regard to memory style, slots and buffers."""
        ...

    def check(self, fold: Fold) -> None:
        """Raise OptionError naming the layer, the illegal value and the nearest legal ones."""
        ...

    def input_lanes(self, fold: Fold) -> tuple[int, ...]:
        """Give the codes in one beat of each input."""
        ...

    def out_lanes(self, fold: Fold) -> int:
        """Give the codes in one beat of the output."""
        ...


class Layer(Protocol):
    """A frozen record of one hardware layer: integers in, integers out."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def name(self) -> str: ...
    @property
    def inputs(self) -> tuple[MapInput, ...]:
        """The maps that it reads, at least one."""
        ...

    @property
    def out_shape(self) -> MapShape: ...
    @property
    def out_type(self) -> CodeType: ...
    @property
    def folding(self) -> Folding: ...
    @property
    def golden(self) -> Callable[..., np.ndarray]:
        """Map codes (frames, *shape) int64 of each input to codes (frames, *out_shape) int64, in the mathematician's terms."""
        ...

    def check(self) -> None:
        """Raise ValueError with a sentence if the record is inconsistent."""
        ...

    def timing(self, fold: Fold) -> Schedule:
        """Schedule of one frame."""
        ...

    def resources(self, fold: Fold) -> Resources:
        """What its units are made of."""
        ...

    def component(self, fold: Fold) -> wiring.Component:
        """The hardware: a port ``i`` (of several inputs ``i_0``, ``i_1``, ...) and ``o``, streams of as many packed codes as the folding says."""
        ...


@runtime_checkable
class Writable(Protocol):
    """A layer with memories that can be written at run time."""

    def writable(self, fold: Fold) -> Fold:
        """Give the folding with all memories writable, and the type that new weights may have."""
        ...


@runtime_checkable
class Timed(Protocol):
    """A layer that knows the interval of its schedule without the schedule, whose events are many."""

    def interval(self, fold: Fold) -> int:
        """Give the interval of `Layer.timing`."""
        ...


def interval_of(layer: Layer, fold: Fold) -> int:
    """Give the cycles between frames that a layer needs at least."""
    return layer.interval(fold) if isinstance(layer, Timed) else layer.timing(fold).interval


class _ReadsOne(Protocol):
    @property
    def source(self) -> str: ...
    @property
    def in_shape(self) -> MapShape: ...
    @property
    def in_type(self) -> CodeType: ...


class OneInput:
    """The ``inputs`` of a record that reads one map and has it as its fields ``source``, ``in_shape`` and ``in_type``."""

    def __get__(self, layer: _ReadsOne, owner: type) -> tuple[MapInput, ...]:
        """Give the one map."""
        return (MapInput(layer.source, layer.in_shape, layer.in_type),)


def sources_of(layer: Layer) -> tuple[str, ...]:
    """Give the names of the layers and network inputs whose maps a layer reads."""
    return tuple(entry.source for entry in layer.inputs)
