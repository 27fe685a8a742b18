"""Signs, quantisers, weights and what is refused, against ONNX Runtime to the last bit."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from onnx import TensorProto

from hwgen.arrays import codec
from hwgen.conversion import Conversion
from hwgen.errors import ModelError
from hwgen.layers.dense import Dense
from hwgen.layers.table import Table
from hwgen.layers.thresholding import Thresholding
from hwgen.operators.evaluate import run as run_graph
from tests.streamlining.conftest import bipolar, frames


def test_ties_at_zero_are_plus_one_as_where_says(model, random):
    net = model(6).add("MatMul", bipolar(random, 6, 4)).sign().add("MatMul", bipolar(random, 4, 3))
    x = np.array(list(itertools.product((-1, 1), repeat=6)), dtype=np.float32)
    network = net.agrees(x, input_type="bipolar")
    assert network.notes == ()
    assert network.layers[0].thresholds.levels.tolist() == [[[0]] * 4]


def test_strictly_greater_moves_the_tie(model, random):
    net = model(6).add("MatMul", bipolar(random, 6, 4)).add("Greater", np.float32(0))
    net.add("Where", np.float32(1), np.float32(-1)).add("MatMul", bipolar(random, 4, 3))
    x = np.array(list(itertools.product((-1, 1), repeat=6)), dtype=np.float32)
    assert net.agrees(x, input_type="bipolar").layers[0].thresholds.levels.tolist() == [[[2]] * 4]


def test_sign_that_cannot_see_zero_needs_no_note(model, random):
    net = model(7).add("MatMul", bipolar(random, 7, 4)).add("Sign").add("MatMul", bipolar(random, 4, 3))
    x = np.array(list(itertools.product((-1, 1), repeat=7)), dtype=np.float32)
    assert net.agrees(x, input_type="bipolar", conversion=Conversion(strict=True)).notes == ()


def test_sign_of_relu_is_a_bit_of_zero_and_one(model, random):
    net = model(6).add("MatMul", bipolar(random, 6, 4)).add("Relu").add("Sign").add("MatMul", bipolar(random, 4, 3))
    x = np.array(list(itertools.product((-1, 1), repeat=6)), dtype=np.float32)
    network = net.agrees(x, input_type="bipolar")
    assert network.layers[0].out_type.bipolar
    assert network.notes == ()


def test_a_dead_zone_gives_ternary_codes(model, random):
    net = model(9).add("MatMul", bipolar(random, 9, 4)).add("Mul", np.float32(0.125)).add("Round").add("Sign")
    net.add("MatMul", bipolar(random, 4, 3))
    x = np.array(list(itertools.product((-1, 1), repeat=9)), dtype=np.float32)
    assert str(net.agrees(x, input_type="bipolar").layers[0].out_type) == "ternary"


@pytest.mark.parametrize("beta", [0.0, 0.5, -0.5])
def test_gamma_of_any_sign_and_zero(model, random, beta):
    gamma = np.array([1, -1, 0, 0.5, -2])
    net = model(8).add("MatMul", bipolar(random, 8, 5)).add("Mul", gamma).add("Add", np.full(5, beta)).sign()
    net.add("MatMul", bipolar(random, 5, 3))
    x = np.array(list(itertools.product((-1, 1), repeat=8)), dtype=np.float32)
    network = net.agrees(x, input_type="bipolar")
    first = network.layers[0]
    assert np.all(np.abs(first.weights) == 1)
    assert first.thresholds.levels[0, 2, 0] == (-8 if beta >= 0 else 10)


def test_folded_gamma_of_zero_is_the_same_network(model, random):
    weights, gamma = bipolar(random, 8, 3), np.array([0.5, -0.25, 0])
    plain = model(8).add("MatMul", weights).add("Mul", gamma).sign().add("MatMul", np.ones((3, 2), np.float32))
    one = plain.network(input_type="bipolar")
    folded = model(8).add("MatMul", (weights * gamma)).sign().add("MatMul", np.ones((3, 2), np.float32))
    other = folded.network(input_type="bipolar")
    for a, b in zip(one.layers, other.layers, strict=True):
        np.testing.assert_array_equal(a.weights, b.weights)
    np.testing.assert_array_equal(one.layers[0].thresholds.levels, other.layers[0].thresholds.levels)


def test_tiny_variance(model, random):
    net = model(8).add("MatMul", bipolar(random, 8, 4))
    net.norm([1, -1, 1, -1], [0.25] * 4, [1, 1, -3, 0.5], [5.6e-45, 1e-30, 4, 1], epsilon=2.0**-16).sign()
    net.add("MatMul", bipolar(random, 4, 3))
    x = np.array(list(itertools.product((-1, 1), repeat=8)), dtype=np.float32)
    net.agrees(x, input_type="bipolar")


@pytest.mark.parametrize("variance", [-1.0, 0.0])
def test_a_variance_that_gives_nan_or_infinity_names_the_node(model, random, variance):
    net = model(8).add("MatMul", bipolar(random, 8, 4)).norm([1] * 4, [0] * 4, [0.5] * 4, [1, variance, 1, 1]).sign()
    with pytest.raises(ModelError, match=r"'the_batchnormalization_1' \(BatchNormalization\) yields (NaN|infinity)"):
        net.add("MatMul", bipolar(random, 4, 3)).network(input_type="bipolar")


def test_few_level_activations_become_thresholds(model, random):
    net = model(12).add("MatMul", bipolar(random, 12, 6)).add("Mul", np.float32(0.25)).add("Round")
    net.add("Clip", np.float32(0), np.float32(3)).add("MatMul", bipolar(random, 6, 4))
    network = net.agrees(frames(random, 12), input_type="bipolar")
    assert str(network.layers[0].out_type) == "uint2"
    assert network.layers[0].thresholds.steps == 3


def test_a_function_that_rises_and_falls_becomes_a_table(model, random):
    net = model(12).add("MatMul", bipolar(random, 12, 6)).add("Abs").add("Sub", np.float32(3)).sign()
    network = net.add("MatMul", bipolar(random, 6, 4)).agrees(frames(random, 12), input_type="bipolar")
    assert [type(layer) for layer in network.layers] == [Dense, Table, Dense]


def test_small_integer_and_ternary_weights(model, random):
    weights = random.integers(-3, 4, (12, 6)).astype(np.float32)
    weights[0], weights[1] = 1, 0
    net = model(12).add("MatMul", weights * np.float32(0.125)).sign().add("MatMul", np.sign(weights[:6, :3]) * 0.5)
    network = net.agrees(frames(random, 12), input_type="bipolar")
    np.testing.assert_array_equal(network.layers[0].weights, weights.T)


def test_signs_of_channels_fold_into_the_next_weights(model, random):
    net = model(8).add("Mul", np.array([1, -1, -1, 1, 1, 1, -1, 1.0])).add("MatMul", bipolar(random, 8, 4))
    network = net.agrees(frames(random, 8), input_type="bipolar")
    assert len(network.layers) == 1


def test_scales_of_channels_are_refused(model, random):
    net = model(8).add("MatMul", bipolar(random, 8, 4)).sign().add("Mul", np.array([1, 2**0.5, 0.3, 1]))
    net.add("MatMul", bipolar(random, 4, 3))
    with pytest.raises(ModelError, match=r"'the_matmul_4' \(MatMul\) reads real numbers .* without --exact"):
        net.network(input_type="bipolar", conversion=Conversion(exact=True))


def test_real_weights_are_refused(model, random):
    net = model(8).add("MatMul", bipolar(random, 8, 4)).sign().add("MatMul", random.standard_normal((4, 3)))
    with pytest.raises(
        ModelError, match=r"'the_matmul_3' \(MatMul\) has weights that are not a few integers times one scale: row 0"
    ):
        net.network(input_type="bipolar", conversion=Conversion(exact=True))


def test_real_activations_are_refused(model, random):
    net = model(8).add("MatMul", bipolar(random, 8, 4)).add("Tanh").add("MatMul", bipolar(random, 4, 3))
    with pytest.raises(ModelError, match=r"'the_matmul_2' \(MatMul\) reads real numbers that come from 'the_matmul_0'"):
        net.network(input_type="bipolar", conversion=Conversion(exact=True))


def test_a_residue_of_one_map_is_a_function_of_it(model, random):
    net = model(8).add("MatMul", bipolar(random, 8, 4)).add("Mul", np.float32(0.3))
    x = net.value
    quantised = net.sign().value
    negative = net.add("Neg", reads=x).value
    inner = net.add("Add", quantised, reads=negative).value
    net.add("Add", inner, reads=x).add("MatMul", bipolar(random, 4, 3))
    network = net.network(input_type="bipolar")
    assert network.layers[0].out_type.bipolar
    codes = np.array(list(itertools.product((-1, 1), repeat=8))).reshape(-1, 1, 1, 8)
    sums = codes.reshape(-1, 8) @ network.layers[0].weights.T
    np.testing.assert_array_equal(network.layers[0].golden(codes)[:, 0, 0], np.where(sums >= 0, 1, -1))


def test_integer_input_needs_no_declaration(model, random):
    net = model(6, dtype=TensorProto.INT8).add("Cast", to=TensorProto.FLOAT).add("MatMul", bipolar(random, 6, 4))
    network = net.agrees(random.integers(-128, 128, (20, 6)).astype(np.int8))
    assert str(network.input.type) == "int8"


def test_quantised_weights_and_activations_of_several_bits(model, random):
    domain = {"domain": "qonnx.custom_op.general", "signed": 1, "narrow": 1, "rounding_mode": "ROUND"}
    parameters = (np.float32(0.25), np.float32(0), np.float32(3))
    net = model(20)
    net.add("Quant", *parameters, reads=net.constant(random.standard_normal((20, 8)).astype(np.float32)), **domain)
    net.add("MatMul", net.value, reads="x").add("Mul", random.choice([-0.25, 0.125, 0.5], 8))
    net.add("Quant", *parameters, **domain).add("MatMul", bipolar(random, 8, 3))
    network = net.network(input_type="int4")
    assert (network.layers[0].out_type.low, network.layers[0].out_type.high) == (-3, 3)
    x = random.integers(-8, 8, (64, 20)).astype(np.float32)
    scores = codec.from_codes(network, network.golden(codec.to_codes(network.input, x)))
    np.testing.assert_array_equal(scores, run_graph(net.graph(), {"x": x})[net.value])


def test_integers_of_a_large_range_are_searched(model, random):
    net = model(40).add("MatMul", bipolar(random, 40, 6)).add("Mul", random.choice([-2.0, 0.5, 1], 6))
    net.add("Add", random.integers(-500, 500, 6) + 0.25).sign().add("MatMul", bipolar(random, 6, 3))
    x = random.integers(-128, 128, (500, 40)).astype(np.float32)
    network = net.agrees(x, input_type="int8")
    assert np.all(network.layers[0].thresholds.levels % 1 == 0)


def test_a_step_is_where_float32_has_it(model):
    exact = 3 * float(np.float32(0.1)) - float(np.float32(0.3))
    rounded = np.float32(3) * np.float32(0.1) - np.float32(0.3)
    assert (exact >= 0) != (rounded >= 0)
    net = model(3).add("MatMul", np.ones((3, 1), np.float32)).add("Mul", np.float32(0.1)).add("Sub", np.float32(0.3))
    every = np.array(list(itertools.product((-1, 1), repeat=3)), dtype=np.float32)
    network = net.sign().add("MatMul", np.ones((1, 2), np.float32)).agrees(every, input_type="bipolar")
    assert network.layers[0].thresholds.levels.item() == 3
    assert not network.notes


def test_channels_that_the_order_of_a_float32_sum_may_decide_are_named(model, random):
    """The sum of 400 tenths is a tenth of an integer but for roundings."""
    net = model(400).add("MatMul", np.float32(0.1) * bipolar(random, 400, 4))
    net.add("Add", np.array([0.2, 0.3, -0.2 - 1e-6, 5e-3])).sign().add("MatMul", bipolar(random, 4, 2))
    network = net.network(input_type="bipolar")
    (note,) = network.notes
    assert note == (
        "float32 rounding may decide otherwise than exact arithmetic in 2 channel(s) (0, 2) behind 'the_matmul_0' "
        "(channel 0 at -2): exact arithmetic is used"
    )


def test_a_sign_on_declared_pixels_is_a_layer_of_its_own(model, random):
    net = model(1, 4, 4).add("Flatten").add("Mul", np.float32(2)).add("Sub", np.float32(1)).sign()
    x = random.integers(0, 256, (20, 1, 4, 4)).astype(np.float32) / 256
    network = net.add("MatMul", bipolar(random, 16, 3)).agrees(x, input_type="uint8", input_scale=1 / 256)
    assert [type(layer) for layer in network.layers] == [Thresholding, Dense]
    np.testing.assert_array_equal(network.layers[0].thresholds.levels, np.full((1, 16, 1), 128))


@pytest.mark.parametrize("beta", [1, -1])
def test_a_constant_channel_of_wide_weights_costs_one_bit_a_weight(model, random, beta):
    weights = random.integers(-3, 4, (12, 3)).astype(np.float32)
    weights[0], weights[1] = 1, 3
    net = (
        model(12).add("MatMul", weights).add("Mul", np.array([1, 0, -1.0])).add("Add", np.array([0.5, beta, 0])).sign()
    )
    network = net.add("MatMul", bipolar(random, 3, 2)).agrees(frames(random, 12), input_type="bipolar")
    assert np.all(network.layers[0].weights[1] == 1)
    assert network.layers[0].thresholds.levels[0, 1, 0] == (-12 if beta > 0 else 14)
