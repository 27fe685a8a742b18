"""Segments: golden by definition in plain Python integers, hardware equal to golden on the predicted cycles."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.activation import Positions
from hwgen.codes import BIPOLAR, CodeType, signed, unsigned
from hwgen.fold import Fold
from hwgen.layers.segments import Segments
from tests.layers.channelwise_cases import (
    STYLES,
    assert_hardware_is_golden,
    folds,
    positions,
    random_codes,
    seeds,
    shapes,
    types,
)

LAYER = Segments(
    "rescale",
    "x",
    (1, 1, 2),
    signed(8),
    np.array([[[0], [-3]]]),
    np.array([[[1, 8], [0, 3]]]),
    np.array([[[4, 4], [-7, 100]]]),
    3,
    signed(5),
    Positions.uniform(1, 1),
)


def by_definition(layer: Segments, x: np.ndarray) -> np.ndarray:
    """Compute code by code."""
    out = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        number, (_, row, column, channel) = int(x[index]), index
        where = layer.positions.rows[row] * (max(layer.positions.columns) + 1) + layer.positions.columns[column]
        piece = sum(number >= int(first) for first in layer.breaks[where, channel])
        total = int(layer.factors[where, channel, piece]) * number + int(layer.offsets[where, channel, piece])
        code = round(Fraction(total, 2**layer.shift) - Fraction(1, 2)) if layer.even else total // 2**layer.shift
        out[index] = min(max(code, layer.out_type.low), layer.out_type.high)
    return out


@st.composite
def layers(draw: st.DrawFn) -> Segments:
    """Draw any tables; some channels or classes of positions alike, some factors powers of two."""
    shape, in_type, pieces = draw(shapes), draw(types | st.sampled_from([signed(20)])), draw(st.integers(1, 9))
    shift, low = draw(st.integers(0, 12)), draw(st.integers(-40, 40))
    out_type = draw(st.sampled_from([signed(4), unsigned(3), signed(16), CodeType(low, low + 9)]))
    random = np.random.default_rng(draw(seeds))
    where = draw(st.just(Positions.uniform(*shape[:2])) | positions(*shape[:2]))
    rows = draw(st.sampled_from([1, where.count])), draw(st.sampled_from([1, shape[2]]))
    breaks = random.integers(in_type.low - 2, in_type.high + 3, (*rows, pieces - 1))
    kind = draw(st.sampled_from(["any", "any", "wide", "powers", "one", "zero"]))
    factors = {
        "any": random.integers(-9, 10, (*rows, pieces)),
        "wide": random.integers(-(1 << 15), 1 << 15, (*rows, pieces)),
        "powers": 1 << random.integers(0, 6, (*rows, pieces)),
        "one": np.full((*rows, pieces), 1 << int(random.integers(0, 9))),
        "zero": np.zeros((*rows, pieces), dtype=np.int64),
    }[kind]
    rows = draw(st.sampled_from([rows, (where.count, shape[2])]))
    offsets = random.integers(-(1 << draw(st.integers(0, 20))), (1 << draw(st.integers(0, 20))) + 1, (*rows, pieces))
    tables = [
        np.broadcast_to(table, (where.count, shape[2], table.shape[2])) for table in (np.sort(breaks), factors, offsets)
    ]
    even = shift > 0 and draw(st.booleans())
    if even and draw(st.booleans()):
        step = 1 << shift - 1  # ties everywhere
        tables[1], tables[2] = tables[1] * step, tables[2] * step
    return Segments("rescale", "x", shape, in_type, *tables, shift, out_type, where, even)


def test_golden_rounds_down_and_clips():
    x = np.array([[-1, -4], [-5, -3], [0, 127], [127, 0]]).reshape(4, 1, 1, 2)
    LAYER.check()
    assert LAYER.golden(x).reshape(4, 2).tolist() == [[0, -1], [-1, 11], [0, 15], [15, 12]]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(layer=layers(), seed=seeds)
def test_golden_is_the_definition(layer: Segments, seed: int):
    layer.check()
    x = random_codes(np.random.default_rng(seed), layer.in_type, (2, *layer.in_shape))
    assert np.array_equal(layer.golden(x), by_definition(layer, x))
    assert layer.out_type.contains(layer.golden(x))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data(), layer=layers(), seed=seeds)
def test_hardware_is_golden_on_schedule(data: st.DataObject, layer: Segments, seed: int):
    assert_hardware_is_golden(layer, data.draw(folds(layer)), seed)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("pieces", [1, 3])
def test_every_pixel_of_a_map_can_have_its_own_lines(style, pieces):
    """As XNOR-Net++ has it: a scale for each channel, row and column."""
    random, shape = np.random.default_rng(pieces), (3, 5, 4)
    where = Positions(tuple(range(3)), tuple(range(5)))
    breaks = np.sort(random.integers(-99, 99, (15, 4, pieces - 1)))
    factors, offsets = random.integers(-(1 << 12), 1 << 12, (15, 4, pieces)), random.integers(-99, 99, (15, 4, pieces))
    layer = Segments("rescale", "x", shape, signed(9), breaks, factors, offsets, 8, signed(8), where)
    assert_hardware_is_golden(layer, Fold(pe=2, memory=style), 3)


def test_an_offset_of_the_position_alone_takes_a_memory_of_offsets():
    where = Positions((0, 1, 1, 2), (0, 1, 1, 2))
    offsets = np.arange(36).reshape(9, 4, 1)
    layer = Segments(
        "shift",
        "x",
        (4, 4, 4),
        signed(6),
        np.zeros((9, 4, 0), int),
        np.ones((9, 4, 1), int),
        offsets,
        0,
        signed(8),
        where,
    )
    resources = layer.resources(Fold(pe=4))
    assert [(memory.depth, memory.width) for memory in resources.memories] == [(9, 16)]
    assert resources.products == ()
    assert_hardware_is_golden(layer, Fold(pe=4), 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"factors": np.ones((1, 3, 2), int)},
            r"factors must have shape \(1 classes, 2 channels, pieces\), not \(1, 3, 2\)",
        ),
        ({"factors": np.ones((2, 2), int)}, r"factors must have shape \(1 classes, 2 channels, pieces\), not \(2, 2\)"),
        ({"positions": Positions((0, 0), (0,))}, "positions cover 2 x 1, but the map has 1 x 1"),
        ({"offsets": np.ones((1, 2, 1), int)}, r"offsets must have the factors' shape \(1, 2, 2\), not \(1, 2, 1\)"),
        ({"breaks": np.ones((1, 2, 2), int)}, r"breaks must have shape \(1, 2, 1\), not \(1, 2, 2\)"),
        (
            {
                "breaks": np.array([[[3, 2]] * 2]),
                "factors": np.ones((1, 2, 3), int),
                "offsets": np.ones((1, 2, 3), int),
            },
            "the breaks of a channel must rise",
        ),
        ({"shift": 0, "even": True}, "has no ties to round to even, as its shift is 0"),
        ({"shift": -1}, "the shift must not be negative, but is -1"),
        ({"out_type": BIPOLAR}, "cannot yield bipolar codes"),
        ({"factors": np.full((1, 2, 2), 1 << 55)}, "sums beyond 62 bits"),
    ],
)
def test_an_inconsistent_record_is_refused(changes: dict, message: str):
    with pytest.raises(ValueError, match=rf"Layer 'rescale'.*{message}"):
        replace(LAYER, **changes).check()
