"""Convolutions, padding, pools and layouts against ONNX Runtime to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.layers.conv import Conv
from hwgen.layers.dense import Dense
from hwgen.layers.maxpool import MaxPool
from hwgen.layers.table import Table
from hwgen.layers.thresholding import Thresholding
from tests.streamlining.conftest import bipolar, frames

QONNX = "qonnx.custom_op.general"


@pytest.mark.parametrize("pads", [[1, 1, 1, 1], [0, 2, 1, 0]])
@pytest.mark.parametrize("kind", ["bipolar", "uint8"])
def test_zero_padding(model, random, pads, kind):
    net = model(2, 6, 5)
    if kind == "uint8":  # zero lies between the codes 128 and 129
        net.add("Mul", np.float32(2)).add("Sub", np.float32(257 / 256))
    net.add("Conv", bipolar(random, 4, 2, 3, 3), np.array([0.5, -1, 0, 0.25]), pads=pads).sign()
    net.add("Conv", bipolar(random, 3, 4, 3, 3), pads=[1, 1, 1, 1], strides=[2, 1])
    x = frames(random, 2, 6, 5, kind=kind) / (256 if kind == "uint8" else 1)
    declared = {"input_type": kind, "input_scale": 1 / 256 if kind == "uint8" else None}
    network = net.agrees(x, **declared)
    assert all(layer.pad_value == 0 for layer in network.layers)
    assert (network.layers[0].thresholds.positions.count > 1) == (kind == "uint8")


def test_padding_with_the_code_of_zero(model, random):
    net = model(1, 4, 4).add("Sub", np.float32(128)).add("Conv", bipolar(random, 2, 1, 3, 3), pads=[1, 1, 1, 1]).sign()
    network = net.add("Conv", bipolar(random, 2, 2, 1, 1)).agrees(
        frames(random, 1, 4, 4, kind="uint8"), input_type="uint8"
    )
    assert network.layers[0].pad_value == 128
    assert network.layers[0].thresholds.positions.count == 1


@pytest.mark.parametrize("value", [-1.0, 1.0, 0.0, 0.5])
def test_explicit_padding_in_front_of_a_convolution(model, random, value):
    net = model(2, 5, 5).add("Pad", np.array([0, 0, 1, 2, 0, 0, 1, 1]), np.float32(value))
    net.add("Conv", bipolar(random, 4, 2, 3, 3)).sign().add("Conv", bipolar(random, 3, 4, 1, 1))
    network = net.agrees(frames(random, 2, 5, 5), input_type="bipolar")
    assert network.layers[0].window.pads == (1, 2, 1, 1)
    assert network.layers[0].pad_value == (value if abs(value) == 1 else 0)


def test_padding_in_front_of_the_sign(model, random):
    net = (
        model(2, 5, 5).add("Conv", bipolar(random, 4, 2, 3, 3)).add("Add", np.array([1.5, -1.5, 0, 1]).reshape(4, 1, 1))
    )
    net.add("Pad", np.array([0, 0, 1, 1, 0, 0, 1, 1]), np.float32(-0.5)).sign()
    network = net.add("Conv", bipolar(random, 3, 4, 3, 3)).agrees(frames(random, 2, 5, 5), input_type="bipolar")
    assert network.layers[1].pad_value == -1


def test_padding_and_zero_padding_together(model, random):
    net = model(2, 5, 5).add("Pad", np.array([0, 0, 1, 1, 0, 0, 1, 1]), np.float32(1))
    net.add("Conv", bipolar(random, 4, 2, 3, 3), pads=[1, 1, 1, 1])
    assert [layer.name for layer in net.agrees(frames(random, 2, 5, 5), input_type="bipolar").layers] == [
        "the_pad_0",
        "the_conv_1",
    ]


@pytest.mark.parametrize("shape", [(1, 3, 3), (2, 1, 3), (2, 3, 1), (2, 3, 3)])
def test_a_border_around_the_input_says_which_axis_its_channels_are_on(model, random, shape):
    net = model(*shape).add("Pad", np.array([0, 0, 1, 0, 0, 0, 0, 1]), np.float32(0)).add("Flatten")
    net.add("MatMul", bipolar(random, shape[0] * (shape[1] + 1) * (shape[2] + 1), 3))
    net.agrees(frames(random, *shape, kind="uint8"), input_type="uint8")


def test_a_border_moves_a_map_whose_channels_lie_on_a_padded_axis(model, random):
    net = model(1, 3, 4).add("MatMul", bipolar(random, 4, 4))
    net.add("Pad", np.array([0, 0, 1, 0, 0, 0, 0, 1]), np.float32(0)).add("Flatten").add(
        "MatMul", bipolar(random, 20, 3)
    )
    net.agrees(random.integers(-2048, 2048, (5, 1, 3, 4)).astype(np.float32), input_type="int12")


@pytest.mark.parametrize("where", ["before", "behind"])
def test_pool_on_either_side_of_norm_and_sign(model, random, where):
    net = model(2, 8, 8).add("Conv", bipolar(random, 6, 2, 3, 3))
    if where == "before":
        net.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    net.add("Mul", np.array([1, -1, 2, -2, 0, -0.5]).reshape(6, 1, 1)).add("Add", np.float32(0.5)).sign()
    if where == "behind":
        net.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    net.add("Flatten").add("MatMul", bipolar(random, 54, 4))
    network = net.agrees(frames(random, 2, 8, 8), input_type="bipolar")
    assert [type(layer) for layer in network.layers] == [Conv, MaxPool, Dense]
    falling = (False, True, False, True, False, True)
    assert network.layers[1].minimum == (falling if where == "before" else (False,) * 6)


def test_several_pools_with_padding_dilation_and_ceiling(model, random):
    net = model(2, 11, 9).add("Conv", bipolar(random, 4, 2, 3, 3))
    net.add("MaxPool", kernel_shape=[2, 3], strides=[2, 1], dilations=[2, 1], pads=[1, 1, 0, 1])
    net.add("Mul", np.array([1, -1, -2, 0.5]).reshape(4, 1, 1))
    net.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1).sign()
    network = (
        net.add("Flatten").add("MatMul", bipolar(random, 32, 3)).agrees(frames(random, 2, 11, 9), input_type="bipolar")
    )
    assert network.layers[1].minimum == (False, True, True, False)
    assert network.layers[2].minimum == (False, False, False, False)


def test_pools_at_the_end_and_in_front_of_a_table(model, random):
    net = model(2, 8, 8).add("Conv", bipolar(random, 6, 2, 3, 3)).add("Mul", np.float32(-0.5))
    net.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    x = frames(random, 2, 8, 8)
    assert [type(layer) for layer in net.agrees(x, input_type="bipolar").layers] == [Conv, MaxPool]
    net.add("Abs").add("Sub", np.float32(2)).sign().add("Conv", bipolar(random, 3, 6, 1, 1))
    assert [type(layer) for layer in net.agrees(x, input_type="bipolar").layers] == [Conv, MaxPool, Table, Conv]


def test_a_sign_behind_the_input_pool(model, random):
    net = (
        model(1, 6, 6).add("MaxPool", kernel_shape=[2, 2]).add("Mul", np.float32(-1)).add("Add", np.float32(99)).sign()
    )
    net.add("Conv", bipolar(random, 2, 1, 2, 2))
    network = net.agrees(frames(random, 1, 6, 6, kind="uint8"), input_type="uint8")
    assert [type(layer) for layer in network.layers] == [Thresholding, MaxPool, Conv]
    assert network.layers[0].negate == (True,)
    assert network.layers[1].minimum == (True,)


def test_one_dimension_groups_and_products_along_a_sequence(model, random):
    net = model(4, 12).add("Conv", bipolar(random, 6, 4, 3), strides=[2], dilations=[2], pads=[1, 0]).sign()
    net.add("Conv", bipolar(random, 6, 2, 2), group=3).sign().add("Transpose", perm=[0, 2, 1])
    net.add("MatMul", bipolar(random, 6, 5)).add("Add", np.array([0, 1, 2, 3, 4.0]))
    network = net.agrees(frames(random, 4, 12), input_type="bipolar")
    assert [layer.in_shape[0] for layer in network.layers] == [1, 1, 1]
    assert network.layers[1].groups == 3


@pytest.mark.parametrize("order", ["channels first", "channels last"])
def test_flatten_order(model, random, order):
    net = model(3, 4, 5).add("Conv", bipolar(random, 6, 3, 2, 2)).sign()
    if order == "channels last":
        net.add("Transpose", perm=[0, 2, 3, 1])
    net.add("Reshape", np.array([-1, 72])).add("MatMul", bipolar(random, 72, 5))
    net.agrees(frames(random, 3, 4, 5), input_type="bipolar")


def test_maps_channels_last_at_both_ends(model, random):
    net = model(4, 5, 3).add("Transpose", perm=[0, 3, 1, 2]).add("Conv", bipolar(random, 6, 3, 2, 2), np.arange(6.0))
    net.add("Transpose", perm=[0, 2, 3, 1])
    network = net.agrees(frames(random, 4, 5, 3), input_type="bipolar")
    assert network.input.permutation == (0, 1, 2)
    assert network.output.permutation == (0, 1, 2)


def test_parameters_that_differ_over_the_map(model, random):
    bias = random.integers(-3, 4, (4, 3, 3)).astype(np.float32)
    net = model(2, 4, 4).add("Conv", bipolar(random, 4, 2, 2, 2)).add("Add", bias).sign().add("Flatten")
    network = net.add("MatMul", bipolar(random, 36, 4)).agrees(frames(random, 2, 4, 4), input_type="bipolar")
    assert network.layers[0].thresholds.positions.count == 9


def test_channels_exchanged_in_front_of_a_depthwise_convolution(model, random):
    """An average of whole maps is a depthwise layer of one pixel, whose rows see one channel each: they are not exchanged for nothing."""
    net = model(3, 2, 2).add("AveragePool", kernel_shape=[2, 2]).add("Gather", np.array([1, 0, 2]), axis=1)
    net.add("Conv", np.float32([1, 2, 1]).reshape(3, 1, 1, 1), np.float32([4, 5, 0]), group=3)
    net.agrees(frames(random, 3, 2, 2), input_type="bipolar")


@pytest.mark.parametrize("factor", [1.0, -1.0])
def test_a_pool_over_positions_that_differ_where_no_code_matters(model, random, factor):
    """What only positions tell apart, a pool compares too: through a falling function its maximum is a minimum."""
    net = model(1, 3, 4).add("Add", np.float32(5000)).add("BipolarQuant", np.float32(0.5), domain=QONNX)
    net.add("Conv", np.ones((1, 1, 2, 2), np.float32), pads=[1, 1, 0, 0]).add("MaxPool", kernel_shape=[2, 2])
    net.add("Mul", np.float32(factor)).add("Add", np.float32(-factor * 1.25)).sign()
    net.agrees(random.integers(-2048, 2048, (5, 1, 3, 4)).astype(np.float32), input_type="int12")
