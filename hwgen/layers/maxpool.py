"""Max pooling, with the smallest instead of the largest code where a channel asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hwgen.codes import CodeType
from hwgen.errors import OptionError
from hwgen.fold import Fold, WindowStyle
from hwgen.layers.legal import check_divides, check_same_lanes, check_slots, check_tables, divisors
from hwgen.layers.number import shape_of
from hwgen.layers.protocol import MapShape, OneInput
from hwgen.layers.window import Window
from hwgen.layers.window_schedule import (
    axes,
    has_output_register,
    pad_words,
    parallel_interval,
    parallel_schedule,
    sequential_interval,
    sequential_schedule,
    window_capacity,
    window_latency,
)
from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.cost import Resources
from hwgen.rtl_templates.streams.chain import Chain
from hwgen.rtl_templates.streams.elastic import ElasticPipeline
from hwgen.rtl_templates.streams.fifo import FULL_RATE_DEPTH, Fifo
from hwgen.rtl_templates.streams.output_queue import OutputQueue
from hwgen.rtl_templates.windows.parallel_pool import ParallelPool
from hwgen.rtl_templates.windows.parallel_window import ParallelWindow
from hwgen.rtl_templates.windows.pool import PoolUnit
from hwgen.rtl_templates.windows.sliding_window import SlidingWindow
from hwgen.timing.schedule import Schedule

__all__ = ["MaxPool"]


@dataclass(frozen=True)
class MaxPool:
    """Code = largest code in the window; padded taps do not take part.

    Parameters
    ----------
    name, source : str
        Name of the layer and of the layer or input that it reads.
    in_shape : MapShape
    in_type : CodeType
    window : Window
    minimum : tuple of bool
        For each channel: take the smallest code instead (a batch normalization with gamma < 0 follows).
    """

    name: str
    source: str
    in_shape: MapShape
    in_type: CodeType
    window: Window
    minimum: tuple[bool, ...]

    inputs = OneInput()

    @property
    def out_shape(self) -> MapShape:
        """Shape of the output map."""
        return (*self.window.output(*self.in_shape[:2]), self.in_shape[2])

    @property
    def out_type(self) -> CodeType:
        """Type of the codes, unchanged."""
        return self.in_type

    def golden(self, x: np.ndarray) -> np.ndarray:
        """Map codes (frames, *in_shape) int64 to codes (frames, *out_shape) int64; min x = -max -x."""
        sign = np.where(self.minimum, -1, 1)
        nothing = np.iinfo(np.int64).min
        largest = np.full((len(x), *self.out_shape), nothing)
        for seen in self.window.tap_maps(x * sign, nothing):
            np.maximum(largest, seen, out=largest)
        return largest * sign

    def check(self) -> None:
        """Raise ValueError with a sentence if the record is inconsistent."""
        height, width, channels = self.in_shape
        try:
            self.window.check(height, width)
        except ValueError as error:
            raise ValueError(f"Layer '{self.name}': {error}") from None
        if len(self.minimum) != channels:
            raise ValueError(f"Layer '{self.name}' needs {channels} flags in 'minimum', not {len(self.minimum)}")
        for taps, size in zip(self.window.taps(height, width), (height, width), strict=True):
            if not np.all(np.any((taps >= 0) & (taps < size), axis=1)):
                raise ValueError(f"Layer '{self.name}' has a window that lies wholly in its padding {self.window.pads}")

    @property
    def folding(self) -> MaxPoolFolding:
        """What PE and SIMD may be."""
        return MaxPoolFolding(self)

    def capacity(self, fold: Fold) -> int:
        """Words of the window memory."""
        return window_capacity(
            self.name, self.window, self.in_shape, fold, steps=self._taps * self.in_shape[2] // fold.simd
        )

    @property
    def _taps(self) -> int:
        return self.window.kernel[0] * self.window.kernel[1]

    def interval(self, fold: Fold) -> int:
        """Give the interval of `timing`."""
        both, words = axes(self.window, *self.in_shape[:2]), self.in_shape[2] // fold.simd
        if fold.window is WindowStyle.PARALLEL:
            return parallel_interval(axes=both, words=words, replays=1)
        return sequential_interval(axes=both, words=words, passes=words, pass_steps=self._taps)

    def timing(self, fold: Fold) -> Schedule:
        """Take the taps of each word of a window in turn, the last of which yields a beat; or a whole window a step."""
        rows, columns = axes(self.window, *self.in_shape[:2])
        words, width = self.in_shape[2] // fold.simd, fold.simd * self.in_type.bits
        if fold.window is WindowStyle.PARALLEL:
            latency, slots = ElasticPipeline.timing(ParallelPool.stages(self._taps), width, fold.slots)
            return parallel_schedule(
                rows,
                columns,
                words=words,
                replays=1,
                depth=self._depth(fold),
                read_latency=Fifo.latency(self._depth(fold), width),
                latency=latency,
                slots=slots,
            )
        slots = self._slots(fold)
        return sequential_schedule(
            rows,
            columns,
            words=words,
            passes=words,
            pass_steps=self._taps,
            capacity=self.capacity(fold),
            latency=OutputQueue.latency(width, slots),
            slots=slots,
            read_latency=window_latency(fold),
        )

    def resources(self, fold: Fold) -> Resources:
        bill, where = Bill(), f"{self.name}.window"
        if fold.window is WindowStyle.PARALLEL:
            bill.include(ParallelWindow.bill(where, **self._parallel(fold)))
            bill.include(ParallelPool.bill(self.name, **self._parallel_pool(fold)))
        else:
            bill.include(SlidingWindow.bill(where, **self._sequential(fold)))
            bill.include(PoolUnit.bill(self.name, **self._pool(fold)))
        return bill.resources()

    def component(self, fold: Fold) -> Chain:
        """Give the window unit and the pooling unit behind it."""
        if fold.window is WindowStyle.PARALLEL:
            parallel = ParallelWindow(pad_word=self._padding(fold)[0], **self._parallel(fold))
            return Chain({"window": parallel, "pool": ParallelPool(**self._parallel_pool(fold))})
        return Chain({"window": SlidingWindow(**self._sequential(fold)), "pool": PoolUnit(**self._pool(fold))})

    def _padding(self, fold: Fold) -> list[int]:
        """Give what padded taps yield, which must never win: the smallest code where the largest is sought, and the other way round."""
        losers = [self.in_type.high if smallest else self.in_type.low for smallest in self.minimum]
        return pad_words(losers, self.in_type, fold.simd)

    def _windows(self, fold: Fold) -> dict[str, Any]:
        rows, columns = axes(self.window, *self.in_shape[:2])
        words, width = self.in_shape[2] // fold.simd, fold.simd * self.in_type.bits
        return {"width": width, "rows": rows, "columns": columns, "words": words}

    def _parallel(self, fold: Fold) -> dict[str, Any]:
        return {**self._windows(fold), "depth": self._depth(fold)}

    def _sequential(self, fold: Fold) -> dict[str, Any]:
        return {
            **self._windows(fold),
            "capacity": self.capacity(fold),
            "parts": self.in_shape[2] // fold.simd,
            "pad_words": self._padding(fold),
            "output_register": has_output_register(fold),
        }

    def _parallel_pool(self, fold: Fold) -> dict[str, Any]:
        shape, minimum = shape_of(self.in_type), self.minimum[: fold.pe]
        return {"shape": shape, "taps": self._taps, "minimum": minimum, "slots": fold.slots}

    def _pool(self, fold: Fold) -> dict[str, Any]:
        shape, slots = shape_of(self.in_type), self._slots(fold)
        return {"shape": shape, "lanes": fold.pe, "taps": self._taps, "minimum": self.minimum, "slots": slots}

    def _depth(self, fold: Fold) -> int:
        """Pixels of the parallel window unit's input queue."""
        return fold.buffer_beats or FULL_RATE_DEPTH

    def _slots(self, fold: Fold) -> int:
        """Depth of the output FIFO: the fold's choice, or the least that costs no cycle."""
        return fold.slots or OutputQueue.least_slots(fold.pe * self.in_type.bits, 0, self._taps)


