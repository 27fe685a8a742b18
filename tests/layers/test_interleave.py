"""Interleave: golden by definition."""

from dataclasses import replace

import numpy as np
import pytest

from hwgen.codes import unsigned
from hwgen.layers.interleave import Interleave

WOVEN = Interleave("woven", ("a", "b", "c", "d", "e", "f"), (2, 2, 3), unsigned(6), (3, 2))


def test_golden_puts_each_phase_in_its_place():
    maps = [np.random.default_rng(phase).integers(0, 64, size=(2, 2, 2, 3)) for phase in range(6)]
    y = WOVEN.golden(*maps)
    assert y.shape == (2, *WOVEN.out_shape) == (2, 6, 4, 3)
    for row, column in np.ndindex(6, 4):
        source = maps[row % 3 * 2 + column % 2]
        assert np.array_equal(y[:, row, column], source[:, row // 3, column // 2])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"phases": (1, 1)}, "'woven' needs at least two phases, not 1 x 1"),
        ({"phases": (0, 2)}, "'woven' needs at least two phases, not 0 x 2"),
        ({"phases": (2, 2)}, "'woven' needs 2 x 2 sources, not 6"),
    ],
)
def test_an_inconsistent_record_is_refused(change: dict, message: str):
    WOVEN.check()
    with pytest.raises(ValueError, match=message):
        replace(WOVEN, **change).check()
