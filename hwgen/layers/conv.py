"""Convolution with integer weights, followed by thresholds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from hwgen.activation import Positions, Thresholds
from hwgen.codes import CodeType
from hwgen.fold import Fold, WindowStyle
from hwgen.layers.conv_folding import ConvFolding
from hwgen.layers.groups import Groups
from hwgen.layers.matvec import MatVec
from hwgen.layers.protocol import MapShape, OneInput
from hwgen.layers.window import Window, common_classes
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
from hwgen.rtl_templates.cost import Resources
from hwgen.rtl_templates.streams.chain import Chain
from hwgen.rtl_templates.streams.fifo import FULL_RATE_DEPTH, Fifo
from hwgen.rtl_templates.windows.parallel_window import ParallelWindow
from hwgen.rtl_templates.windows.sliding_window import SlidingWindow
from hwgen.rtl_templates.windows.window_axis import Axis
from hwgen.timing.schedule import Schedule

__all__ = ["Conv"]

PATCH_NUMBERS = 1 << 22
"""Numbers in the matrix of windows that the golden model holds at once."""


@dataclass(frozen=True, eq=False)
class Conv:
    """Accumulator = sum over the window of weight times code; code = thresholds of the accumulator.

    Parameters
    ----------
    name, source : str
        Name of the layer and of the layer or input that it reads.
    in_shape : MapShape
    in_type : CodeType
    weights : ndarray of int64, shape (rows, kernel height, kernel width, channels // groups)
        One row for each output channel.
    window : Window
    pad_value : int
        What a padded tap contributes, times its weight; it need not be a code (zero padding of a bipolar map).
    thresholds : Thresholds or None
        None: the accumulator itself goes out.
    out_type : CodeType
    groups : int
        Output and input channels fall into so many groups of neighbours; a row sees the channels of its own group. As
        many groups as channels is a depthwise convolution, and with weights of one a sum over the window (pooling).
    """

    name: str
    source: str
    in_shape: MapShape
    in_type: CodeType
    weights: np.ndarray
    window: Window
    pad_value: int
    thresholds: Thresholds | None
    out_type: CodeType
    groups: int = 1

    inputs = OneInput()

    @property
    def rows(self) -> int:
        """Number of output channels."""
        return int(self.weights.shape[0])

    @property
    def columns(self) -> int:
        """Weights of one row: the size of a window in the channels of its group."""
        return int(self.weights[0].size)

    @property
    def out_shape(self) -> MapShape:
        """Shape of the output map."""
        return (*self.window.output(*self.in_shape[:2]), self.rows)

    def golden(self, x: np.ndarray) -> np.ndarray:
        """Map codes (frames, *in_shape) int64 to codes (frames, *out_shape) int64."""
        chunk = max(1, PATCH_NUMBERS // (self.out_shape[0] * self.out_shape[1] * self.columns * self.groups))
        out = np.empty((len(x), *self.out_shape), dtype=np.int64)
        for first in range(0, len(x), chunk):
            accumulators = self._accumulators(x[first : first + chunk])
            out[first : first + chunk] = self._activate(accumulators)
        return out

    def _accumulators(self, x: np.ndarray) -> np.ndarray:
        """Correlate: for each group, a matrix product of all its windows with the weights.

        Every partial sum is an integer of at most ``sum |w| * max |x|``; below 2**24 (2**53) single (double) precision
        holds all of them exactly, in any order of summation.
        """
        largest = max(abs(self.in_type.low), abs(self.in_type.high), abs(self.pad_value))
        bound = largest * int(np.abs(self.weights).reshape(self.rows, -1).sum(axis=1).max())
        dtype = np.float32 if bound < 1 << 24 else np.float64 if bound < 1 << 53 else np.int64
        positions = len(x) * self.out_shape[0] * self.out_shape[1]
        taps, channels = self.window.kernel[0] * self.window.kernel[1], self.in_shape[2] // self.groups
        patches = np.empty((self.groups, positions, taps, channels), dtype=dtype)
        for tap, seen in enumerate(self.window.tap_maps(x, self.pad_value)):
            patches[:, :, tap] = np.moveaxis(seen.reshape(positions, self.groups, channels), 1, 0)
        matrices = self.weights.reshape(self.groups, -1, self.columns).astype(dtype)
        sums: np.ndarray = patches.reshape(self.groups, positions, self.columns) @ matrices.swapaxes(1, 2)
        return np.moveaxis(sums, 0, 1).astype(np.int64).reshape(len(x), *self.out_shape)

    def _activate(self, accumulators: np.ndarray) -> np.ndarray:
        if self.thresholds is None:
            return accumulators
        counts = self.thresholds.counts(accumulators)
        return 2 * counts - 1 if self.out_type.bipolar else self.out_type.low + counts

    def accumulator_range(self) -> tuple[np.ndarray, np.ndarray]:
        """Give the exact least and greatest accumulator.

        Returns
        -------
        low, high : ndarray of int64, shape (classes of `Window.padding`, rows)
        """
        positive, negative = np.maximum(self.weights, 0), np.minimum(self.weights, 0)
        padded = self.window.padded_taps(*self.in_shape[:2])[:, None, :, :, None]
        axes = (2, 3, 4)
        low_code, high_code = (np.where(padded, self.pad_value, code) for code in (self.in_type.low, self.in_type.high))
        low = np.sum(positive * low_code + negative * high_code, axis=axes)
        high = np.sum(positive * high_code + negative * low_code, axis=axes)
        return low, high

    def check(self) -> None:
        """Raise ValueError with a sentence if the record is inconsistent."""
        height, width, channels = self.in_shape
        try:
            self.window.check(height, width)
        except ValueError as error:
            raise ValueError(f"Layer '{self.name}': {error}") from None
        if self.groups < 1 or channels % self.groups or len(self.weights) % self.groups:
            raise ValueError(
                f"Layer '{self.name}' has {self.groups} groups, which must divide its {channels} input channels "
                f"and its {len(self.weights)} rows"
            )
        expected = (*self.window.kernel, channels // self.groups)
        if self.weights.ndim != 4 or self.weights.shape[1:] != expected:
            raise ValueError(
                f"Layer '{self.name}' needs weights of shape "
                f"(rows, {expected[0]}, {expected[1]}, {expected[2]}), not {self.weights.shape}"
            )
        if self.thresholds is None:
            low, high = self.accumulator_range()
            if self.out_type.bipolar or low.min() < self.out_type.low or high.max() > self.out_type.high:
                raise ValueError(
                    f"Layer '{self.name}' yields accumulators {low.min()}..{high.max()}, "
                    f"which do not fit {self.out_type}"
                )
            return
        levels, positions = self.thresholds.levels, self.thresholds.positions
        if levels.shape[:2] != (positions.count, self.rows) or levels.shape[2] != self.out_type.levels - 1:
            raise ValueError(
                f"Layer '{self.name}' needs thresholds of shape "
                f"({positions.count}, {self.rows}, {self.out_type.levels - 1}), not {levels.shape}"
            )
        if (len(positions.rows), len(positions.columns)) != self.out_shape[:2]:
            raise ValueError(
                f"Layer '{self.name}' has thresholds for a map of {len(positions.rows)}x{len(positions.columns)}, "
                f"but yields {self.out_shape[0]}x{self.out_shape[1]}"
            )

    @property
    def grouping(self) -> Groups:
        """How its groups share the lanes."""
        return Groups(self.rows, self.in_shape[2], self.groups)

    @property
    def folding(self) -> ConvFolding:
        """What PE and SIMD may be."""
        return ConvFolding(self)

    def writable(self, fold: Fold) -> Fold:
        """Give the folding with memories that can be written, see `MatVec.writable`."""
        return self.matrix.writable(fold)

    def capacity(self, fold: Fold) -> int:
        """Words of the sequential window unit's memory."""
        steps = self.rows // fold.pe * self.columns // fold.simd
        lanes = replace(fold, simd=self.folding.in_lanes(fold))
        return window_capacity(self.name, self.window, self.in_shape, lanes, steps)

    def _depth(self, fold: Fold) -> int:
        """Beats of the parallel window unit's input queue."""
        return fold.buffer_beats or FULL_RATE_DEPTH

    def timing(self, fold: Fold) -> Schedule:
        """Replay each part of a window for every row fold of its groups; the last step of each yields a beat."""
        (rows, columns), (latency, slots) = self._axes, self.matrix.pipeline(fold)
        common = {**self._counts(fold), "latency": latency, "slots": slots}
        if fold.window is WindowStyle.PARALLEL:
            depth = self._depth(fold)
            queued = Fifo.latency(depth, self.folding.in_lanes(fold) * self.in_type.bits)
            return parallel_schedule(rows, columns, depth=depth, read_latency=queued, **common)
        held, read_latency = self.capacity(fold), window_latency(fold)
        return sequential_schedule(rows, columns, capacity=held, read_latency=read_latency, **common)

    def interval(self, fold: Fold) -> int:
        """Give the interval of `timing`."""
        interval = parallel_interval if fold.window is WindowStyle.PARALLEL else sequential_interval
        return interval(axes=self._axes, **self._counts(fold))

    def _counts(self, fold: Fold) -> dict[str, int]:
        """Give how often a schedule does what."""
        if fold.window is WindowStyle.PARALLEL:
            return {"words": self.grouping.parts(fold.pe), "replays": self.grouping.passes(fold.pe)}
        words = self.in_shape[2] // self.folding.in_lanes(fold)
        return {"words": words, "passes": self.rows // fold.pe, "pass_steps": self.columns // fold.simd}

    @property
    def _axes(self) -> tuple[Axis, Axis]:
        return axes(self.window, *self.in_shape[:2])

    @property
    def _pad_code(self) -> int:
        """What the hardware pads with: the padding's value if that is a code, else the lowest code."""
        is_code = self.in_type.contains(np.array([self.pad_value]))
        return self.pad_value if is_code else self.in_type.low

    @cached_property
    def matrix(self) -> MatVec:
        """The matrix in the hardware's terms: where a code stands for padding that is none, its share is taken back."""
        size, weights = self.in_shape[:2], self.weights.reshape(self.rows, -1)
        surplus = self.pad_value - self._pad_code
        padding = self.window.padding(*size) if surplus else Positions.uniform(*self.out_shape[:2])
        given = self.thresholds.positions if self.thresholds else Positions.uniform(*self.out_shape[:2])
        positions, given_class, padding_class = common_classes(given, padding)
        correction = None
        if surplus:
            padded = self.window.padded_taps(*size)[:, None, :, :, None] * self.weights
            correction = surplus * padded.sum(axis=(2, 3, 4))[padding_class]
        levels = self.thresholds.levels[given_class] if self.thresholds else None
        return MatVec(
            weights,
            self.in_type,
            self.out_type,
            levels,
            correction,
            positions.rows,
            positions.columns,
            same_inputs=self.groups == 1,
        )

    def resources(self, fold: Fold) -> Resources:
        bill = self.matrix.bill(self.name, fold, groups_at_once=self.grouping.at_once(fold.pe))
        if fold.window is WindowStyle.PARALLEL:
            bill.include(ParallelWindow.bill(f"{self.name}.window", **self._parallel(fold)))
        else:
            bill.include(SlidingWindow.bill(f"{self.name}.window", **self._sequential(fold)))
        return bill.resources()

    def component(self, fold: Fold) -> Chain:
        """Give the window unit and the matrix-vector-threshold unit behind it."""
        lanes, taps = self.folding.in_lanes(fold), 1
        (pad_word,) = pad_words([self._pad_code] * lanes, self.in_type, lanes)
        window: ParallelWindow | SlidingWindow
        if fold.window is WindowStyle.PARALLEL:
            taps = self.window.kernel[0] * self.window.kernel[1]
            window = ParallelWindow(pad_word=pad_word, **self._parallel(fold))
        else:
            window = SlidingWindow(pad_words=[pad_word], **self._sequential(fold))
        reads = self.grouping.reads(fold.pe, fold.simd // taps, taps)
        return Chain({"window": window, "unit": self.matrix.unit(fold, reads)})

    def _parallel(self, fold: Fold) -> dict[str, Any]:
        """Give what a parallel window unit and its bill have in common."""
        return {**self._windows(fold), "words": self.grouping.parts(fold.pe), "depth": self._depth(fold)}

    def _sequential(self, fold: Fold) -> dict[str, Any]:
        """Give what a sequential window unit and its bill have in common."""
        return {
            **self._windows(fold),
            "words": self.in_shape[2] // self.folding.in_lanes(fold),
            "capacity": self.capacity(fold),
            "parts": self.grouping.parts(fold.pe),
            "output_register": has_output_register(fold),
        }

    def _windows(self, fold: Fold) -> dict[str, Any]:
        rows, columns = self._axes
        width, replays = self.folding.in_lanes(fold) * self.in_type.bits, self.grouping.passes(fold.pe)
        return {"width": width, "rows": rows, "columns": columns, "replays": replays}
