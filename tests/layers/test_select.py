"""Select: golden by definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.codes import signed
from hwgen.errors import OptionError
from hwgen.fold import Fold
from hwgen.layers.select import Select
from tests.layers.channelwise_cases import assert_hardware_is_golden, folds, random_codes, seeds, shapes, types


@st.composite
def layers(draw: st.DrawFn) -> Select:
    shape = draw(shapes)
    channels = draw(st.lists(st.integers(0, shape[2] - 1), min_size=1, max_size=8))
    if draw(st.booleans()):
        channels = sorted(set(channels))
    return Select("some", "x", shape, draw(types), tuple(channels))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(layer=layers(), seed=seeds)
def test_golden_copies_the_named_channels(layer, seed):
    layer.check()
    x = random_codes(np.random.default_rng(seed), layer.in_type, (2, *layer.in_shape))
    y = layer.golden(x)
    assert y.shape == (2, *layer.out_shape)
    for number, channel in enumerate(layer.channels):
        assert np.array_equal(y[..., number], x[..., channel])


@settings(max_examples=30, deadline=None, derandomize=True)
@given(data=st.data(), layer=layers(), seed=seeds)
def test_hardware_is_golden_on_schedule(data, layer, seed):
    assert_hardware_is_golden(layer, data.draw(folds(layer)), seed)


@pytest.mark.parametrize(
    ("channels", "options"),
    [
        (tuple(range(4, 8)), [(1, 1), (2, 2), (4, 4), (4, 8)]),
        ((2, 3, 6, 7), [(1, 1), (2, 2), (4, 8)]),
        ((1, 2), [(1, 1), (2, 8)]),
        ((2, 1), [(2, 8)]),
        (tuple(range(8)), [(1, 1), (2, 2), (4, 4), (8, 8)]),
    ],
)
def test_narrow_beats_are_legal_where_the_selection_is_of_whole_beats_in_order(channels, options):
    layer = Select("some", "x", (1, 1, 8), signed(4), channels)
    assert [(fold.pe, fold.simd) for fold in layer.folding.folds()] == options


@pytest.mark.parametrize("pe", [1, 2, 3, 6])
def test_an_only_channel_is_given_step_by_step(pe):
    layer = Select("some", "x", (2, 3, 1), signed(4), (0,) * 6)
    assert {(fold.pe, fold.simd) for fold in layer.folding.folds()} == {(lanes, 1) for lanes in (1, 2, 3, 6)}
    assert_hardware_is_golden(layer, Fold(pe=pe), seed=pe)
    assert layer.timing(Fold(pe=pe)).interval == 36 // pe


def test_an_illegal_folding_is_refused():
    layer = Select("some", "x", (1, 1, 4), signed(4), (2, 3))
    with pytest.raises(OptionError, match="PE and SIMD must be 1 and 1 or 2 and 2 or 2 and 4, not 4 and 4"):
        layer.folding.check(Fold(4, 4))


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        ((), "Layer 'some' selects no channel"),
        ((0, 3), "Layer 'some' selects channel 3 of 3"),
        ((-1,), "Layer 'some' selects channel -1 of 3"),
    ],
)
def test_an_inconsistent_record_is_refused(channels, message):
    with pytest.raises(ValueError, match=message):
        Select("some", "x", (1, 1, 3), signed(4), channels).check()
