"""Geometry of a sliding window, shared by convolution, pooling and padding."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Window"]


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
        return tuple((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True))  # type: ignore[return-value]

    def padded(self, height: int, width: int) -> tuple[int, int]:
        """Give the extent of the padded map."""
        top, left, bottom, right = self.pads
        return height + top + bottom, width + left + right

    def output(self, height: int, width: int) -> tuple[int, int]:
        """Give the extent of the output map."""
        return tuple(  # type: ignore[return-value]
            (size - span) // step + 1
            for size, span, step in zip(self.padded(height, width), self.span(), self.stride, strict=True)
        )
