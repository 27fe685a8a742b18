"""What the accumulators of a linear layer can reach."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from hwgen.codes import BIPOLAR, CodeType
from hwgen.layers.window import Window
from hwgen.streamlining.functions.linear import Linear


def test_reach_has_the_parity_of_the_fan_in():
    weights = np.array([[1, -1, 1], [2, 0, -4], [1, 1, 3]])
    reach = Linear("fc", "x", (1, 1, 3), BIPOLAR, weights).domain()
    np.testing.assert_array_equal(reach.low, [[-3, -6, -5]])
    np.testing.assert_array_equal(reach.step, [[2, 4, 2]])
    np.testing.assert_array_equal(reach.count, [[4, 4, 6]])
    reach = Linear("fc", "x", (1, 1, 3), CodeType(0, 3), weights).domain()
    np.testing.assert_array_equal(reach.high, [[6, 6, 15]])


BORDERED = [
    # map, kernel, stride, dilation, pads (top, left, bottom, right)
    ((1, 1), (3, 3), (1, 1), (1, 1), (1, 1, 1, 1)),
    ((2, 2), (3, 3), (1, 1), (1, 1), (1, 1, 1, 1)),
    ((1, 2), (2, 3), (2, 1), (1, 1), (1, 0, 0, 2)),
    ((2, 1), (2, 2), (1, 1), (2, 3), (0, 2, 2, 1)),
    ((1, 4), (1, 3), (1, 2), (1, 1), (0, 1, 0, 2)),
]


@pytest.mark.parametrize("pad_value", [0, 1, -1, 3])
@pytest.mark.parametrize("kind", [BIPOLAR, CodeType(0, 2)], ids=str)
@pytest.mark.parametrize(("size", "kernel", "stride", "dilation", "pads"), BORDERED)
def test_reach_is_what_all_maps_together_reach(size, kernel, stride, dilation, pads, kind, pad_value, random):
    """On a map no larger than the kernel every window has taps in the padding, and none shows what the map alone reaches."""
    weights = random.integers(-3, 4, (4, *kernel, 1))
    linear = Linear("conv", "x", (*size, 1), kind, weights, Window(kernel, stride, dilation, pads), pad_value)
    reach = linear.domain()
    codes = range(kind.low, kind.high + 1, 2 if kind.bipolar else 1)
    maps = np.array(list(itertools.product(codes, repeat=size[0] * size[1]))).reshape(-1, *size, 1)
    sums = linear.record(None, CodeType(-(2**20), 2**20)).golden(maps)
    where = reach.positions.classes()
    assert sums.shape[1:3] == where.shape
    assert reach.low[where].tolist() == sums.min(axis=0).tolist()
    assert reach.high[where].tolist() == sums.max(axis=0).tolist()
    assert not np.any((sums - reach.low[where]) % reach.step[where])
    assert np.all(reach.step % (2 if kind.bipolar else 1) == 0)


def test_rows_that_do_not_matter_cost_one_bit_a_weight():
    linear = Linear("fc", "x", (1, 1, 2), BIPOLAR, np.array([[3, -2], [1, 5], [4, 4]]))
    turned = linear.with_rows(np.array([-1, 1, 1]), np.array([False, False, True]))
    assert turned.weights.tolist() == [[-3, 2], [1, 5], [1, 1]]
