"""Product of two maps: the pixels of one are multiplied with a matrix that the pixels of the other make up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from hwgen.activation import Thresholds
from hwgen.codes import CodeType, unsigned
from hwgen.errors import OptionError
from hwgen.fold import Fold, LaneStyle, WindowStyle
from hwgen.layers.legal import check_divides, check_positions, check_slots, check_tables, divisors
from hwgen.layers.protocol import MapInput, MapShape
from hwgen.layers.two_operands import TwoOperands
from hwgen.rtl_templates.compute.matmul import MatMulUnit
from hwgen.rtl_templates.cost import Resources
from hwgen.rtl_templates.windows.matrix_buffer import MatrixBuffer
from hwgen.rtl_templates.windows.vector_buffer import VectorBuffer
from hwgen.timing.schedule import Intake, Outlet, Schedule

__all__ = ["MatMul"]


@dataclass(frozen=True, eq=False)
class MatMul:
    """Accumulator = vector @ matrix, for each group of channels of each pixel; code = thresholds of the accumulator.

    The vectors are the groups of the first map's pixels. The rows of the first map follow one another with a matrix each, or rather one for each group, that
    the row of the second map with the same number makes up.

    Parameters
    ----------
    name : str
        Name of the layer.
    sources : (str, str)
        The layers or inputs that it reads: vectors, matrices.
    in_shapes : (MapShape, MapShape)
        (matrices, pixels, groups * columns), and (matrices, rows, groups * columns) or (matrices, columns, groups * rows).
    in_types : (CodeType, CodeType)
    groups : int
        Groups of neighbouring channels: the heads of an attention.
    by_rows : bool
        The second map's pixels are the rows of the product, in which each group has its columns; else they are the columns.
    thresholds : Thresholds or None
        None: the accumulator itself goes out.
    out_type : CodeType
    zeros : (bool, bool)
        Of each map, which is bipolar then: -1 counts as 0.
    """

    name: str
    sources: tuple[str, str]
    in_shapes: tuple[MapShape, MapShape]
    in_types: tuple[CodeType, CodeType]
    groups: int
    by_rows: bool
    thresholds: Thresholds | None
    out_type: CodeType
    zeros: tuple[bool, bool] = (False, False)

    @property
    def inputs(self) -> tuple[MapInput, ...]:
        """The map of the vectors, and that of the matrices."""
        return tuple(MapInput(*parts) for parts in zip(self.sources, self.in_shapes, self.in_types, strict=True))

    @property
    def columns(self) -> int:
        """Numbers of a vector."""
        return self.in_shapes[0][2] // self.groups

    @property
    def rows(self) -> int:
        """Products of a vector."""
        return self.in_shapes[1][1] if self.by_rows else self.in_shapes[1][2] // self.groups

    @property
    def out_shape(self) -> MapShape:
        """The pixels of the first map, with the rows of each group as channels."""
        height, width, _ = self.in_shapes[0]
        return (height, width, self.groups * self.rows)

    def golden(self, vectors: np.ndarray, matrices: np.ndarray) -> np.ndarray:
        """Map codes (frames, *in_shapes[k]) int64 of both sources to codes (frames, *out_shape) int64.

        Every partial sum is an integer of at most ``columns * max |x| * max |w|``; below 2**24 (2**53) single (double) precision holds all of them exactly.
        """
        x, w = (codes > 0 if zero else codes for codes, zero in zip((vectors, matrices), self.zeros, strict=True))
        bound = self.columns * prod(int(np.max(np.abs(codes.astype(np.int64)), initial=0)) for codes in (x, w))
        dtype = np.float32 if bound < 1 << 24 else np.float64 if bound < 1 << 53 else np.int64
        x, w = (codes.reshape(*codes.shape[:3], self.groups, -1).swapaxes(2, 3).astype(dtype) for codes in (x, w))
        products = np.matmul(x, w.swapaxes(-1, -2) if self.by_rows else w).astype(np.int64)
        accumulators = products.swapaxes(2, 3).reshape(len(vectors), *self.out_shape)
        if self.thresholds is None:
            return accumulators
        counts = self.thresholds.counts(accumulators)
        return 2 * counts - 1 if self.out_type.bipolar else self.out_type.low + counts

    def accumulator_range(self) -> tuple[int, int]:
        """Give the exact least and greatest accumulator."""
        return self.operands.accumulator

    @property
    def accumulator_step(self) -> int:
        """Give the distance of accumulators: those of signs times signs have one parity."""
        return 2 if all(kind.bipolar for kind in self.in_types) and not any(self.zeros) else 1

    def check(self) -> None:
        """Raise ValueError with a sentence if the record is inconsistent."""
        (height, width, channels), (matrices, pixels, others) = self.in_shapes
        if self.groups < 1 or channels % self.groups or others % self.groups:
            raise ValueError(
                f"Layer '{self.name}' has {channels} and {others} channels, which are no {self.groups} groups"
            )
        if min(*self.in_shapes[0], *self.in_shapes[1]) < 1 or height != matrices:
            raise ValueError(f"Layer '{self.name}' needs a matrix for each row of vectors, not {matrices} for {height}")
        if self.columns != (others // self.groups if self.by_rows else pixels):
            raise ValueError(
                f"Layer '{self.name}' multiplies vectors of {self.columns} numbers, which matrices from a map {self.in_shapes[1]} do not take"
            )
        if any(zero and not kind.bipolar for zero, kind in zip(self.zeros, self.in_types, strict=True)):
            raise ValueError(f"Layer '{self.name}' takes -1 for 0 where codes are no signs, but {self.in_types}")
        if self.thresholds is None:
            low, high = self.accumulator_range()
            if self.out_type.bipolar or low < self.out_type.low or high > self.out_type.high:
                raise ValueError(
                    f"Layer '{self.name}' yields accumulators {low}..{high}, which do not fit {self.out_type}"
                )
            return
        levels, positions = self.thresholds.levels, self.thresholds.positions
        check_positions(positions, height, width, self.name)
        shape = (positions.count, self.groups * self.rows, self.out_type.levels - 1)
        if levels.shape != shape:
            raise ValueError(f"Layer '{self.name}' needs thresholds of shape {shape}, not {levels.shape}")

    @property
    def folding(self) -> MatMulFolding:
        """What PE and SIMD may be."""
        return MatMulFolding(self)

    def writable(self, fold: Fold) -> Fold:
        """Give the folding with thresholds that can be written."""
        return replace(fold, writable=self.thresholds is not None)

    @cached_property
    def operands(self) -> TwoOperands:
        """Both operands in the hardware's terms."""
        levels = None if self.thresholds is None else self.thresholds.levels
        x, w = (unsigned(1) if zero else kind for kind, zero in zip(self.in_types, self.zeros, strict=True))
        return TwoOperands(x, w, self.columns, self.groups * self.rows, self.out_type, levels)

    def timing(self, fold: Fold) -> Schedule:
        """Take a beat of the vectors a step with one row fold; else replay each vector, its first pass as it arrives. The first step needs its matrix."""
        row_folds, vector = self.rows // fold.pe, self.columns // fold.simd
        latency, slots = self.operands.pipeline(fold)
        matrices, pixels, _ = self.in_shapes[0]
        vectors = matrices * pixels * self.groups
        first_pass, later = np.arange(vector), np.arange(2, row_folds + 1) * vector - 1
        own = np.concatenate([first_pass, later])
        events = np.add.outer(np.arange(vectors) * row_folds * vector, own).ravel()
        emits = np.add.outer(np.arange(vectors) * len(own), np.arange(vector - 1, len(own))).ravel()
        if row_folds == 1:
            taken = Intake(accept=np.arange(vectors * vector))
        else:
            ahead = np.concatenate([first_pass, np.full(len(later), -1)])
            need = np.where(ahead < 0, -1, np.add.outer(np.arange(vectors) * vector, ahead)).ravel()
            # Beat j takes the room of the beat `capacity` before it, which its whole vector gives back at its last event.
            before = (np.arange(vectors * vector) - self.buffer_beats(fold)) // vector
            room = (before + 1) * len(own) - 1
            taken = Intake(need=need, room=room, read_latency=VectorBuffer.READ_LATENCY)
        per_matrix = len(events) // matrices
        beats = self.groups * row_folds * vector * (fold.pe if self.by_rows else fold.simd)
        complete = np.full(len(events), -1)
        complete[::per_matrix] = np.arange(1, matrices + 1) * beats - 1
        # A matrix takes the bank of the one two before it, which gives it back at its last event.
        bank = (np.arange(matrices * beats) // beats - 1) * per_matrix - 1
        latest = MatrixBuffer.read_latency(self.groups * row_folds * vector)
        matrix = Intake(need=complete, room=bank, read_latency=latest)
        steps = vectors * row_folds * vector
        return Schedule(steps, events, (taken, matrix), (Outlet(emits, latency, slots),))

    def buffer_beats(self, fold: Fold) -> int:
        """Capacity of the vectors' buffer: two vectors, so that one can come while the other is replayed."""
        return 2 * (self.columns // fold.simd) if fold.buffer_beats is None else fold.buffer_beats

    def resources(self, fold: Fold) -> Resources:
        return MatMulUnit.bill(self.name, **self._unit(fold)).resources()

    def component(self, fold: Fold) -> MatMulUnit:
        """Give the unit that multiplies, with its buffers."""
        return MatMulUnit(**self._unit(fold))

    def _unit(self, fold: Fold) -> dict[str, Any]:
        """Give what the unit and its bill have in common."""
        operands, output = self.operands, self.operands.output(fold)
        shape, kind = self.in_shapes[0], self.thresholds
        uniform = kind is None or len(output.table) == 1
        return {
            "pe": fold.pe,
            "simd": fold.simd,
            "lanes": operands.lanes(fold),
            "in_shape": operands.in_shape,
            "weight_shape": operands.weight_shape,
            "row_folds": self.rows // fold.pe,
            "column_folds": self.columns // fold.simd,
            "groups": self.groups,
            "repeats": shape[1],
            "by_rows": self.by_rows,
            "accumulator": operands.sum_range(fold),
            "output": output,
            "position_rows": (0,) if kind is None or uniform else kind.positions.rows,
            "position_columns": (0,) if kind is None or uniform else kind.positions.columns,
            "style": fold.memory,
            "slots": operands.pipeline(fold)[1],
            "vector_beats": self.buffer_beats(fold),
            "writes_table": fold.writable and kind is not None,
        }


@dataclass(frozen=True)
class MatMulFolding:
    """PE divides the rows of a group, SIMD its columns; a beat has SIMD numbers of a vector, SIMD of a row or PE of a column of the matrix, or PE products."""

    layer: MatMul

    def folds(self) -> Iterator[Fold]:
        """Give every folding that may be the cheapest of its rate."""
        several = min(kind.bits for kind in self.layer.in_types) > 1
        for pe in divisors(self.layer.rows):
            for simd in divisors(self.layer.columns):
                fold = Fold(pe=pe, simd=simd)
                yield fold
                if several:
                    yield replace(fold, lanes=LaneStyle.WORDS)

    def check(self, fold: Fold) -> None:
        """Raise OptionError naming the layer, the illegal value and the nearest legal ones."""
        layer, name = self.layer, self.layer.name
        check_divides("PE", fold.pe, layer.rows, "rows of a group", name)
        check_divides("SIMD", fold.simd, layer.columns, "columns of a group", name)
        check_slots(fold, name)
        check_tables(fold, name)
        if fold.window is WindowStyle.PARALLEL:
            raise OptionError(f"Layer '{name}' has no window to hand over in parallel")
        if fold.lanes is LaneStyle.SHARED:
            raise OptionError(
                f"Layer '{name}' multiplies two maps, whose sums cannot be shared; choose lanes 'planes' or 'words'"
            )
        if fold.lanes is LaneStyle.WORDS and not layer.operands.has_words:
            raise OptionError(
                f"Layer '{name}' multiplies by codes of -1 and +1, which need no multiplier; choose lanes 'planes'"
            )
        vector = layer.columns // fold.simd
        if fold.buffer_beats is not None and fold.buffer_beats < vector:
            raise OptionError(
                f"The input buffer must hold a vector of {vector} beats, not {fold.buffer_beats} (layer '{name}')"
            )

    def input_lanes(self, fold: Fold) -> tuple[int, ...]:
        """Give the codes in one beat of each input."""
        return (fold.simd, fold.simd if self.layer.by_rows else fold.pe)

    def out_lanes(self, fold: Fold) -> int:
        """Give the codes in one beat of the output."""
        return fold.pe
