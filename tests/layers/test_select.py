"""Select: golden by definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.codes import signed
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
