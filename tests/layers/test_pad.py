"""Pad: golden by definition, hardware equal to golden on the predicted cycles."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.codes import BIPOLAR, CodeType, unsigned
from hwgen.errors import OptionError
from hwgen.fold import Fold, WindowStyle
from hwgen.layers.pad import Pad
from tests.layers.channelwise_cases import seeds, types
from tests.layers.window_cases import assert_hardware_is_golden, pairs, sizes

PAD = Pad("border", "x", (4, 5, 6), BIPOLAR, (1, 0, 2, 3), -1)


def test_golden_puts_the_value_around_the_map():
    layer = Pad("border", "x", (1, 2, 1), unsigned(4), (1, 0, 0, 2), 7)
    assert layer.golden(np.array([[[[3], [4]]]])).tolist() == [[[[7], [7], [7], [7]], [[3], [4], [7], [7]]]]
    assert layer.out_shape == (2, 4, 1)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(data=st.data(), size=sizes, channels=st.integers(1, 6), kind=types, seed=seeds)
def test_hardware_is_golden(data: st.DataObject, size: tuple[int, int], channels: int, kind: CodeType, seed: int):
    pads = (*data.draw(pairs(0, 3)), *data.draw(pairs(0, 3)))
    layer = Pad("border", "x", (*size, channels), kind, pads, data.draw(st.sampled_from([kind.low, kind.high])))
    fold = replace(
        data.draw(st.sampled_from(list(layer.folding.folds()))),
        slots=data.draw(st.sampled_from([None, None, 1, 9])),
        fetch_registers=data.draw(st.integers(0, 1)),
    )
    assert_hardware_is_golden(layer, fold, seed)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pads": (1, 0, -1, 0)}, r"Layer 'border' can only add rows and columns, not pad by \(1, 0, -1, 0\)"),
        ({"value": 0}, "Layer 'border' pads with 0, which is not a code of type bipolar"),
    ],
)
def test_an_inconsistent_record_is_refused(change: dict, message: str):
    PAD.check()
    with pytest.raises(ValueError, match=message):
        replace(PAD, **change).check()


@pytest.mark.parametrize(
    ("fold", "message"),
    [
        (Fold(4, 4), r"PE must divide 6 channels, not 4 \(layer 'border'\): use 3 or 6"),
        (Fold(2, 3), r"PE and SIMD must be the same, not 2 and 3 \(layer 'border'\)"),
        (Fold(6, 6, window=WindowStyle.PARALLEL), "Layer 'border' takes a sequential window, not a parallel one"),
        (Fold(6, 6, slots=0), "Layer 'border' needs at least 1 slot in its output FIFO, not 0"),
        (Fold(2, 2, buffer_beats=2), "Layer 'border' needs a buffer of at least 3 beats, not 2"),
    ],
)
def test_an_illegal_folding_is_refused(fold: Fold, message: str):
    with pytest.raises(OptionError, match=message):
        PAD.folding.check(fold)
