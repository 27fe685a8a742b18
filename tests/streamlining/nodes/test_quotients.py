"""Quotients of which only steps are read: shares of a Softmax and normalised tokens, decided by comparison, exactly as ONNX Runtime does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hwgen
from hwgen.layers.matmul import MatMul
from hwgen.layers.segments import Segments
from tests.random_networks import seeded_plan
from tests.streamlining.conftest import bipolar, frames
from tests.streamlining.nodes.test_softmax import scores
from tests.streamlining.nodes.test_stream_product import TOKENS, WIDTH
from tests.verilator import played


def tokens(net, random):
    """Append a linear function of the tokens."""
    net.add("MatMul", bipolar(random, WIDTH, WIDTH))
    return net.add("Add", random.integers(-3, 4, WIDTH) * 2 + 1.0)


def normalised(net, random, op, *, falling=False):
    """Append a norm with a factor and a constant for each channel, by its operator or in parts."""
    gamma, beta = random.uniform(0.3, 2, WIDTH), random.normal(0, 0.5, WIDTH)
    if falling:
        gamma[::2] *= -1
    start = net.value
    if op == "LayerNormalization":
        return net.add(op, gamma, beta, axis=-1, epsilon=1e-5)
    if op in ("InstanceNormalization", "GroupNormalization"):
        net.opset = 21
        net.add("Transpose", perm=(0, 2, 1))
        groups = {"num_groups": 2} if op == "GroupNormalization" else {}
        return net.add(op, gamma, beta, epsilon=1e-5, **groups)
    distance = net.add("Sub", net.add("ReduceMean", axes=[-1]).value, reads=start).value
    net.add("Pow", np.float32(2)).add("ReduceMean", axes=[-1]).add("Add", np.float32(1e-5)).add("Sqrt")
    if op == "times the reciprocal":
        net.add("Mul", net.add("Reciprocal").value, reads=distance)
    else:
        net.add("Div", net.value, reads=distance)
    return net.add("Mul", gamma).add("Add", beta)


def two_bits(net, step):
    return net.add("Div", np.float32(step)).add("Round").add("Clip", np.float32(0), np.float32(3))


def undivided(network):
    """Whether no line stands in for a reciprocal or a root, which only lines with a slope do."""
    return not any(isinstance(layer, Segments) and np.any(abs(layer.factors) > 1) for layer in network.layers)


NORMS = ("LayerNormalization", "InstanceNormalization", "GroupNormalization", "parts", "times the reciprocal")


@pytest.mark.parametrize("op", NORMS)
def test_few_bits_of_a_norm_are_compared_by_squares(model, random, op):
    net = two_bits(normalised(tokens(model(4, WIDTH), random), random, op), 0.41)
    assert undivided(net.agrees(frames(random, 4, WIDTH, count=64), input_type="bipolar"))


def test_channels_that_fall_are_compared_as_negatives(model, random):
    net = two_bits(normalised(tokens(model(4, WIDTH), random), random, "parts", falling=True), 0.41)
    assert undivided(net.agrees(frames(random, 4, WIDTH, count=64), input_type="bipolar"))


def test_the_sign_of_a_norm_in_parts(model, random):
    net = normalised(tokens(model(4, WIDTH), random), random, "parts").sign()
    assert undivided(net.agrees(frames(random, 4, WIDTH, count=64), input_type="bipolar"))


def test_three_bits_of_both_signs(model, random):
    net = normalised(tokens(model(4, WIDTH), random), random, "LayerNormalization")
    net.add("Mul", np.float32(2.3)).add("Floor").add("Clip", np.float32(-4), np.float32(3))
    assert undivided(net.agrees(frames(random, 4, WIDTH, count=64), input_type="bipolar"))


def test_more_levels_than_are_compared_are_divided_and_announced(model, random):
    net = normalised(tokens(model(4, WIDTH), random), random, "LayerNormalization").add("Mul", np.float32(8))
    network = net.add("Round").add("Clip", np.float32(-8), np.float32(7)).network(input_type="bipolar")
    assert not undivided(network)
    assert any("off by at most" in note for note in network.notes)


def test_what_is_read_as_a_real_number_too_is_divided(model, random):
    net = normalised(tokens(model(4, WIDTH), random), random, "parts")
    real = net.value
    network = net.sign().add("Mul", real).network(input_type="bipolar")
    assert not undivided(network)


@pytest.mark.parametrize("bound", [0.25, 0.2, 1 / 3, 0.5])
def test_shares_of_a_softmax_are_compared_with_parts_of_the_sum(model, random, bound):
    net = scores(model(TOKENS, WIDTH), random, heads=True).add("Mul", np.float32(0.5)).add("Softmax", axis=-1)
    net.add("GreaterOrEqual", np.float32(bound)).add("Cast", to=1)
    network = net.agrees(frames(random, TOKENS, WIDTH, count=64), input_type="bipolar")
    assert undivided(network)
    assert not any("reciprocal" in note for note in network.notes)


def test_elastic_binarization_of_a_softmax(model, random):
    net = scores(model(TOKENS, WIDTH), random).add("Mul", np.float32(0.3)).add("Softmax", axis=-1)
    net.add("Div", np.float32(0.37)).add("Round").add("Clip", np.float32(0), np.float32(1)).add("Mul", np.float32(0.37))
    assert undivided(net.agrees(frames(random, TOKENS, WIDTH, count=64), input_type="bipolar"))


def test_masked_shares_are_none(model, random):
    net = scores(model(TOKENS, WIDTH), random).add("Mul", np.float32(0.5))
    mask = np.triu(np.full((TOKENS, TOKENS), -1e4, np.float32), 1)
    two_bits(net.add("Add", mask).add("Softmax", axis=-1), 0.23)
    assert undivided(net.agrees(frames(random, TOKENS, WIDTH, count=64), input_type="bipolar"))


@pytest.mark.slow
def test_the_verilog_compares_as_onnx_runtime_divides(model, random, tmp_path: Path):
    """A normalised token in two bits and a Softmax in one, in a network that goes through Verilator once."""
    net = model(3, WIDTH)
    two_bits(normalised(tokens(net, random), random, "LayerNormalization"), 0.41)
    keys = net.add("MatMul", bipolar(random, WIDTH, 4)).add("Add", np.float32(0.5)).sign().value
    net.add("MatMul", net.add("Transpose", perm=(0, 2, 1)).value, reads=keys).add("Mul", np.float32(0.5))
    net.add("Softmax", axis=-1).add("Greater", np.float32(0.3)).add("Cast", to=1).add("MatMul", keys)
    x = frames(random, 3, WIDTH, count=12)
    network = net.agrees(x, input_type="bipolar")
    accelerator = hwgen.build(seeded_plan(network, 1), tmp_path / "build")
    result = played(accelerator, x, stall=False)
    np.testing.assert_array_equal(result.outputs, net.reference(x))
    assert (result.mismatches, result.beats_off_schedule) == (0, 0)
    assert sum(isinstance(layer, MatMul) for layer in network.layers) == 2
