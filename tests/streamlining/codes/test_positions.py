"""Real numbers that differ from position to position, in front of a join, a layer or an output, against ONNX Runtime."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.arrays import codec
from hwgen.conversion import Conversion
from hwgen.errors import ModelError
from hwgen.layers.argmax import ArgMax
from hwgen.layers.combine import Combine
from hwgen.layers.conv import Conv
from hwgen.layers.maxpool import MaxPool
from hwgen.layers.segments import Segments
from hwgen.layers.table import Table
from hwgen.layers.thresholding import Thresholding
from tests.streamlining.codes.test_fixed import announced, off
from tests.streamlining.conftest import bipolar, frames

SIDE = 5
SHAPE = (2, SIDE, SIDE)
EXACT = {"input_type": "bipolar", "conversion": Conversion(exact=True)}
PIXELS = {"input_type": "uint8", "conversion": Conversion(exact=True)}


def pixels(random, count=24):
    return frames(random, *SHAPE, kind="uint8", count=count)


def kinds(network):
    return [type(layer) for layer in network.layers]


def of(network, kind):
    return [layer for layer in network.layers if isinstance(layer, kind)]


def shifted(net, random, beta, reads="x", rows=4):
    """Append the input plus beta, and a convolution whose padded taps hold neither."""
    before, channels = reads, 2
    net.add("Add", np.broadcast_to(np.float32(beta), (channels, 1, 1)), reads=before)
    return net.add("Conv", bipolar(random, rows, channels, 3, 3), pads=[1, 1, 1, 1]).value


def scale_of_positions(random, channels=4, side=SIDE):
    """XNOR-Net++: a factor for each channel, row and column."""
    parts = (random.uniform(0.5, 1, shape) for shape in ((channels, 1, 1), (1, side, 1), (1, 1, side)))
    return np.prod(np.broadcast_arrays(*parts), axis=0)


@pytest.mark.parametrize("op", ["Add", "Sub", "Sum"])
def test_a_constant_of_the_border_needs_no_layer_of_its_own(model, random, op):
    """X = H + beta in front of a sum: the constant goes into the thresholds behind it."""
    net = model(*SHAPE)
    first = shifted(net, random, [[[0.5]], [[-0.25]]])
    net.add("Conv", bipolar(random, 4, 2, 3, 3), reads="x", pads=[1, 1, 1, 1])
    net.add(op, first).sign().add("Conv", bipolar(random, 3, 4, 1, 1))
    network = net.agrees(frames(random, *SHAPE), **EXACT)
    assert kinds(network) == [Conv, Conv, Combine, Thresholding, Conv]
    assert of(network, Thresholding)[0].thresholds.positions.count == 9


def test_two_constants_of_positions_are_added_up_and_moved_with_their_maps(model, random):
    net = model(*SHAPE)
    shifted(net, random, 0.5)
    crop = net.add("Slice", np.array([1]), np.array([5]), np.array([3])).value
    shifted(net, random, 0.25)
    net.add("Slice", np.array([0]), np.array([4]), np.array([3])).add("Sub", crop)
    net.add("Mul", np.array([1, -1, 2, 0.5]).reshape(4, 1, 1)).sign().add("Conv", bipolar(random, 3, 4, 1, 1))
    network = net.agrees(frames(random, *SHAPE), **EXACT)
    assert not of(network, Segments)


def test_sums_of_other_scales_are_decided_exactly_at_each_position(model, random):
    """Staged residual binarization of a layer that is binary in part: real beta, two scales, a pool and a sign."""
    net = model(*SHAPE)
    shifted(net, random, [[[0.237]], [[-0.419]]])
    first = net.add("Mul", random.uniform(0.1, 0.2, (4, 1, 1))).value
    net.add("Conv", random.integers(-7, 8, (4, 2, 1, 1)) * 0.0317, reads="x").add("Add", first)
    net.add("MaxPool", kernel_shape=[2, 2]).add("Add", random.normal(size=(4, 1, 1)) * 0.1).sign()
    network = net.add("Conv", bipolar(random, 3, 4, 1, 1)).agrees(frames(random, *SHAPE), **EXACT)
    assert kinds(network) == [Conv, Conv, Combine, Thresholding, MaxPool, Conv]
    assert any("all sums that can occur are quantised as in exact arithmetic" in note for note in network.notes)


@pytest.mark.parametrize("op", ["Add", "Mul", "Max", "Concat"])
def test_an_average_that_does_not_count_its_border_is_exact_in_front_of_a_join(model, random, op):
    net = model(*SHAPE).add("Conv", bipolar(random, 4, 2, 1, 1))
    before = net.value
    net.add("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=0).add("Mul", np.float32(36))
    net.add(op, before, **({"axis": 1} if op == "Concat" else {}))
    net.add("Conv", bipolar(random, 3, 8 if op == "Concat" else 4, 1, 1))
    network = net.network(input_type="uint4", conversion=Conversion(exact=op != "Max"))
    (layer,) = [layer for layer in of(network, Segments) if layer.positions.count > 1]
    assert np.unique(layer.factors).tolist() == [4, 6, 9]
    x = random.integers(0, 16, (24, *SHAPE)).astype(np.float32)
    found = codec.from_codes(network, network.golden(codec.to_codes(network.input, x)))
    # ONNX Runtime rounds the ninths of integers.
    np.testing.assert_array_equal(found, np.rint(net.reference(x)))


def test_shares_of_the_border_are_exact_integers(model, random):
    net = model(*SHAPE).add("Conv", bipolar(random, 4, 2, 1, 1))
    scale = np.broadcast_to(np.array([[1, 0.5, 0.25, 2, 0]]), (4, SIDE, SIDE)) * np.array([1, -1, 4, 3]).reshape(
        4, 1, 1
    )
    shift = np.broadcast_to(np.array([[0.5], [0], [-3], [7], [1]]), (1, SIDE, SIDE))
    net.add("Mul", scale).add("Add", shift).add("Conv", bipolar(random, 3, 4, 3, 3), pads=[1, 1, 1, 1])
    network = net.agrees(pixels(random), **PIXELS)
    assert kinds(network) == [Conv, Segments, Conv]
    assert network.layers[1].shift == 0


def test_a_real_scale_of_channel_row_and_column_on_a_shortcut(model, random):
    """XNOR-Net++ in front of a join: every pixel has its own line."""
    net = model(*SHAPE)
    before = net.add("Conv", bipolar(random, 32, 2, 3, 3), pads=[1, 1, 1, 1]).value
    net.sign().add("Conv", bipolar(random, 4, 32, 3, 3), pads=[1, 1, 1, 1]).add("Mul", scale_of_positions(random))
    short = net.value
    net.add("Conv", bipolar(random, 4, 32, 1, 1), reads=before).add("Add", short).add(
        "Conv", bipolar(random, 3, 4, 1, 1)
    )
    x = frames(random, *SHAPE)
    network = net.network(input_type="bipolar")
    assert [layer.positions.count for layer in of(network, Segments)] == [SIDE * SIDE]
    assert off(net, x, network) <= 4 * sum(announced(network)) + 1e-6
    fewer = net.network(input_type="bipolar", conversion=Conversion(fixed_bits=10))
    assert off(net, x, network) < off(net, x, fewer) / 16
    with pytest.raises(ModelError, match=r"\(Add\) reads real numbers that come from 'the_conv_\d'.* without --exact"):
        net.network(**EXACT)


def test_a_scale_of_positions_behind_a_pool_and_a_border(model, random):
    net = model(*SHAPE).add("Conv", bipolar(random, 4, 2, 3, 3)).add("MaxPool", kernel_shape=[2, 2])
    net.add("Mul", 2.0 ** random.integers(-2, 3, (4, 2, 2))).add("Conv", bipolar(random, 4, 4, 1, 1)).sign()
    net.add("Pad", np.array([0, 0, 1, 1, 0, 0, 1, 1]), np.float32(-1)).add(
        "Mul", random.integers(-3, 4, (4, 4, 4)) * 1.0
    )
    net.add("Conv", bipolar(random, 3, 4, 2, 2))
    net.agrees(frames(random, *SHAPE), **EXACT)


def test_a_pool_of_values_that_differ_from_position_to_position(model, random):
    net = (
        model(*SHAPE).add("Conv", bipolar(random, 4, 2, 1, 1)).add("Mul", random.integers(-3, 4, (4, SIDE, SIDE)) * 0.5)
    )
    net.add("MaxPool", kernel_shape=[3, 3], strides=[2, 2]).add("Conv", bipolar(random, 3, 4, 1, 1))
    net.agrees(frames(random, *SHAPE), **EXACT)


def test_an_output_of_other_meaning_at_each_position_is_integers(model, random):
    net = model(*SHAPE).add("Add", np.float32(0.5)).add("Conv", bipolar(random, 3, 2, 3, 3), pads=[1, 1, 1, 1])
    assert kinds(net.agrees(pixels(random), **PIXELS)) == [Conv, Segments]


def test_an_output_of_real_numbers_at_each_position_is_fixed_point(model, random):
    net = (
        model(*SHAPE).add("Conv", bipolar(random, 4, 2, 3, 3), pads=[1, 1, 1, 1]).add("Mul", scale_of_positions(random))
    )
    network = net.network(input_type="bipolar")
    assert 0 < off(net, frames(random, *SHAPE), network) <= sum(announced(network)) + 1e-6


@pytest.mark.parametrize("op", ["ArgMax", "TopK"])
def test_scores_that_differ_from_position_to_position_are_ranked(model, random, op):
    net = model(*SHAPE).add("Conv", bipolar(random, 4, 2, 3, 3), pads=[1, 1, 1, 1])
    net.add("Mul", random.choice([-1, 0.5, 1, 3], (4, SIDE, SIDE)))
    if op == "ArgMax":
        net.add("ArgMax", axis=1)
    else:
        net.add("TopK", np.array([2]), axis=1, outputs=2)
        net.value += "_1"
    network = net.agrees(frames(random, *SHAPE, count=200), **EXACT)
    assert Table in kinds(network)
    assert (op == "ArgMax") == (ArgMax in kinds(network))


def test_scores_of_many_integers_and_positions_are_ranked_in_fixed_point(model, random):
    net = model(8, 9, 9).add("Conv", random.integers(-60, 60, (4, 8, 3, 3)) * 1.0, pads=[1, 1, 1, 1])
    net.add("Mul", random.uniform(1, 2, (4, 9, 9))).add("ArgMax", axis=1)
    x = frames(random, 8, 9, 9)
    network = net.network(input_type="bipolar")
    assert (
        np.mean(codec.from_codes(network, network.golden(codec.to_codes(network.input, x))) == net.reference(x)) > 0.99
    )


def bent(net, random, op, classes):
    """Append a scale of few or many classes of positions, and a curve or kinks."""
    scale = scale_of_positions(random) / 8
    net.add("Mul", scale[:, :1, :1] + np.eye(SIDE)[0] if classes == "few" else scale)
    return net.add("PRelu", random.uniform(0.1, 0.4, (4, 1, 1))) if op == "PRelu" else net.add(op)


@pytest.mark.parametrize("classes", ["few", "many"])
@pytest.mark.parametrize("op", ["PRelu", "Sigmoid"])
@pytest.mark.parametrize("channels", [12, 40])
def test_a_curve_of_positions_is_one_behind_lines_of_positions(model, random, op, classes, channels):
    net = model(channels, SIDE, SIDE).add("Conv", bipolar(random, 4, channels, 3, 3), pads=[1, 1, 1, 1])
    bent(net, random, op, classes).add("Conv", bipolar(random, 3, 4, 1, 1))
    network = net.network(input_type="bipolar")
    layers = of(network, (Segments, Table))
    assert len(layers) == (2 if (op, classes) == ("Sigmoid", "many") else 1)
    assert off(net, frames(random, channels, SIDE, SIDE), network) <= 4 * sum(announced(network)) + 1e-6


def test_a_scale_of_positions_behind_a_curve(model, random):
    net = model(12, SIDE, SIDE).add("Conv", bipolar(random, 4, 12, 3, 3), pads=[1, 1, 1, 1]).add("Mul", np.float32(0.1))
    net.add("Sigmoid").add("Mul", scale_of_positions(random)).add("Conv", bipolar(random, 3, 4, 1, 1))
    network = net.network(input_type="bipolar")
    assert kinds(network) == [Conv, Table, Segments, Conv]
    assert off(net, frames(random, 12, SIDE, SIDE), network) <= 4 * sum(announced(network)) + 1e-6


def test_another_curve_at_each_position_takes_a_table_each_and_is_refused_over_many_integers(model, random):
    net = model(12, SIDE, SIDE).add("Conv", bipolar(random, 4, 12, 3, 3), pads=[1, 1, 1, 1])
    net.add("PRelu", random.uniform(0.1, 0.4, (4, SIDE, SIDE))).add("Sigmoid").add("Conv", bipolar(random, 3, 4, 1, 1))
    network = net.network(input_type="bipolar")
    (layer,) = of(network, Table)
    assert layer.lookup.positions.count == SIDE * SIDE
    assert off(net, frames(random, 12, SIDE, SIDE), network) <= 4 * sum(announced(network)) + 1e-6
    with pytest.raises(
        ModelError, match=r"'the_conv_3' \(Conv\) .* 'the_conv_0' follows another curve at each position"
    ):
        net.network(input_type="int16")


def test_two_tensors_behind_a_pool_with_a_parameter_of_positions_are_refused(model, random):
    net = model(*SHAPE).add("Conv", bipolar(random, 4, 2, 3, 3)).add("MaxPool", kernel_shape=[2, 2])
    pooled = net.value
    net.add("Neg").add("Where", pooled, net.value, reads=net.constant(random.integers(0, 2, (4, 2, 2)).astype(bool)))
    net.add("Conv", bipolar(random, 3, 4, 1, 1))
    with pytest.raises(
        ModelError, match=r"'the_where_3' \(Where\) .* reads two tensors behind 'the_maxpool_1' \(MaxPool\)"
    ):
        net.network(input_type="bipolar")


def test_a_function_of_positions_that_rises_and_falls_over_many_integers(model, random):
    net = model(2, 3, 3).add("Conv", bipolar(random, 4, 2, 3, 3) * np.float32(3000), pads=[1, 1, 1, 1])
    net.add("Add", random.integers(-999, 999, (4, 3, 3)) * 1.0).add("Abs").add("Sub", np.float32(500)).sign()
    net.add("Conv", bipolar(random, 3, 4, 1, 1)).agrees(frames(random, 2, 3, 3, kind="uint8"), **PIXELS)
