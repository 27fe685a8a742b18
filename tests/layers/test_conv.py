"""Conv: golden by definition, hardware equal to golden on the predicted cycles."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.activation import Positions, Thresholds
from hwgen.codes import BIPOLAR, TERNARY, CodeType, signed, unsigned
from hwgen.errors import OptionError
from hwgen.fold import Fold, WindowStyle
from hwgen.layers.conv import Conv
from hwgen.layers.window import Window
from tests.layers.channelwise_cases import STYLES, positions, random_codes, seeds
from tests.layers.window_cases import assert_hardware_is_golden, sizes, windows

IN_TYPES = (BIPOLAR, BIPOLAR, TERNARY, unsigned(1), unsigned(3), signed(4), CodeType(-3, 5), CodeType(2, 6))
OUT_TYPES = (BIPOLAR, BIPOLAR, TERNARY, unsigned(2), signed(2), CodeType(-2, 3))
WEIGHTS = (np.array([-1, 1]), np.array([-1, 1]), np.array([-1, 0, 1]), np.arange(-3, 4), np.array([0, 2]))


def by_definition(layer: Conv, x: np.ndarray) -> np.ndarray:
    """Sum tap by tap, in Python's integers."""
    height, width, channels = layer.in_shape
    rows, columns = layer.window.taps(height, width)
    out = np.zeros((len(x), *layer.out_shape), dtype=np.int64)
    for index in np.ndindex(out.shape):
        frame, row, column, n = index
        total = 0
        for tap_y, y in enumerate(rows[row]):
            for tap_x, z in enumerate(columns[column]):
                inside = 0 <= y < height and 0 <= z < width
                for channel in range(channels // layer.groups):
                    seen = n // (len(layer.weights) // layer.groups) * (channels // layer.groups) + channel
                    code = int(x[frame, y, z, seen]) if inside else layer.pad_value
                    total += int(layer.weights[n, tap_y, tap_x, channel]) * code
        out[index] = total
        if layer.thresholds is not None:
            table = layer.thresholds.positions
            row_class = table.rows[row] * (max(table.columns) + 1) + table.columns[column]
            reached = sum(total >= level for level in layer.thresholds.levels[row_class, n])
            out[index] = (-1, 1)[reached] if layer.out_type.bipolar else layer.out_type.low + reached
    return out


@st.composite
def convs(draw: st.DrawFn) -> Conv:
    size, groups = draw(sizes), draw(st.sampled_from([1, 1, 2, 3, 4]))
    channels, rows = (groups * draw(st.integers(1, 4 if groups == 1 else 2)) for _ in range(2))
    window, in_type = draw(windows(size)), draw(st.sampled_from(IN_TYPES))
    pad_value = draw(st.sampled_from([0, 0, in_type.low, in_type.high]))
    random = np.random.default_rng(draw(seeds))
    weights = random.choice(draw(st.sampled_from(WEIGHTS)), size=(rows, *window.kernel, channels // groups))
    scores = Conv("conv", "x", (*size, channels), in_type, weights, window, pad_value, None, CodeType(0, 0), groups)
    low, high = scores.accumulator_range()
    if draw(st.booleans()):
        return replace(scores, out_type=CodeType(int(low.min()), int(high.max())))
    out_type = draw(st.sampled_from(OUT_TYPES))
    classes = draw(positions(*scores.out_shape[:2]))
    shape = (classes.count, rows, out_type.levels - 1)
    levels = np.sort(random.integers(low.min() - 1, high.max() + 3, size=shape))
    return replace(scores, thresholds=Thresholds(levels, classes), out_type=out_type)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(layer=convs(), seed=seeds)
def test_golden_is_the_definition(layer: Conv, seed: int):
    layer.check()
    x = random_codes(np.random.default_rng(seed), layer.in_type, (2, *layer.in_shape))
    assert np.array_equal(layer.golden(x), by_definition(layer, x))


@pytest.mark.parametrize("weight", [1, 1 << 22, 1 << 50])
def test_golden_is_exact_in_every_precision(weight: int):
    random = np.random.default_rng(4)
    weights = random.integers(-1, 2, size=(2, 2, 2, 3)) * weight + random.integers(-1, 2, size=(2, 2, 2, 3))
    layer = Conv("conv", "x", (4, 4, 3), signed(8), weights, Window((2, 2)), 0, None, signed(63))
    layer.check()
    x = random_codes(random, layer.in_type, (3, 4, 4, 3))
    assert np.array_equal(layer.golden(x), by_definition(layer, x))


def test_golden_is_the_same_frame_by_frame():
    random = np.random.default_rng(5)
    weights = random.choice([-1, 1], size=(8, 3, 3, 16))
    layer = Conv("conv", "x", (24, 24, 16), BIPOLAR, weights, Window((3, 3)), 0, None, signed(12))
    x = random_codes(random, BIPOLAR, (130, 24, 24, 16))
    assert np.array_equal(layer.golden(x)[[0, 128, 129]], layer.golden(x[[0, 128, 129]]))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(layer=convs())
def test_the_accumulator_range_is_reached(layer: Conv):
    low, high = layer.accumulator_range()
    classes = layer.window.padding(*layer.in_shape[:2]).classes()
    scores = replace(layer, thresholds=None, out_type=CodeType(int(low.min()), int(high.max())))
    rows, columns = layer.window.taps(*layer.in_shape[:2])
    for position in np.ndindex(*layer.out_shape[:2]):
        x = np.full((2, *layer.in_shape), layer.in_type.high)
        for tap_y, y in enumerate(rows[position[0]]):
            for tap_x, z in enumerate(columns[position[1]]):
                if 0 <= y < layer.in_shape[0] and 0 <= z < layer.in_shape[1]:
                    positive = layer.weights[0, tap_y, tap_x] > 0
                    seen = slice(0, len(positive))
                    x[0, y, z, seen] = np.where(positive, layer.in_type.low, layer.in_type.high)
                    x[1, y, z, seen] = np.where(positive, layer.in_type.high, layer.in_type.low)
        extremes = scores.golden(x)[:, position[0], position[1], 0]
        assert extremes.tolist() == [low[classes[position], 0], high[classes[position], 0]]


CONV = Conv(
    "conv3",
    "x",
    (5, 5, 6),
    BIPOLAR,
    np.ones((4, 3, 3, 6), dtype=np.int64),
    Window((3, 3)),
    0,
    Thresholds(np.zeros((1, 4, 1), dtype=np.int64), Positions.uniform(3, 3)),
    BIPOLAR,
)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"weights": np.ones((4, 3, 3, 5))},
            r"Layer 'conv3' needs weights of shape \(rows, 3, 3, 6\), not \(4, 3, 3, 5\)",
        ),
        ({"in_shape": (2, 5, 6)}, "Layer 'conv3': A window of 3x3 does not fit into 2x5 with padding"),
        ({"groups": 3}, "Layer 'conv3' has 3 groups, which must divide its 6 input channels and its 4 rows"),
        ({"groups": 2}, r"Layer 'conv3' needs weights of shape \(rows, 3, 3, 3\), not \(4, 3, 3, 6\)"),
        ({"thresholds": None}, r"Layer 'conv3' yields accumulators -54..54, which do not fit bipolar"),
        ({"out_type": TERNARY}, r"Layer 'conv3' needs thresholds of shape \(1, 4, 2\), not \(1, 4, 1\)"),
        (
            {"thresholds": Thresholds(np.zeros((1, 4, 1)), Positions.uniform(3, 2))},
            "Layer 'conv3' has thresholds for a map of 3x2, but yields 3x3",
        ),
    ],
)
def test_an_inconsistent_record_is_refused(change: dict, message: str):
    CONV.check()
    with pytest.raises(ValueError, match=message):
        replace(CONV, **change).check()


