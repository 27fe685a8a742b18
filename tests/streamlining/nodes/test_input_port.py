"""The two ends: what the host sends, and what it gets."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from onnx import helper

from hwgen.arrays import codec
from hwgen.errors import ModelError, NodesError, OptionError
from hwgen.layers.argmax import ArgMax
from hwgen.layers.dense import Dense
from hwgen.layers.table import Table
from hwgen.streamlining.nodes.input_port import code_type
from hwgen.streamlining.options import Options
from hwgen.streamlining.streamline import streamline
from tests.streamlining.conftest import bipolar

EVERY = np.array(list(itertools.product((-1, 1), repeat=8)), dtype=np.float32)


@pytest.mark.parametrize("slope", [2.0, -2.0])
def test_a_sign_behind_the_input_is_the_host_s(model, random, slope):
    bias = np.array([-1, 0.5, 0.25, 3])
    net = model(4).add("Mul", np.float32(slope)).add("Add", bias).sign().add("MatMul", bipolar(random, 4, 3))
    edges = (-bias / slope).astype(np.float32)
    x = np.stack([edges, np.nextafter(edges, np.float32(9)), np.nextafter(edges, np.float32(-9)), -edges, 0 * edges])
    network = net.agrees(np.concatenate([x, random.standard_normal((50, 4)).astype(np.float32)]))
    assert network.input.type.bipolar
    assert network.input.direction == np.sign(slope)
    np.testing.assert_array_equal(network.input.steps[:, 0], edges * np.sign(slope))


def test_the_host_quantises_to_several_levels(model, random):
    net = model(4).add("Mul", np.float32(3)).add("Round").add("Clip", np.float32(-2), np.float32(1))
    network = net.add("MatMul", bipolar(random, 4, 3)).agrees(random.standard_normal((200, 4)).astype(np.float32))
    assert (network.input.type.low, network.input.type.high) == (-2, 1)
    assert network.input.steps.shape == (1, 3)


def test_quantisers_that_step_alike_are_one(model, random):
    net = model(4).sign().add("MatMul", bipolar(random, 4, 3))
    one, net.value = net.value, "x"
    net.add("Mul", np.float32(2)).sign().add("MatMul", bipolar(random, 4, 3)).add("Add", one)
    network = net.agrees(random.standard_normal((50, 4)).astype(np.float32))
    assert network.input.type.bipolar
    assert not network.notes


def test_the_refusal_of_a_real_input_tells_of_the_quantiser_that_another_node_has(model, random):
    net = quantised(model(4), scale=0.125, bits=6).add("MatMul", bipolar(random, 4, 3))
    one, net.value = net.value, "x"
    net.add("MatMul", bipolar(random, 4, 3)).add("Add", one)
    with pytest.raises(
        ModelError, match=r"for instance --input-type int6 --input-scale 0.125 as the quantiser of another node has it"
    ):
        net.network()
    net.agrees(random.integers(-32, 32, (50, 4)).astype(np.float32) / 8, input_type="int6", input_scale=0.125)


def quantised(net, *, scale, bits, signed=1, mode="ROUND", point=0):
    numbers = map(np.asarray, (np.float32(scale), np.float32(point), np.float32(bits)))
    return net.add("Quant", *numbers, domain="qonnx.custom_op.general", signed=signed, narrow=0, rounding_mode=mode)


def near_steps(random, scale, bits, signed, count, size):
    """Give numbers on, just below and just above the ties of a quantiser, and beyond its ends."""
    low = -(2 ** (bits - 1)) if signed else 0
    x = ((random.integers(low - 2, low + 2**bits + 2, (count, size)) + 0.5) * scale).astype(np.float32)
    side = np.where(random.integers(0, 2, x.shape), np.float32(9e9), np.float32(-9e9))
    return np.where(random.integers(0, 3, x.shape) > 0, np.nextafter(x, side), x)


@pytest.mark.parametrize("mode", ["ROUND", "FLOOR", "HALF_DOWN"])
@pytest.mark.parametrize(
    ("scale", "bits", "signed"), [(1 / 255, 8, 0), (0.1, 6, 1), (1 / 3, 9, 1), (2.0**-13, 16, 1), (1 / 127, 16, 0)]
)
def test_the_host_decides_as_float32_does_at_every_step(model, random, scale, bits, signed, mode):
    net = quantised(model(12), scale=scale, bits=bits, signed=signed, mode=mode, point=0 if signed else 3)
    network = net.add("Mul", np.float32(1 / scale)).add("Round").add("MatMul", bipolar(random, 12, 3)).network()
    assert network.input.type.levels == 2**bits
    assert network.input.steps.shape == (1, 2**bits - 1)
    x = near_steps(random, scale, bits, signed, 40, 12)
    found = codec.from_codes(network, network.golden(codec.to_codes(network.input, x)))
    np.testing.assert_array_equal(found, net.reference(x))


def test_a_scale_for_each_channel_of_the_input(model, random):
    net = quantised(model(3, 4, 4), scale=np.array([1 / 255, 0.1, 0.25]).reshape(1, 3, 1, 1), bits=7, signed=0)
    net.add("Conv", bipolar(random, 4, 3, 2, 2))
    network = net.agrees_nearly(near_steps(random, 0.1, 7, 0, 20, 48).reshape(-1, 3, 4, 4))
    assert network.input.steps.shape == (3, 127)


@pytest.mark.parametrize("scale", [1 / 255, 0.1, 2 / 255])
@pytest.mark.parametrize("way", ["direct", "joined", "reversed"])
def test_thresholds_at_declared_numbers_are_met(model, random, scale, way):
    """The file gets float32's nearest to each number, and a threshold may be just that; it is equal, too, behind what only moves it."""
    net = model(4)
    if way == "joined":
        net.add("Concat", "x", axis=1)
    if way == "reversed":
        net.add("Gather", np.array([3, 1, 0, 2, 1]), axis=1).add("Concat", "x", axis=1)
    steps = (np.arange(3, 250, 19) * scale).astype(np.float32).reshape(1, -1)
    net.add("MultiThreshold", steps, domain="qonnx.custom_op.general")
    x = (scale * np.arange(256)).astype(np.float32).reshape(-1, 4)
    network = net.agrees(np.concatenate([x, x[:, ::-1]]), input_type="uint8", input_scale=scale)
    assert network.notes == ()


