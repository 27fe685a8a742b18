"""Segments: golden by definition in plain Python integers."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.codes import BIPOLAR, CodeType, signed, unsigned
from hwgen.layers.segments import Segments
from tests.layers.channelwise_cases import assert_hardware_is_golden, folds, random_codes, seeds, shapes, types

LAYER = Segments(
    "rescale",
    "x",
    (1, 1, 2),
    signed(8),
    np.array([[0], [-3]]),
    np.array([[1, 8], [0, 3]]),
    np.array([[4, 4], [-7, 100]]),
    3,
    signed(5),
)


def by_definition(layer: Segments, x: np.ndarray) -> np.ndarray:
    """Compute code by code."""
    out = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        number, channel = int(x[index]), index[-1]
        piece = sum(number >= int(first) for first in layer.breaks[channel])
        total = int(layer.factors[channel, piece]) * number + int(layer.offsets[channel, piece])
        out[index] = min(max(total // 2**layer.shift, layer.out_type.low), layer.out_type.high)
    return out


@st.composite
def layers(draw: st.DrawFn) -> Segments:
    """Draw any tables; some channels alike, some factors powers of two."""
    shape, in_type, pieces = draw(shapes), draw(types | st.sampled_from([signed(20)])), draw(st.integers(1, 9))
    shift, low = draw(st.integers(0, 12)), draw(st.integers(-40, 40))
    out_type = draw(st.sampled_from([signed(4), unsigned(3), signed(16), CodeType(low, low + 9)]))
    random = np.random.default_rng(draw(seeds))
    channels = draw(st.sampled_from([1, shape[2]]))
    breaks = random.integers(in_type.low - 2, in_type.high + 3, (channels, pieces - 1))
    kind = draw(st.sampled_from(["any", "any", "wide", "powers", "one", "zero"]))
    factors = {
        "any": random.integers(-9, 10, (channels, pieces)),
        "wide": random.integers(-(1 << 15), 1 << 15, (channels, pieces)),
        "powers": 1 << random.integers(0, 6, (channels, pieces)),
        "one": np.full((channels, pieces), 1 << int(random.integers(0, 9))),
        "zero": np.zeros((channels, pieces), dtype=np.int64),
    }[kind]
    offsets = random.integers(-(1 << draw(st.integers(0, 20))), (1 << draw(st.integers(0, 20))) + 1, (channels, pieces))
    tables = [np.broadcast_to(table, (shape[2], table.shape[1])) for table in (np.sort(breaks), factors, offsets)]
    return Segments("rescale", "x", shape, in_type, *tables, shift, out_type)


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


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"factors": np.ones((3, 2), int)}, r"factors must have shape \(2 channels, pieces\), not \(3, 2\)"),
        ({"offsets": np.ones((2, 1), int)}, r"offsets must have the factors' shape \(2, 2\), not \(2, 1\)"),
        ({"breaks": np.ones((2, 2), int)}, r"breaks must have shape \(2, 1\), not \(2, 2\)"),
        (
            {"breaks": np.array([[3, 2]] * 2), "factors": np.ones((2, 3), int), "offsets": np.ones((2, 3), int)},
            "the breaks of a channel must rise",
        ),
        ({"shift": -1}, "the shift must not be negative, but is -1"),
        ({"out_type": BIPOLAR}, "cannot yield bipolar codes"),
        ({"factors": np.full((2, 2), 1 << 55)}, "sums beyond 62 bits"),
    ],
)
def test_an_inconsistent_record_is_refused(changes: dict, message: str):
    with pytest.raises(ValueError, match=rf"Layer 'rescale'.*{message}"):
        replace(LAYER, **changes).check()
