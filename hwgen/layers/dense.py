"""Dense (fully connected) layer with integer weights, followed by thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from amaranth.lib import wiring

from hwgen.activation import Thresholds
from hwgen.codes import CodeType
from hwgen.errors import OptionError
from hwgen.fold import Fold
from hwgen.layers.legal import check_divides, check_memory, check_no_window, check_slots, divisors
from hwgen.layers.matvec import MatVec, accumulator_range
from hwgen.layers.protocol import MapShape, OneInput
from hwgen.rtl_templates.cost import Resources
from hwgen.rtl_templates.streams.chain import Chain
from hwgen.rtl_templates.windows.vector_buffer import VectorBuffer
from hwgen.timing.schedule import Schedule

__all__ = ["Dense"]


@dataclass(frozen=True, eq=False)
class Dense:
    """Accumulator = weights @ codes of the whole map; code = thresholds of the accumulator.

    Parameters
    ----------
    name, source : str
        Name of the layer and of the layer or input that it reads.
    in_shape : MapShape
    in_type : CodeType
    weights : ndarray of int64, shape (rows, columns)
        A row for each output channel; columns in the order (height, width, channel) of the map.
    thresholds : Thresholds or None
        None: the accumulator itself goes out.
    out_type : CodeType
    """

    name: str
    source: str
    in_shape: MapShape
    in_type: CodeType
    weights: np.ndarray
    thresholds: Thresholds | None
    out_type: CodeType

    inputs = OneInput()

    @property
    def rows(self) -> int:
        """Number of output channels."""
        return int(self.weights.shape[0])

    @property
    def columns(self) -> int:
        """Weights of one row: the size of the map."""
        return int(self.weights.shape[1])

    @property
    def out_shape(self) -> MapShape:
        """A vector of all rows."""
        return (1, 1, self.rows)

    def golden(self, x: np.ndarray) -> np.ndarray:
        """Map codes (frames, *in_shape) int64 to codes (frames, 1, 1, rows) int64.

        Every partial sum is an integer of at most ``sum |w| * max |x|``; below 2**24 (2**53) single (double) precision holds all of
        them exactly, in any order of summation.
        """
        largest = max(abs(self.in_type.low), abs(self.in_type.high))
        bound = largest * int(np.abs(self.weights).sum(axis=1).max())
        dtype = np.float32 if bound < 1 << 24 else np.float64 if bound < 1 << 53 else np.int64
        accumulators = (x.reshape(len(x), -1).astype(dtype) @ self.weights.T.astype(dtype)).astype(np.int64)
        accumulators = accumulators.reshape(len(x), 1, 1, self.rows)
        if self.thresholds is None:
            return accumulators
        counts = self.thresholds.counts(accumulators)
        return 2 * counts - 1 if self.out_type.bipolar else self.out_type.low + counts

    def check(self) -> None:
        """Raise ValueError with a sentence if the record is inconsistent."""
        size = int(np.prod(self.in_shape))
        if self.weights.ndim != 2 or self.columns != size:
            raise ValueError(f"Layer '{self.name}' needs weights of shape (rows, {size}), not {self.weights.shape}")
        if self.thresholds is None:
            low, high = accumulator_range(self.weights, self.in_type)
            if self.out_type.bipolar or low.min() < self.out_type.low or high.max() > self.out_type.high:
                raise ValueError(
                    f"Layer '{self.name}' yields accumulators {low.min()}..{high.max()}, which do not fit {self.out_type}"
                )
            return
        levels = self.thresholds.levels
        if levels.shape != (1, self.rows, self.out_type.levels - 1):
            raise ValueError(
                f"Layer '{self.name}' needs thresholds of shape (1, {self.rows}, {self.out_type.levels - 1}), not {levels.shape}"
            )

    @property
    def folding(self) -> DenseFolding:
        """What PE and SIMD may be."""
        return DenseFolding(self)

    def writable(self, fold: Fold) -> Fold:
        """Give the folding with memories that can be written, see `MatVec.writable`."""
        return self.matrix.writable(fold)

    def timing(self, fold: Fold) -> Schedule:
        """Take a beat a step with one row fold; else replay the vector from the buffer, its first pass as it arrives."""
        row_folds, vector = self.rows // fold.pe, self.columns // fold.simd
        latency, slots = self.matrix.pipeline(fold)
        if row_folds == 1:
            steps = np.arange(vector, dtype=np.int64)
            return Schedule.through(vector, events=steps, accept=steps, emit=steps[-1:], latency=latency, slots=slots)
        group_ends = np.arange(1, row_folds + 1, dtype=np.int64) * vector - 1
        first_pass = np.arange(vector, dtype=np.int64)
        step = np.concatenate([first_pass, group_ends[1:]])
        need = np.concatenate([first_pass, np.full(row_folds - 1, -1)])
        # Beat j takes the room of the beat `capacity` before it, which its whole vector gives back at the last event.
        vectors_before = (np.arange(vector) - self.buffer_beats(fold)) // vector
        room = vectors_before * len(step) + len(step) - 1
        return Schedule.through(
            row_folds * vector,
            events=step,
            need=need,
            room=room,
            emit=np.arange(vector - 1, len(step)),
            latency=latency,
            slots=slots,
            read_latency=VectorBuffer.READ_LATENCY,
        )

    def buffer_beats(self, fold: Fold) -> int:
        """Capacity of the vector buffer: two vectors, so that one can come while the other is replayed."""
        return 2 * (self.columns // fold.simd) if fold.buffer_beats is None else fold.buffer_beats

    @cached_property
    def matrix(self) -> MatVec:
        """The matrix in the hardware's terms."""
        levels = None if self.thresholds is None else self.thresholds.levels
        return MatVec(self.weights, self.in_type, self.out_type, levels)

    def resources(self, fold: Fold) -> Resources:
        bill = self.matrix.bill(self.name, fold)
        if fold.pe < self.rows:
            bill.include(VectorBuffer.bill(f"{self.name}.vectors", *self._buffer(fold)))
        return bill.resources()

    def component(self, fold: Fold) -> wiring.Component:
        """Give the matrix-vector-threshold unit, behind a vector buffer unless all rows are computed at once."""
        unit = self.matrix.unit(fold)
        if fold.pe == self.rows:
            return unit
        return Chain({"buffer": VectorBuffer(*self._buffer(fold)), "unit": unit})

    def _buffer(self, fold: Fold) -> tuple[int, int, int, int]:
        """Width, length, repeats and capacity of the vector buffer."""
        length, repeats = self.columns // fold.simd, self.rows // fold.pe
        return fold.simd * self.in_type.bits, length, repeats, self.buffer_beats(fold)


