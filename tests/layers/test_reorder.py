"""Reorder: golden by definition, and hardware on its schedule for orders of every kind."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.codes import signed
from hwgen.errors import OptionError
from hwgen.fold import Fold, WindowStyle
from hwgen.layers.reading import reading
from hwgen.layers.reorder import Reorder
from hwgen.timing.predict import predict
from hwgen.timing.schedule import Schedule
from tests.layers.channelwise_cases import folds, random_codes, seeds, types
from tests.layers.window_cases import assert_hardware_is_golden


@st.composite
def transposes(draw: st.DrawFn) -> Reorder:
    """Draw axes in another order, some of them turned round: transposes, patches, heads, pixel shuffles."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=2, max_size=4))
    order = np.arange(math.prod(sizes)).reshape(sizes).transpose(draw(st.permutations(range(len(sizes)))))
    if draw(st.booleans()):
        order = np.flip(order, draw(st.integers(0, order.ndim - 1)))
    cut = draw(st.integers(0, len(sizes) - 1))
    shape = (math.prod(sizes[:cut]), 1, math.prod(sizes[cut:]))
    cut = draw(st.integers(0, len(sizes) - 1))
    given = (1, math.prod(order.shape[:cut]), math.prod(order.shape[cut:]))
    return Reorder("turn", "x", shape, draw(types), given, order.ravel())


@st.composite
def choices(draw: st.DrawFn) -> Reorder:
    """Draw any codes of a map in any order, in runs of some length."""
    run, runs = draw(st.integers(1, 3)), draw(st.integers(1, 12))
    first = draw(st.lists(st.integers(0, runs - 1), min_size=1, max_size=20))
    if draw(st.booleans()):
        first = draw(st.permutations(range(runs)))
    order = (np.array(first)[:, None] * run + np.arange(run)).ravel()
    return Reorder("turn", "x", (1, runs, run), draw(types), (len(first), 1, run), order)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(layer=st.one_of(transposes(), choices()), seed=seeds)
def test_golden_takes_each_code_from_its_place(layer, seed):
    layer.check()
    x = random_codes(np.random.default_rng(seed), layer.in_type, (2, *layer.in_shape))
    y = layer.golden(x)
    assert y.shape == (2, *layer.out_shape)
    for frame, moved in zip(x, y, strict=True):
        assert moved.ravel().tolist() == [frame.ravel()[place] for place in layer.order]


@settings(max_examples=70, deadline=None, derandomize=True)
@given(data=st.data(), layer=st.one_of(transposes(), choices()), seed=seeds)
def test_hardware_is_golden_on_schedule(data, layer, seed):
    fold = data.draw(folds(layer))
    found = layer.reading(fold.pe, fold.simd)
    more = data.draw(st.sampled_from([None, 0, 1, 3]))
    if more is not None:
        fold = replace(fold, buffer_beats=found.block + more * found.unit)
    assert_hardware_is_golden(layer, fold, seed)


