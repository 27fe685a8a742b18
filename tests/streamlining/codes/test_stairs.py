"""Lines through the codes of quantisers of many levels: every integer has its code."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from hwgen.layers.segments import to_even
from hwgen.streamlining.codes.stairs import stairs

X = np.arange(-40000, 40001)

QUANTISERS = {
    "clipped at both ends": (lambda x: np.clip(np.rint(x * 0.73121), -(2**14), 2**14 - 1), False, 1),
    "sixteen bits": (lambda x: np.clip(np.rint(x * 1.63171), -(2**15), 2**15 - 1), False, 1),
    "ties to even": (lambda x: np.clip(np.rint(x / 4), -512, 511), True, 1),
    "half an integer to even": (lambda x: np.rint((x + 3) / 2), True, 1),
    "ties away from zero": (lambda x: np.sign(x) * np.floor(np.abs(x) / 4 + 0.5), False, 2),
    "towards zero": (lambda x: np.trunc(x / 8), False, 3),
    "down": (lambda x: np.floor(x / 8), False, 1),
    "up": (lambda x: np.ceil(x * 0.37), False, 1),
    "behind a Relu": (lambda x: np.clip(np.rint(np.maximum(x, 0) * 0.01231), 0, 1023), False, 1),
    "behind a PReLU": (lambda x: np.clip(np.rint(np.where(x < 0, 0.11, 1) * x * 0.05003), -512, 511), False, 2),
    "falling": (lambda x: np.clip(np.rint(-x * 0.031013 + 7), -300, 900), False, 1),
    "constant": (lambda x: 0 * x + 5, False, 1),
}


def runs_of(x, codes):
    first = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
    return x[first], x[np.concatenate([first[1:], [len(x)]]) - 1], codes[first]


def read(found, x, ends, even):
    piece = np.searchsorted(found.starts, x, side="right") - 1
    total = found.factors[piece] * x + found.offsets[piece]
    return np.clip(to_even(total, found.shift) if even else total >> found.shift, *ends)


@pytest.mark.parametrize("name", QUANTISERS)
@pytest.mark.parametrize("step", [1, 2, 7])
def test_every_integer_has_its_code(name, step):
    function, even, pieces = QUANTISERS[name]
    x = X[::step]
    codes = function(x).astype(np.int64)
    ends = int(codes.min()), int(codes.max())
    found = stairs(*runs_of(x, codes), ends, even=even)
    np.testing.assert_array_equal(read(found, x, ends, even), codes)
    assert len(found.starts) <= pieces + 1
    wider = found.shifted(found.shift + 3)
    np.testing.assert_array_equal(read(wider, x, ends, even), codes)


def test_only_rounding_to_even_meets_ties_to_even():
    codes = np.rint(X / 4).astype(np.int64)
    ends = int(codes.min()), int(codes.max())
    assert stairs(*runs_of(X, codes), ends, even=False) is None
    found = stairs(*runs_of(X, codes), ends, even=True)
    assert (found.factors.tolist(), found.offsets.tolist(), found.shift) == ([1], [2], 2)


def test_a_curve_of_many_levels_has_no_few_lines():
    codes = np.rint(5000 * np.tanh(X / 9000)).astype(np.int64)
    assert stairs(*runs_of(X, codes), (int(codes.min()), int(codes.max())), even=False) is None


def test_a_single_code_that_is_off_takes_lines_of_its_own():
    codes = np.floor(X * 0.37131).astype(np.int64)
    codes[777] += 1
    ends = int(codes.min()), int(codes.max())
    found = stairs(*runs_of(X, codes), ends, even=False)
    np.testing.assert_array_equal(read(found, X, ends, even=False), codes)
    assert len(found.starts) == 3


@pytest.mark.parametrize("seed", range(12))
def test_lines_through_integers_of_many_bits_stay_within_sixty_four(seed):
    """A single line would need more bits behind the point than there is room for: more lines with fewer do."""
    random = np.random.default_rng(seed)
    slope = Fraction(int(random.integers(1 << 29, 1 << 30)), 1 << int(random.integers(30, 50)))
    codes = sorted({int(slope * int(x)) for x in random.integers(0, 1 << 42, 6)})
    first = np.array([math.ceil(code / slope) for code in codes])
    last = np.array([math.ceil((code + 1) / slope) - 1 for code in codes])
    found = stairs(first, last, np.array(codes), (codes[0], codes[-1]), even=False)
    assert found is not None
    for x, code in [*zip(first.tolist(), codes, strict=True), *zip(last.tolist(), codes, strict=True)]:
        piece = int(np.searchsorted(found.starts, x, side="right")) - 1
        total = int(found.factors[piece]) * x + int(found.offsets[piece])
        assert -(1 << 63) <= total < 1 << 63
        assert min(max(total >> found.shift, codes[0]), codes[-1]) == code