@dataclass(frozen=True)
class MaxPoolFolding:
    """PE channels a beat, in and out, of one tap or of all at once."""

    layer: MaxPool

    def folds(self) -> Iterator[Fold]:
        """Give every legal folding."""
        for lanes in divisors(self.layer.in_shape[2]):
            yield Fold(pe=lanes, simd=lanes)
            if self._is_alike(lanes):
                yield Fold(pe=lanes, simd=lanes, window=WindowStyle.PARALLEL)

    def _is_alike(self, lanes: int) -> bool:
        """Whether each beat of a pixel seeks the same of its lanes, as a parallel window needs it."""
        minimum, channels = self.layer.minimum, self.layer.in_shape[2]
        return minimum == minimum[:lanes] * (channels // lanes)

    def check(self, fold: Fold) -> None:
        """Raise OptionError naming the layer, the illegal value and the legal ones."""
        name, channels = self.layer.name, self.layer.in_shape[2]
        check_same_lanes(replace(fold, window=WindowStyle.SEQUENTIAL), name)
        check_divides("PE", fold.pe, channels, "channels", name)
        check_slots(fold, name)
        check_tables(fold, name)
        if fold.window is WindowStyle.SEQUENTIAL:
            self.layer.capacity(fold)
        elif not self._is_alike(fold.pe):
            raise OptionError(
                f"Layer '{name}' seeks the smallest code in some channels: with a parallel window its PE must be "
                f"{channels}, not {fold.pe}"
            )

    def input_lanes(self, fold: Fold) -> tuple[int, ...]:
        """Give the codes in one beat of each input."""
        return (fold.simd,)

    def out_lanes(self, fold: Fold) -> int:
        """Give the codes in one beat of the output."""
        return fold.pe
