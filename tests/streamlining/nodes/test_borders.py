"""Borders around maps and sequences, against ONNX Runtime."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.errors import ModelError
from hwgen.layers.concat import Concat
from hwgen.layers.conv import Conv
from hwgen.layers.crop import Crop
from hwgen.layers.pad import Pad
from hwgen.layers.reorder import Reorder
from tests.streamlining.conftest import bipolar


def kinds(network):
    return [type(layer) for layer in network.layers]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("pads", "border"), [((4, 0), 1), ((4, 0), 0), ((0, 3), -1), ((2, 1), 0)])
def test_a_causal_border_of_a_sequence_is_the_convolutions_own(model, random, channels, pads, border):
    amounts = np.array([0, 0, pads[0], 0, 0, pads[1]])
    net = model(channels, 9).sign().add("Pad", amounts, np.float32(border))
    net.add("Conv", bipolar(random, 4, channels, 3), dilations=[2]).add("Add", np.arange(-1.0, 3).reshape(4, 1)).sign()
    network = net.agrees(bipolar(random, 24, channels, 9))
    assert kinds(network) == [Conv]
    assert network.layers[0].window.pads == (0, pads[0], 0, pads[1])


def test_a_border_of_a_sequence_of_vectors(model, random):
    net = model(7, 4).sign().add("Pad", np.array([0, 2, 0, 0, 1, 0]), np.float32(-1))
    net.add("Transpose", perm=[0, 2, 1]).add("Conv", bipolar(random, 3, 4, 3))
    assert kinds(net.agrees(bipolar(random, 24, 7, 4))) == [Conv]


def test_borders_of_one_value_are_one_border_whatever_lies_between_them(model, random):
    """Two borders of zeros, a function that keeps zero, and the convolution's own padding."""
    net = model(2, 8).add("Relu").add("Pad", np.array([0, 0, 1, 0, 0, 0])).add("Mul", np.float32(2))
    net.add("Pad", np.array([0, 0, 2, 0, 0, 1])).add("Conv", bipolar(random, 3, 2, 4), pads=[1, 2])
    network = net.agrees(random.integers(-128, 128, (24, 2, 8)).astype(np.float32), input_type="int8")
    (conv,) = [layer for layer in network.layers if isinstance(layer, Conv)]
    assert conv.window.pads == (0, 4, 0, 3)
    assert Pad not in kinds(network)


def test_a_border_that_is_all_that_a_convolution_sees_is_a_layer(model, random):
    net = model(2, 1, 4).sign().add("Pad", np.array([0, 0, 1, 0, 0, 0, 1, 0]), np.float32(-1))
    net.add("Conv", bipolar(random, 3, 2, 1, 1), strides=[2, 1])
    assert kinds(net.agrees(bipolar(random, 8, 2, 1, 4))) == [Pad, Conv]


def test_borders_of_two_values_are_two(model, random):
    net = model(2, 5, 5).sign().add("Pad", np.array([0, 0, 1, 0, 0, 0, 0, 2]), np.float32(1))
    net.add("Pad", np.array([0, 0, 0, 1, 0, 0, 1, 0]), np.float32(-1)).add("Conv", bipolar(random, 3, 2, 3, 3))
    assert kinds(net.agrees(bipolar(random, 24, 2, 5, 5))) == [Pad, Conv]


@pytest.mark.parametrize(("amounts", "size"), [([0, 0, -2, 0, 0, 3], (3, 8)), ([0, 0, -1, 2, 0, 0, 3, -2], (3, 5, 6))])
def test_a_negative_border_is_a_crop(model, random, amounts, size):
    net = model(*size).sign().add("Pad", np.array(amounts), np.float32(-1))
    net.add("Conv", bipolar(random, 4, 3, *(2,) * (len(size) - 1)))
    assert kinds(net.agrees(bipolar(random, 24, *size)))[0] is Crop


def test_a_border_lies_around_the_mirrored_elements(model, random):
    """It is no border of the map as it was."""
    net = model(3, 8).sign().add("Conv", bipolar(random, 3, 3, 1)).sign()
    net.add("Slice", np.array([-1]), np.array([-9]), np.array([2]), np.array([-1]))
    net.add("Pad", np.array([0, 0, 2, 0, 0, 0]), np.float32(-1)).add("Conv", bipolar(random, 4, 3, 3))
    net.agrees(bipolar(random, 24, 3, 8))


