from __future__ import annotations

import numpy as np
import pytest

from hwgen.activation import Lookup, Positions, Thresholds


def test_thresholds_count_the_levels_reached_ties_included() -> None:
    levels = np.array([[[0, 2, 5], [-3, -3, 9]]])
    counts = Thresholds(levels, Positions.uniform(1, 1)).counts(np.array([[[[2, -3]]], [[[5, -4]]]]))
    assert counts.tolist() == [[[[2, 2]]], [[[3, 0]]]]


def test_each_position_has_the_levels_of_its_class() -> None:
    positions = Positions(rows=(0, 1), columns=(0, 1, 0))
    assert positions.count == 4
    assert positions.classes().tolist() == [[0, 1, 0], [2, 3, 2]]
    levels = np.arange(4).reshape(4, 1, 1)
    fires = Thresholds(levels, positions).counts(np.full((1, 2, 3, 1), 2))
    assert fires[0, :, :, 0].tolist() == [[1, 1, 1], [1, 0, 1]]


def test_lookup_follows_class_channel_and_value() -> None:
    table = np.array([[[10, 11, 12], [20, 21, 22]], [[30, 31, 32], [40, 41, 42]]])
    lookup = Lookup(table, low=-1, positions=Positions(rows=(0, 1), columns=(0,)))
    x = np.array([[[[-1, 1]], [[0, -1]]]])
    assert lookup.values(x).tolist() == [[[[10, 22]], [[31, 40]]]]


@pytest.mark.parametrize("steps", [33, 300])
def test_many_levels_are_counted_as_few_are(steps):
    random = np.random.default_rng(steps)
    positions = Positions((0, 1, 0), (0, 0, 1))
    levels = np.sort(random.integers(-200, 200, (4, 3, steps)), axis=-1)
    x = random.integers(-250, 250, (5, 3, 3, 3))
    wanted = np.sum(x[..., None] >= levels[positions.classes()][None], axis=-1)
    assert np.array_equal(Thresholds(levels, positions).counts(x), wanted)
    assert np.array_equal(Thresholds(levels, positions).counts(x.astype(np.float32)), wanted)
