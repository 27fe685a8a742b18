"""Max pooling, with the smallest instead of the largest code where a channel asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from amaranth.hdl import signed, unsigned

from hwgen.codes import CodeType
from hwgen.fold import Fold
from hwgen.layers.legal import check_divides, check_same_lanes, check_slots, divisors
from hwgen.layers.protocol import MapShape, Resources
from hwgen.layers.window import Window
from hwgen.layers.window_schedule import axes, capacity, pad_words, sequential_schedule, window_resources
from hwgen.rtl_templates.chain import Chain
from hwgen.rtl_templates.output_queue import OutputQueue
from hwgen.rtl_templates.pool import PoolUnit
from hwgen.rtl_templates.sliding_window import SlidingWindow
from hwgen.schedule import Schedule

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

    @property
    def sources(self) -> tuple[str, ...]:
        """The one map that it reads."""
        return (self.source,)

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

    def folds(self) -> Iterator[Fold]:
        """Every legal folding: as many output as input lanes, a divisor of the channels."""
        for lanes in divisors(self.in_shape[2]):
            yield Fold(pe=lanes, simd=lanes)

    def check_fold(self, fold: Fold) -> None:
        """Raise OptionError naming the layer, the illegal value and the legal ones."""
        check_same_lanes(fold, self.name)
        check_divides("PE", fold.pe, self.in_shape[2], "channels", self.name)
        check_slots(fold, self.name)
        self._capacity(fold)

    def _capacity(self, fold: Fold) -> int:
        """Words of the window memory."""
        return capacity(self.name, self.window, self.in_shape, fold, steps=self._taps * self.in_shape[2] // fold.simd)

    @property
    def _taps(self) -> int:
        return self.window.kernel[0] * self.window.kernel[1]

    def cycles(self, fold: Fold) -> int:
        """Cycles a frame: one for each tap of each output beat, or for each input beat if there are more of them."""
        height, width, channels = self.in_shape
        rows, columns, _ = self.out_shape
        return max(rows * columns * self._taps, height * width) * channels // fold.simd

    def in_lanes(self, fold: Fold) -> int:
        """Codes in one input beat."""
        return fold.simd

    def out_lanes(self, fold: Fold) -> int:
        """Codes in one output beat."""
        return fold.pe

    def timing(self, fold: Fold) -> Schedule:
        """Take the taps of each word of a window in turn; the last one yields a beat."""
        words, slots = self.in_shape[2] // fold.simd, self._slots(fold)
        return sequential_schedule(
            *axes(self.window, *self.in_shape[:2]),
            words=words,
            passes=words,
            pass_steps=self._taps,
            capacity=self._capacity(fold),
            latency=OutputQueue.latency(fold.pe * self.in_type.bits, slots),
            slots=slots,
        )

    def resources(self, fold: Fold) -> Resources:
        """Count the window unit, and a comparator, a multiplexer and the queue for each lane."""
        width = fold.simd * self.in_type.bits
        window = window_resources(self.name, self.window, self.in_shape, width, self._capacity(fold))
        return Resources(window.luts + 3 * width, window.flipflops + (1 + self._slots(fold)) * width, window.memories)

    def component(self, fold: Fold) -> Chain:
        """Give the window unit and the pooling unit behind it."""
        rows, columns = axes(self.window, *self.in_shape[:2])
        # A padded tap must never win: the smallest code where the largest is sought, and the other way round.
        losers = [self.in_type.high if smallest else self.in_type.low for smallest in self.minimum]
        window = SlidingWindow(
            width=fold.simd * self.in_type.bits,
            rows=rows,
            columns=columns,
            words=self.in_shape[2] // fold.simd,
            capacity=self._capacity(fold),
            parts=self.in_shape[2] // fold.simd,
            pad_words=pad_words(losers, self.in_type, fold.simd),
        )
        bits = self.in_type.bits
        pool = PoolUnit(
            shape=signed(bits) if self.in_type.signed else unsigned(bits),
            lanes=fold.pe,
            taps=self._taps,
            minimum=self.minimum,
            slots=self._slots(fold),
        )
        return Chain({"window": window, "pool": pool})

    def _slots(self, fold: Fold) -> int:
        """Depth of the output FIFO: the fold's choice, or the least that costs no cycle."""
        return fold.slots or OutputQueue.least_slots(fold.pe * self.in_type.bits, 0, self._taps)