@pytest.mark.parametrize("other", ["nested", "unlike", "falling", "sign"])
def test_two_quantisers_of_one_input_are_functions_of_what_the_host_tells_apart(model, random, other):
    net = quantised(model(6), scale=0.125, bits=6).add("MatMul", bipolar(random, 6, 3))
    one, net.value = net.value, "x"
    if other == "nested":
        quantised(net, scale=0.25, bits=4, mode="FLOOR")
    elif other == "unlike":
        quantised(net, scale=0.1, bits=5).add("Mul", np.float32(10)).add("Round")
    elif other == "falling":
        net.add("Mul", np.array([-3, -1, -0.5, -2, -7, -1])).add("Add", np.float32(0.3)).add("Round")
        net.add("Clip", np.float32(-2), np.float32(5))
    else:
        net.add("Add", random.standard_normal(6)).sign()
    net.add("MatMul", bipolar(random, 6, 3)).add("Add", one)
    edges = np.concatenate([near_steps(random, scale, 6, 1, 40, 6) for scale in (0.125, 0.25, 0.1)])
    network = net.agrees(np.concatenate([edges, random.standard_normal((99, 6)).astype(np.float32)]))
    assert any("is read through several quantisers: the host tells" in note for note in network.notes)


@pytest.mark.parametrize("other", ["Neg", "Cast"])
def test_quantisers_that_step_at_the_same_numbers_may_give_other_codes(model, random, other):
    """One counts down, or from zero, where the other counts up from -1."""
    net = model(6)
    net.sign()
    first = net.value
    if other == "Neg":
        net.add("Neg")
    else:
        net.add("GreaterOrEqual", np.float32(0), reads="x").add("Cast", to=1)
    net.add("Concat", first, axis=1).add("MatMul", bipolar(random, 12, 3))
    x = random.standard_normal((40, 6)).astype(np.float32)
    net.agrees(np.concatenate([x, 0 * x[:1]]))