@pytest.mark.parametrize(
    ("fold", "message"),
    [
        (Fold(3, 1), r"PE must divide 4 output channels, not 3 \(layer 'conv3'\): use 2 or 4"),
        (Fold(4, 4), r"SIMD must divide 6 input channels, not 4 \(layer 'conv3'\): use 3 or 6"),
        (Fold(4, 6, slots=0), "Layer 'conv3' needs at least 1 slot"),
        (
            Fold(4, 6, window=WindowStyle.PARALLEL),
            "SIMD must be the whole window of 54 inputs, as it is parallel, not 6 .layer 'conv3'",
        ),
        (Fold(4, 3, buffer_beats=3), "Layer 'conv3' needs a buffer of at least 26 beats, not 3"),
    ],
)
def test_an_illegal_folding_is_refused(fold: Fold, message: str):
    with pytest.raises(OptionError, match=message):
        CONV.folding.check(fold)


GROUPED = replace(CONV, weights=np.ones((12, 3, 3, 2), dtype=np.int64), groups=3)


@pytest.mark.parametrize(
    ("fold", "message"),
    [
        (Fold(3, 1), r"PE must divide the 4 .* of a group or be those of whole groups, not 3 \(layer 'conv3'\): use 2"),
        (Fold(6, 1), r"or be those of whole groups, not 6 \(layer 'conv3'\): use 4"),
        (Fold(4, 3), r"SIMD must divide 2 input channels of a group, not 3 \(layer 'conv3'\): use 2"),
        (Fold(12, 1), "SIMD must be the 2 input channels of a group, as PE 12 computes 3 groups at once, not 1"),
        (Fold(3, 18, window=WindowStyle.PARALLEL), "PE must divide the 4 output channels of a group"),
        (Fold(2, 54, window=WindowStyle.PARALLEL), "SIMD must be the whole window of 18 inputs"),
    ],
)
def test_a_folding_across_groups_is_refused(fold: Fold, message: str):
    with pytest.raises(OptionError, match=message):
        GROUPED.folding.check(fold)


