"""The numbers that a function is tabulated over."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.activation import Positions
from hwgen.codes import BIPOLAR, CodeType
from hwgen.streamlining.functions.domain import Floats, Integers, codes_domain


def test_merged_classes_hold_every_position():
    positions = Positions((0, 1), (0,))
    reach = Integers(np.array([[-4], [-3]]), np.array([[2], [2]]), np.array([[5], [4]]), positions).merged()
    assert (reach.low[0, 0], reach.high[0, 0], reach.step[0, 0]) == (-4, 4, 1)


def test_floats_are_all_floats_in_order():
    floats = Floats(1e30, Positions(), 1)
    count, element = int(floats.count[0, 0]), np.array([0])
    middle = count // 2
    k = np.array([[0], [middle - 1], [middle], [middle + 1], [count - 1]])
    tiny = np.nextafter(np.float32(0), np.float32(1))
    np.testing.assert_array_equal(floats.values(k, element)[:, 0], np.float32([-1e30, -tiny, 0, tiny, 1e30]))


def test_merged_classes_of_one_number_each_have_the_step_between_them():
    """A class that reaches one number has no step of its own, and the classes may lie off one another's grid."""
    positions = Positions((0, 1, 2), (0,))
    low, step, count = (np.array(column)[:, None] for column in ([-4, 2, 5], [100, 6, 1], [1, 2, 1]))
    whole = Integers(low, step, count, positions).merged()
    assert (whole.low.tolist(), whole.high.tolist(), whole.step.tolist()) == ([[-4]], [[8]], [[3]])
    assert whole.positions == Positions.uniform(3, 1)
    alone = Integers(low[:1], step[:1], count[:1], Positions()).merged()
    assert (alone.step.tolist(), alone.count.tolist()) == ([[1]], [[1]])


def test_finer_classes_keep_the_numbers_of_those_they_come_from():
    coarse = Positions((0, 1), (0, 0, 1))
    numbers = Integers(*(np.arange(4)[:, None] + start for start in (0, 10, 20)), coarse)
    fine = Positions((0, 1), (0, 1, 2))
    spread = numbers.spread(fine)
    assert spread.positions == fine
    for name in ("low", "step", "count"):
        held = getattr(numbers, name)[coarse.classes()]
        assert getattr(spread, name)[fine.classes()].tolist() == held.tolist()


@pytest.mark.parametrize(("kind", "low", "step", "count"), [(BIPOLAR, -1, 2, 2), (CodeType(-3, 4), -3, 1, 8)])
def test_codes_of_a_type(kind, low, step, count):
    codes = codes_domain(kind, (2, 3, 2))
    assert codes.low.tolist() == [[low, low]]
    assert codes.step.tolist() == [[step, step]]
    assert codes.count.tolist() == [[count, count]]
    assert codes.high.tolist() == [[kind.high, kind.high]]
    assert codes.positions == Positions.uniform(2, 3)
