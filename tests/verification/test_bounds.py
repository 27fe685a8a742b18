from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from hwgen.activation import Lookup, Positions, Thresholds
from hwgen.codes import BIPOLAR, CodeType, signed, unsigned
from hwgen.conversion import Announced
from hwgen.layers.argmax import ArgMax
from hwgen.layers.combine import Combine, Operation
from hwgen.layers.conv import Conv
from hwgen.layers.dense import Dense
from hwgen.layers.matmul import MatMul
from hwgen.layers.maxpool import MaxPool
from hwgen.layers.segments import Segments
from hwgen.layers.table import Table
from hwgen.layers.thresholding import Thresholding
from hwgen.layers.topk import TopK
from hwgen.layers.window import Window
from hwgen.network import InputPort, Network, OutputPort
from hwgen.verification.bounds import UNKNOWN, _interval, intervals
from tests.layers.test_recurrent import rnn

BYTE = signed(8)
WIDE = signed(16)
PIXEL = Positions.uniform(1, 1)


def network(*layers, channels: int = 1, shape=(1, 1), announced=()) -> Network:
    port = InputPort("x", (channels,), (0,), (*shape, channels), BYTE)
    ones = np.ones(layers[-1].out_shape[2])
    output = OutputPort("y", layers[-1].name, (1,), (0,), "float32", ones, 0 * ones)
    return Network("net", (port,), layers, (output,), announced=announced)


def bounds(*layers, x, off: float = 0.0, shape=(1, 1), **announced: float):
    """Give the interval of the last layer for one frame, the input being off by so many codes."""
    codes = np.array(x).reshape(1, *shape, -1)
    told = [Announced("x", off)] if off else []
    told += [Announced(layers[-1].name, **announced)] if announced else []
    made = network(*layers, channels=codes.shape[3], shape=shape, announced=tuple(told))
    low, high = intervals(made, [codes])[layers[-1].name]
    return low.ravel().tolist(), high.ravel().tolist()


def dense(weights, thresholds=None, out_type=WIDE) -> Dense:
    weights = np.array(weights)
    return Dense("d", "x", (1, 1, weights.shape[1]), BYTE, weights, thresholds, out_type)


def test_without_roundings_intervals_are_the_golden_model() -> None:
    layer = dense([[2, -3], [1, 1]])
    assert bounds(layer, x=[5, 4]) == ([-2, 9], [-2, 9])


def test_a_sum_adds_what_each_number_may_be_off() -> None:
    assert bounds(dense([[2, -3]]), x=[5, 4], off=0.5) == ([-7], [3])


def test_rounded_weights_add_a_share_of_what_is_summed() -> None:
    assert bounds(dense([[2, -3]]), x=[5, -4], share=0.25) == ([22 - 3], [22 + 3])


def test_rounded_weights_are_off_by_the_distance_from_the_code_of_zero() -> None:
    assert bounds(dense([[2, -3]]), x=[5, -4], share=0.25, zero=5.0) == ([22 - 3], [22 + 3])
    assert bounds(dense([[2, -3]]), x=[0, 0], share=0.25, zero=-5.5) == ([-3], [3])
    assert bounds(dense([[2, -3]]), x=[0, 0], share=0.25, shift=1.5) == ([-2], [2])


def test_a_border_is_as_far_from_the_code_of_zero_as_its_code() -> None:
    weights = np.ones((1, 1, 3, 1), dtype=np.int64)
    layer = Conv("c", "x", (1, 1, 1), BYTE, weights, Window((1, 3), pads=(0, 1, 0, 1)), -3, None, WIDE)
    assert bounds(layer, x=[1], share=0.25, zero=1.0) == ([-5 - 2], [-5 + 2])


def test_a_layers_own_rounding_is_added_behind_it() -> None:
    assert bounds(dense([[1]]), x=[5], codes=1.2) == ([3], [7])


def test_a_threshold_within_reach_spans_both_codes() -> None:
    levels = Thresholds(np.array([[[5]], [[5]]]).reshape(1, 2, 1), PIXEL)
    layer = dense([[1, 0], [0, 1]], levels, BIPOLAR)
    assert bounds(layer, x=[4, 2], off=1) == ([-1, -1], [1, -1])


def test_a_falling_threshold_turns_the_interval() -> None:
    levels = Thresholds(np.array([[[-5]]]), PIXEL)
    layer = Thresholding("t", "x", (1, 1, 1), BYTE, levels, (True,), BIPOLAR)
    assert bounds(layer, x=[5], off=1) == ([-1], [1])
    assert bounds(layer, x=[3], off=1) == ([1], [1])


