"""Thresholds and tables, against the codes that they stand for."""

import numpy as np
import pytest

from hwgen.activation import Positions
from hwgen.codes import BIPOLAR, CodeType
from hwgen.streamlining.codes.steps import first_points, lookup, thresholds
from hwgen.streamlining.functions.domain import Integers
from hwgen.streamlining.functions.tabulate import tabulate

POSITIONS = Positions((0, 1, 0), (0, 1))


def domain_of(random):
    """Give numbers of four classes and three channels, of which some are a single one."""
    low, step = random.integers(-9, 9, (4, 3)), random.integers(1, 4, (4, 3))
    return Integers(low, step, random.integers(1, 9, (4, 3)), POSITIONS)


@pytest.mark.parametrize("kind", [BIPOLAR, CodeType(-2, 3)], ids=str)
@pytest.mark.parametrize("falling", [False, True])
def test_levels_give_back_rising_codes(kind, falling, random):
    domain = domain_of(random)
    codes = np.sort(random.choice(range(kind.low, kind.high + 1, 2 if kind.bipolar else 1), (8, 12)), axis=0)
    count = domain.count.ravel()

    def function(k, element):
        at = count[element] - 1 - k if falling else k
        return codes[at, element][None].astype(float)

    runs = tabulate(function, count)
    levels = thresholds(first_points(runs, count, kind, np.full(12, falling)), domain)
    for place in np.ndindex(3, 2):
        number = POSITIONS.classes()[place]
        for channel in range(3):
            element = number * 3 + channel
            for k in range(count[element]):
                x = domain.low[number, channel] + domain.step[number, channel] * k
                reached = np.sum(x >= levels.levels[levels.positions.classes()[place], channel])
                wanted = codes[k, element]
                assert kind.low + reached * (2 if kind.bipolar else 1) == wanted


def test_a_table_has_the_code_of_every_integer_in_reach(random):
    domain = domain_of(random)
    codes, count = random.integers(0, 5, (8, 12)), domain.count.ravel()
    runs = tabulate(lambda k, element: codes[k, element][None].astype(float), count)
    table = lookup(runs, domain, int(domain.low.min()), int(domain.high.max()))
    for place in np.ndindex(3, 2):
        number, held = POSITIONS.classes()[place], table.positions.classes()[place]
        for channel in range(3):
            for k in range(domain.count[number, channel]):
                x = domain.low[number, channel] + domain.step[number, channel] * k
                assert table.table[held, channel, x - table.low] == codes[k, number * 3 + channel]


def test_classes_with_the_same_levels_are_one():
    same = Integers(np.zeros((4, 1), int), np.ones((4, 1), int), np.full((4, 1), 4), POSITIONS)
    apart = thresholds(np.array([[1], [2], [1], [2]]), same)
    assert (apart.levels.tolist(), apart.positions) == ([[[1]], [[2]]], Positions((0, 0, 0), (0, 1)))
    one = thresholds(np.full((4, 1), 2), same)
    assert (one.levels.tolist(), one.positions) == ([[[2]]], Positions((0, 0, 0), (0, 0)))
