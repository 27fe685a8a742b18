"""Reshape: golden by definition, hardware on schedule."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.codes import signed
from hwgen.errors import OptionError
from hwgen.fold import Fold
from hwgen.layers.reshape import Reshape
from tests.layers.channelwise_cases import assert_hardware_is_golden, folds, random_codes, seeds, types

sizes = st.integers(1, 4)


@st.composite
def layers(draw: st.DrawFn) -> Reshape:
    height, width, channels = draw(sizes), draw(sizes), draw(sizes)
    shape = (height, width, channels)
    after = draw(
        st.sampled_from(
            [(1, 1, height * width * channels), (width, 1, height * channels), (height * channels, width, 1)]
        )
    )
    before, after = draw(st.permutations([shape, after]))
    return Reshape("seen", "x", before, draw(types), after)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(layer=layers(), seed=seeds)
def test_golden_keeps_the_order(layer, seed):
    layer.check()
    x = random_codes(np.random.default_rng(seed), layer.in_type, (2, *layer.in_shape))
    y = layer.golden(x)
    assert y.shape == (2, *layer.out_shape)
    assert np.array_equal(y.ravel(), x.ravel())


@settings(max_examples=30, deadline=None, derandomize=True)
@given(data=st.data(), layer=layers(), seed=seeds)
def test_hardware_is_golden_on_schedule(data, layer, seed):
    assert_hardware_is_golden(layer, data.draw(folds(layer)), seed)


def test_lost_elements_are_refused():
    with pytest.raises(ValueError, match=r"Layer 'seen' cannot see a map of \(1, 1, 8\) as one of \(2, 2, 3\)"):
        Reshape("seen", "x", (1, 1, 8), signed(4), (2, 2, 3)).check()


def test_lanes_that_do_not_divide_both_shapes_are_refused():
    layer = Reshape("seen", "x", (1, 1, 12), signed(4), (2, 2, 3))
    with pytest.raises(OptionError, match="PE must divide 3 channels that both shapes share, not 4"):
        layer.folding.check(Fold(pe=4, simd=4))
    with pytest.raises(OptionError, match="PE and SIMD must be the same"):
        layer.folding.check(Fold(pe=3, simd=1))
