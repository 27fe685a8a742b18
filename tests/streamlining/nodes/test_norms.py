"""Quotients by a norm with a tiny epsilon keep what the epsilon is tiny beside."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.arrays import codec
from hwgen.layers.table import Table
from tests.streamlining.conftest import bipolar, frames


def normalised(model, random, epsilon, how):
    net = model(4, 5, 5).add("Conv", bipolar(random, 8, 4, 3, 3), pads=[1, 1, 1, 1])
    x = net.value
    if how == "squares":
        net.add("Mul", x).add("ReduceMean", axes=[1], keepdims=1).add("Add", np.float32(epsilon)).add("Sqrt")
    else:
        net.add("ReduceL2", axes=[1], keepdims=1).add(how, np.float32(epsilon))
    return net.add("Div", net.value, reads=x).add("Mul", np.float32(20)).add("Conv", bipolar(random, 3, 8, 1, 1))


@pytest.mark.parametrize("how", ["Add", "Max", "squares"])
@pytest.mark.parametrize("epsilon", [1e-12, 1e-10, 1e-5])
def test_a_norm_keeps_its_precision_beside_any_epsilon(model, random, epsilon, how):
    net = normalised(model, random, epsilon, how)
    x = frames(random, 4, 5, 5)
    network = net.network(input_type="bipolar")
    found = codec.from_codes(network, network.golden(codec.to_codes(network.input, x)))
    wanted = net.reference(x)
    assert np.max(np.abs(found - wanted)) <= 1e-5 * np.max(np.abs(wanted))
    (reciprocal,) = [layer for layer in network.layers if isinstance(layer, Table) and layer.out_type.bits > 16]
    assert reciprocal.out_type.low > 2**14


def test_a_divisor_that_is_zero_where_the_dividend_is_not_keeps_its_epsilon(model, random):
    net = model(6).add("MatMul", bipolar(random, 6, 4))
    x = net.value
    net.add("Abs").add("ReduceSum", np.array([1]), keepdims=1).add("Add", np.float32(0.5))
    divisor = net.value
    net.add("Add", np.float32(3), reads=x).add("Div", divisor)
    x = frames(random, 6, count=64)
    network = net.network(input_type="bipolar")
    found = codec.from_codes(network, network.golden(codec.to_codes(network.input, x)))
    np.testing.assert_allclose(found, net.reference(x), rtol=1e-4, atol=1e-4)
