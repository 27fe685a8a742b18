"""Argmax: golden by definition, hardware equal to golden on the predicted cycles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.codes import CodeType, signed
from hwgen.devices.boards import find_device
from hwgen.errors import OptionError
from hwgen.estimation.estimate import estimate
from hwgen.fold import Fold
from hwgen.layers.argmax import ArgMax
from tests.layers.channelwise_cases import assert_hardware_is_golden, folds, seeds, types

shapes = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 12))


@pytest.mark.parametrize(("last", "index"), [(False, 1), (True, 3)])
def test_golden_breaks_ties_as_asked(last, index):
    layer = ArgMax("winner", "x", (1, 1, 5), signed(4), last)
    assert layer.golden(np.array([-3, 7, 2, 7, -8]).reshape(1, 1, 1, 5)).tolist() == [[[[index]]]]
    assert layer.out_type == CodeType(0, 4)
    assert layer.out_shape == (1, 1, 1)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data(), shape=shapes, in_type=types, last=st.booleans(), seed=seeds)
def test_hardware_is_golden_on_schedule(data, shape, in_type, last, seed):
    layer = ArgMax("winner", "x", shape, in_type, last)
    assert_hardware_is_golden(layer, data.draw(folds(layer)), seed)


def test_an_empty_map_is_refused():
    with pytest.raises(ValueError, match=r"the map \(1, 1, 0\) is empty"):
        ArgMax("winner", "x", (1, 1, 0), signed(4)).check()


def test_an_illegal_folding_is_refused():
    with pytest.raises(OptionError, match=r"PE must divide 10 channels, not 4 \(layer 'winner'\): use 2 or 5"):
        ArgMax("winner", "x", (1, 1, 10), signed(8)).folding.check(Fold(pe=4))


def test_resources_grow_with_the_lanes():
    layer = ArgMax("winner", "x", (1, 1, 10), signed(8))
    one, all_at_once = (estimate(layer.resources(Fold(pe=pe)), find_device("up5k")) for pe in (1, 10))
    assert 0 < one.luts < all_at_once.luts
