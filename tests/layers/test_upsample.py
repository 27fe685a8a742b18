"""Upsample: golden by definition."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.codes import signed
from hwgen.errors import OptionError
from hwgen.fold import Fold
from hwgen.layers.upsample import Upsample
from hwgen.timing.predict import predict
from hwgen.timing.schedule import Schedule
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


def ends(layer: Upsample, fold: Fold) -> list[int]:
    """Give the cycle of the last beat of twelve frames behind a source that always has a word, and behind one that is just fast enough."""
    words, cycles = np.arange(np.prod(layer.in_shape) // fold.simd), []
    for apart in (1, layer.factors[0] * layer.factors[1]):
        source = Schedule.through(len(words) * apart, words * apart, words, latency=1, slots=2, accept=words)
        cycles.append(int(predict([source, layer.timing(fold)], 12).transfers[-1][-1]))
    return cycles


@settings(max_examples=80, deadline=None, derandomize=True)
@given(shape=st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 4)), by=factors)
def test_the_default_memory_costs_no_cycle_and_is_less_than_two_rows(shape, by):
    layer, fold = Upsample("larger", "x", shape, signed(4), by), Fold(1, 1)
    assert ends(layer, fold) == ends(layer, replace(fold, buffer_beats=1000))
    row = shape[2] * (1 if by[0] == 1 else shape[1])
    assert row <= layer.resources(fold).memories[0].depth <= 2 * row + 2


def test_a_memory_of_a_row_slows_threefold_rows_that_come_evenly():
    layer = Upsample("larger", "x", (4, 5, 2), signed(4), (3, 2))
    eager, even = ends(layer, Fold(1, 1, buffer_beats=10))
    assert eager == ends(layer, Fold(1, 1))[0]
    assert even > ends(layer, Fold(1, 1))[1]


@pytest.mark.parametrize(
    ("fold", "message"),
    [
        (Fold(2, 1), r"PE and SIMD must be the same, not 2 and 1 \(layer 'larger'\)"),
        (Fold(3, 3), r"PE must divide 4 channels, not 3 \(layer 'larger'\): use 2 or 4"),
        (Fold(2, 2, buffer_beats=5), "Layer 'larger' needs a buffer of at least 6 beats, not 5"),
    ],
)
def test_an_illegal_folding_is_refused(fold, message):
    with pytest.raises(OptionError, match=message):
        Upsample("larger", "x", (2, 3, 4), signed(4), (2, 2)).folding.check(fold)


def test_a_factor_of_nothing_is_refused():
    with pytest.raises(ValueError, match=r"Layer 'larger' can only repeat rows and columns, not \(2, 0\) times"):
        Upsample("larger", "x", (1, 1, 1), signed(4), (2, 0)).check()
