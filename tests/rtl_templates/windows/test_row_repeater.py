"""Rows and pixels are given as often as asked, from a memory of a row and little more."""

import numpy as np
import pytest

from hwgen.rtl_templates.streams.stream_check import run
from hwgen.rtl_templates.windows.row_repeater import RowRepeater


def ref(numbers, words, columns, pixel_repeats, row_repeats):
    """Repeat the pixels and the rows of a list of words."""
    rows = np.reshape(numbers, (-1, columns, words))
    return np.repeat(np.repeat(rows, pixel_repeats, axis=1)[:, None], row_repeats, axis=1).ravel().tolist()


@pytest.mark.parametrize(
    ("words", "columns", "pixel_repeats", "row_repeats"), [(1, 4, 2, 2), (3, 2, 1, 3), (2, 5, 3, 1), (4, 1, 1, 6)]
)
@pytest.mark.parametrize("more", [0, 1, 7])
def test_every_repetition_is_right_and_none_waits_but_for_new_words(words, columns, pixel_repeats, row_repeats, more):
    unit = {"words": words, "columns": columns, "pixel_repeats": pixel_repeats, "row_repeats": row_repeats}
    capacity, numbers = words * columns + more, list(range(words * columns * 4))
    expected = ref(numbers, **unit)
    free = run(RowRepeater(width=8, **unit, capacity=capacity), numbers, len(expected))
    assert free.payloads == expected
    assert free.given[0] == RowRepeater.READ_LATENCY
    if more == 7:
        assert free.given == list(range(free.given[0], free.given[0] + len(expected)))
    stalled = {"source_stall": 0.4, "sink_stall": 0.4, "reset_at": 11, "seed": 2}
    assert run(RowRepeater(width=8, **unit, capacity=capacity), numbers, len(expected), **stalled).payloads == expected


def test_a_memory_without_room_for_a_row_is_refused(refused_components):
    with pytest.raises(ValueError, match="must hold a row of 6 words, not 5"):
        RowRepeater(width=8, words=2, columns=3, pixel_repeats=1, row_repeats=2, capacity=5)
