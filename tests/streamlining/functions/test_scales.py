"""The number of which real numbers are small multiples."""

import numpy as np
import pytest

from hwgen.streamlining.functions.scales import COMMON, SMALL, common_unit


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        ([0.3, 0.2, -0.5], 0.1),
        ([1.5, 1.5], 1.5),
        ([0, 0], 1.0),
        ([0, 0.7], 0.7),
        ([7 / 3, 1 / 2], 1 / 6),
        ([SMALL * 0.1, 0.1], 0.1),
    ],
)
def test_the_unit_is_the_largest_of_which_all_are_multiples(column, unit):
    (found,) = common_unit(np.array(column, dtype=float)[:, None])
    assert found == pytest.approx(unit, rel=1e-12)


@pytest.mark.parametrize(
    "column", [[1, np.sqrt(2)], [1, 1 + 3 * COMMON], [(SMALL + 1) * 0.1, 0.1], [1, 1 / 31, 1 / 37]]
)
def test_numbers_without_a_small_ratio_have_no_unit(column):
    assert common_unit(np.array([column, [1] * len(column)], dtype=float).T) is None


def test_numbers_that_differ_by_rounding_are_the_same_multiple():
    units = common_unit(np.array([[0.1, 2.0], [0.3 * (1 + COMMON / 2), 3.0]]))
    assert units.tolist() == pytest.approx([0.1, 1.0], rel=1e-8)
