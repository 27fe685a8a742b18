"""The index of the greatest channel of each pixel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from amaranth import signed, unsigned

from hwgen.codes import CodeType
from hwgen.fold import Fold
from hwgen.layers.channelwise import beat_schedule, channel_folds, check_channel_fold
from hwgen.layers.costs import Part, Resources
from hwgen.layers.parts import Bill
from hwgen.layers.protocol import MapShape
from hwgen.rtl_templates.compute.argmax import ArgMaxUnit
from hwgen.timing.schedule import Schedule

__all__ = ["ArgMax"]


@dataclass(frozen=True)
class ArgMax:
    """Code = index of the channel with the greatest code.

    Parameters
    ----------
    name, source : str
        The layer and the map it reads.
    in_shape : MapShape
    in_type : CodeType
    last : bool
        Of equal channels the highest index wins, not the lowest.
    """

    name: str
    source: str
    in_shape: MapShape
    in_type: CodeType
    last: bool = False

    @property
    def sources(self) -> tuple[str, ...]:
        """The one map that it reads."""
        return (self.source,)

    @property
    def out_shape(self) -> MapShape:
        """One index a pixel."""
        return (*self.in_shape[:2], 1)

    @property
    def out_type(self) -> CodeType:
        """Every channel's index."""
        return CodeType(0, self.in_shape[2] - 1)

    def golden(self, x: np.ndarray) -> np.ndarray:
        """Map codes (frames, height, width, channels) int64 to indices (frames, height, width, 1)."""
        channels = self.in_shape[2]
        if self.last:
            return np.asarray(channels - 1 - np.argmax(x[..., ::-1], axis=-1, keepdims=True))
        return np.asarray(np.argmax(x, axis=-1, keepdims=True))

    def check(self) -> None:
        """Raise ValueError if the map has no channels."""
        if min(self.in_shape) < 1:
            raise ValueError(f"Layer '{self.name}': the map {self.in_shape} is empty")

    def folds(self) -> Iterator[Fold]:
        """Every divisor of the channel count."""
        return channel_folds(self.in_shape[2])

    def check_fold(self, fold: Fold) -> None:
        """Raise OptionError if PE does not divide the channels."""
        check_channel_fold(self.name, self.in_shape[2], fold)

    def cycles(self, fold: Fold) -> int:
        """Beats of a frame."""
        height, width, channels = self.in_shape
        return height * width * channels // fold.pe

    def in_lanes(self, fold: Fold) -> int:
        """PE channels a beat."""
        return fold.pe

    def out_lanes(self, fold: Fold) -> int:
        """One index a beat."""
        return 1

    def timing(self, fold: Fold) -> Schedule:
        """Take a beat a step and yield an index with the last beat of each pixel."""
        return beat_schedule(
            self.in_shape,
            fold,
            width_out=self.out_type.bits,
            pipeline=ArgMaxUnit.pipeline(fold.pe),
            interval=self.in_shape[2] // fold.pe,
        )

    def resources(self, fold: Fold) -> Resources:
        bill, bits, index = Bill(), self.in_type.bits, self.out_type.bits
        bill.add(Part.UNIT, 1)
        bill.queue(f"{self.name}.queue", index, self.timing(fold).slots)
        for _ in range(2 if self.in_shape[2] > fold.pe else 0):
            bill.counter(self.in_shape[2])
        entrants, level = fold.pe, 0
        while entrants > 1:
            bill.rank(self.in_type.bits, entrants // 2, signed=self.in_type.signed)
            bill.add(Part.SHIFT_BIT, entrants // 2 * (bits + level))
            entrants, level = -(-entrants // 2), level + 1
            bill.register(entrants * (bits + level) + 1)
        bill.rank(self.in_type.bits, 1, signed=self.in_type.signed)
        bill.add(Part.SHIFT_BIT, index)
        bill.add(Part.UNIT, level > 0)
        bill.register(bits + index + 1)
        return bill.resources()

    def component(self, fold: Fold) -> ArgMaxUnit:
        """Give the argmax unit; bits of bipolar codes rank as the codes do."""
        return ArgMaxUnit(
            lanes=fold.pe,
            shape=signed(self.in_type.bits) if self.in_type.signed else unsigned(self.in_type.bits),
            channels=self.in_shape[2],
            last=self.last,
            slots=fold.slots,
        )