def test_an_unquantised_input_needs_a_declaration(model, random):
    net = model(4).add("Mul", np.float32(3)).add("MatMul", bipolar(random, 4, 3))
    with pytest.raises(
        ModelError,
        match=r"'the_matmul_1' \(MatMul\) reads input 'x' as real numbers; say what the host sends, for instance --input-type "
        r"bipolar where it is -1 and \+1, --input-type uint8 --input-scale 1/255 where it is bytes divided by 255, or give real frames",
    ):
        net.network()
    net.agrees(random.integers(0, 256, (50, 4)).astype(np.float32) / 4, input_type="uint8", input_scale=0.25)
    net.agrees(
        random.integers(-8, 8, (50, 4)).astype(np.float32) + np.float32(0.5), input_type="int4", input_offset=0.5
    )


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"input_type": "uint99"}, "Input type 'uint99' is not known; use bipolar, ternary"),
        ({"input_scale": 0.5}, "needs an input type"),
        ({"input_type": "uint8", "input_scale": 0.0}, "scale not 0, not 0.0"),
        ({"input_type": "uint8", "input_offset": float("nan")}, "finite"),
    ],
)
def test_declarations_without_meaning(model, random, declared, message):
    with pytest.raises(OptionError, match=message):
        model(4).add("MatMul", bipolar(random, 4, 3)).network(**declared)


def test_a_score_has_its_own_scale_for_each_class(model, random):
    net = (
        model(8)
        .add("MatMul", bipolar(random, 8, 4))
        .add("Mul", np.array([1, -0.5, 0, 2]))
        .add("Add", np.array([1, 2, 3, -4.0]))
    )
    network = net.agrees(EVERY, input_type="bipolar")
    np.testing.assert_array_equal(network.output.scale, [1, 0.5, 0, 2])
    assert np.all(np.abs(network.layers[0].weights) == 1)


def test_an_output_that_is_no_line_is_a_table_for_the_host(model, random):
    net = model(40).add("MatMul", bipolar(random, 40, 4)).add("Mul", np.array([1, -0.5, 3, 2])).add("Abs")
    network = net.agrees(bipolar(random, 99, 40), input_type="bipolar")
    assert network.output.values.shape == (4, 81)


def test_an_output_of_two_values_is_one_bit(model, random):
    net = model(8).add("MatMul", bipolar(random, 8, 4)).sign().add("Add", np.float32(3))
    network = net.agrees(EVERY, input_type="bipolar")
    assert network.layers[0].out_type.bipolar
    np.testing.assert_array_equal(network.output.offset, [3] * 4)