@pytest.mark.parametrize("opset", [7, 10, 11, 13, 18])
def test_a_border_of_any_opset(model, random, opset):
    net = model(3, 6).add("Relu")
    net.opset = opset
    if opset < 11:
        net.add("Pad", pads=[0, 0, 1, 0, 0, 2], value=3.0)
    elif opset < 18:
        net.add("Pad", np.array([0, 0, 1, 0, 0, 2]), np.float32(3))
    else:
        net.add("Pad", np.array([1, 2]), np.float32(3), np.array([-1]))
    net.add("Conv", bipolar(random, 4, 3, 3))
    net.agrees(random.integers(-128, 128, (24, 3, 6)).astype(np.float32), input_type="int8")


@pytest.mark.parametrize(
    ("before", "value", "kind"),
    [("sign", 0.0, "ternary"), ("sign", 0.5, "int[-2,2]"), ("Relu", -3.0, "int[-3,127]"), ("Relu", 0.25, "int[0,508]")],
)
def test_a_border_of_a_number_between_or_beyond_the_codes(model, random, before, value, kind):
    """A reader that has no padding of its own gets codes fine and wide enough to hold the border."""
    net = model(2, 4, 4)
    net = net.sign() if before == "sign" else net.add(before)
    net.add("Pad", np.array([0, 0, 1, 0, 0, 0, 0, 2]), np.float32(value))
    net.add("MaxPool", kernel_shape=[2, 2], strides=[1, 2]).add("Conv", bipolar(random, 3, 2, 2, 2))
    x = random.integers(-128, 128, (24, 2, 4, 4)).astype(np.float32)
    network = net.agrees(x, input_type="int8")
    (pad,) = [layer for layer in network.layers if isinstance(layer, Pad)]
    assert str(pad.in_type) == kind


def test_a_border_of_a_number_that_no_few_steps_reach_is_refused(model, random):
    net = model(2, 4, 4).add("Relu").add("Pad", np.array([0, 0, 1, 0, 0, 0, 0, 2]), np.float32(np.pi))
    net.add("MaxPool", kernel_shape=[2, 2]).add("Conv", bipolar(random, 3, 2, 2, 2))
    with pytest.raises(ModelError, match=r"'the_pad_1' \(Pad\) pads with 3\.14159, which is no value of the map"):
        net.network(input_type="int8")


def test_a_border_of_the_batch_is_refused(model, random):
    net = model(3, 6).sign().add("Pad", np.array([1, 0, 0, 0, 0, 0]), np.float32(-1))
    net.add("Conv", bipolar(random, 4, 3, 3))
    with pytest.raises(ModelError, match=r"mixes the frames of a batch"):
        net.network()


@pytest.mark.parametrize("value", [0.0, -1.0, 0.7310585])
@pytest.mark.parametrize("amounts", [[0, 1, 0, 0, 0, 2, 0, 0], [0, 2, 1, 0, 0, 0, 0, 1]])
def test_a_border_of_channels_is_constants_beside_the_map(model, random, amounts, value):
    """The shortcuts of residual networks that grow by zeros."""
    net = model(2, 4, 4).sign().add("Conv", bipolar(random, 3, 2, 1, 1)).sign()
    net.add("Pad", np.array(amounts), np.float32(value)).add(
        "Conv", bipolar(random, 4, 3 + amounts[1] + amounts[5], 3, 3)
    )
    network = (
        net.add("Add", np.float32(0.55))
        .sign()
        .add("Conv", bipolar(random, 2, 4, 1, 1))
        .agrees(bipolar(random, 24, 2, 4, 4))
    )
    assert Concat in kinds(network)
    assert not network.notes


def test_a_border_of_a_vector(model, random):
    net = model(5).sign().add("MatMul", bipolar(random, 5, 4)).sign().add("Pad", np.array([0, 1, 0, 3]), np.float32(1))
    assert Concat in kinds(net.add("MatMul", bipolar(random, 8, 3)).agrees(bipolar(random, 24, 5)))


@pytest.mark.parametrize("mode", ["reflect", "edge"])
@pytest.mark.parametrize(("size", "amounts"), [((3, 11), [0, 0, 1, 0, 0, 2]), ((3, 9, 11), [0, 0, 1, 2, 0, 0, 2, 1])])
def test_a_border_of_the_maps_own_elements_moves_them(model, random, mode, size, amounts):
    dims = len(size) - 1
    net = model(*size).sign().add("Conv", bipolar(random, 4, 3, *(1,) * dims)).sign()
    net.add("Pad", np.array(amounts), mode=mode).add("Conv", bipolar(random, 4, 4, *(3,) * dims))
    assert kinds(net.agrees(bipolar(random, 8, *size))) == [Conv, Reorder, Conv]
