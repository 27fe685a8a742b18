"""Normalisations by statistics of the data, against ONNX Runtime: exact in front of a sign where the squares fit, else fixed point."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.arrays import codec
from tests.streamlining.conftest import bipolar, frames


def parameters(random, *shape):
    return random.uniform(0.3, 1.5, shape).astype(np.float32), random.normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("spelling", ["Where", "Sign", "BipolarQuant"])
def test_the_sign_of_a_layer_normalisation_is_exact(model, random, biased, spelling):
    """No root is taken: squares are compared, and without a bias not even those."""
    scale, bias = parameters(random, 16)
    scale[::3] *= -1
    net = model(5, 16).add("MatMul", bipolar(random, 16, 16))
    net.add("LayerNormalization", scale, *([bias] if biased else []), axis=-1)
    match spelling:
        case "Where":
            net.sign()
        case "Sign":
            net.add("Sign")
        case "BipolarQuant":
            net.add("BipolarQuant", np.float32(0.5), domain="qonnx.custom_op.general")
    net.add("MatMul", bipolar(random, 16, 4))
    network = net.agrees(frames(random, 5, 16), input_type="bipolar")
    assert any("square" in layer.name for layer in network.layers) == biased


def near(net, x, **declared):
    """Give the greatest difference from ONNX Runtime, as a part of the greatest output."""
    network = net.network(**declared)
    found, wanted = codec.from_codes(network, network.golden(codec.to_codes(network.input, x))), net.reference(x)
    return np.max(np.abs(found - wanted)) / np.max(np.abs(wanted))


def test_a_layer_normalisation_is_fixed_point(model, random):
    """A variance of zero, whose factor would be 316, does not count: every distance is zero there."""
    net = model(5, 8).add("MatMul", bipolar(random, 8, 16)).add("LayerNormalization", *parameters(random, 16), axis=-1)
    x = frames(random, 5, 8)
    assert near(net, x, input_type="bipolar") < 0.003
    assert any("normalised" in note and "off by at most" in note for note in net.network(input_type="bipolar").notes)


def test_an_instance_normalisation_is_fixed_point(model, random):
    net = model(3, 6, 6).add("Conv", bipolar(random, 4, 3, 3, 3)).add("InstanceNormalization", *parameters(random, 4))
    assert near(net, random.integers(-8, 8, (6, 3, 6, 6)).astype(np.float32), input_type="int4") < 0.005


def test_the_root_of_a_difference_of_squares(model, random):
    """E[x * x] - E[x] * E[x] is never negative, though its terms' bounds let it be."""
    net = model(4, 16).add("Conv", bipolar(random, 6, 4, 3)).add("Relu")
    x = net.value
    mean = net.add("ReduceMean", axes=[2], keepdims=0).value
    squares = net.add("Mul", x, reads=x).add("ReduceMean", axes=[2], keepdims=0).value
    net.add("Sub", net.add("Mul", mean, reads=mean).value, reads=squares).add("Sqrt")
    network = net.network(input_type="bipolar")
    assert any("count as 0" in note for note in network.notes)
    assert near(net, frames(random, 4, 16), input_type="bipolar") < 0.002


@pytest.mark.parametrize(("opset", "size"), [(18, 2), (21, 6)])
def test_a_group_normalisation_is_fixed_point(model, random, opset, size):
    """Before opset 21 scale and bias are of a group, since then of a channel."""
    net = model(3, 6, 6).add("Conv", bipolar(random, 6, 3, 3, 3))
    net.opset = opset
    net.add("GroupNormalization", *parameters(random, size), num_groups=2, epsilon=1e-3)
    assert near(net, random.integers(-8, 8, (6, 3, 6, 6)).astype(np.float32), input_type="int4") < 0.005


def test_a_root_mean_square_normalisation_is_fixed_point(model, random):
    net = model(5, 8).add("MatMul", bipolar(random, 8, 16))
    net.opset = 23
    net.add("RMSNormalization", parameters(random, 16)[0], axis=-1, epsilon=1e-3)
    assert near(net, frames(random, 5, 8), input_type="bipolar") < 0.005


@pytest.mark.parametrize("op", ["GroupNormalization", "RMSNormalization"])
def test_the_sign_of_a_normalisation_is_exact(model, random, op):
    net = model(4, 6).add("Conv", bipolar(random, 6, 4, 3))
    net.opset = 23
    scale, bias = parameters(random, 6)
    if op == "GroupNormalization":
        net.add(op, scale, bias, num_groups=3).sign()
    else:
        net.add("Transpose", perm=[0, 2, 1]).add(op, scale, axis=-1).sign().add("Transpose", perm=[0, 2, 1])
    net.add("Conv", bipolar(random, 2, 6, 1))
    net.agrees(frames(random, 4, 6), input_type="bipolar")
