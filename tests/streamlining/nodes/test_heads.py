"""Outputs in other orders than those in which they leave: the host puts them in order, and no hardware does."""

from __future__ import annotations

import numpy as np
import pytest

import hwgen
from hwgen.layers.channel_max import ChannelMax
from hwgen.layers.conv import Conv
from hwgen.layers.crop import Crop
from tests.streamlining.conftest import bipolar, frames


def _conv(model, random, rows: int = 8):
    """Start a model with a convolution whose channels have parameters of their own."""
    net = model(2, 6, 5).add("Conv", bipolar(random, rows, 2, 1, 2))
    return net.add("Mul", np.arange(1, rows + 1).reshape(rows, 1, 1) / 4).add(
        "Add", np.arange(rows, dtype=float).reshape(rows, 1, 1)
    )


@pytest.mark.parametrize("axis", [1, 2, 3, -1])
def test_flattened_outputs_of_any_size(model, random, axis):
    net = _conv(model, random)
    sizes = {1: [0, -1], 2: [0, 8, -1], 3: [0, 48, -1], -1: [0, 2, 3, -1]}
    net.add("Reshape", np.array(sizes[axis]))
    network = net.agrees(frames(random, 2, 6, 5), input_type="bipolar")
    assert [type(layer) for layer in network.layers] == [Conv]


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_pixel_shuffle_with_parameters_of_each_channel(model, random, mode):
    net = _conv(model, random).add("DepthToSpace", blocksize=2, mode=mode)
    network = net.agrees(frames(random, 2, 6, 5), input_type="bipolar")
    assert [type(layer) for layer in network.layers] == [Conv]
    assert network.output.onnx_shape == (2, 12, 8)


@pytest.mark.parametrize("order", [[0, 1, 4, 2, 5, 3], [0, 3, 4, 1, 5, 2]])
def test_pixel_shuffle_as_it_is_exported(model, random, order):
    sizes = [0, 2, 2, 2, 6, 4]
    net = _conv(model, random).add("Reshape", np.array(sizes)).add("Transpose", perm=order)
    net.add("Reshape", np.array([-1, 2, 12, 8])).add("Neg")
    network = net.agrees(frames(random, 2, 6, 5), input_type="bipolar")
    assert [type(layer) for layer in network.layers] == [Conv]


def test_blocks_of_space_as_depth(model, random):
    net = _conv(model, random).add("SpaceToDepth", blocksize=2)
    network = net.agrees(frames(random, 2, 6, 5), input_type="bipolar")
    assert [type(layer) for layer in network.layers] == [Conv]


def test_values_that_a_table_gives_in_another_order(model, random):
    net = _conv(model, random).add("Exp").add("Flatten")
    net.agrees_nearly(frames(random, 2, 6, 5), input_type="bipolar")


def test_parts_leave_in_hardware_where_few_layers_cut_them_out(model, random):
    net = _conv(model, random).add("Slice", np.array([2]), np.array([5]), np.array([2]))
    network = net.agrees(frames(random, 2, 6, 5), input_type="bipolar")
    assert [type(layer) for layer in network.layers] == [Conv, Crop]


def test_parts_that_no_few_layers_cut_out(model, random):
    net = _conv(model, random).add("Flatten").add("Gather", random.integers(0, 192, 70), axis=1)
    network = net.agrees(frames(random, 2, 6, 5), input_type="bipolar")
    assert [type(layer) for layer in network.layers] == [Conv]


@pytest.mark.parametrize(("scale", "offset"), [((1.0, 1.0, 1.0), (0.0, 0.5, 7.0)), ((1.0, 2.0, 0.5), (0.0, 0.0, 0.0))])
def test_scores_rank_by_what_they_mean(model, random, scale, offset):
    net = model(8).add("MatMul", bipolar(random, 8, 3)).add("Mul", np.array(scale)).add("Add", np.array(offset))
    net.add("ArgMax", axis=1, keepdims=0).agrees(frames(random, 8, count=60), input_type="bipolar")


@pytest.mark.parametrize("largest", [1, 0])
@pytest.mark.parametrize("outputs", [2, 1])
def test_the_value_of_a_ranking_of_one(model, random, largest, outputs):
    """It is the greatest or the least of the channels, beside the place where that is first."""
    net = model(4, 3, 3).sign().add("Conv", bipolar(random, 5, 4, 2, 2))
    net.add("Add", np.float32([0.5, 0, -0.5, 1, 0]).reshape(5, 1, 1))
    net.add("TopK", np.array([1]), outputs=2, axis=1, largest=largest)
    path = net.save(tuple(net.nodes[-1].output)[:outputs])
    network = hwgen.read(path)
    assert [port.name for port in network.outputs] == ["v4", "v4_1"][:outputs]
    assert sum(isinstance(layer, ChannelMax) for layer in network.layers) == 1
    assert hwgen.verify(path, network).outcome.name == "EQUAL"
