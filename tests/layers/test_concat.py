"""Concat: golden by definition, hardware equal to golden on the predicted cycles."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.codes import BIPOLAR, CodeType, signed, unsigned
from hwgen.errors import OptionError
from hwgen.fold import Fold, MemoryStyle
from hwgen.layers.concat import Concat
from hwgen.rtl_templates.streams.replay import Replay
from tests.layers.channelwise_cases import TYPES, random_codes, seeds, shapes
from tests.layers.join_cases import assert_hardware_is_golden, folds

CONCAT = Concat("both", ("a", "b"), ((1, 2, 1), (1, 2, 2)), (BIPOLAR, unsigned(3)), signed(4))


def test_golden_appends_channels():
    a, b = np.array([[[[1], [-1]]]]), np.array([[[[1, 2], [3, 7]]]])
    assert CONCAT.golden(a, b).tolist() == [[[[1, 1, 2], [-1, 3, 7]]]]
    assert CONCAT.out_shape == (1, 2, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"in_types": (BIPOLAR,)},
            "'both' needs at least two operands, of these a source, with a shape and a type for each, not 2, 2 and 1",
        ),
        (
            {"in_shapes": ((1, 2, 1), (2, 2, 2))},
            "'both' needs maps that differ in their channels only, not 1x2x1, 2x2x2",
        ),
        ({"axis": 1}, "'both' needs maps that differ in their columns only, not 1x2x1, 1x2x2"),
        ({"constants": (np.full((1, 2, 1), 9),), "places": (2,)}, "'both' has constants that are no int4 codes"),
        (
            {"constants": (np.ones((1, 2, 1), int),) * 2, "places": (0, 1)},
            r"'both' has constants next to one another, as operands \(0, 1\)",
        ),
        (
            {"sources": (), "in_shapes": (), "in_types": ()},
            "'both' needs at least two operands, of these a source, with a shape and a type for each, not 0, 0 and 0",
        ),
        ({"out_type": unsigned(3)}, "'both' cannot hold the bipolar codes of 'a' in uint3"),
        ({"out_type": signed(3)}, "'both' cannot hold the uint3 codes of 'b' in int3"),
        (
            {"in_types": (BIPOLAR, signed(1)), "out_type": BIPOLAR},
            "'both' cannot hold the int1 codes of 'b' in bipolar",
        ),
    ],
)
def test_an_inconsistent_record_is_refused(change: dict, message: str):
    CONCAT.check()
    with pytest.raises(ValueError, match=message):
        replace(CONCAT, **change).check()


@st.composite
def concats(draw: st.DrawFn) -> Concat:
    """Draw two to four maps side by side."""
    (height, width, _), count = draw(shapes), draw(st.integers(2, 4))
    channels = draw(st.sampled_from([(1, 2, 3, 4), (2, 4, 6), (3, 3, 6)]))
    picked = draw(st.lists(st.sampled_from(channels), min_size=count, max_size=count))
    kinds = draw(st.lists(st.sampled_from([BIPOLAR, *TYPES]), min_size=count, max_size=count))
    if draw(st.integers(0, 3)) == 0:
        kinds, out_type = [BIPOLAR] * count, BIPOLAR
    else:
        out_type = CodeType(min(kind.low for kind in kinds), max(kind.high for kind in kinds) + draw(st.integers(0, 9)))
    sources = tuple(f"source{number}" for number in range(count))
    return Concat("concat", sources, tuple((height, width, number) for number in picked), tuple(kinds), out_type)


@st.composite
def with_constants(draw: st.DrawFn) -> Concat:
    """Draw one to three maps along any axis, with constants in front of them, between them, behind them."""
    axis, count = draw(st.integers(0, 2)), draw(st.integers(1, 3))
    places = draw(st.sampled_from([(0,), (1,), (0, 2), (0, 2), (count,), ()] if count > 1 else [(0,), (1,), (0, 2)]))
    shape, random = draw(shapes), np.random.default_rng(draw(seeds))

    def size() -> tuple[int, int, int]:
        own = draw(st.sampled_from([shape[2], 2 * shape[2]] if axis == 2 else [1, 2, 3]))
        height, width, channels = (own if number == axis else length for number, length in enumerate(shape))
        return height, width, channels

    kind = draw(st.sampled_from([BIPOLAR, *TYPES]))
    out_type = kind if kind.bipolar else CodeType(kind.low - 1, kind.high + 2)
    constants = [random_codes(random, out_type, size()) for _ in places]
    if draw(st.booleans()):
        constants = [np.broadcast_to(part[:1, :1], part.shape) for part in constants]
    sources = tuple(f"source{number}" for number in range(count))
    in_shapes = tuple(size() for _ in sources)
    return Concat("concat", sources, in_shapes, (kind,) * count, out_type, axis, tuple(constants), places)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(data=st.data(), layer=with_constants(), seed=seeds)
def test_hardware_with_constants_and_along_any_axis_is_golden(data: st.DataObject, layer: Concat, seed: int):
    assert_hardware_is_golden(layer, data.draw(folds(layer)), seed)


def test_golden_puts_a_constant_in_front_of_each_frame():
    layer = Concat("token", ("a",), ((1, 2, 1),), (unsigned(2),), unsigned(3), 1, (np.array([[[7]]]),), (0,))
    assert layer.golden(np.array([[[[1], [2]]], [[[3], [0]]]])).tolist() == [[[[7], [1], [2]]], [[[7], [3], [0]]]]
    assert layer.out_shape == (1, 3, 1)


def test_a_constant_that_repeats_itself_is_kept_once():
    """The coordinate of the column in each row: a row of it; one number everywhere: no memory at all."""
    columns = np.broadcast_to(np.arange(4)[None, :, None], (6, 4, 1))
    layer = Concat("coord", ("a",), ((6, 4, 1),), (unsigned(2),), unsigned(2), 2, (columns,), (1,))
    (memory,) = Replay.bill("words", [0, 1, 2, 3] * 6, 2, MemoryStyle.BLOCK).memories
    assert (memory.depth, memory.width) == (4, 2)
    plain = replace(layer, constants=(np.ones((6, 4, 1), int),))
    assert plain.resources(Fold()) == replace(
        plain, in_shapes=((6, 4, 1),) * 2, sources=("a", "a"), in_types=(unsigned(2),) * 2, constants=(), places=()
    ).resources(Fold())


@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data(), layer=concats(), seed=seeds)
def test_hardware_is_golden(data: st.DataObject, layer: Concat, seed: int):
    assert_hardware_is_golden(layer, data.draw(folds(layer)), seed)


@pytest.mark.parametrize(
    ("fold", "message"),
    [
        (Fold(2), r"PE must divide the channels of every source, or be all 3, not 2 \(layer 'both'\): use 1 or 3"),
        (Fold(1, 2), "SIMD must be 1, not 2, as layer 'both' has no columns to fold"),
    ],
)
def test_an_illegal_folding_is_refused(fold: Fold, message: str):
    with pytest.raises(OptionError, match=message):
        CONCAT.folding.check(fold)