def test_a_convolution_follows_its_border() -> None:
    weights = np.ones((1, 1, 1, 3), dtype=np.int64)
    layer = Conv("c", "x", (1, 2, 1), BYTE, weights, Window((1, 3), pads=(0, 1, 0, 1)), 0, None, WIDE)
    assert bounds(layer, x=[5, 7], off=1, shape=(1, 2)) == ([10, 10], [14, 14])


def test_pieces_are_followed_over_their_breaks() -> None:
    """|x|: least at the break, though both ends are 3."""
    one = np.ones((1, 1, 1), dtype=np.int64)
    layer = Segments("s", "x", (1, 1, 1), BYTE, 0 * one, np.array([[[-1, 1]]]), np.array([[[0, 0]]]), 0, BYTE, PIXEL)
    assert bounds(layer, x=[0], off=3) == ([0], [3])
    assert bounds(layer, x=[5], off=3) == ([2], [8])


def test_saturation_is_part_of_the_interval() -> None:
    empty, ones = np.zeros((1, 1, 0), dtype=np.int64), np.ones((1, 1, 1), dtype=np.int64)
    layer = Segments("s", "x", (1, 1, 1), BYTE, empty, 4 * ones, 0 * ones, 0, signed(5), PIXEL)
    assert bounds(layer, x=[10]) == ([15], [40])


def test_what_64_bits_do_not_hold_is_not_known_until_something_decides() -> None:
    empty, ones = np.zeros((1, 1, 0), dtype=np.int64), np.ones((1, 1, 1), dtype=np.int64)
    line = Segments("s", "x", (1, 1, 1), BYTE, empty, ones << 20, 0 * ones, 20, BYTE, PIXEL)
    assert bounds(line, x=[5], off=1 << 40) == ([5 - (1 << 40)], [5 + (1 << 40)])
    assert bounds(line, x=[5], off=1 << 43) == ([-UNKNOWN], [UNKNOWN])
    double = Combine("a", ("s", "s"), (1, 1, 1), (BYTE, BYTE), Operation.ADD, np.array([[2], [2]]), WIDE)
    pool = MaxPool("p", "a", (1, 1, 1), WIDE, Window((1, 1)), (False,))
    assert bounds(line, double, pool, x=[5], off=1 << 43) == ([-UNKNOWN], [UNKNOWN])
    levels = Thresholds(np.array([[[0]]]), PIXEL)
    signs = Thresholding("t", "s", (1, 1, 1), BYTE, levels, (False,), BIPOLAR)
    assert bounds(line, signs, x=[5], off=1 << 43) == ([-1], [1])
    add = Combine("a", ("x", "x"), (1, 1, 2), (BYTE, BYTE), Operation.ADD, np.array([[2, 1], [1, 1]]), WIDE)
    assert bounds(add, x=[5, 4], off=1 << 61) == ([-UNKNOWN] * 2, [UNKNOWN] * 2)
    multiply = Combine("m", ("x", "x"), (1, 1, 1), (BYTE, BYTE), Operation.MULTIPLY, np.ones((2, 1), int), WIDE)
    assert bounds(multiply, x=[1], off=1 << 32) == ([-UNKNOWN], [UNKNOWN])
    assert bounds(dense([[1 << 10, 1]]), x=[5, 4], off=1 << 52) == ([-UNKNOWN], [UNKNOWN])


@pytest.mark.parametrize(("off", "expected"), [(1, ([0], [9])), (100, ([-16], [15]))])
def test_a_table_is_looked_up_at_every_integer_or_yields_anything(
    off: int, expected: tuple[list[int], list[int]]
) -> None:
    table = np.where(np.arange(-128, 128) == 3, 9, 0).reshape(1, 1, -1)
    layer = Table("t", "x", (1, 1, 1), BYTE, Lookup(table, -128, PIXEL), signed(5))
    assert bounds(layer, x=[4], off=off) == expected


def test_a_table_of_two_values() -> None:
    port = InputPort("x", (1,), (0,), (1, 1, 1), BIPOLAR)
    layer = Table("t", "x", (1, 1, 1), BIPOLAR, Lookup(np.array([[[7, 0, 2]]]), -1, PIXEL), BYTE)
    made = replace(network(layer, announced=(Announced("x", 2),)), inputs=(port,))
    low, high = intervals(made, [np.array([[[[-1]]]])])["t"]
    assert (low.item(), high.item()) == (2, 7)


def test_sums_and_products_of_maps() -> None:
    factors = np.array([[2], [-1]])
    add = Combine("a", ("x", "x"), (1, 1, 1), (BYTE, BYTE), Operation.ADD, factors, WIDE)
    assert bounds(add, x=[5], off=1) == ([2 * 4 - 6], [2 * 6 - 4])
    multiply = Combine("m", ("x", "x"), (1, 1, 1), (BYTE, BYTE), Operation.MULTIPLY, np.ones((2, 1), int), WIDE)
    assert bounds(multiply, x=[1], off=2) == ([-3], [9])


