"""Recurrent cells: golden by definition, hardware equal to golden on the predicted cycles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.activation import Positions, Thresholds
from hwgen.codes import BIPOLAR, CodeType, signed, unsigned
from hwgen.errors import OptionError
from hwgen.fold import Fold
from hwgen.layers.combine import Combine, Operation
from hwgen.layers.dense import Dense
from hwgen.layers.matvec import accumulator_range
from hwgen.layers.recurrent import Recurrent
from hwgen.layers.thresholding import Thresholding
from tests.layers.channelwise_cases import random_codes, seeds
from tests.layers.join_cases import assert_hardware_is_golden, folds

SUMS = CodeType(-7, 7)


def rnn(channels: int, time_steps: int, kind: CodeType, seed: int) -> Recurrent:
    """Give the cell h = q(x + R h)."""
    random = np.random.default_rng(seed)
    pixel = (1, 1, channels)
    weights = random.choice([-1, 1], (channels, channels))
    low, high = (
        int(end) for end in (accumulator_range(weights, kind)[0].min(), accumulator_range(weights, kind)[1].max())
    )
    dense = Dense("sums", "state_0", pixel, kind, weights, None, CodeType(low, high))
    total = CodeType(low + SUMS.low, high + SUMS.high)
    add = Combine(
        "total",
        ("step_0", "sums"),
        pixel,
        (SUMS, dense.out_type),
        Operation.ADD,
        np.ones((2, channels), np.int64),
        total,
    )
    levels = np.sort(random.integers(-4, 5, (1, channels, kind.levels - 1)), axis=-1)
    where = Positions.uniform(1, 1)
    quantise = Thresholding("codes", "total", pixel, total, Thresholds(levels, where), (False,) * channels, kind)
    shapes = ((1, time_steps, channels), pixel)
    return Recurrent("cell", ("x", "h"), shapes, (SUMS, kind), (dense, add, quantise), ("codes",))


def test_each_step_sees_the_state_of_the_one_before() -> None:
    layer = rnn(3, 4, BIPOLAR, 0)
    random = np.random.default_rng(1)
    x, h = (random_codes(random, entry.type, (2, *entry.shape)) for entry in layer.inputs)
    found, state = layer.golden(x, h), h[:, 0, 0]
    levels = layer.cell[2].thresholds.levels[0, :, 0]
    for time in range(4):
        state = np.where(x[:, 0, time] + state @ layer.dense.weights.T >= levels, 1, -1)
        np.testing.assert_array_equal(found[:, 0, time], state)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(data=st.data(), seed=seeds)
def test_hardware_is_golden(data: st.DataObject, seed: int) -> None:
    kind = data.draw(st.sampled_from([BIPOLAR, BIPOLAR, unsigned(2), signed(3)]))
    layer = rnn(data.draw(st.sampled_from([1, 2, 4, 6, 8])), data.draw(st.integers(1, 4)), kind, seed)
    assert_hardware_is_golden(layer, data.draw(folds(layer)), seed)


def test_a_step_takes_the_product_of_the_folds_where_columns_hide_the_way_round() -> None:
    layer = rnn(64, 5, BIPOLAR, 2)
    assert layer.times(Fold(pe=4, simd=2)).gap == 0
    assert layer.timing(Fold(pe=4, simd=2)).interval == 16 + 5 * 16 * 32
    # All at once: the state has to go round before the next step begins.
    whole = Fold(pe=64, simd=64)
    assert layer.timing(whole).interval == 1 + 5 * (1 + layer.times(whole).gap)
    assert layer.times(whole).gap == layer.times(whole).latency


@pytest.mark.parametrize(
    ("fold", "sentence"),
    [
        (Fold(pe=5), r"PE must divide 64 channels of the cell's maps, not 5 \(layer 'cell'\): use 4 or 8"),
        (Fold(simd=5), r"SIMD must divide 64 codes of the state, not 5"),
        (Fold(pe=4, slots=0), "needs at least 1 slot"),
    ],
)
def test_foldings_that_are_none(fold: Fold, sentence: str) -> None:
    with pytest.raises(OptionError, match=sentence):
        rnn(64, 2, BIPOLAR, 0).folding.check(fold)


def test_pe_and_simd_divide_one_another() -> None:
    with pytest.raises(OptionError, match="PE and SIMD must divide one another, not be 2 and 3"):
        rnn(6, 2, BIPOLAR, 0).folding.check(Fold(pe=2, simd=3))


def test_a_cell_that_does_not_read_what_is_there_is_refused() -> None:
    layer = rnn(4, 2, BIPOLAR, 0)
    with pytest.raises(ValueError, match="Layer 'cell': its cell's 'total' does not read what 'step_0' is"):
        replace(layer, in_types=(CodeType(0, 3), BIPOLAR)).check()
    with pytest.raises(ValueError, match="Layer 'cell': 'total' does not yield state 0"):
        replace(layer, states=("total",)).check()
