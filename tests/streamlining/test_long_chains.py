"""Thousands of operators in a row become a layer like few of them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.streamlining.conftest import bipolar, frames


@pytest.mark.parametrize("op", ["Add", "Relu", "Identity"])
def test_a_chain_of_three_thousand_operators(model, random, op):
    net = model(6).sign().add("MatMul", bipolar(random, 6, 4))
    for number in range(3000):
        if op == "Add":
            net.add("Add", np.float32(0.5 if number % 2 else -0.5))
        else:
            net.add(op)
    net.sign().add("MatMul", bipolar(random, 4, 3))
    assert len(net.agrees(frames(random, 6)).layers) == 2
