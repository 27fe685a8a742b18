"""MaxPool: golden by definition, hardware equal to golden on the predicted cycles."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hwgen.codes import BIPOLAR, signed
from hwgen.errors import OptionError
from hwgen.fold import Fold, WindowStyle
from hwgen.layers.maxpool import MaxPool
from hwgen.layers.window import Window
from tests.layers.channelwise_cases import random_codes, seeds, types
from tests.layers.window_cases import assert_hardware_is_golden, sizes, windows

POOL = MaxPool("pool", "x", (4, 6, 3), BIPOLAR, Window((2, 2), (2, 2)), (False, True, False))


def by_definition(layer: MaxPool, x: np.ndarray) -> np.ndarray:
    """Look at every tap by itself."""
    height, width, _ = layer.in_shape
    rows, columns = layer.window.taps(height, width)
    out = np.zeros((len(x), *layer.out_shape), dtype=np.int64)
    for index in np.ndindex(out.shape):
        frame, row, column, channel = index
        seen = [
            x[frame, y, z, channel] for y in rows[row] for z in columns[column] if 0 <= y < height and 0 <= z < width
        ]
        out[index] = min(seen) if layer.minimum[channel] else max(seen)
    return out


@st.composite
def pools(draw: st.DrawFn) -> MaxPool:
    size, channels = draw(sizes), draw(st.integers(1, 6))
    minimum = tuple(draw(st.lists(st.booleans(), min_size=channels, max_size=channels)))
    layer = MaxPool("pool", "x", (*size, channels), draw(types), draw(windows(size, greatest_pad=1)), minimum)
    try:
        layer.check()
    except ValueError:
        assume(False)
    return layer


@settings(max_examples=50, deadline=None, derandomize=True)
@given(layer=pools(), seed=seeds)
def test_golden_is_the_definition(layer: MaxPool, seed: int):
    x = random_codes(np.random.default_rng(seed), layer.in_type, (2, *layer.in_shape))
    assert np.array_equal(layer.golden(x), by_definition(layer, x))


@settings(max_examples=15, deadline=None, derandomize=True)
@given(layer=pools(), data=st.data(), seed=seeds)
def test_hardware_is_golden(layer: MaxPool, data: st.DataObject, seed: int):
    fold = replace(
        data.draw(st.sampled_from(list(layer.folding.folds()))),
        slots=data.draw(st.sampled_from([None, None, 1, 9])),
        fetch_registers=data.draw(st.integers(0, 1)),
    )
    assert_hardware_is_golden(layer, fold, seed)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(layer=pools(), data=st.data(), alike=st.booleans(), seed=seeds)
def test_parallel_hardware_is_golden(layer: MaxPool, data: st.DataObject, alike: bool, seed: int):
    layer = replace(layer, minimum=(False,) * layer.in_shape[2]) if alike else layer
    parallel = [fold for fold in layer.folding.folds() if fold.window is WindowStyle.PARALLEL]
    fold = replace(data.draw(st.sampled_from(parallel)), slots=data.draw(st.sampled_from([None, None, 1, 9])))
    assert_hardware_is_golden(layer, fold, seed)


def test_pooling_without_overlap_keeps_up_with_its_input():
    layer = MaxPool("pool", "x", (8, 8, 4), BIPOLAR, Window((2, 2), (2, 2)), (False,) * 4)
    assert layer.timing(Fold(4, 4)).interval == 64


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"minimum": (True,)}, "Layer 'pool' needs 3 flags in 'minimum', not 1"),
        ({"window": Window((5, 7))}, "Layer 'pool': A window of 5x7 does not fit into 4x6 with padding"),
        ({"window": Window((0, 1))}, "Layer 'pool': Kernel, stride and dilation are at least 1 and pads at least 0"),
        ({"window": Window((1, 1), pads=(1, 0, 0, 0))}, r"Layer 'pool' has a window that lies wholly in its padding"),
        ({"window": Window((1, 1), (9, 1), pads=(1, 0, 0, 0))}, "Layer 'pool': No window of .* taps a map of 4x6"),
    ],
)
def test_an_inconsistent_record_is_refused(change: dict, message: str):
    POOL.check()
    with pytest.raises(ValueError, match=message):
        replace(POOL, **change).check()


@pytest.mark.parametrize(
    ("fold", "message"),
    [
        (Fold(2, 2), r"PE must divide 3 channels, not 2 \(layer 'pool'\): use 1 or 3"),
        (Fold(1, 3), "PE and SIMD must be the same, not 1 and 3"),
        (
            Fold(1, 1, window=WindowStyle.PARALLEL),
            "Layer 'pool' seeks the smallest code in some channels: with a parallel window its PE must be 3, not 1",
        ),
        (Fold(3, 3, slots=0), "Layer 'pool' needs at least 1 slot"),
        (Fold(3, 3, buffer_beats=5), "Layer 'pool' needs a buffer of at least 8 beats, not 5"),
    ],
)
def test_an_illegal_folding_is_refused(fold: Fold, message: str):
    with pytest.raises(OptionError, match=message):
        POOL.folding.check(fold)


def test_a_small_buffer_costs_cycles_but_no_data():
    layer = replace(POOL, in_type=signed(4))
    assert_hardware_is_golden(layer, Fold(3, 3, buffer_beats=8), 5)
