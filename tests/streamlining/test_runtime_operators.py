"""What ONNX Runtime's optimiser writes for transformers, against ONNX Runtime."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.errors import ModelError
from tests.streamlining.conftest import bipolar, frames

WIDTH = 6
OURS = "com.microsoft"


def tokens(net, random):
    return net.add("MatMul", bipolar(random, WIDTH, WIDTH)).add("Add", random.integers(-3, 4, WIDTH) * 2 + 1.0)


def two_bits(net):
    return net.add("Div", np.float32(0.41)).add("Round").add("Clip", np.float32(0), np.float32(3))


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("op", ["SkipLayerNormalization", "SkipSimplifiedLayerNormalization"])
def test_a_norm_behind_a_sum(model, random, op, biased):
    parts = [random.uniform(0.3, 2, WIDTH)]
    if op == "SkipLayerNormalization":
        parts.append(random.normal(0, 0.5, WIDTH))
    parts += [random.integers(-2, 3, WIDTH) * 1.0] if biased else []
    net = tokens(model(4, WIDTH), random).add(op, "x", *parts, domain=OURS, epsilon=1e-5)
    two_bits(net).agrees(frames(random, 4, WIDTH, count=64), input_type="bipolar")


def test_the_sum_in_front_of_a_norm_is_an_output_too(model, random):
    net = tokens(model(4, WIDTH), random)
    net.add("SkipSimplifiedLayerNormalization", "x", random.uniform(0.3, 2, WIDTH), outputs=4, domain=OURS)
    norm = net.nodes[-1]
    two_bits(net)
    total, norm.output[1], norm.output[2] = norm.output[3], "", ""
    codes = net.value
    net.add("Add", net.add("GreaterOrEqual", np.float32(0), reads=total).add("Cast", to=1).value, reads=codes)
    net.agrees(frames(random, 4, WIDTH, count=64), input_type="bipolar")


def test_statistics_as_outputs_are_refused(model, random):
    net = tokens(model(4, WIDTH), random)
    net.add("SkipLayerNormalization", "x", random.uniform(0.3, 2, WIDTH), outputs=2, domain=OURS)
    with pytest.raises(ModelError, match="gives its statistics as output 'v2_1', which only training reads"):
        net.sign().network(input_type="bipolar")


def test_a_root_mean_square_norm_of_before_it_was_onnx(model, random):
    net = tokens(model(4, WIDTH), random)
    net.add("SimplifiedLayerNormalization", random.uniform(0.3, 2, WIDTH), axis=-1, epsilon=1e-5)
    two_bits(net).agrees(frames(random, 4, WIDTH, count=64), input_type="bipolar")


def test_gelu_with_a_bias_and_by_tanh(model, random):
    net = tokens(model(4, WIDTH), random).sign().add("MatMul", bipolar(random, WIDTH, WIDTH))
    net.add("BiasGelu", random.normal(size=WIDTH), domain=OURS).add("FastGelu", domain=OURS)
    net.add("FastGelu", random.normal(size=WIDTH), domain=OURS).add("Gelu", domain=OURS)
    two_bits(net).agrees(frames(random, 4, WIDTH, count=64), input_type="bipolar")