def test_every_folding_of_groups_is_legal_and_does_their_work_only():
    lanes = [
        (fold.pe, fold.simd, fold.window.value, GROUPED.folding.input_lanes(fold)[0])
        for fold in GROUPED.folding.folds()
    ]
    assert lanes == [
        *(
            (pe, *rest)
            for pe in (1, 2, 4)
            for rest in ((1, "sequential", 1), (2, "sequential", 2), (18, "parallel", 2))
        ),
        *((12, *rest) for rest in ((2, "sequential", 6), (18, "parallel", 6))),
    ]
    for fold in GROUPED.folding.folds():
        GROUPED.folding.check(fold)
        words = 6 // GROUPED.folding.input_lanes(fold)[0]
        if fold.window is WindowStyle.SEQUENTIAL:
            assert (
                GROUPED.interval(fold)
                == GROUPED.timing(fold).interval
                == max(9 * 12 * 18 // (fold.pe * fold.simd), 25 * words)
            )
        else:
            assert (
                GROUPED.interval(fold) == GROUPED.timing(fold).interval == words * (25 + 9 * (max(1, 4 // fold.pe) - 1))
            )


@pytest.mark.parametrize(("in_type", "raw"), [(BIPOLAR, False), (unsigned(4), True), (signed(3), False)], ids=str)
def test_sum_pooling_has_neither_multipliers_nor_a_weight_memory(in_type: CodeType, raw: bool):
    ones = np.ones((6, 3, 3, 1), dtype=np.int64)
    window = Window((3, 3), (2, 2), pads=(1, 1, 0, 1))
    thresholds = None if raw else Thresholds(np.arange(6).reshape(1, 6, 1), Positions.uniform(2, 3))
    out_type = signed(9) if raw else BIPOLAR
    layer = Conv("pool", "x", (5, 6, 6), in_type, ones, window, 0, thresholds, out_type, 6)
    for number, fold in enumerate(layer.folding.folds()):
        cost = layer.resources(fold)
        assert not cost.products
        assert "pool.weights" not in [memory.name for memory in cost.memories]
        if number % 3 == in_type.bits % 3:
            assert_hardware_is_golden(layer, fold, fold.pe)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(layer=convs(), data=st.data(), seed=seeds)
def test_hardware_is_golden(layer: Conv, data: st.DataObject, seed: int):
    fold = replace(
        data.draw(st.sampled_from(list(layer.folding.folds()))),
        slots=data.draw(st.sampled_from([None, None, 1, 9])),
        fetch_registers=data.draw(st.integers(0, 1)),
        memory=data.draw(st.sampled_from(STYLES)),
    )
    assert_hardware_is_golden(layer, fold, seed)


@pytest.mark.parametrize(("low", "high", "fits"), [(-2, 8, True), (-1, 8, False), (-2, 7, False)])
def test_the_type_of_raw_sums_holds_every_row(low, high, fits):
    """One row alone reaches the lowest sum, another the highest."""
    weights, out_type = np.array([[-1, 0], [1, 0], [3, 1]]).reshape(3, 1, 1, 2), CodeType(low, high)
    layer = Conv("conv", "x", (2, 2, 2), CodeType(0, 2), weights, Window((1, 1)), 0, None, out_type)
    if fits:
        layer.check()
    else:
        with pytest.raises(ValueError, match=r"Layer 'conv' yields accumulators -2\.\.8, which do not fit"):
            layer.check()
