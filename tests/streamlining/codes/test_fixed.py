"""Real numbers in fixed point: within the announced error of ONNX Runtime, nearer with more bits, refused where asked."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from hwgen.arrays import codec
from hwgen.conversion import Conversion
from hwgen.errors import DataError, ModelError, OptionError
from hwgen.layers.conv import Conv
from hwgen.layers.segments import Segments
from hwgen.layers.table import Table
from hwgen.streamlining.calibration import calibrated
from hwgen.streamlining.options import Options
from hwgen.streamlining.streamline import streamline
from tests.streamlining.conftest import bipolar, frames

EXACT, DEFAULT = Conversion(exact=True), Conversion()


def off(net, x, network):
    """Give the greatest distance from ONNX Runtime."""
    found = codec.from_codes(network, network.golden(codec.to_codes(network.input, x)))
    return float(np.max(np.abs(found.astype(np.float64) - net.reference(x))))


def announced(network):
    """Give the largest errors in the notes."""
    return [float(number) for note in network.notes for number in re.findall(r"off by at most ([-+.e0-9]+)", note)]


def column(random, low, high, channels):
    return random.uniform(low, high, (channels, 1, 1)).astype(np.float32)


def shortcut(net, random, channels=6):
    """Append a binary convolution with a real scale and bias for each channel, and add what came before."""
    before = net.value
    net.sign().add("Conv", bipolar(random, channels, channels, 3, 3), pads=[1, 1, 1, 1])
    net.add("Mul", column(random, 0.02, 0.08, channels)).add("Add", column(random, -0.5, 0.5, channels))
    return net.add("Add", before)


def residual(model, random, blocks=2):
    net = (
        model(3, 6, 6)
        .add("Conv", bipolar(random, 6, 3, 3, 3), pads=[1, 1, 1, 1])
        .add("Mul", column(random, 0.01, 0.05, 6))
    )
    for _ in range(blocks):
        shortcut(net, random)
    return net


def test_a_residual_network_converges_to_the_float_model(model, random):
    net = residual(model, random)
    net.add("Conv", bipolar(random, 4, 6, 1, 1))
    x = frames(random, 3, 6, 6)
    errors = [
        off(net, x, net.network(input_type="bipolar", conversion=Conversion(fixed_bits=bits)))
        for bits in (6, 10, 14, 18, 22)
    ]
    assert all(later < earlier / 4 for earlier, later in itertools.pairwise(errors))
    assert errors[-1] < 3e-5


def test_real_weights_converge_to_the_float_model(model, random):
    net = model(8).add("MatMul", bipolar(random, 8, 6)).sign().add("MatMul", random.standard_normal((6, 3)))
    x = frames(random, 8)
    errors = [
        off(net, x, net.network(input_type="bipolar", conversion=Conversion(weight_bits=bits)))
        for bits in (4, 8, 12, 16)
    ]
    assert all(later < earlier / 4 for earlier, later in itertools.pairwise(errors))


CURVES = ["Tanh", "Sigmoid", "HardSigmoid", "Softplus", "Elu", "LeakyRelu", "Relu", "HardSwish", "Erf"]


@pytest.mark.parametrize("inputs", [40, 400])
@pytest.mark.parametrize("op", CURVES)
def test_activations_between_linear_layers(model, random, op, inputs):
    """A table of few integers, pieces along many."""
    net = (
        model(inputs)
        .add("MatMul", bipolar(random, inputs, 6))
        .add("Mul", random.uniform(0.03, 0.2, 6))
        .add("Add", random.normal(size=6))
    )
    net.add(op).add("MatMul", bipolar(random, 6, 3))
    network = net.network(input_type="bipolar")
    (error,) = announced(network)
    (layer,) = [layer for layer in network.layers if isinstance(layer, Segments | Table)]
    assert layer.out_type.bits <= 16
    assert off(net, frames(random, inputs, count=300), network) <= 6 * error + 1e-6


def test_a_prelu_between_two_shifts_stays_within_half_a_step(model, random):
    """RPReLU of ReActNet, on a real-valued stream."""
    net = residual(model, random, 1)
    net.add("Add", column(random, -1, 1, 6)).add("PRelu", column(random, 0.1, 0.4, 6)).add(
        "Add", column(random, -1, 1, 6)
    )
    net.add("Conv", bipolar(random, 4, 6, 1, 1))
    network = net.network(input_type="bipolar")
    (layer,) = [layer for layer in network.layers if isinstance(layer, Segments)]
    assert layer.pieces == 2
    assert re.search(r"off by at most .*, 0\.5\d steps", network.notes[-1])
    assert off(net, frames(random, 3, 6, 6), network) <= 6 * sum(announced(network)) + 1e-6


def test_channels_of_different_scales_get_one(model, random):
    net = model(8).add("MatMul", bipolar(random, 8, 4)).sign().add("Mul", np.array([1, 2**0.5, 0.3, 1]))
    net.add("MatMul", bipolar(random, 4, 3))
    network = net.network(input_type="bipolar")
    assert off(net, frames(random, 8), network) <= 4 * announced(network)[0] + 1e-6


def test_a_pool_on_a_real_stream(model, random):
    net = (
        residual(model, random, 1)
        .add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
        .add("Conv", bipolar(random, 4, 6, 1, 1))
    )
    network = net.network(input_type="bipolar")
    assert off(net, frames(random, 3, 6, 6), network) <= 6 * sum(announced(network)) + 1e-6


def test_a_zero_border_on_a_real_stream(model, random):
    net = residual(model, random, 1).add("Conv", bipolar(random, 4, 6, 3, 3), pads=[1, 1, 1, 1])
    network = net.network(input_type="bipolar")
    assert off(net, frames(random, 3, 6, 6), network) <= 54 * sum(announced(network)) + 1e-6
    assert [layer.pad_value for layer in network.layers if isinstance(layer, Conv)] == [0] * 3


@pytest.mark.parametrize("bits", [3, 25])
def test_bits_out_of_range_are_refused(bits):
    with pytest.raises(OptionError, match=f"4 to 24 bits, not {bits} \\(--fixed-bits\\)"):
        Conversion(fixed_bits=bits)
    with pytest.raises(OptionError, match=r"2 to 16 bits, not 17 \(--weight-bits\)"):
        Conversion(weight_bits=17)


def test_exact_refuses_by_name(model, random):
    net = residual(model, random, 1).add("Conv", bipolar(random, 4, 6, 1, 1))
    with pytest.raises(
        ModelError, match=r"'the_add_7' \(Add\) adds numbers whose scales have no ratio .* without --exact"
    ):
        net.network(input_type="bipolar", conversion=EXACT)


def calibrate(net, x, conversion=DEFAULT, **declared):
    graph = net.graph()
    return calibrated(graph, x, conversion, lambda chosen: streamline(graph, Options(conversion=chosen, **declared)))


def test_calibration_narrows_ranges_and_counts_what_saturates(model, random):
    net = residual(model, random).add("Conv", bipolar(random, 4, 6, 1, 1))
    x = frames(random, 3, 6, 6, count=40)
    narrow, wide = Conversion(fixed_bits=8), net.network(input_type="bipolar", conversion=Conversion(fixed_bits=8))
    network = calibrate(net, x, narrow, input_type="bipolar")
    assert off(net, x, network) < off(net, x, wide)
    told = [
        note for note in network.notes if note.startswith("Calibrated on 40 frames; agreement with the float model")
    ]
    assert len(told) == 1
    assert any(
        re.fullmatch(r"'fixed\d' saturates \d+ of \d+ numbers of the calibration frames", note)
        for note in network.notes
    )
    few = calibrate(net, x[:1], narrow, input_type="bipolar")
    golden = few.golden(codec.to_codes(few.input, x))
    assert golden.shape[0] == 40


def test_a_real_input_is_rounded_by_the_host(model, random):
    net = model(3, 6, 6).add("Conv", bipolar(random, 4, 3, 3, 3))
    x = random.normal(size=(20, 3, 6, 6)).astype(np.float32)
    errors = []
    for bits in (8, 12, 16):
        network = calibrate(net, x, Conversion(fixed_bits=bits))
        assert network.input.rounds
        errors.append(off(net, x, network))
        assert errors[-1] <= 27 * announced(network)[0] + 1e-5
    assert errors[2] < errors[1] / 8 < errors[0] / 64
    assert codec.to_codes(network.input, 100 * x).max() == network.input.type.high


def test_a_real_input_needs_data_or_a_type(model, random):
    net = model(3, 6, 6).add("Conv", bipolar(random, 4, 3, 3, 3))
    with pytest.raises(ModelError, match=r"say what the host sends, .* or give real frames with --calibrate"):
        net.network()
    with pytest.raises(ModelError, match="say what the host sends"):
        calibrate(net, random.normal(size=(2, 3, 6, 6)).astype(np.float32), EXACT)


def test_calibration_frames_of_another_shape_are_refused(model, random):
    net = residual(model, random, 1).add("Conv", bipolar(random, 4, 6, 1, 1))
    with pytest.raises(DataError, match=r"must have shape \(frames, 3, 6, 6\), not \(5, 3, 6\)"):
        calibrate(net, np.ones((5, 3, 6), dtype=np.float32), input_type="bipolar")
    frames = np.ones((5, 3, 6, 6), dtype=np.float32)
    frames[4, 0, 5, 1] = np.nan
    with pytest.raises(DataError, match=r"of input 'x' hold nan at \(4, 0, 5, 1\); every value must be finite"):
        calibrate(net, frames, input_type="bipolar")


def test_calibration_frames_may_be_codes_of_the_input(model, random):
    """The float model is fed with what they stand for."""
    net = residual(model, random, 1).add("Conv", bipolar(random, 4, 6, 1, 1))
    codes = random.integers(0, 16, (30, 3, 6, 6))
    declared = {"input_type": "uint4", "input_scale": 0.125, "input_offset": -0.5}
    of_codes = calibrate(net, codes, **declared)
    of_numbers = calibrate(net, (codes * 0.125 - 0.5).astype(np.float32), **declared)
    assert len(of_codes.conversion.ranges) >= 2
    assert set(of_codes.conversion.ranges) == set(of_numbers.conversion.ranges)


def test_a_curve_along_more_integers_than_a_table_holds_reads_fixed_point(model, random):
    """The bias of the sums comes back where the curve is read."""
    weights, bias = random.integers(150, 301, (3, 4, 1, 1)).astype(np.float32), np.array([12000.0, -24000, -50000])
    net = model(4, 1, 1).add("Conv", weights, bias).add("Mul", np.float32(2**-14)).add("Tanh")
    net.add("Conv", bipolar(random, 2, 3, 1, 1))
    x = random.integers(0, 256, (60, 4, 1, 1)).astype(np.float32)
    network = net.network(input_type="uint8")
    assert [type(layer) for layer in network.layers] == [Conv, Segments, Segments, Conv]
    sums, curve = announced(network)
    assert off(net, x, network) <= 3 * (sums * 2**-14 + curve) + 1e-6 < 0.003
