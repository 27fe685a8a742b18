"""Interleave: golden by definition, hardware equal to golden on the predicted cycles."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.codes import CodeType, unsigned
from hwgen.errors import OptionError
from hwgen.fold import Fold
from hwgen.layers.interleave import Interleave
from hwgen.layers.protocol import MapShape
from tests.layers.channelwise_cases import seeds, shapes, types
from tests.layers.join_cases import assert_hardware_is_golden, folds

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


@settings(max_examples=30, deadline=None, derandomize=True)
@given(data=st.data(), shape=shapes, kind=types, phases=st.sampled_from([(1, 2), (2, 1), (2, 2), (3, 2)]), seed=seeds)
def test_hardware_is_golden(data: st.DataObject, shape: MapShape, kind: CodeType, phases: tuple[int, int], seed: int):
    sources = tuple(f"source{number}" for number in range(phases[0] * phases[1]))
    layer = Interleave("interleave", sources, shape, kind, phases)
    assert_hardware_is_golden(layer, data.draw(folds(layer)), seed)


def test_an_illegal_folding_is_refused():
    with pytest.raises(OptionError, match=r"PE must divide 3 channels, not 2 \(layer 'woven'\): use 1 or 3"):
        WOVEN.folding.check(Fold(2))
