"""TopK: golden by definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.codes import signed
from hwgen.errors import OptionError
from hwgen.fold import Fold
from hwgen.layers.topk import TopK
from tests.layers.channelwise_cases import assert_hardware_is_golden, folds, random_codes, seeds, types

shapes = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 12))


@st.composite
def layers(draw: st.DrawFn) -> TopK:
    shape = draw(shapes)
    return TopK("best", "x", shape, draw(types), draw(st.integers(1, shape[2])), draw(st.booleans()))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(layer=layers(), seed=seeds)
def test_golden_ranks_the_channels_and_ties_by_index(layer, seed):
    layer.check()
    x = random_codes(np.random.default_rng(seed), layer.in_type, (2, *layer.in_shape))
    y = layer.golden(x)
    assert y.shape == (2, *layer.out_shape)
    for index in np.ndindex(y.shape[:3]):
        sign = -1 if layer.largest else 1
        ranked = sorted(range(layer.in_shape[2]), key=lambda channel, pixel=x[index]: (sign * pixel[channel], channel))
        assert y[index].tolist() == ranked[: layer.k]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data(), layer=layers(), seed=seeds)
def test_hardware_is_golden_on_schedule(data, layer, seed):
    assert_hardware_is_golden(layer, data.draw(folds(layer)), seed)


def test_an_illegal_folding_is_refused():
    with pytest.raises(
        OptionError, match="PE and SIMD must be 1, not 2 and 1, as layer 'best' ranks channel by channel"
    ):
        TopK("best", "x", (1, 1, 4), signed(4), 2).folding.check(Fold(2))


@pytest.mark.parametrize("k", [0, 4])
def test_more_than_all_channels_are_refused(k):
    with pytest.raises(ValueError, match=f"Layer 'best' picks {k} of 3 channels"):
        TopK("best", "x", (1, 1, 3), signed(4), k).check()
