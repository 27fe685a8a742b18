"""Maps side by side: the channels, columns or rows of one after those of the other, and constants among them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise, starmap
from math import gcd, prod
from typing import Any

import numpy as np

from hwgen.codes import CodeType
from hwgen.errors import OptionError
from hwgen.fold import Fold
from hwgen.layers.joining import in_step, in_turn
from hwgen.layers.legal import check_divides, check_no_columns, divisors
from hwgen.layers.number import coding
from hwgen.layers.protocol import MapInput, MapShape
from hwgen.rtl_templates.cost import Resources
from hwgen.rtl_templates.streams.fifo import FULL_RATE_DEPTH, Fifo
from hwgen.rtl_templates.streams.merge import Merge, Zip
from hwgen.rtl_templates.streams.replay import Replay, Supplied
from hwgen.timing.schedule import Schedule

__all__ = ["CHANNELS", "COLUMNS", "ROWS", "Concat"]

ROWS, COLUMNS, CHANNELS = range(3)
_NAMES = ("rows", "columns", "channels")


@dataclass(frozen=True, eq=False)
class Concat:
    """Channels, columns or rows of every operand in turn, as codes of one type that holds all of theirs.

    Parameters
    ----------
    name : str
        Name of the layer.
    sources : tuple of str
        The layers or inputs that it reads; one may be named more than once.
    in_shapes : tuple of MapShape
        Shapes that differ along ``axis`` only.
    in_types : tuple of CodeType
        Type of each map's codes.
    out_type : CodeType
        Holds the codes of every operand; numbers stay the same numbers (a bipolar code is -1 or +1).
    axis : int
        What is joined: 0 rows, 1 columns, 2 channels.
    constants : tuple of ndarray of int64
        Operands that are the same in every frame, each (height, width, channels), as codes of ``out_type``.
    places : tuple of int
        Which operand each constant is, rising, no two of them next to each other; the maps are the others, in their order.
    """

    name: str
    sources: tuple[str, ...]
    in_shapes: tuple[MapShape, ...]
    in_types: tuple[CodeType, ...]
    out_type: CodeType
    axis: int = CHANNELS
    constants: tuple[np.ndarray, ...] = field(default=(), metadata={"stored": "if any"})
    places: tuple[int, ...] = field(default=(), metadata={"stored": "if any"})

    @property
    def inputs(self) -> tuple[MapInput, ...]:
        """The maps that it reads."""
        return tuple(starmap(MapInput, zip(self.sources, self.in_shapes, self.in_types, strict=True)))

    @property
    def shapes(self) -> tuple[MapShape, ...]:
        """Shapes of all operands, constants among them."""
        shapes: list[MapShape] = list(self.in_shapes)
        for place, constant in zip(self.places, self.constants, strict=True):
            height, width, channels = constant.shape
            shapes.insert(place, (height, width, channels))
        return tuple(shapes)

    @property
    def out_shape(self) -> MapShape:
        """All operands together."""
        height, width, channels = (
            sum(shape[axis] for shape in self.shapes) if axis == self.axis else self.shapes[0][axis]
            for axis in range(3)
        )
        return height, width, channels

    def golden(self, *maps: np.ndarray) -> np.ndarray:
        """Map codes (frames, *in_shapes[n]) int64 of every source to codes (frames, *out_shape) int64."""
        operands = list(maps)
        for place, constant in zip(self.places, self.constants, strict=True):
            operands.insert(place, np.broadcast_to(constant, (len(maps[0]), *constant.shape)))
        return np.concatenate(operands, axis=1 + self.axis)

    def check(self) -> None:
        """Raise ValueError with a sentence if the record is inconsistent."""
        counts = {len(self.sources), len(self.in_shapes), len(self.in_types)}
        if not self.sources or len(counts) > 1 or len(self.sources) + len(self.constants) < 2:
            raise ValueError(
                f"Layer '{self.name}' needs at least two operands, of these a source, with a shape and a type for each, "
                f"not {len(self.sources)}, {len(self.in_shapes)} and {len(self.in_types)}"
            )
        if any(second <= first + 1 for first, second in pairwise(self.places)):
            raise ValueError(f"Layer '{self.name}' has constants next to one another, as operands {self.places}")
        if len({shape[: self.axis] + shape[self.axis + 1 :] for shape in self.shapes}) > 1:
            sizes = ", ".join("x".join(map(str, shape)) for shape in self.shapes)
            raise ValueError(
                f"Layer '{self.name}' needs maps that differ in their {_NAMES[self.axis]} only, not {sizes}"
            )
        if not all(self.out_type.contains(constant) for constant in self.constants):
            raise ValueError(f"Layer '{self.name}' has constants that are no {self.out_type} codes")
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
        """Yield a beat a step: of each operand in turn, or of all at once."""
        slots = fold.slots or FULL_RATE_DEPTH
        latency = Fifo.latency(slots, fold.pe * self.out_type.bits)
        if self.folding.zips(fold):
            return in_step(len(self.sources), self.out_shape[0] * self.out_shape[1], latency, slots)
        runs = self._runs(fold)
        turns = np.tile(np.repeat(np.arange(len(runs)), runs), prod(self.out_shape[: self.axis]))
        free = tuple(place for place in range(len(runs)) if place not in self.places)
        return in_turn(turns, free, latency, slots, ahead=runs[0] if self._ahead else 0)

    @property
    def _ahead(self) -> bool:
        """Whether a constant comes first: it waits for the frame to begin."""
        return 0 in self.places

    def _runs(self, fold: Fold) -> list[int]:
        """Beats that each operand gives when it has its turn."""
        return [prod(shape[self.axis :]) // fold.pe for shape in self.shapes]

    def resources(self, fold: Fold) -> Resources:
        bill = Zip.bill if self.folding.zips(fold) else Merge.bill
        total = bill(self.name, **self._unit(fold))
        for place, words, width in self._words(fold):
            total.include(Replay.bill(f"{self.name}.constant_{place}.words", words, width, fold.memory))
        return total.resources()

    def component(self, fold: Fold) -> Merge | Zip | Supplied:
        """Give the unit that takes the operands in turn, or all at once, and the constants in front of it."""
        count, unit = len(self.shapes), self._unit(fold)
        joins = Zip(**unit) if self.folding.zips(fold) else Merge(group=count, **unit)
        constants = {place: Replay(words, width, fold.memory) for place, words, width in self._words(fold)}
        return Supplied(joins, count, constants) if constants else joins

    def _words(self, fold: Fold) -> Iterator[tuple[int, list[int], int]]:
        """Give each constant's operand number, its beats of a frame, and their width."""
        for place, constant in zip(self.places, self.constants, strict=True):
            lanes, bits = self.folding.lanes(fold)[place], self.out_type.bits
            beats = self.out_type.to_bits(constant).reshape(-1, lanes).tolist()
            words = [sum(int(field) << lane * bits for lane, field in enumerate(beat)) for beat in beats]
            yield place, words, lanes * bits

    def _unit(self, fold: Fold) -> dict[str, Any]:
        """Give what the unit and its bill have in common."""
        zips, out_coding = self.folding.zips(fold), coding(self.out_type)
        codings = [coding(kind) for kind in self.in_types]
        for place in self.places:
            codings.insert(place, out_coding)
        turns = {} if zips else {"runs": self._runs(fold), "ahead": self._ahead}
        return {
            **turns,
            "lanes": self.folding.lanes(fold) if zips else fold.pe,
            "codings": codings,
            "out_coding": out_coding,
            "slots": fold.slots or FULL_RATE_DEPTH,
        }


