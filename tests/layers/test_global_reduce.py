"""GlobalReduce: golden by definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.codes import BIPOLAR, CodeType, signed, unsigned
from hwgen.layers.global_reduce import GlobalReduce, Reduction
from tests.layers.channelwise_cases import assert_hardware_is_golden, folds, random_codes, seeds, shapes, types

many = st.tuples(st.integers(1, 3), st.integers(1, 3), st.sampled_from([9, 12, 36]))
"""Channels that take a memory where a beat has few."""


def over(shape, in_type, operation) -> GlobalReduce:
    """Give a layer with the narrowest output type."""
    pixels = shape[0] * shape[1]
    sums = CodeType(pixels * in_type.low, pixels * in_type.high)
    return GlobalReduce("pool", "x", shape, in_type, operation, sums if operation is Reduction.SUM else in_type)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(shape=shapes, in_type=types, operation=st.sampled_from(Reduction), seed=seeds)
def test_golden_is_the_definition(shape, in_type, operation, seed):
    layer = over(shape, in_type, operation)
    layer.check()
    x = random_codes(np.random.default_rng(seed), in_type, (2, *shape))
    reduce = {Reduction.SUM: sum, Reduction.MAX: max, Reduction.MIN: min}[operation]
    expected = [[reduce(frame[..., channel].ravel().tolist()) for channel in range(shape[2])] for frame in x]
    assert layer.golden(x).tolist() == [[[channels]] for channels in expected]
    assert layer.golden(x).shape == (2, *layer.out_shape)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data(), shape=many | shapes, in_type=types, operation=st.sampled_from(Reduction), seed=seeds)
def test_hardware_is_golden_on_schedule(data, shape, in_type, operation, seed):
    layer = over(shape, in_type, operation)
    assert_hardware_is_golden(layer, data.draw(folds(layer)), seed)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (GlobalReduce("pool", "x", (0, 1, 1), BIPOLAR, Reduction.MAX, BIPOLAR), r"the map \(0, 1, 1\) is empty"),
        (
            GlobalReduce("pool", "x", (2, 2, 1), unsigned(4), Reduction.MAX, unsigned(6)),
            "yields codes of its input's type uint4, not uint6",
        ),
        (
            GlobalReduce("pool", "x", (2, 2, 1), signed(4), Reduction.SUM, signed(5)),
            r"yields sums -32..28, which do not fit int5",
        ),
        (GlobalReduce("pool", "x", (1, 1, 1), BIPOLAR, Reduction.SUM, BIPOLAR), "do not fit bipolar"),
    ],
)
def test_an_inconsistent_record_is_refused(layer, message):
    with pytest.raises(ValueError, match=f"Layer 'pool'.*{message}"):
        layer.check()
