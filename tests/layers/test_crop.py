"""Crop: golden by definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.codes import signed
from hwgen.layers.crop import Crop
from tests.layers.channelwise_cases import assert_hardware_is_golden, folds, random_codes, seeds, shapes, types


@st.composite
def layers(draw: st.DrawFn) -> Crop:
    shape = draw(shapes)
    (top, bottom), (left, right) = (
        sorted(draw(st.lists(st.integers(0, size), min_size=2, max_size=2, unique=True))) for size in shape[:2]
    )
    return Crop("inner", "x", shape, draw(types), (top, left, bottom, right))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(layer=layers(), seed=seeds)
def test_golden_keeps_the_rectangle(layer, seed):
    layer.check()
    x = random_codes(np.random.default_rng(seed), layer.in_type, (2, *layer.in_shape))
    y, (top, left, _, _) = layer.golden(x), layer.window
    assert y.shape == (2, *layer.out_shape)
    for row, column in np.ndindex(layer.out_shape[:2]):
        assert np.array_equal(y[:, row, column], x[:, top + row, left + column])


@settings(max_examples=30, deadline=None, derandomize=True)
@given(data=st.data(), layer=layers(), seed=seeds)
def test_hardware_is_golden_on_schedule(data, layer, seed):
    assert_hardware_is_golden(layer, data.draw(folds(layer)), seed)


@pytest.mark.parametrize("window", [(0, 0, 4, 1), (-1, 0, 2, 2), (1, 0, 1, 2), (0, 3, 1, 5)])
def test_a_rectangle_beyond_the_map_is_refused(window):
    with pytest.raises(ValueError, match=r"Layer 'inner' keeps rows .* and columns .* of a map of 3x4"):
        Crop("inner", "x", (3, 4, 1), signed(4), window).check()
