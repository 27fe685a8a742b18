"""Stand-alone padding of a map with a constant code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hwgen.codes import CodeType
from hwgen.fold import Fold
from hwgen.layers.channel_folding import ChannelFolding
from hwgen.layers.protocol import MapShape, OneInput
from hwgen.layers.window import Window
from hwgen.layers.window_schedule import (
    axes,
    has_output_register,
    pad_words,
    sequential_schedule,
    window_capacity,
    window_latency,
)
from hwgen.rtl_templates.cost import Resources
from hwgen.rtl_templates.streams.chain import Chain
from hwgen.rtl_templates.streams.fifo import FULL_RATE_DEPTH, Fifo
from hwgen.rtl_templates.windows.sliding_window import SlidingWindow
from hwgen.timing.schedule import Schedule

__all__ = ["Pad"]


@dataclass(frozen=True)
class Pad:
    """Put a border of one code around a map.

    Parameters
    ----------
    name, source : str
        Name of the layer and of the layer or input that it reads.
    in_shape : MapShape
    in_type : CodeType
    pads : tuple of int
        Rows and columns to add at (top, left, bottom, right).
    value : int
        A code of ``in_type``.
    """

    name: str
    source: str
    in_shape: MapShape
    in_type: CodeType
    pads: tuple[int, int, int, int]
    value: int

    inputs = OneInput()

    @property
    def window(self) -> Window:
        """The equal sliding window: one tap over the padded map."""
        return Window((1, 1), pads=self.pads)

    @property
    def out_shape(self) -> MapShape:
        """Shape of the padded map."""
        return (*self.window.padded(*self.in_shape[:2]), self.in_shape[2])

    @property
    def out_type(self) -> CodeType:
        """Type of the codes, unchanged."""
        return self.in_type

    def golden(self, x: np.ndarray) -> np.ndarray:
        """Map codes (frames, *in_shape) int64 to codes (frames, *out_shape) int64."""
        top, left, bottom, right = self.pads
        return np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=self.value)

    def check(self) -> None:
        """Raise ValueError with a sentence if the record is inconsistent."""
        if min(self.pads) < 0:
            raise ValueError(f"Layer '{self.name}' can only add rows and columns, not pad by {self.pads}")
        if not self.in_type.contains(np.array([self.value])):
            raise ValueError(f"Layer '{self.name}' pads with {self.value}, which is not a code of type {self.in_type}")

    @property
    def folding(self) -> ChannelFolding:
        """PE channels a beat, in and out; the window memory holds a window."""
        return ChannelFolding(self.name, self.in_shape[2], simd=True, needs=self._capacity)

    def _capacity(self, fold: Fold) -> int:
        """Words of the window memory."""
        return window_capacity(self.name, self.window, self.in_shape, fold, steps=self.in_shape[2] // fold.simd)

    def timing(self, fold: Fold) -> Schedule:
        """Yield a beat a step."""
        words = self.in_shape[2] // fold.simd
        slots = fold.slots or FULL_RATE_DEPTH
        return sequential_schedule(
            *axes(self.window, *self.in_shape[:2]),
            words=words,
            passes=words,
            pass_steps=1,
            capacity=self._capacity(fold),
            latency=Fifo.latency(slots, fold.simd * self.in_type.bits),
            slots=slots,
            read_latency=window_latency(fold),
        )

    def resources(self, fold: Fold) -> Resources:
        bill = SlidingWindow.bill(f"{self.name}.window", **self._sequential(fold))
        bill.include(Fifo.bill(f"{self.name}.queue", fold.simd * self.in_type.bits, fold.slots or FULL_RATE_DEPTH))
        return bill.resources()

    def component(self, fold: Fold) -> Chain:
        """Give the window unit and a FIFO behind it."""
        queue = Fifo(fold.simd * self.in_type.bits, fold.slots or FULL_RATE_DEPTH)
        return Chain({"window": SlidingWindow(**self._sequential(fold)), "queue": queue})

    def _sequential(self, fold: Fold) -> dict[str, Any]:
        """Give what the window unit and its bill have in common."""
        rows, columns = axes(self.window, *self.in_shape[:2])
        return {
            "width": fold.simd * self.in_type.bits,
            "rows": rows,
            "columns": columns,
            "words": self.in_shape[2] // fold.simd,
            "capacity": self._capacity(fold),
            "pad_words": pad_words([self.value] * self.in_shape[2], self.in_type, fold.simd),
            "output_register": has_output_register(fold),
        }
