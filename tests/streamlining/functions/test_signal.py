"""Numbers of the elements of a map."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.streamlining.functions.signal import coordinates_of, differ, flat_map
from hwgen.streamlining.places.layout import axes_of


@pytest.mark.parametrize("shape", [(1, 1024, 64), (1, 1024, 64, 1), (1024, 64, 1), (65536,)])
def test_coordinates_of_large_maps(shape):
    index = np.arange(1024 * 64)
    rows, columns, channels = coordinates_of(index.reshape(shape), (1, 1024, 64))
    assert rows.shape == columns.shape == channels.shape == shape
    assert np.array_equal(rows.ravel(), np.zeros(index.size))
    assert np.array_equal(columns.ravel(), index // 64)
    assert np.array_equal(channels.ravel(), index % 64)


def test_the_axes_of_a_long_sequence():
    index = flat_map((1, 1024, 64)).reshape(1, 1024, 64, 1)
    assert axes_of(index, (1, 1024, 64)) == (3, 1, 2)


@pytest.mark.parametrize("shape", [(0,), (1,), (1, 5, 7), (3, 4, 2)])
def test_elements_differ_until_one_is_another(shape):
    """Wherever the numbers begin, and with gaps between them."""
    index = np.random.default_rng(0).permutation(3 * int(np.prod(shape)))[: int(np.prod(shape))].reshape(shape)
    for moved in (index, index - 5, index.transpose()):
        assert differ(moved)
    for place in range(1, index.size):
        twice = index.copy()
        twice.ravel()[place] = twice.ravel()[place - 1]
        assert not differ(twice)
