"""Stand-alone thresholding: golden by definition, hardware equal to golden on the predicted cycles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.activation import Positions, Thresholds
from hwgen.codes import BIPOLAR, TERNARY, CodeType, signed, unsigned
from hwgen.errors import OptionError
from hwgen.fold import Fold
from hwgen.layers.thresholding import Thresholding
from tests.layers.channelwise_cases import STYLES, assert_hardware_is_golden, folds, positions, seeds, shapes, types


@st.composite
def layers(draw):
    shape, in_type, out_type = draw(shapes), draw(types), draw(types)
    where = draw(positions(*shape[:2]))
    steps = draw(st.integers(1, out_type.levels - 1))
    random = np.random.default_rng(draw(seeds))
    levels = np.sort(random.integers(in_type.low - 2, in_type.high + 3, (where.count, shape[2], steps)), axis=-1)
    negate = draw(st.lists(st.booleans(), min_size=shape[2], max_size=shape[2]))
    return Thresholding("quantise", "x", shape, in_type, Thresholds(levels, where), tuple(negate), out_type)


def one_pixel(levels, in_type, out_type, negate=None):
    channels = len(levels)
    thresholds = Thresholds(np.array([levels]), Positions.uniform(1, 1))
    return Thresholding("quantise", "x", (1, 1, channels), in_type, thresholds, negate or (False,) * channels, out_type)


def test_golden_counts_the_levels_that_a_code_reaches():
    layer = one_pixel([[-1, 0, 2], [-1, 0, 2]], signed(3), CodeType(-2, 1), negate=(False, True))
    x = np.array([[-2, -2], [-1, -1], [0, 0], [2, 2]]).reshape(4, 1, 1, 2)
    assert layer.golden(x).reshape(4, 2).tolist() == [[-2, 1], [-1, 0], [0, 0], [1, -2]]


def test_a_bipolar_code_is_plus_one_at_its_level():
    layer = one_pixel([[3]], signed(4), BIPOLAR)
    assert layer.golden(np.array([2, 3, 4]).reshape(3, 1, 1, 1)).ravel().tolist() == [-1, 1, 1]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data(), layer=layers(), seed=seeds)
def test_hardware_is_golden_on_schedule(data, layer, seed):
    assert_hardware_is_golden(layer, data.draw(folds(layer)), seed)


@pytest.mark.parametrize("style", STYLES)
def test_255_levels_take_eight_comparators_a_lane(style):
    random = np.random.default_rng(3)
    levels = np.sort(random.integers(-5000, 5000, (1, 4, 255)), axis=-1)
    layer = Thresholding(
        "quantise",
        "x",
        (1, 3, 4),
        signed(13),
        Thresholds(levels, Positions.uniform(1, 3)),
        (False, True) * 2,
        unsigned(8),
    )
    assert_hardware_is_golden(layer, Fold(pe=2, memory=style), 5)


@pytest.mark.parametrize("in_type", [BIPOLAR, TERNARY, unsigned(2), signed(2)])
@pytest.mark.parametrize("level", [-9, -2, -1, 0, 1, 2, 3, 9])
def test_every_level_around_the_range_is_exact(in_type, level):
    layer = one_pixel([[level], [level]], in_type, BIPOLAR, negate=(False, True))
    assert_hardware_is_golden(layer, Fold(pe=2), 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"levels": np.zeros((1, 3, 1))}, r"must have shape \(1 classes, 2 channels, steps\), not \(1, 3, 1\)"),
        ({"levels": np.zeros((1, 2, 2))}, "bipolar codes take 1 to 1 levels, not 2"),
        ({"levels": np.array([[[2, 1], [0, 0]]]), "out_type": TERNARY}, "must rise"),
        ({"negate": (False,)}, "must name 2 channels, not 1"),
        ({"rows": (0, 0)}, "positions cover 2 x 1, but the map has 1 x 1"),
    ],
)
def test_an_inconsistent_record_is_refused(changes, message):
    thresholds = Thresholds(changes.get("levels", np.zeros((1, 2, 1))), Positions(changes.get("rows", (0,)), (0,)))
    layer = Thresholding(
        "quantise",
        "x",
        (1, 1, 2),
        signed(4),
        thresholds,
        changes.get("negate", (False, False)),
        changes.get("out_type", BIPOLAR),
    )
    with pytest.raises(ValueError, match=message):
        layer.check()


@pytest.mark.parametrize(
    ("fold", "message"),
    [
        (Fold(pe=4), r"PE must divide 6 channels, not 4 \(layer 'quantise'\): use 3 or 6"),
        (Fold(pe=0), "use 1"),
        (Fold(simd=2), "SIMD must be 1, not 2"),
        (Fold(slots=0), "at least 1 slot"),
    ],
)
def test_an_illegal_folding_is_refused(fold, message):
    layer = one_pixel([[0]] * 6, signed(4), BIPOLAR)
    with pytest.raises(OptionError, match=message):
        layer.folding.check(fold)


def test_resources_count_memories_only_where_levels_differ_from_beat_to_beat_or_by_the_search():
    single = one_pixel([[0], [2]], signed(4), BIPOLAR)
    assert single.resources(Fold(pe=2)).memories == ()
    assert [memory.depth for memory in single.resources(Fold(pe=1)).memories] == [2]
    layer = one_pixel([[0, 1], [2, 3]], signed(4), TERNARY)
    assert [memory.depth for memory in layer.resources(Fold(pe=2)).memories] == [2, 2]
    assert [memory.depth for memory in layer.resources(Fold(pe=1)).memories] == [2, 4]
