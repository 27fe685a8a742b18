"""Both operands of a product of two streams, in the hardware's own number form."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from amaranth.hdl import Shape, unsigned

from hwgen.codes import CodeType
from hwgen.fold import Fold, LaneStyle
from hwgen.rtl_templates.compute.activation import Levels, Scores
from hwgen.rtl_templates.compute.dot_product import DotProduct, Lanes
from hwgen.rtl_templates.compute.mvtu import Mvtu
from hwgen.rtl_templates.streams.output_queue import OutputQueue

__all__ = ["TwoOperands"]


@dataclass(frozen=True, eq=False)
class TwoOperands:
    """Two vectors of codes that both vary, and what becomes of their product.

    The hardware's sum S and the mathematician's accumulator are related by ``accumulator = scale * S + offset``: what lanes count besides products does not
    depend on either operand.

    Parameters
    ----------
    vector_type, matrix_type : CodeType
    columns : int
        Numbers of each.
    rows : int
        Output channels.
    out_type : CodeType
    levels : ndarray of int64, shape (classes, rows, steps), or None
        Thresholds of the accumulator; None: the accumulator goes out.
    """

    vector_type: CodeType
    matrix_type: CodeType
    columns: int
    rows: int
    out_type: CodeType
    levels: np.ndarray | None

    @property
    def accumulator(self) -> tuple[int, int]:
        """Exact least and greatest accumulator."""
        ends = [(kind.low, kind.high) for kind in (self.vector_type, self.matrix_type)]
        products = [x * w for x, w in product(*ends)]
        return self.columns * min(products), self.columns * max(products)

    @property
    def in_shape(self) -> Shape:
        """Shape of a vector's number."""
        return Shape(self.vector_type.bits, signed=self.vector_type.signed)

    @property
    def weight_shape(self) -> Shape:
        """Shape of a matrix' number."""
        return Shape(self.matrix_type.bits, signed=self.matrix_type.signed)

    @property
    def has_words(self) -> bool:
        """Whether there are two numbers for a multiplier."""
        return not (self.vector_type.bipolar or self.matrix_type.bipolar)

    def lanes(self, fold: Fold) -> Lanes:
        """Give what a lane does with its two codes."""
        if self.vector_type.bipolar:
            return Lanes.XNOR if self.matrix_type.bipolar else Lanes.SIGNED_BY_INPUT
        if self.matrix_type.bipolar:
            return Lanes.SIGNED_BY_WEIGHT
        return Lanes.MULTIPLY if fold.lanes is LaneStyle.WORDS else Lanes.PRODUCT

    def scale(self, fold: Fold) -> int:
        """Accumulator steps of one step of the hardware's sum."""
        return 2 if self.lanes(fold) is Lanes.XNOR else 1

    def offset(self, fold: Fold) -> int:
        """Accumulator where the hardware's sum is 0."""
        x, w = self.in_shape, self.weight_shape
        match self.lanes(fold):
            case Lanes.XNOR:
                lane = 1
            case Lanes.SIGNED_BY_INPUT:
                lane = 1 if w == unsigned(1) else 1 << w.width - w.signed
            case Lanes.SIGNED_BY_WEIGHT:
                lane = (1 << x.width) - 1 + (1 << x.width - 1) * x.signed
            case Lanes.PRODUCT:
                signs = [
                    (x.signed and i == x.width - 1) != (w.signed and j == w.width - 1)
                    for i in range(x.width)
                    for j in range(w.width)
                ]
                places = [i + j for i in range(x.width) for j in range(w.width)]
                lane = sum(1 << place for place, sign in zip(places, signs, strict=True) if sign)
            case _:
                lane = 0
        return -self.columns * lane

    def sum_range(self, fold: Fold) -> tuple[int, int]:
        """Exact least and greatest sum of the hardware."""
        low, high = ((bound - self.offset(fold)) // self.scale(fold) for bound in self.accumulator)
        return low, high

    def output(self, fold: Fold) -> Levels | Scores:
        """Give the activation in terms of the hardware's sum."""
        offset, scale = self.offset(fold), self.scale(fold)
        if self.levels is None:
            return Scores(np.full((1, self.rows, 1), offset), scale, self.out_type.bits)
        low, high = self.sum_range(fold)
        table = np.clip(-((offset - self.levels) // scale), low, high + 1)
        return Levels(table, 0 if self.out_type.bipolar else self.out_type.low, self.out_type.bits)

    def pipeline(self, fold: Fold) -> tuple[int, int]:
        """Give latency (cycles from a row group's last step until its beat can leave) and slots of the unit."""
        lanes, folds = self.lanes(fold), self.columns // fold.simd
        summing = DotProduct.latency(lanes, fold.simd, self.in_shape, self.weight_shape, folds > 1)
        pipeline = Mvtu.pipeline_cycles(summing, 1, self.output(fold).latency, 0)
        width, slots = fold.pe * self.out_type.bits, fold.slots
        if slots is None:
            slots = OutputQueue.least_slots(width, pipeline, folds)
        return pipeline + OutputQueue.latency(width, slots), slots