@dataclass(frozen=True, eq=False)
class ConcatFolding:
    """PE channels a beat of each operand in turn, a divisor of every operand's channels; of channels also all at once, each operand's own."""

    layer: Concat

    def folds(self) -> Iterator[Fold]:
        """Give every legal folding."""
        yield from (Fold(pe=pe) for pe in divisors(self._common))
        if self.layer.axis == CHANNELS:
            yield Fold(pe=self.layer.out_shape[2])

    def check(self, fold: Fold) -> None:
        """Raise OptionError if PE neither divides the channels of every operand nor is their sum."""
        total, name = self.layer.out_shape[2], self.layer.name
        if self.layer.axis != CHANNELS:
            check_divides("PE", fold.pe, total, "channels", name)
        elif fold.pe != total and (fold.pe < 1 or self._common % fold.pe):
            legal = ", ".join(map(str, divisors(self._common)))
            raise OptionError(
                f"PE must divide the channels of every source, or be all {total}, not {fold.pe} (layer '{name}'): "
                f"use {legal} or {total}"
            )
        check_no_columns(fold, name)

    @property
    def _common(self) -> int:
        """Greatest number of lanes that every operand fills."""
        return gcd(*(shape[2] for shape in self.layer.shapes))

    def zips(self, fold: Fold) -> bool:
        """Tell whether a beat is a whole pixel of all operands."""
        return self.layer.axis == CHANNELS and fold.pe == self.layer.out_shape[2]

    def lanes(self, fold: Fold) -> list[int]:
        """Give the codes in one beat of each operand."""
        return [shape[2] if self.zips(fold) else fold.pe for shape in self.layer.shapes]

    def input_lanes(self, fold: Fold) -> tuple[int, ...]:
        """Give the codes in one beat of each input."""
        return tuple(lanes for place, lanes in enumerate(self.lanes(fold)) if place not in self.layer.places)

    def out_lanes(self, fold: Fold) -> int:
        """Give the codes in one beat of the output."""
        return fold.pe
