"""Random windows in words and pixels, for the tests of both sliding window units."""

from __future__ import annotations

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from hwgen.rtl_templates.windows.window_axis import Axis


@st.composite
def axes(draw: st.DrawFn) -> Axis:
    """Draw any windows along a direction of which one at least reaches the map."""
    size, kernel, stride, dilation, before, after = (
        draw(st.integers(low, high)) for low, high in ((1, 7), (1, 3), (1, 3), (1, 2), (0, 2), (0, 2))
    )
    try:
        return Axis(size, kernel, stride, dilation, before, after)
    except ValueError:
        assume(False)
        raise


def taps_by_definition(x: np.ndarray, rows: Axis, columns: Axis, padding: np.ndarray) -> np.ndarray:
    """Look up every tap by itself: (frames, height, width, words) -> (frames, windows, taps, words)."""
    out = []
    for frame in x:
        for row in range(rows.windows):
            for column in range(columns.windows):
                for tap_row in range(rows.kernel):
                    for tap_column in range(columns.kernel):
                        y = row * rows.stride + tap_row * rows.dilation - rows.before
                        z = column * columns.stride + tap_column * columns.dilation - columns.before
                        inside = 0 <= y < rows.size and 0 <= z < columns.size
                        out.append(frame[y, z] if inside else padding)
    return np.array(out).reshape(len(x), rows.windows * columns.windows, rows.kernel * columns.kernel, -1)
