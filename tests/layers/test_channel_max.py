"""The greatest channel: golden by definition, hardware equal to golden on the predicted cycles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.codes import CodeType, signed
from hwgen.devices.boards import find_device
from hwgen.estimation.estimate import estimate
from hwgen.fold import Fold
from hwgen.layers.argmax import ArgMax
from hwgen.layers.channel_max import ChannelMax
from hwgen.layers.protocol import MapShape
from tests.layers.channelwise_cases import assert_hardware_is_golden, folds, seeds, types

shapes = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 12))


def test_each_pixel_has_its_own() -> None:
    layer = ChannelMax("top", "x", (1, 2, 3), signed(4))
    assert layer.golden(np.array([-3, -7, -8, 5, 7, 2]).reshape(1, 1, 2, 3)).ravel().tolist() == [-3, 7]
    assert (layer.out_shape, layer.out_type) == ((1, 2, 1), signed(4))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data(), shape=shapes, kind=types, seed=seeds)
def test_hardware_is_golden_on_schedule(data: st.DataObject, shape: MapShape, kind: CodeType, seed: int) -> None:
    layer = ChannelMax("top", "x", shape, kind)
    assert_hardware_is_golden(layer, data.draw(folds(layer)), seed)


def test_an_empty_map_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Layer 'top': the map \(1, 1, 0\) is empty"):
        ChannelMax("top", "x", (1, 1, 0), signed(4)).check()


def test_a_number_alone_costs_less_than_its_index() -> None:
    device, fold = find_device("up5k"), Fold(pe=4)
    one, other = (
        estimate(kind("top", "x", (1, 1, 64), signed(2)).resources(fold), device) for kind in (ChannelMax, ArgMax)
    )
    assert 0 < one.luts < other.luts