@pytest.mark.parametrize("operator", ["Softmax", "LogSoftmax"])
def test_softmax_is_left_to_the_host_and_named(model, random, operator):
    net = model(8).add("MatMul", bipolar(random, 8, 4)).add(operator, axis=1)
    network = net.network(input_type="bipolar")
    assert network.output.dropped == (f"the_{operator.lower()}_1",)
    found = codec.from_codes(network, network.golden(codec.to_codes(network.input, EVERY)))
    np.testing.assert_allclose(found, net.reference(EVERY), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("last", [0, 1])
@pytest.mark.parametrize("keepdims", [0, 1])
def test_arg_max_of_a_common_scale_ranks_the_accumulators(model, random, last, keepdims):
    net = model(8).add("MatMul", bipolar(random, 8, 5)).add("Mul", np.float32(0.5)).add("Add", np.float32(1))
    net.add("ArgMax", axis=1, keepdims=keepdims, select_last_index=last)
    network = net.agrees(EVERY, input_type="bipolar")
    assert [type(layer) for layer in network.layers] == [Dense, ArgMax]


@pytest.mark.parametrize("spelling", ["ArgMax", "TopK"])
def test_arg_max_of_a_scale_for_each_class_ranks_exactly_with_ties(model, random, spelling):
    net = (
        model(8)
        .add("MatMul", bipolar(random, 8, 5))
        .add("Mul", np.array([1, 0.5, -0.5, 0.25, 2]))
        .add("Add", np.array([0, 1, 2, 0, -1.0]))
    )
    if spelling == "ArgMax":
        net.add("ArgMax", axis=1, keepdims=1)
    else:
        net.add("TopK", np.array([1]), outputs=2, axis=1)
        net.value += "_1"
    network = net.agrees(EVERY, input_type="bipolar")
    assert [type(layer) for layer in network.layers] == [Dense, Table, ArgMax]
    assert "ranks" in network.notes[0]


def test_a_negative_common_scale_ranks_from_below(model, random):
    net = model(8).add("MatMul", bipolar(random, 8, 5)).add("Mul", np.float32(-3)).add("ArgMax", axis=1, keepdims=0)
    net.agrees(EVERY, input_type="bipolar")


def test_arg_max_of_each_pixel(model, random):
    net = model(2, 5, 5).add("Conv", bipolar(random, 4, 2, 3, 3)).add("ArgMax", axis=1, keepdims=1)
    assert net.agrees(bipolar(random, 20, 2, 5, 5), input_type="bipolar").output.onnx_shape == (1, 3, 3)


@pytest.mark.parametrize("largest", [0, 1])
def test_several_places(model, random, largest):
    net = model(8).add("MatMul", bipolar(random, 8, 5) * np.arange(1, 6)).add("Mul", np.float32(-1))
    net.add("TopK", np.array([3]), outputs=2, axis=1, largest=largest)
    net.value = "v2_1"
    net.agrees(EVERY, input_type="bipolar")


def test_places_of_each_pixel(model, random):
    net = model(2, 5, 5).add("Conv", bipolar(random, 4, 2, 3, 3)).add("TopK", np.array([2]), outputs=2, axis=1)
    net.value = "v1_1"
    net.agrees(bipolar(random, 20, 2, 5, 5), input_type="bipolar")


def test_the_values_of_a_ranking_are_refused(model, random):
    net = model(8).add("MatMul", bipolar(random, 8, 5)).add("TopK", np.array([2]), outputs=2, axis=1)
    with pytest.raises(ModelError, match="Output 'v1' holds the values of a ranking; only its indices have hardware"):
        net.network(input_type="bipolar")


def test_arg_min(model, random):
    net = model(8).add("MatMul", bipolar(random, 8, 5) * np.arange(1, 6)).add("ArgMin", axis=1, keepdims=0)
    net.agrees(EVERY, input_type="bipolar")


def test_a_model_without_a_layer_is_refused(model):
    with pytest.raises(ModelError, match="at least one layer"):
        model(4).sign().network()


def test_all_nodes_without_hardware_are_named_at_once(model, random):
    net = model(2, 5, 5)
    first = net.add("Conv", bipolar(random, 4, 2, 3, 3), name="a").value
    second = net.add("Conv", bipolar(random, 4, 2, 3, 3), reads="x", name="b").value
    top = net.add("ReduceProd", axes=[1], reads=first, name="top").value
    net.add("Pow", second, reads=first, name="power").add("Add", top, name="not_named")
    with pytest.raises(NodesError, match=r"2 nodes of the model cannot become hardware: 'top' .*; 'power' ") as caught:
        net.network(input_type="bipolar")
    assert [(obstacle.node, obstacle.op) for obstacle in caught.value.obstacles] == [
        ("top", "ReduceProd"),
        ("power", "Pow"),
    ]
    assert caught.value.obstacles[0].reason.startswith("has no hardware; sums, means")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("uint8", "uint8"), ("INT4", "int4"), ("bipolar", "bipolar"), ("TERNARY", "ternary"), ("binary", "uint1")],
)
def test_type_names(name, expected):
    assert str(code_type(name)) == expected


@pytest.mark.parametrize("name", ["int1", "uint0", "uint17", "float32", "", "int"])
def test_names_of_no_type(name):
    assert code_type(name) is None


def test_a_graph_whose_input_has_an_axis_of_any_size_is_refused(model, random):
    """A file is refused as it is read; a graph may have been put together by hand."""
    graph = model(8).add("MatMul", bipolar(random, 8, 4)).graph()
    values = {**graph.values, "x": replace(graph.values["x"], shape=(None, None))}
    with pytest.raises(ModelError, match="Input 'x' has axes of unknown size; export the model with fixed shapes"):
        streamline(replace(graph, values=values), Options(input_type="bipolar"))


def test_a_constant_beside_the_input_is_no_element_of_it(model, random):
    """The first product reads a vector that only begins with the frame."""
    net = model(3)
    net.nodes.append(
        helper.make_node("Concat", ["x", net.constant(np.float32([[1, 1]]))], ["joined"], name="join", axis=1)
    )
    net.input.type.tensor_type.shape.dim[0].dim_value = 1
    net.value = "joined"
    net.add("MatMul", bipolar(random, 5, 2))
    network = net.network(input_type="int8")
    x = random.integers(-9, 9, (6, 3))
    expected = np.concatenate([net.reference(row[None].astype(np.float32)) for row in x])
    np.testing.assert_array_equal(codec.from_codes(network, network.golden(codec.to_codes(network.input, x))), expected)