def ends(layer: Reorder, fold: Fold) -> list[int]:
    """Give the cycle of the last beat of twelve frames behind a source that always has a beat, and behind one that is just fast enough."""
    beats, cycles = np.arange(math.prod(layer.in_shape) // fold.simd), []
    steps = layer.timing(fold).interval
    for moments in (beats, beats * steps // len(beats)):
        source = Schedule.through(
            int(max(moments[-1] + 1, steps * (moments is not beats))), moments, beats, latency=1, slots=2, accept=beats
        )
        cycles.append(int(predict([source, layer.timing(fold)], 12).transfers[-1][-1]))
    return cycles


@settings(max_examples=100, deadline=None, derandomize=True)
@given(data=st.data(), layer=st.one_of(transposes(), choices()))
def test_the_default_memory_costs_no_cycle_and_is_little_more_than_two_blocks(data, layer):
    fold = data.draw(st.sampled_from(list(layer.folding.folds())))
    found = layer.reading(fold.pe, fold.simd)
    assert ends(layer, fold) == ends(layer, replace(fold, buffer_beats=found.block * 50))
    assert layer.capacity(fold) <= 2 * found.block + max(3, found.unit)


def tokens(positions: int, channels: int) -> Reorder:
    order = np.arange(positions * channels).reshape(positions, channels).T.ravel()
    return Reorder("turn", "x", (1, positions, channels), signed(2), (1, channels, positions), order)


def patches(side: int, channels: int) -> Reorder:
    order = np.arange(side * side * channels).reshape(side // 2, 2, side // 2, 2, channels).transpose(0, 2, 1, 3, 4)
    return Reorder("turn", "x", (side, side, channels), signed(2), (side // 2, side // 2, 4 * channels), order.ravel())


@pytest.mark.parametrize(
    ("layer", "pe", "simd", "held", "interval"),
    [
        (tokens(12, 8), 1, 1, 175, 96),
        (tokens(12, 8), 4, 8, 24, 24),
        (tokens(12, 8), 12, 4, 48, 24),
        (patches(8, 3), 1, 1, 68, 192),
        (patches(8, 3), 3, 3, 24, 64),
    ],
)
def test_what_is_held_and_how_long_a_frame_takes(layer, pe, simd, held, interval):
    """Of tokens little less than two frames, of patches less than four rows; lanes on both sides divide the cycles."""
    fold = Fold(pe, simd)
    assert layer.capacity(fold) == held
    assert predict([layer.timing(fold)], 8).ii == interval
    found = layer.reading(pe, simd)
    if held > found.block:
        slower = replace(fold, buffer_beats=held - found.unit)
        assert ends(layer, slower) > ends(layer, fold)


def test_lanes_of_both_sides():
    lanes = [(fold.pe, fold.simd) for fold in tokens(6, 4).folding.folds()]
    assert lanes == [(1, 1), (2, 2), (2, 4), (3, 2), (3, 4), (6, 2), (6, 4)]
    lanes = {(fold.pe, fold.simd) for fold in patches(4, 6).folding.folds()}
    assert {(1, 1), (2, 2), (3, 3), (6, 6), (2, 6), (3, 6)} <= lanes
    assert not {(4, 6), (8, 6), (24, 6)} & lanes


@pytest.mark.parametrize(
    ("order", "pe", "simd"),
    [
        (range(2, 10), 4, 2),  # two words at once, but not always of the same two banks
        ([0, 3, 8, 11, 4, 7], 2, 4),  # the same two lanes of one word
        ([0, 1, 0, 2, 4, 5], 2, 4),  # lanes in pairs that overlap
        ([3, 4, 9, 10], 2, 4),  # two lanes of two words
        ([0, 2, 4, 8], 2, 2),  # now one word apart, now two
        ([2, 0, 6, 4], 2, 2),  # the later word first
    ],
    ids=["banks", "lanes", "overlap", "two lanes", "uneven", "backwards"],
)
def test_beats_that_one_step_reads(order, pe, simd):
    found = reading(np.array(order), 12, pe, simd)
    assert (found is not None) == (list(order)[:2] == [0, 3])


@pytest.mark.parametrize(
    ("fold", "message"),
    [
        (Fold(1, 8), r"PE and SIMD must be 2 and 4 or 2 and 8 or 3 and 8 or 4 and 8, not 1 and 8 \(layer 'turn'\)"),
        (Fold(1, 1, buffer_beats=95), "Layer 'turn' needs a buffer of at least 96 beats, not 95"),
        (Fold(4, 4, buffer_beats=28), "Layer 'turn' needs a buffer of at least 24 beats, a multiple of 8, not 28"),
        (Fold(1, 1, window=WindowStyle.PARALLEL), "Layer 'turn' has no window that could be parallel"),
        (Fold(1, 1, slots=0), "slot"),
    ],
)
def test_an_illegal_folding_is_refused(fold, message):
    with pytest.raises(OptionError, match=message):
        tokens(12, 8).folding.check(fold)


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (np.arange(5), r"Layer 'turn' has an order of \(5,\) for a map of \(1, 2, 2\)"),
        (np.array([0, 1, 2, 6]), r"Layer 'turn' reads codes that a map of \(1, 2, 3\) does not have"),
        (np.array([0, 1, -1, 2]), r"Layer 'turn' reads codes that a map of \(1, 2, 3\) does not have"),
    ],
)
def test_an_inconsistent_record_is_refused(order, message):
    with pytest.raises(ValueError, match=message):
        Reorder("turn", "x", (1, 2, 3), signed(2), (1, 2, 2), order).check()
