"""Maps of one size side by side: the channels of one after those of the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import starmap
from math import gcd
from typing import Any

import numpy as np

from hwgen.codes import CodeType
from hwgen.errors import OptionError
from hwgen.fold import Fold
from hwgen.layers.joining import in_step, in_turn
from hwgen.layers.legal import check_no_columns, divisors
from hwgen.layers.number import coding
from hwgen.layers.protocol import MapInput, MapShape
from hwgen.rtl_templates.cost import Resources
from hwgen.rtl_templates.streams.fifo import FULL_RATE_DEPTH, Fifo
from hwgen.rtl_templates.streams.merge import Merge, Zip
from hwgen.timing.schedule import Schedule

__all__ = ["Concat"]


@dataclass(frozen=True)
class Concat:
    """Channels of every source in turn, as codes of one type that holds all of theirs.

    Parameters
    ----------
    name : str
        Name of the layer.
    sources : tuple of str
        The layers or inputs that it reads, at least two; one may be named more than once.
    in_shapes : tuple of MapShape
        Shapes that differ in their channels only.
    in_types : tuple of CodeType
        Type of each map's codes.
    out_type : CodeType
        Holds the codes of every source; numbers stay the same numbers (a bipolar code is -1 or +1).
    """

    name: str
    sources: tuple[str, ...]
    in_shapes: tuple[MapShape, ...]
    in_types: tuple[CodeType, ...]
    out_type: CodeType

    @property
    def inputs(self) -> tuple[MapInput, ...]:
        """The maps that it reads."""
        return tuple(starmap(MapInput, zip(self.sources, self.in_shapes, self.in_types, strict=True)))

    @property
    def out_shape(self) -> MapShape:
        """All channels together."""
        return (*self.in_shapes[0][:2], sum(shape[2] for shape in self.in_shapes))

    def golden(self, *maps: np.ndarray) -> np.ndarray:
        """Map codes (frames, *in_shapes[n]) int64 of every source to codes (frames, *out_shape) int64."""
        return np.concatenate(maps, axis=-1)

    def check(self) -> None:
        """Raise ValueError with a sentence if the record is inconsistent."""
        counts = {len(self.sources), len(self.in_shapes), len(self.in_types)}
        if len(self.sources) < 2 or len(counts) > 1:
            raise ValueError(
                f"Layer '{self.name}' needs at least two sources, with a shape and a type for each, "
                f"not {len(self.sources)}, {len(self.in_shapes)} and {len(self.in_types)}"
            )
        if len({shape[:2] for shape in self.in_shapes}) > 1:
            sizes = ", ".join(f"{height}x{width}" for height, width, _ in self.in_shapes)
            raise ValueError(f"Layer '{self.name}' needs maps of one size, not {sizes}")
        for source, kind in zip(self.sources, self.in_types, strict=True):
            # 0 lies between -1 and +1, but is no bipolar code.
            if not self.out_type.contains(np.array([kind.low, kind.high])) or (
                self.out_type.bipolar and not kind.bipolar
            ):
                raise ValueError(f"Layer '{self.name}' cannot hold the {kind} codes of '{source}' in {self.out_type}")

    @property
    def folding(self) -> ConcatFolding:
        """What PE and SIMD may be."""
        return ConcatFolding(self)

    def timing(self, fold: Fold) -> Schedule:
        """Yield a beat a step: of each source in turn within a pixel, or of all at once."""
        slots = fold.slots or FULL_RATE_DEPTH
        latency = Fifo.latency(slots, fold.pe * self.out_type.bits)
        if self.folding.zips(fold):
            return in_step(len(self.sources), self.out_shape[0] * self.out_shape[1], latency, slots)
        height, width, _ = self.out_shape
        pixel = np.repeat(np.arange(len(self.sources)), self._runs(fold))
        return in_turn(np.tile(pixel, height * width), self.sources, latency, slots)

    def _runs(self, fold: Fold) -> list[int]:
        """Beats of a pixel that each source gives."""
        return [shape[2] // fold.pe for shape in self.in_shapes]

    def resources(self, fold: Fold) -> Resources:
        bill = Zip.bill if self.folding.zips(fold) else Merge.bill
        return bill(self.name, **self._unit(fold)).resources()

    def component(self, fold: Fold) -> Merge | Zip:
        """Give the unit that takes the sources in turn, or all at once."""
        if self.folding.zips(fold):
            return Zip(**self._unit(fold))
        return Merge(group=len(self.sources), **self._unit(fold))

    def _unit(self, fold: Fold) -> dict[str, Any]:
        """Give what the unit and its bill have in common."""
        turns = {} if self.folding.zips(fold) else {"runs": self._runs(fold)}
        return {
            **turns,
            "lanes": self.folding.input_lanes(fold) if self.folding.zips(fold) else fold.pe,
            "codings": [coding(kind) for kind in self.in_types],
            "out_coding": coding(self.out_type),
            "slots": fold.slots or FULL_RATE_DEPTH,
        }


@dataclass(frozen=True)
class ConcatFolding:
    """PE channels a beat of each source in turn, a divisor of every source's channels; or all channels at once, each source's own."""

    layer: Concat

    def folds(self) -> Iterator[Fold]:
        """Give every legal folding."""
        yield from (Fold(pe=pe) for pe in divisors(self._common))
        yield Fold(pe=self.layer.out_shape[2])

    def check(self, fold: Fold) -> None:
        """Raise OptionError if PE neither divides the channels of every source nor is their sum."""
        total, name = self.layer.out_shape[2], self.layer.name
        if fold.pe != total and (fold.pe < 1 or self._common % fold.pe):
            legal = ", ".join(map(str, divisors(self._common)))
            raise OptionError(
                f"PE must divide the channels of every source, or be all {total}, not {fold.pe} (layer '{name}'): "
                f"use {legal} or {total}"
            )
        check_no_columns(fold, name)

    @property
    def _common(self) -> int:
        """Greatest number of lanes that every source fills."""
        return gcd(*(shape[2] for shape in self.layer.in_shapes))

    def zips(self, fold: Fold) -> bool:
        """Tell whether a beat is a whole pixel."""
        return fold.pe == self.layer.out_shape[2]

    def input_lanes(self, fold: Fold) -> tuple[int, ...]:
        """Give the codes in one beat of each input."""
        return tuple(shape[2] if self.zips(fold) else fold.pe for shape in self.layer.in_shapes)

    def out_lanes(self, fold: Fold) -> int:
        """Give the codes in one beat of the output."""
        return fold.pe
