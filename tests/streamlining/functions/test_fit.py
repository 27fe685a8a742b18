"""Straight pieces with integer factors against the functions that they follow."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.streamlining.functions.fit import HALF_STEP, curve, kinked, meets, quantised, scaled, straight

X = np.arange(-5000, 5001)


def pieces_of(*functions):
    """Follow functions of X as far as they are straight."""

    def values(k):
        return np.stack([function(X[k[:, channel]]) for channel, function in enumerate(functions)], axis=1).astype(
            float
        )

    count = np.full(len(functions), len(X))
    return straight(values, np.full_like(count, X[0]), count, np.ones_like(count))


def integers(channels, channel, x):
    breaks, factors, offsets, shift = quantised(channels)
    piece = np.searchsorted(breaks[channel], x, side="right")
    return (factors[channel, piece] * x + offsets[channel, piece]) >> shift


STRAIGHT = {
    "line": (lambda x: 0.37 * x - 11.25, 1),
    "identity": (lambda x: x, 1),
    "constant": (lambda x: 0 * x + 3.0, 1),
    "prelu": (lambda x: np.where(x < 0, 0.25 * x, x), 2),
    "shifted prelu": (lambda x: np.where(x < -7.5, 0.3 * (x + 7.5), x + 7.5) + 2, 2),
    "hard tanh": (lambda x: np.clip(x / 10, -100, 100), 3),
    "sign": (lambda x: np.where(x >= 3, 40.0, -40.0), 2),
    "residue": (lambda x: x - np.where(x >= 0, 800, -800), 2),
    "absolute": (lambda x: np.abs(x + 0.5), 2),
}


@pytest.mark.parametrize(("function", "count"), STRAIGHT.values(), ids=STRAIGHT)
def test_few_lines_are_found_and_rounded_to_the_nearest(function, count):
    (found,) = pieces_of(function)
    assert len(found.starts) == count
    assert (found.starts[0], found.ends[-1]) == (X[0], X[-1])
    off = np.abs(integers([found], 0, X) - function(X))
    assert off.max() <= 0.5 + 1 / 32


def test_whole_numbers_stay_exact_without_a_shift():
    channels = pieces_of(lambda x: 3 * x - 8, lambda x: np.where(x < 0, -x, 2 * x))
    assert quantised(channels)[3] == 0
    np.testing.assert_array_equal(integers(channels, 0, X), 3 * X - 8)
    np.testing.assert_array_equal(integers(channels, 1, X), np.where(X < 0, -X, 2 * X))


def test_a_power_of_two_is_a_shift():
    _, factors, _, shift = quantised(pieces_of(lambda x: x / 64))
    assert (factors.tolist(), shift) == ([[1]], 6)


def test_channels_may_have_different_numbers_of_pieces():
    channels = pieces_of(*(function for function, _ in STRAIGHT.values()))
    for channel, (function, _) in enumerate(STRAIGHT.values()):
        assert np.abs(integers(channels, channel, X) - function(X)).max() <= 0.5 + 1 / 32


def test_what_bisection_overlooks_is_found_point_by_point():
    values = np.where((X >= 1) & (X <= 2), 50.0, 0.0)
    (overlooked,) = pieces_of(lambda x: np.where((x >= 1) & (x <= 2), 50.0, 0.0))
    assert not meets(overlooked, X, values)
    found = kinked(X, values)
    assert meets(found, X, values)
    np.testing.assert_array_equal(integers([found], 0, X), values)
    assert kinked(X, 1e4 * np.tanh(X / 900)) is None


def test_a_curve_is_not_straight():
    assert pieces_of(lambda x: 1e4 * np.tanh(x / 900), lambda x: x) is None


@pytest.mark.parametrize("scale", [100, 1000])
def test_a_curve_stays_within_half_a_step(scale):
    values = scale * np.tanh(X / 900)
    found = curve(X, values)
    assert len(found.starts) <= 48
    lines = np.concatenate(
        [
            slope * X[(first <= X) & (last >= X)] + level
            for first, last, slope, level in zip(found.starts, found.ends, found.slopes, found.levels, strict=True)
        ]
    )
    assert np.abs(lines - values).max() <= HALF_STEP
    assert np.abs(integers([found], 0, X) - values).max() <= HALF_STEP + 0.5 + 1 / 32


def test_a_curve_of_too_many_pieces_gets_a_wider_tolerance():
    values = 1e4 * np.sin(X / 200)
    found = curve(X, values)
    assert len(found.starts) <= 48
    assert HALF_STEP < np.abs(integers([found], 0, X) - values).max() < 1000


def test_lines_are_scaled():
    channels = scaled(pieces_of(lambda x: 0.5 * x + 1), 0.25)
    np.testing.assert_array_equal(integers(channels, 0, X), 2 * X + 4)


def test_a_single_value_is_a_piece():
    pieces = kinked(np.array([7]), np.array([2.5]))
    assert (pieces.starts.tolist(), pieces.ends.tolist()) == ([7], [7])
    assert meets(pieces, np.array([7]), np.array([2.5]))


@pytest.mark.parametrize(("bump", "pieces"), [(0.9e-7, 1), (1.1e-7, 3), (-1.9e-7, 3)])
def test_what_is_rounding_noise_has_a_bound(bump, pieces):
    """A ten-millionth of a step, where values are small."""
    values = np.zeros(9)
    values[4] = bump
    assert len(kinked(np.arange(9), values).starts) == pieces
