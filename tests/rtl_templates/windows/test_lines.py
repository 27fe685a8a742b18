"""What is taken out of tables of lines beforehand: the function stays, and cheap tables are found to be cheap."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.rtl_templates.windows.lines import Lines, signed_digits


def ref(lines, x):
    """Give every channel's code of every x."""
    channel = np.arange(len(lines.factors))
    piece = np.sum(x[:, None, None] >= lines.breaks, axis=-1)
    sums = lines.factors[channel, piece] * x[:, None] + lines.offsets[channel, piece]
    return sums, np.clip(sums >> lines.shift, lines.low, lines.high)


def lines(factors, offsets=None, breaks=None, shift=4, bounds=(-128, 127)):
    factors = np.array(factors)
    offsets = np.zeros_like(factors) if offsets is None else np.array(offsets)
    breaks = np.zeros((len(factors), factors.shape[1] - 1), dtype=np.int64) if breaks is None else np.array(breaks)
    return Lines(bounds, breaks, factors, offsets, shift, -8, 7)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 5), st.integers(0, 6))
def test_reduced_lines_are_the_same_function_with_exact_bounds(seed, channels, pieces, shift):
    random = np.random.default_rng(seed)
    values = (random.integers(-3, 4, (channels, pieces)) << int(random.integers(0, 4)) for _ in range(2))
    breaks = np.sort(random.integers(-12, 12, (channels, pieces - 1)), axis=-1)
    given_lines = lines(*values, breaks, shift, (-9, 8))
    reduced = given_lines.reduced()
    x = np.arange(-9, 9)
    sums, codes = ref(reduced, x)
    assert np.array_equal(codes, ref(given_lines, x)[1])
    assert reduced.sums == (sums.min(), sums.max())
    assert reduced.pieces <= given_lines.pieces
    assert reduced.shift <= given_lines.shift


@pytest.mark.parametrize("number", [-7, -4, 0, 1, 6, 7, 45, 32767])
def test_signed_digits_sum_up_and_do_not_touch(number):
    digits = signed_digits(number)
    assert sum(sign << place for place, sign in digits) == number
    assert all(after - before > 1 for (before, _), (after, _) in pairwise(digits))


def test_tables_depend_on_the_beat_only_where_the_channels_of_two_beats_differ():
    assert not lines([[1], [3]] * 4).depends_on_beat(2)
    assert lines([[1], [3]] * 4).depends_on_beat(1)
    assert lines([[1], [3]] * 3 + [[1], [5]]).depends_on_beat(2)


@pytest.mark.parametrize(
    ("given_lines", "stages", "multiplies"),
    [
        (lines([[8]] * 3), 1, False),  # wires and the clip
        (lines([[8]] * 3, [[1 << 3]] * 3), 2, False),  # and an adder
        (lines([[8]] * 3, [[1]] * 3), 1, False),  # an offset that the shift loses
        (lines([[7]] * 3), 2, False),  # 8 - 1
        (lines([[43]] * 3), 3, True),
        (lines([[1, 8]] * 2), 5, False),  # a leaky ReLU of 1/8: search, table, its register, choice, clip
        (lines([[3, 8]] * 2), 5, True),
        (lines([[8, 8]] * 2), 1, False),  # two pieces that are one
        (lines([[5, 8]] * 2, breaks=[[-128]] * 2), 1, False),  # a piece that no number reaches
        (lines([[1000], [30000]], shift=15, bounds=(-(1 << 23), (1 << 23) - 1)), 5, True),  # split into two products
    ],
)
def test_stages_count_only_what_there_is_to_do(given_lines, stages, multiplies):
    reduced = given_lines.reduced()
    assert (reduced.stages, reduced.multiplies) == (stages, multiplies)
