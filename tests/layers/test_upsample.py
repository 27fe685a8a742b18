"""Upsample: golden by definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.codes import signed
from hwgen.layers.upsample import Upsample
from tests.layers.channelwise_cases import folds, random_codes, seeds, shapes, types
from tests.layers.window_cases import assert_hardware_is_golden

factors = st.tuples(st.integers(1, 4), st.integers(1, 4))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(shape=shapes, in_type=types, by=factors, seed=seeds)
def test_golden_repeats_rows_and_pixels(shape, in_type, by, seed):
    layer = Upsample("larger", "x", shape, in_type, by)
    layer.check()
    x = random_codes(np.random.default_rng(seed), in_type, (2, *shape))
    y = layer.golden(x)
    assert y.shape == (2, *layer.out_shape)
    assert np.array_equal(y, np.kron(x, np.ones((1, *by, 1), dtype=np.int64)))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data(), shape=shapes, in_type=types, by=factors, seed=seeds)
def test_hardware_is_golden_on_schedule(data, shape, in_type, by, seed):
    layer = Upsample("larger", "x", shape, in_type, by)
    assert_hardware_is_golden(layer, data.draw(folds(layer)), seed)


def test_a_factor_of_nothing_is_refused():
    with pytest.raises(ValueError, match=r"Layer 'larger' can only repeat rows and columns, not \(2, 0\) times"):
        Upsample("larger", "x", (1, 1, 1), signed(4), (2, 0)).check()
