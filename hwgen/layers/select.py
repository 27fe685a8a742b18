"""Channels chosen from a map: any subset, order and repetition."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from hwgen.codes import CodeType
from hwgen.errors import OptionError
from hwgen.fold import Fold
from hwgen.layers.filter_schedule import filter_schedule
from hwgen.layers.legal import check_no_window, check_slots, check_tables, divisors
from hwgen.layers.protocol import MapShape, OneInput
from hwgen.rtl_templates.cost import Resources
from hwgen.rtl_templates.streams.beat_filter import BeatFilter
from hwgen.rtl_templates.streams.beat_repeater import BeatRepeater
from hwgen.rtl_templates.streams.channel_wires import ChannelWires
from hwgen.rtl_templates.streams.fifo import FULL_RATE_DEPTH, Fifo
from hwgen.timing.schedule import Schedule

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

    inputs = OneInput()

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

    @property
    def folding(self) -> SelectFolding:
        """What PE and SIMD may be."""
        return SelectFolding(self)

    def kept_words(self, lanes: int) -> list[bool] | None:
        """Tell which words of a pixel are kept; None if the selection is not of whole words in their order."""
        first = self.channels[::lanes]
        whole = tuple(channel + lane for channel in first for lane in range(lanes))
        ordered = all(one < other for one, other in pairwise(first))
        if whole != self.channels or not ordered or any(channel % lanes for channel in first):
            return None
        return [word * lanes in first for word in range(self.in_shape[2] // lanes)]

    def _is_whole(self, fold: Fold) -> bool:
        """Whether a beat is a pixel."""
        return fold.simd == self.in_shape[2]

    def _kept(self, fold: Fold) -> tuple[list[bool], list[bool], list[bool]]:
        """Tell which words of a pixel, which columns and which rows are kept."""
        height, width, _ = self.in_shape
        words = [True] if self._is_whole(fold) else self.kept_words(fold.simd)
        return words or [], [True] * width, [True] * height

    def _repeats(self, fold: Fold) -> int:
        """Give the beats of a map's only channel where it is given more than once, else 1."""
        return len(self.channels) // fold.pe if self.in_shape[2] == 1 else 1

    def timing(self, fold: Fold) -> Schedule:
        """Take a beat a step; hand on whole pixels, the beats that are selected, or a single channel step by step."""
        repeats = self._repeats(fold)
        if repeats > 1:
            slots = fold.slots or FULL_RATE_DEPTH
            beats = np.arange(self.in_shape[0] * self.in_shape[1] * repeats)
            latency = Fifo.latency(slots, self.in_type.bits)
            return Schedule.through(
                len(beats), beats, emit=beats, latency=latency, slots=slots, accept=beats[::repeats]
            )
        return filter_schedule(*self._kept(fold), fold, width=fold.pe * self.in_type.bits)

    def resources(self, fold: Fold) -> Resources:
        if self._repeats(fold) > 1:
            return BeatRepeater.bill(self.name, **self._repeater(fold)).resources()
        if self._is_whole(fold):
            return ChannelWires.bill(self.name, **self._wires(fold)).resources()
        return BeatFilter.bill(self.name, **self._filter(fold)).resources()

    def component(self, fold: Fold) -> ChannelWires | BeatFilter | BeatRepeater:
        """Give wires between whole pixels, the unit that drops beats, or that which repeats a channel."""
        if self._repeats(fold) > 1:
            return BeatRepeater(lanes=fold.pe, **self._repeater(fold))
        if self._is_whole(fold):
            return ChannelWires(lanes=fold.simd, **self._wires(fold))
        return BeatFilter(**self._filter(fold))

    def _repeater(self, fold: Fold) -> dict[str, int]:
        return {
            "bits": self.in_type.bits,
            "repeats": self._repeats(fold),
            "slots": fold.slots or FULL_RATE_DEPTH,
        }

    def _wires(self, fold: Fold) -> dict[str, Any]:
        return {"bits": self.in_type.bits, "chosen": self.channels, "slots": fold.slots or FULL_RATE_DEPTH}

    def _filter(self, fold: Fold) -> dict[str, Any]:
        words, columns, rows = self._kept(fold)
        width, slots = fold.pe * self.in_type.bits, fold.slots or FULL_RATE_DEPTH
        return {"width": width, "words": words, "columns": columns, "rows": rows, "slots": slots}


@dataclass(frozen=True)
class SelectFolding:
    """Whole pixels; and fewer channels, where the selection is of whole beats in their order, or of an only channel."""

    layer: Select

    def folds(self) -> Iterator[Fold]:
        """Give every legal folding."""
        channels = self.layer.in_shape[2]
        for lanes in divisors(channels):
            if lanes < channels and self.layer.kept_words(lanes) is not None:
                yield Fold(pe=lanes, simd=lanes)
        if channels == 1:
            yield from (Fold(pe=lanes) for lanes in divisors(len(self.layer.channels)))
            return
        yield Fold(pe=len(self.layer.channels), simd=channels)

    def check(self, fold: Fold) -> None:
        """Raise OptionError naming the layer, the illegal value and the legal ones."""
        name = self.layer.name
        check_slots(fold, name)
        check_no_window(fold, name)
        check_tables(fold, name)
        legal = [(option.pe, option.simd) for option in self.folds()]
        if (fold.pe, fold.simd) not in legal:
            options = " or ".join(f"{pe} and {simd}" for pe, simd in legal)
            raise OptionError(f"PE and SIMD must be {options}, not {fold.pe} and {fold.simd} (layer '{name}')")

    def input_lanes(self, fold: Fold) -> tuple[int, ...]:
        """Give the codes in one beat of each input."""
        return (fold.simd,)

    def out_lanes(self, fold: Fold) -> int:
        """Give the codes in one beat of the output."""
        return fold.pe
