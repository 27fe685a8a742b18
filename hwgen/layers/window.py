"""Geometry of a sliding window, shared by convolution, pooling and padding."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hwgen.activation import Positions

__all__ = ["Window", "common_classes"]


@dataclass(frozen=True)
class Window:
    """A window sliding over a map; every pair is (vertical, horizontal).

    Parameters
    ----------
    kernel, stride, dilation : tuple of int
        Taps, step between windows, step between taps.
    pads : tuple of int
        Padding at (top, left, bottom, right), as in ONNX for two dimensions.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)

    def span(self) -> tuple[int, int]:
        """Give the extent of the dilated kernel."""
        vertical, horizontal = ((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True))
        return vertical, horizontal

    def padded(self, height: int, width: int) -> tuple[int, int]:
        """Give the extent of the padded map."""
        top, left, bottom, right = self.pads
        return height + top + bottom, width + left + right

    def output(self, height: int, width: int) -> tuple[int, int]:
        """Give the extent of the output map."""
        vertical, horizontal = (
            (size - span) // step + 1
            for size, span, step in zip(self.padded(height, width), self.span(), self.stride, strict=True)
        )
        return vertical, horizontal

    def taps(self, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        """Give the map row of every kernel row, and the map column of every kernel column, for each output.

        Returns
        -------
        rows : ndarray of int64, shape (output height, kernel height)
        columns : ndarray of int64, shape (output width, kernel width)
            Coordinates without padding: below 0, or ``height`` and ``width`` and more, lie in the padding.
        """
        rows, columns = (
            np.add.outer(np.arange(count) * stride - pad, np.arange(kernel) * dilation)
            for count, stride, pad, kernel, dilation in zip(
                self.output(height, width), self.stride, self.pads[:2], self.kernel, self.dilation, strict=True
            )
        )
        return rows, columns

    def padding(self, height: int, width: int) -> Positions:
        """Give the classes of output positions whose windows have the same taps in the padding."""
        rows, columns = (
            _numbered([row.tobytes() for row in (taps < 0) | (taps >= size)])
            for taps, size in zip(self.taps(height, width), (height, width), strict=True)
        )
        return Positions(rows, columns)

    def padded_taps(self, height: int, width: int) -> np.ndarray:
        """Tell which taps lie in the padding: bool (classes of `padding`, kernel height, kernel width)."""
        positions = self.padding(height, width)
        outside = []
        for taps, size, classes in zip(
            self.taps(height, width), (height, width), (positions.rows, positions.columns), strict=True
        ):
            examples = [classes.index(number) for number in range(max(classes) + 1)]
            outside.append((taps[examples] < 0) | (taps[examples] >= size))
        rows, columns = outside
        return (rows[:, None, :, None] | columns[None, :, None, :]).reshape(-1, *self.kernel)

    def check(self, height: int, width: int) -> None:
        """Raise ValueError if a number is out of range or no window fits into the padded map."""
        if min(*self.kernel, *self.stride, *self.dilation) < 1 or min(self.pads) < 0:
            raise ValueError(f"Kernel, stride and dilation are at least 1 and pads at least 0, not {self}")
        if min(self.output(height, width)) < 1:
            span, padded = self.span(), self.padded(height, width)
            raise ValueError(f"A window of {span[0]}x{span[1]} does not fit into {padded[0]}x{padded[1]} with padding")
        if not self.taps_within(height, width):
            raise ValueError(f"No window of {self} taps a map of {height}x{width}")

    def taps_within(self, height: int, width: int) -> bool:
        """Whether any tap lies on the map, and not all on its padding."""
        sizes = (height, width)
        return all(
            bool(np.any((taps >= 0) & (taps < size)))
            for taps, size in zip(self.taps(height, width), sizes, strict=True)
        )

    def tap_maps(self, x: np.ndarray, pad_value: int) -> Iterator[np.ndarray]:
        """Pad a map and give, for each tap in raster order, what every window sees there.

        Parameters
        ----------
        x : ndarray, shape (frames, height, width, channels)
        pad_value : int
            Value of the padding.

        Yields
        ------
        ndarray, shape (frames, output height, output width, channels)
            A view.
        """
        height, width = x.shape[1:3]
        top, left, bottom, right = self.pads
        padded = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=pad_value)
        rows, columns = self.output(height, width)
        for y in range(0, self.span()[0], self.dilation[0]):
            for x0 in range(0, self.span()[1], self.dilation[1]):
                yield padded[
                    :,
                    y : y + (rows - 1) * self.stride[0] + 1 : self.stride[0],
                    x0 : x0 + (columns - 1) * self.stride[1] + 1 : self.stride[1],
                ]


def common_classes(first: Positions, second: Positions) -> tuple[Positions, np.ndarray, np.ndarray]:
    """Divide a map into classes that are of one class in both of two divisions.

    Returns
    -------
    Positions
    ndarray of int64, shape (classes,)
        Class in ``first`` of each class.
    ndarray of int64, shape (classes,)
        Class in ``second``.
    """
    rows, columns = (
        _numbered(list(zip(one, other, strict=True)))
        for one, other in ((first.rows, second.rows), (first.columns, second.columns))
    )
    positions = Positions(rows, columns)
    first_class, second_class = np.zeros((2, positions.count), dtype=np.int64)
    first_class[positions.classes()] = first.classes()
    second_class[positions.classes()] = second.classes()
    return positions, first_class, second_class


def _numbered(labels: Sequence[Hashable]) -> tuple[int, ...]:
    """Number labels in the order in which they appear."""
    numbers: dict[Hashable, int] = {}
    return tuple(numbers.setdefault(label, len(numbers)) for label in labels)
