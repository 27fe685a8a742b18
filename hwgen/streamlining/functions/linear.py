"""A dense layer, a convolution or a product of two maps whose thresholds are not known yet."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hwgen.activation import Positions, Thresholds
from hwgen.codes import CodeType
from hwgen.layers.conv import Conv
from hwgen.layers.dense import Dense
from hwgen.layers.matmul import MatMul
from hwgen.layers.protocol import MapShape
from hwgen.layers.window import Window
from hwgen.streamlining.functions.domain import Integers

__all__ = ["Bilinear", "Linear"]


@dataclass(frozen=True, eq=False)
class Linear:
    """Integer weights on a map of codes.

    Parameters
    ----------
    name, source : str
    in_shape : MapShape
    in_type : CodeType
    weights : ndarray of int64, shape (rows, columns) or (rows, kernel height, kernel width, channels // groups)
    window : Window or None
        None: a dense layer.
    pad_value : int
        What a padded tap contributes, times its weight.
    groups : int
        Groups of rows and channels of a convolution.
    noise : ndarray of float64, shape (rows,), or None
        How far from the accumulator's meaning the graph's own sum in float32 may lie; None: not known.
    """

    name: str
    source: str
    in_shape: MapShape
    in_type: CodeType
    weights: np.ndarray
    window: Window | None = None
    pad_value: int = 0
    groups: int = 1
    noise: np.ndarray | None = None

    turns = True
    """Rows can be negated."""

    @property
    def rows(self) -> int:
        """Output channels."""
        return int(self.weights.shape[0])

    @property
    def out_shape(self) -> MapShape:
        """Shape of the output map."""
        if self.window is None:
            return (1, 1, self.rows)
        return (*self.window.output(*self.in_shape[:2]), self.rows)

    def padding(self) -> tuple[Positions, np.ndarray]:
        """Give the classes of positions by their padded taps, and these taps: bool (classes, columns)."""
        if self.window is None:
            return Positions(), np.zeros((1, self.weights.shape[1]), dtype=bool)
        size = self.in_shape[:2]
        taps = self.window.padded_taps(*size)
        padded = np.repeat(taps.reshape(len(taps), -1), self.weights.shape[-1], axis=1)
        return self.window.padding(*size), padded

    def domain(self) -> Integers:
        """Give the integers that each row can reach at each class of positions."""
        positions, padded = self.padding()
        matrix = self.weights.reshape(self.rows, -1)
        seen = (~padded).astype(np.int64)
        positive, negative = seen @ np.maximum(matrix, 0).T, seen @ np.minimum(matrix, 0).T
        constant = self.pad_value * (padded.astype(np.int64) @ matrix.T)
        low = positive * self.in_type.low + negative * self.in_type.high + constant
        high = positive * self.in_type.high + negative * self.in_type.low + constant
        unit = 2 if self.in_type.bipolar else 1
        step = np.broadcast_to(np.maximum(np.gcd.reduce(matrix, axis=1), 1) * unit, low.shape)
        return Integers(low, step, (high - low) // step + 1, positions)

    def with_rows(self, sign: np.ndarray, constant: np.ndarray) -> Linear:
        """Multiply rows by +-1; rows whose output does not depend on them become +1, which costs one bit a weight."""
        column = (-1, *(1,) * (self.weights.ndim - 1))
        weights = np.where(constant.reshape(column), 1, self.weights * sign.reshape(column))
        return replace(self, weights=weights)

    def record(self, thresholds: Thresholds | None, out_type: CodeType) -> Dense | Conv:
        """Write the layer down."""
        if self.window is None:
            return Dense(self.name, self.source, self.in_shape, self.in_type, self.weights, thresholds, out_type)
        return Conv(
            self.name,
            self.source,
            self.in_shape,
            self.in_type,
            self.weights,
            self.window,
            self.pad_value,
            thresholds,
            out_type,
            self.groups,
        )


@dataclass(frozen=True, eq=False)
class Bilinear:
    """A product of two maps.

    Parameters
    ----------
    layer : MatMul
        With its accumulators as output.
    """

    layer: MatMul

    turns = False
    """Rows are codes, and nothing negates them."""

    @property
    def out_shape(self) -> MapShape:
        """Shape of the output map."""
        return self.layer.out_shape

    def domain(self) -> Integers:
        """Give the integers that each channel can reach."""
        low, high = self.layer.accumulator_range()
        step = self.layer.accumulator_step
        height, width, channels = self.out_shape
        ones = np.ones((1, channels), dtype=np.int64)
        return Integers(low * ones, step * ones, ((high - low) // step + 1) * ones, Positions.uniform(height, width))

    def with_rows(self, sign: np.ndarray, constant: np.ndarray) -> Bilinear:
        """Give the same: rows whose output does not depend on them stay as they are."""
        if np.any(sign < 0):
            raise TypeError("Rows of a product of two maps cannot be negated")
        return self

    def record(self, thresholds: Thresholds | None, out_type: CodeType) -> MatMul:
        """Write the layer down."""
        return replace(self.layer, thresholds=thresholds, out_type=out_type)
