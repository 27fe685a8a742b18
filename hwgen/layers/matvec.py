"""What dense layers and convolutions share: a matrix, in the hardware's own number form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from amaranth.hdl import Shape

from hwgen.codes import BIPOLAR, TERNARY, CodeType, signed, unsigned
from hwgen.errors import OptionError
from hwgen.fold import Fold, LaneStyle
from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.compute.activation import Levels, Scores, levels_latency
from hwgen.rtl_templates.compute.dot_product import Lanes
from hwgen.rtl_templates.compute.mvtu import Mvtu
from hwgen.rtl_templates.compute.shared_rows import SharedRows
from hwgen.rtl_templates.streams.output_queue import OutputQueue

__all__ = ["MatVec", "accumulator_range", "pack_words"]

MOST_SHARED_WEIGHTS = 1 << 16
"""Weights up to which rows share sums unasked: finding the sums takes time, and nobody unfolds more."""


def accumulator_range(weights: np.ndarray, in_type: CodeType) -> tuple[np.ndarray, np.ndarray]:
    """Give the exact least and greatest product of each row with any vector of codes.

    Parameters
    ----------
    weights : ndarray of int64, shape (rows, columns)
    in_type : CodeType

    Returns
    -------
    low, high : ndarray of int64, shape (rows,)
    """
    positive = np.maximum(weights, 0).sum(axis=1)
    negative = np.minimum(weights, 0).sum(axis=1)
    return positive * in_type.low + negative * in_type.high, positive * in_type.high + negative * in_type.low


def pack_words(fields: np.ndarray, bits: int, pe: int, simd: int) -> list[int]:
    """Pack a matrix of ``bits``-wide fields into memory words, in the order in which a folded unit reads them.

    Parameters
    ----------
    fields : ndarray of int64, shape (rows, columns)
        Only the lowest ``bits`` of each count.
    pe, simd : int
        Divisors of rows and columns.

    Returns
    -------
    list of int
        Word ``row_fold * column_folds + column_fold`` has field (row_fold * pe + p, column_fold * simd + s) at bit ``(p * simd + s) * bits``.
    """
    rows, columns = fields.shape
    fields = fields.astype(np.int8) if bits <= 8 else fields
    steps = fields.reshape(rows // pe, pe, columns // simd, simd).transpose(0, 2, 1, 3).reshape(-1, pe * simd)
    planes = ((steps[:, :, None] >> np.arange(bits)) & 1).astype(np.uint8)
    packed = np.packbits(planes.reshape(len(steps), -1), axis=1, bitorder="little")
    return [int.from_bytes(word.tobytes(), "little") for word in packed]


MANY_LANES = 16
"""Lanes of a row from which on it is cheaper unasked to take what inputs of three values count off once for all rows."""


@dataclass(frozen=True, eq=False)
class MatVec:
    """A matrix with its activation, independent of folding.

    The hardware's sum A and the mathematician's accumulator are related by ``accumulator = scale * A + offset[row] + correction[class, row]``.

    Parameters
    ----------
    weights : ndarray of int64, shape (rows, columns)
        Columns in the order of the stream.
    in_type, out_type : CodeType
    levels : ndarray of int64, shape (classes, rows, steps), or None
        Thresholds of the accumulator; None: the accumulator goes out.
    correction : ndarray of int64, shape (classes, rows), or None
        What the accumulator has besides the products.
    position_rows, position_columns : tuple of int
        Class of each row and column of the map of vectors, as in `hwgen.activation.Positions`.
    any_of : CodeType or None
        The hardware must suit all weights of this type, not just these.
    style : LaneStyle
        Planes, words or shared sums; AUTO if it depends on the folding.
    same_inputs : bool
        All rows take the same inputs.
    """

    weights: np.ndarray
    in_type: CodeType
    out_type: CodeType
    levels: np.ndarray | None
    correction: np.ndarray | None = None
    position_rows: tuple[int, ...] = (0,)
    position_columns: tuple[int, ...] = (0,)
    any_of: CodeType | None = None
    style: LaneStyle = LaneStyle.AUTO
    same_inputs: bool = True

    def folded(self, fold: Fold) -> MatVec:
        """Give the matrix as a folding has it: one of all that may be written, if it is writable, and with its kind of lanes."""
        style = self._chosen(fold)
        if fold.weights == self.any_of and style is self.style:
            return self
        key = (fold.weights, style)
        if key not in self._variants:
            self._variants[key] = replace(self, any_of=fold.weights, style=style)
        return self._variants[key]

    @cached_property
    def _variants(self) -> dict[tuple[CodeType | None, LaneStyle], MatVec]:
        return {}

    def _chosen(self, fold: Fold) -> LaneStyle:
        """Give the folding's kind of lanes, or that of its own: shared sums, else masked, else planes; equal weights leave planes of several bits nothing to compare."""
        if fold.lanes is not LaneStyle.AUTO:
            return fold.lanes
        if self.weights.size <= MOST_SHARED_WEIGHTS and self._can_share(fold):
            return LaneStyle.SHARED
        if fold.pe > 1 and fold.simd >= MANY_LANES and self._can_mask(fold):
            return LaneStyle.MASKED
        uniform = self._is_uniform and fold.weights is None
        return LaneStyle.WORDS if uniform and self.in_type.bits > 1 else LaneStyle.PLANES

    def lane_choices(self, fold: Fold) -> Iterator[Fold]:
        """Give a folding with each kind of lanes that may be the cheapest: planes cost no more than words where inputs have one bit."""
        yield fold
        if self._can_mask(fold):
            masked = self._chosen(fold) is LaneStyle.MASKED
            yield replace(fold, lanes=LaneStyle.PLANES if masked else LaneStyle.MASKED)
        if self.in_type.bits > 1 and self._chosen(fold) is not LaneStyle.WORDS:
            yield replace(fold, lanes=LaneStyle.WORDS)

    def writable(self, fold: Fold) -> Fold:
        """Give the folding with writable memories, for all weights that fit the present ones' bits."""
        if fold.weights is not None:
            return replace(fold, writable=True)
        kind = self.weight_type
        if not kind.bipolar and (kind.low, kind.high) != (-1, 1):
            kind = signed(kind.bits) if kind.signed else unsigned(kind.bits)
        return replace(fold, writable=True, weights=kind)

    @property
    def columns(self) -> int:
        """Weights of a row."""
        return int(self.weights.shape[1])

    def _can_share(self, fold: Fold) -> bool:
        unfolded = (fold.pe, fold.simd) == self.weights.shape and self.same_inputs and not fold.writable
        one_bit = self.in_type.bits == 1 and not self.in_type.signed
        return unfolded and one_bit and len(self.weights) > 1 and bool(np.all(np.abs(self.weights) == 1))

    def _can_mask(self, fold: Fold) -> bool:
        bipolar = fold.weights.bipolar if fold.weights is not None else bool(np.all(np.abs(self.weights) == 1))
        return self.in_type == TERNARY and bipolar and self.same_inputs

    def check_lanes(self, fold: Fold, layer: str) -> None:
        """Refuse shared sums, or masked ones, where there are none.

        Raises
        ------
        OptionError
            Naming the layer.
        """
        if fold.lanes is LaneStyle.SHARED and not self._can_share(fold):
            raise OptionError(
                f"Layer '{layer}' cannot have lanes 'shared', which need all of several rows and columns at once, constant weights of "
                "+-1, inputs of one bit and no groups; choose other lanes"
            )
        if fold.lanes is LaneStyle.MASKED and not self._can_mask(fold):
            raise OptionError(
                f"Layer '{layer}' cannot have lanes 'masked', which need weights of +-1, inputs of -1, 0 and +1 and no groups; choose other lanes"
            )

    @cached_property
    def _signs(self) -> list[list[bool]]:
        signs: list[list[bool]] = (self.weights > 0).tolist()
        return signs

    @cached_property
    def lanes(self) -> Lanes:
        """Lanes for digits -1 and +1 if the weights are made of such, ternary ones, or those for any numbers."""
        kind, planes = self.weight_type, self.style in (LaneStyle.PLANES, LaneStyle.SHARED)
        if kind.bipolar:
            if self.style is LaneStyle.MASKED:
                return Lanes.MASKED_XNOR
            return Lanes.XNOR if planes else Lanes.ADD_SUB
        if (kind.low, kind.high) == (-1, 1):
            return Lanes.TERNARY_XNOR if planes else Lanes.TERNARY_ADD_SUB
        if not planes:
            return Lanes.MULTIPLY
        return Lanes.XNOR if self.any_of is None and np.all(self.weights % 2) else Lanes.AND

    @cached_property
    def weight_type(self) -> CodeType:
        """Type of the weights: bipolar, or the least interval with 0."""
        if self.any_of is not None:
            return self.any_of
        if np.all(np.abs(self.weights) == 1):
            return BIPOLAR
        return CodeType(min(0, int(self.weights.min())), max(0, int(self.weights.max())))

    @cached_property
    def weight_shape(self) -> Shape:
        """Shape of a weight as it is stored."""
        kind = self.weight_type
        if self.lanes in (Lanes.XNOR, Lanes.MASKED_XNOR):
            return Shape(max(-kind.low, kind.high).bit_length())
        if self.lanes.is_ternary:
            return Shape(2)
        return Shape(kind.bits, signed=kind.signed)

    @cached_property
    def fields(self) -> np.ndarray:
        """The weights as they are stored, the lowest `weight_shape` bits of each."""
        if self.lanes in (Lanes.XNOR, Lanes.MASKED_XNOR, Lanes.ADD_SUB):
            # The digits -1 and +1 of significance 2**j, written 0 and 1, are the bits of (w + 2**bits - 1) / 2.
            return (self.weights + (1 << self.weight_shape.width) - 1) // 2
        if self.lanes.is_ternary:
            return (self.weights > 0) + 2 * (self.weights != 0)
        return self.weights

    @property
    def scale(self) -> int:
        """Accumulator steps of one step of the hardware's sum: a bipolar input is 2 * bit - 1."""
        return 2 if self.in_type.bipolar else 1

    @property
    def _shift(self) -> int:
        """What the hardware adds to a signed input that is not multiplied."""
        return (
            1 << (self.in_type.bits - 1)
            if self.in_type.signed and self.lanes not in (Lanes.MULTIPLY, Lanes.MASKED_XNOR)
            else 0
        )

    def _excess(self, weights: np.ndarray) -> np.ndarray:
        """Give what a lane with each of these weights sums besides weight times u, with u the bit of a bipolar input, else input + shift.

        A digit -1 gives ``2**k - 1 - u`` instead of -u, and in the plane of the weights' sign ones are counted where there is none.
        """
        mask, width = (1 << self.in_type.bits) - 1, self.weight_shape.width
        if self.lanes in (Lanes.XNOR, Lanes.ADD_SUB):
            return mask * ((1 << width) - 1 - weights) // 2
        if self.lanes.is_ternary:
            return mask * (weights < 0)
        signed_planes = self.lanes is Lanes.AND and self.weight_shape.signed
        return np.full_like(weights, mask << (width - 1) if signed_planes else 0)

    @cached_property
    def offset(self) -> np.ndarray:
        """Accumulator of each row where the hardware's sum is 0: int64 (rows,)."""
        start = 1 if self.in_type.bipolar else self._shift
        excess = self._excess(self.weights).sum(axis=1)
        if self.style is LaneStyle.SHARED:
            excess = excess - np.array(SharedRows.row_constants(self._signs))
        return np.asarray(-self.scale * excess - start * self.weights.sum(axis=1))

    @cached_property
    def sum_range(self) -> tuple[int, int]:
        """Exact least and greatest sum of the hardware over all rows, whichever the weights are if they can be written."""
        if self.any_of is not None:
            return self._worst_sums()
        low, high = accumulator_range(self.weights, self.in_type)
        return int(((low - self.offset) // self.scale).min()), int(((high - self.offset) // self.scale).max())

    def _worst_sums(self) -> tuple[int, int]:
        """Give the least and greatest sum of any weights: each lane's bounds, added up."""
        kind = self.in_type
        inputs = (0, 1) if kind.bipolar else (kind.low + self._shift, kind.high + self._shift)
        weights = np.array([-1, 1] if self.weight_type.bipolar else [self.weight_type.low, 0, self.weight_type.high])
        sums = np.multiply.outer(inputs, weights) + self._excess(weights)
        return self.columns * int(sums.min()), self.columns * int(sums.max())

    @property
    def table_varies(self) -> bool:
        """Whether the table depends on the weights, or on thresholds."""
        if self.levels is not None or self.correction is not None:
            return True
        if self.lanes is Lanes.XNOR and self.in_type.bipolar:
            return False
        plain = self.lanes in (Lanes.AND, Lanes.MULTIPLY, Lanes.MASKED_XNOR)
        return not plain or self.in_type.bipolar or self._shift > 0

    @cached_property
    def table(self) -> np.ndarray:
        """What the activation looks up: int64 (classes, rows, entries), levels of the hardware's sum, or the constants of the scores."""
        constant = (self.offset[None] + (0 if self.correction is None else self.correction))[:, :, None]
        if self.levels is None:
            return constant
        low, high = self.sum_range
        return np.clip(-((constant - self.levels) // self.scale), low, high + 1)

    def output(self) -> Levels | Scores:
        """Give the activation in terms of the hardware's sum."""
        if self.levels is None:
            return Scores(self.table, self.scale, self.out_type.bits)
        code = 0 if self.out_type.bipolar else self.out_type.low
        return Levels(self.table, code, self.out_type.bits)

    def unit(self, fold: Fold, reads: list[list[int]] | None = None) -> Mvtu:
        """Give the matrix-vector-threshold unit, whose rows may take different inputs of a beat."""
        folded = self.folded(fold)
        if folded is not self:
            return folded.unit(fold, reads)
        return Mvtu(words=self.words(fold), reads=reads, **self._parameters(fold))

    def bill(self, name: str, fold: Fold, *, groups_at_once: int = 1) -> Bill:
        """Give what the unit is made of; the rows computed at once may be of so many groups, each with inputs of its own."""
        folded = self.folded(fold)
        if folded is not self:
            return folded.bill(name, fold, groups_at_once=groups_at_once)
        steps, inputs = self.word_count(fold), groups_at_once * fold.simd
        return Mvtu.bill(name, weights=self.fields, steps=steps, inputs=inputs, **self._parameters(fold))

    def _parameters(self, fold: Fold) -> dict[str, Any]:
        """Give what the unit and its bill have in common."""
        output = self.output()
        uniform = len(output.table) == 1
        return {
            "pe": fold.pe,
            "simd": fold.simd,
            "lanes": self.lanes,
            "in_shape": self.in_shape,
            "weight_shape": self.weight_shape,
            "column_folds": self.columns // fold.simd,
            "accumulator": self.sum_range,
            "output": output,
            "shares": self.style is LaneStyle.SHARED,
            "position_rows": (0,) if uniform else self.position_rows,
            "position_columns": (0,) if uniform else self.position_columns,
            "style": fold.memory,
            "slots": self.pipeline(fold)[1],
            "writes_weights": fold.writable,
            "writes_table": fold.writable and self.table_varies,
            "fetch_registers": fold.fetch_registers,
        }

    def words(self, fold: Fold) -> list[int]:
        """Give the weight memory's words; one if they are all the same."""
        words = pack_words(self.fields, self.weight_shape.width, fold.pe, fold.simd)
        return words[: self.word_count(fold)]

    def word_count(self, fold: Fold) -> int:
        return 1 if self._is_uniform else self.weights.size // (fold.pe * fold.simd)

    @cached_property
    def _is_uniform(self) -> bool:
        """Whether all weights are the same number for ever, as in a sum over a window."""
        return self.any_of is None and bool(np.all(self.weights == self.weights.flat[0]))

    def pipeline(self, fold: Fold) -> tuple[int, int]:
        """Give latency (cycles from a row group's last step until its beat can leave) and slots of the unit."""
        folded = self.folded(fold)
        if folded is not self:
            return folded.pipeline(fold)
        steps = self.word_count(fold)
        activation = 0 if self.levels is None else levels_latency(self.levels.shape[2])
        accumulates = self.columns > fold.simd
        if self.style is LaneStyle.SHARED:
            summing = self.shared_levels
        else:
            summing = Mvtu.cycles_to_sum(self.lanes, fold.simd, self.in_shape, self.weight_shape, accumulates)
        pipeline = Mvtu.pipeline_cycles(summing, steps, activation, fold.fetch_registers)
        width = fold.pe * self.out_type.bits
        slots = fold.slots
        if slots is None:
            slots = OutputQueue.least_slots(width, pipeline, self.columns // fold.simd)
        return pipeline + OutputQueue.latency(width, slots), slots

    @property
    def in_shape(self) -> Shape:
        """Shape of an input."""
        return Shape(self.in_type.bits, signed=self.in_type.signed)

    @cached_property
    def shared_levels(self) -> int:
        return len(SharedRows.register_levels(self._signs))
