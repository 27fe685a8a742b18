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