@dataclass(frozen=True)
class DenseFolding:
    """PE divides the rows, SIMD the columns; a beat has SIMD inputs, or PE rows."""

    layer: Dense

    def folds(self) -> Iterator[Fold]:
        """Give every folding that may be the cheapest of its rate."""
        for pe in divisors(self.layer.rows):
            for simd in divisors(self.layer.columns):
                yield from self.layer.matrix.lane_choices(Fold(pe=pe, simd=simd))

    def check(self, fold: Fold) -> None:
        """Raise OptionError naming the layer, the illegal value and the nearest legal ones."""
        layer, name = self.layer, self.layer.name
        check_divides("PE", fold.pe, layer.rows, "output channels", name)
        check_divides("SIMD", fold.simd, layer.columns, "inputs", name)
        check_slots(fold, name)
        check_no_window(fold, name)
        vector = layer.columns // fold.simd
        check_memory(fold, layer.weights, layer.rows // fold.pe * vector, name)
        layer.matrix.check_lanes(fold, name)
        if fold.buffer_beats is not None and fold.buffer_beats < vector:
            raise OptionError(
                f"The input buffer must hold a vector of {vector} beats, not {fold.buffer_beats} (layer '{name}')"
            )

    def input_lanes(self, fold: Fold) -> tuple[int, ...]:
        """Give the codes in one beat of each input."""
        return (fold.simd,)

    def out_lanes(self, fold: Fold) -> int:
        """Give the codes in one beat of the output."""
        return fold.pe
