"""Functions of one integer, evaluated."""

from __future__ import annotations

import numpy as np

from hwgen.streamlining.functions.signal import identity
from hwgen.streamlining.functions.terms import Elements, Evaluator


def test_sums_that_cancel_are_zero():
    elements = Elements(*(np.zeros(1, dtype=int),) * 3)
    missed = 0
    for number in range(1, 256):
        scale, offset = 0.1 / 255, -number * 0.1 / 255
        missed += number * scale + offset != 0
        assert Evaluator()(identity(scale, offset), np.array([[number]]), elements)[0, 0] == 0
    assert missed


def test_what_is_a_float32_but_for_float64_is_that():
    """255 times 2/255 less 1 meets a threshold of 1, as it does in the file."""
    elements = Elements(*(np.zeros(1, dtype=int),) * 3)
    missed = 0
    for number in map(float, np.float32(np.random.default_rng(0).uniform(0.1, 9, 200))):
        scale, offset = number * (2 / 255), -number
        missed += 255 * scale + offset != number
        assert Evaluator()(identity(scale, offset), np.array([[255]]), elements)[0, 0] == number
    assert missed
