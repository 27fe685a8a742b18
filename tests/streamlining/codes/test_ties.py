"""Signs that can see exactly 0: ONNX Runtime's three values, and one bit where 0 is out of reach or the user wants it."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto

import hwgen
from hwgen.arrays import codec
from hwgen.conversion import Conversion
from hwgen.errors import ModelError
from hwgen.layers.maxpool import MaxPool
from hwgen.layers.pad import Pad
from tests.random_networks import seeded_plan
from tests.streamlining.conftest import Model, bipolar, frames
from tests.verilator import played

PADS = np.array([0, 0, 1, 1, 0, 0, 1, 1])

PLUS, MINUS = Conversion(sign_at_zero=1), Conversion(sign_at_zero=-1)


def every(size: int) -> np.ndarray:
    """Give all vectors of -1 and +1."""
    return np.array(list(itertools.product((-1, 1), repeat=size)), dtype=np.float32)


def types(network) -> list[str]:
    return [str(layer.out_type) for layer in network.layers]


def between(model, random, *operators) -> Model:
    """Two layers with a sign between them whose sums are even."""
    net = model(6).add("MatMul", bipolar(random, 6, 4))
    for op, *operands in operators:
        net.add(op, *operands[:-1], **operands[-1]) if operands and isinstance(operands[-1], dict) else net.add(
            op, *operands
        )
    return net.add("MatMul", bipolar(random, 4, 3))


def test_sums_of_an_even_number_are_ternary_signs(model, random):
    network = between(model, random, ("Sign",)).agrees(every(6), input_type="bipolar")
    assert types(network)[0] == "ternary"
    assert network.layers[0].thresholds.levels.tolist() == [[[0, 2]] * 4]
    assert network.ties == (("the_matmul_0", 4),)
    (note,) = network.notes
    assert "4 channel(s) (0, 1, 2, 3) behind 'the_matmul_0': three values" in note


@pytest.mark.parametrize(("conversion", "level"), [(PLUS, 0), (MINUS, 2)])
def test_one_bit_takes_zero_as_told(model, random, conversion, level):
    random_again = np.random.default_rng(7)
    network = between(model, random, ("Sign",)).network(input_type="bipolar", conversion=conversion)
    assert types(network)[0] == "bipolar"
    assert network.layers[0].thresholds.levels.tolist() == [[[level]] * 4]
    spelled = between(
        model,
        random_again,
        ("GreaterOrEqual" if level == 0 else "Greater", np.float32(0)),
        ("Where", np.float32(1), np.float32(-1)),
    )
    codes = codec.to_codes(network.input, every(6))
    np.testing.assert_array_equal(codec.from_codes(network, network.golden(codes)), spelled.reference(every(6)))


def test_strict_refuses_and_names_the_ways_out(model, random):
    message = (
        r"exactly 0 in 4 channel\(s\) .* behind 'the_matmul_0', .* spell the sign as x >= 0, or compile without --strict for three values, "
        "or for one bit with --sign-at-zero"
    )
    with pytest.raises(ModelError, match=message):
        between(model, random, ("Sign",)).network(input_type="bipolar", conversion=Conversion(strict=True))


ONE, ZERO, HALF, NONE = np.float32(1), np.float32(0), np.float32(0.5), np.float32(-1)

ONE_BIT = {
    "where": [("GreaterOrEqual", ZERO), ("Where", ONE, NONE)],
    "greater": [("Greater", ZERO), ("Cast", {"to": TensorProto.FLOAT}), ("Mul", np.float32(2)), ("Sub", ONE)],
    "larq": [("Sign",), ("Add", np.float32(0.1)), ("Sign",)],
    "larq minus": [("Sign",), ("Sub", np.float32(0.1)), ("Sign",)],
    "hard sigmoid": [("HardSigmoid", {"alpha": 0.5, "beta": 0.5}), ("Round",), ("Mul", np.float32(2)), ("Sub", ONE)],
    "shifted": [("Sub", HALF), ("Sign",)],
    "bipolar quant": [("BipolarQuant", ONE, {"domain": "qonnx.custom_op.general"})],
}


@pytest.mark.parametrize("conversion", [Conversion(strict=True), PLUS, MINUS], ids=["strict", "plus", "minus"])
@pytest.mark.parametrize("spelling", ONE_BIT)
def test_signs_that_are_never_0_stay_one_bit_with_their_own_value_at_0(model, random, spelling, conversion):
    network = between(model, random, *ONE_BIT[spelling]).agrees(every(6), input_type="bipolar", conversion=conversion)
    assert types(network)[0] == "bipolar"
    assert network.ties == ()
    assert network.notes == ()


def test_the_residue_of_a_sign_is_one_bit(model, random):
    """QKeras: sign(x) + (1 - |sign(x)|)."""
    net = model(6).add("MatMul", bipolar(random, 6, 4)).add("Sign")
    sign = net.value
    net.add("Abs").add("Neg").add("Add", ONE).add("Add", sign).add("MatMul", bipolar(random, 4, 3))
    for conversion in (Conversion(strict=True), MINUS):
        assert types(net.agrees(every(6), input_type="bipolar", conversion=conversion))[0] == "bipolar"


@pytest.mark.parametrize("beta", [-1.0, 0.0, 1.0])
def test_a_channel_of_no_slope_is_the_sign_of_its_offset(model, random, beta):
    net = model(7).add("MatMul", bipolar(random, 7, 4))
    net.norm([1, 0, -1, 0], [0, beta, 0, 0.5], [0, 0, 0, 0], [1, 1, 1, 1]).add("Sign").add(
        "MatMul", bipolar(random, 4, 3)
    )
    assert types(net.agrees(every(7), input_type="bipolar"))[0] == ("ternary" if beta == 0 else "bipolar")


def test_only_positions_at_the_border_see_zero(model, random):
    """Three rows and columns of one channel are an odd number of taps, two rows of three are not."""
    net = model(1, 5, 5).add("Conv", bipolar(random, 4, 1, 3, 3), pads=[1] * 4).add("Sign")
    net.add("Conv", bipolar(random, 3, 4, 3, 3), pads=[1] * 4)
    assert types(net.agrees(frames(random, 1, 5, 5, count=200), input_type="bipolar"))[0] == "ternary"
    inside = (
        model(1, 5, 5).add("Conv", bipolar(random, 4, 1, 3, 3)).add("Sign").add("Conv", bipolar(random, 3, 4, 3, 3))
    )
    assert types(inside.agrees(frames(random, 1, 5, 5), input_type="bipolar"))[0] == "bipolar"


@pytest.mark.parametrize("order", [("Pad", "Sign"), ("Sign", "Pad")])
@pytest.mark.parametrize("channels", [3, 4])
def test_a_border_of_zeros_on_either_side_of_a_sign_is_a_padded_convolution(model, random, order, channels):
    net = model(channels, 4, 4).add("Conv", bipolar(random, 4, channels, 1, 1))
    for op in order:
        net.add(op, *([PADS] if op == "Pad" else []))
    net.add("Conv", bipolar(random, 3, 4, 3, 3))
    network = net.agrees(frames(random, channels, 4, 4, count=100), input_type="bipolar")
    assert types(network)[0] == ("bipolar" if channels == 3 else "ternary")
    assert len(network.layers) == 2


@pytest.mark.parametrize("reader", ["MaxPool", "GlobalAveragePool", "MatMul"])
def test_a_border_of_zeros_in_front_of_a_sign_that_something_else_reads_is_a_third_value(model, random, reader):
    net = model(3, 4, 4).add("Conv", bipolar(random, 4, 3, 1, 1)).add("Pad", PADS).add("Sign")
    if reader == "MatMul":
        net.add("Flatten").add("MatMul", bipolar(random, 4 * 36, 3))
    else:
        net.add(reader, **({"kernel_shape": [3, 3], "strides": [1, 1]} if reader == "MaxPool" else {}))
    network = net.agrees(frames(random, 3, 4, 4), input_type="bipolar")
    assert types(network)[0] == "ternary"
    assert Pad in [type(layer) for layer in network.layers]


def test_the_host_sends_the_sign_of_real_numbers_in_three_values(model, random):
    net = model(8).add("Sign").add("MatMul", bipolar(random, 8, 3))
    x = np.concatenate([random.integers(-1, 2, (40, 8)), random.normal(size=(8, 8))]).astype(np.float32)
    x[0, :3] = [-0.0, np.float32(1e-45), np.float32(-1e-45)]
    network = net.agrees(x)
    assert str(network.input.type) == "ternary"
    assert "where 'x' is exactly 0: three values" in network.notes[0]
    assert "--input-type bipolar" in network.notes[0]
    told = net.network(conversion=PLUS)
    assert str(told.input.type) == "bipolar"
    np.testing.assert_array_equal(codec.to_codes(told.input, x).reshape(x.shape), np.where(x >= 0, 1, -1))
    assert str(net.agrees(every(8), input_type="bipolar", conversion=Conversion(strict=True)).input.type) == "bipolar"


def test_pixels_whose_sign_can_be_0_are_ternary(model, random):
    x = random.integers(-2, 3, (40, 8)).astype(np.float32)
    net = model(8).add("Sign").add("MatMul", bipolar(random, 8, 3))
    assert types(net.agrees(x, input_type="int4"))[0] == "ternary"
    halves = model(8).add("Sub", HALF).add("Sign").add("MatMul", bipolar(random, 8, 3))
    assert types(halves.agrees(x, input_type="int4", conversion=Conversion(strict=True)))[0] == "bipolar"


def test_what_float32_makes_zero_is_zero(model, random):
    """Behind a batch norm whose mean is a sum that occurs, where sums are exact."""
    net = model(6).add("MatMul", bipolar(random, 6, 4))
    net.norm([0.7, -1.3, 0.1, 2.9], [0, 0, 0.1, 0], [2, -4, 0, 0.5], [0.3, 1.7, 0.9, 2.1]).add("Sign")
    net.add("MatMul", bipolar(random, 4, 3))
    network = net.agrees(every(6), input_type="bipolar")
    assert types(network)[0] == "ternary"


def test_a_sign_at_the_output_has_three_values(model, random):
    network = model(6).add("MatMul", bipolar(random, 6, 4)).add("Sign").agrees(every(6), input_type="bipolar")
    assert types(network) == ["ternary"]


def residual(model, random) -> Model:
    """Signs of even sums that a padded, a depthwise and a pooled layer read, a shortcut and a second border."""
    net = model(2, 6, 6).add("Conv", bipolar(random, 4, 2, 3, 3), pads=[1] * 4).add("Sign")
    shortcut = net.value
    net.add("Conv", bipolar(random, 4, 1, 3, 3), pads=[1] * 4, group=4).add("Sign")
    net.add("Add", shortcut).add("Sign").add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    net.add("Pad", PADS).add("Sign").add("MaxPool", kernel_shape=[2, 2], strides=[1, 1])
    net.add("Conv", bipolar(random, 6, 4, 2, 2)).add("Sign")
    return net.add("Flatten").add("MatMul", bipolar(random, 54, 3))


def in_verilog(net: Model, x: np.ndarray, folder: Path, **declared) -> None:
    """Hold the Verilog of a network that is folded at random to ONNX Runtime, and its beats to their cycles."""
    network = net.agrees(x, **declared)
    accelerator = hwgen.build(seeded_plan(network, 1), folder)
    result = played(accelerator, x, stall=True)
    np.testing.assert_array_equal(result.outputs, net.reference(x))
    assert (result.mismatches, result.beats_off_schedule) == (0, 0)


def test_a_residual_network_is_onnx_runtime_in_verilog(model, random, tmp_path):
    net = residual(model, random)
    network = net.network(input_type="bipolar")
    assert types(network).count("ternary") >= 6
    assert MaxPool in [type(layer) for layer in network.layers]
    in_verilog(net, frames(random, 2, 6, 6, count=6), tmp_path / "build", input_type="bipolar")


def test_dense_layers_of_an_even_number_are_onnx_runtime_in_verilog(model, random, tmp_path):
    net = model(8).add("Sign").add("MatMul", bipolar(random, 8, 8)).add("Sign").add("MatMul", bipolar(random, 8, 6))
    net.add("Sign").add("MatMul", bipolar(random, 6, 3))
    x = random.integers(-1, 2, (20, 8)).astype(np.float32)
    in_verilog(net, x, tmp_path / "build")


def test_the_price_of_one_bit_is_a_note(model, random):
    path = between(model, random, ("Sign",)).save()
    exact, plus = hwgen.read(path, input_type="bipolar"), hwgen.read(path, input_type="bipolar", sign_at_zero="plus")
    assert not any("LUTs" in note for note in exact.notes)
    taken, price = plus.notes
    assert taken.endswith("behind 'the_matmul_0': taken as +1, where ONNX's Sign gives 0")
    assert price.startswith("--sign-at-zero plus is about 4 channel(s) behind 1 node(s): about ")
    assert price.endswith("where it is as fast as can be")
    with pytest.raises(hwgen.OptionError, match=r"is 'plus' or 'minus', not 'up' \(--sign-at-zero\)"):
        hwgen.read(path, input_type="bipolar", sign_at_zero="up")


def test_an_option_without_a_tie_says_so(model, random):
    path = between(model, random, ("Sub", HALF), ("Sign",)).save()
    (note,) = hwgen.read(path, input_type="bipolar", sign_at_zero="minus").notes
    assert note.startswith("--sign-at-zero minus changes nothing")