@pytest.mark.parametrize("zero", [False, True])
def test_every_product_of_two_maps_lies_between_the_bounds(zero: bool) -> None:
    kind = BIPOLAR if zero else CodeType(-9, 9)
    shapes = ((1, 1, 2), (1, 2, 1))
    layer = MatMul("m", ("x", "w"), shapes, (kind, CodeType(-9, 9)), 1, False, None, WIDE, (zero, False))
    x, w = np.array([[[[-1, 1]]]]), np.array([[[[2], [-3]]]])
    maps = [(x, np.minimum(x + 2, 1)) if zero else (x - 1, x + 2), (w - 1, w + 1)]
    ((low, high),) = [_interval(layer, maps, 0.0)]
    tried = [[range(one, more + 1) for one, more in zip(*map(np.ravel, ends), strict=True)] for ends in maps]
    sums = [
        sum((a + zero) // (1 + zero) * b for a, b in zip(xs, ws, strict=True))
        for xs in product(*tried[0])
        for ws in product(*tried[1])
    ]
    assert low.item() <= min(sums)
    assert high.item() >= max(sums)
    assert high - low <= 2 * (max(sums) - min(sums))
    exact = _interval(layer, [(x, x), (w, w)], 0.0)
    assert exact[0].item() == exact[1].item() == layer.golden(x, w).item()


def test_pools_keep_the_order() -> None:
    layer = MaxPool("p", "x", (1, 2, 2), BYTE, Window((1, 2), stride=(1, 2)), (False, True))
    assert bounds(layer, x=[1, 2, 3, 4], off=1, shape=(1, 2)) == ([2, 1], [4, 3])


@pytest.mark.parametrize("layer", [ArgMax("r", "x", (1, 1, 3), BYTE), TopK("r", "x", (1, 1, 3), BYTE, 1)])
def test_a_ranking_is_certain_only_of_exact_scores(layer) -> None:
    assert bounds(layer, x=[1, 9, 2]) == ([1], [1])
    assert bounds(layer, x=[1, 9, 2], off=1) == ([0], [2])


def test_what_is_announced_of_an_input_is_rounded_up() -> None:
    assert bounds(dense([[1]]), x=[5], off=0.1) == ([4], [6])


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("share", [0.0, 0.25])
def test_a_convolutions_ends_are_those_of_each_product(groups: int, share: float) -> None:
    """A border counts as the one number that it is, each product at the end where it is least, or greatest."""
    random = np.random.default_rng(3)
    weights = random.integers(-3, 4, (4, 2, 2, 4 // groups))
    layer = Conv(
        "c", "x", (3, 3, 4), BYTE, weights, Window((2, 2), (1, 1), (1, 1), (1, 0, 0, 1)), -5, None, WIDE, groups
    )
    x = random.integers(-9, 9, (3, 3, 4))
    padded = np.pad(x, ((1, 0), (0, 1), (0, 0)), constant_values=-5)
    off = np.pad(np.full((3, 3, 4), 2), ((1, 0), (0, 1), (0, 0)))
    least, greatest = [], []
    for y, at, row in np.ndindex(3, 3, 4):
        own = slice(None) if groups == 1 else slice(row // 2 * 2, row // 2 * 2 + 2)
        low, high = (side[y : y + 2, at : at + 2, own] for side in (padded - off, padded + off))
        products = np.stack([low * weights[row], high * weights[row]])
        # Each number as it may be furthest from zero.
        rounded = int(np.ceil(share * np.maximum(abs(low), abs(high)).sum()))
        least.append(int(products.min(axis=0).sum()) - rounded)
        greatest.append(int(products.max(axis=0).sum()) + rounded)
    told = {"share": share} if share else {}
    assert bounds(layer, x=x, off=2.0, shape=(3, 3), **told) == (least, greatest)


def test_a_recurrent_cell_is_followed_step_by_step() -> None:
    layer = rnn(6, 4, unsigned(2), 3)
    random = np.random.default_rng(0)
    maps = [random.integers(entry.type.low, entry.type.high + 1, (5, *entry.shape)) for entry in layer.inputs]
    exact = _interval(layer, [(codes, codes) for codes in maps], Announced("cell"))
    for end in exact:
        np.testing.assert_array_equal(end, layer.golden(*maps))
    low, high = _interval(layer, [(codes, codes + 1) for codes in maps], Announced("cell"))
    assert np.any(low < high)
    for _ in range(20):
        found = layer.golden(*(codes + random.integers(0, 2, codes.shape) for codes in maps))
        assert np.all((low <= found) & (found <= high))
