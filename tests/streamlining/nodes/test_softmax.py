"""Softmax in the middle of a network, and the greatest of channels, against ONNX Runtime."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.arrays import codec
from hwgen.conversion import Conversion
from hwgen.errors import ModelError
from hwgen.layers.channel_max import ChannelMax
from hwgen.layers.conv import Conv
from hwgen.layers.matmul import MatMul
from hwgen.layers.reorder import Reorder
from hwgen.layers.reshape import Reshape
from hwgen.layers.table import Table
from tests.streamlining.conftest import bipolar, frames
from tests.streamlining.nodes.test_stream_product import HEADS, TOKENS, WIDTH, in_heads, kinds, only, projected


def scores(net, random, *, heads=False):
    q, k = projected(net, random, 2)
    if heads:
        return net.add("MatMul", in_heads(net, k, (0, 2, 3, 1)), reads=in_heads(net, q, (0, 2, 1, 3)))
    return net.add("MatMul", net.add("Transpose", reads=k, perm=(0, 2, 1)).value, reads=q)


def off(net, random, **declared):
    """Give the network, and how far its answers are from ONNX Runtime's at most."""
    x = frames(random, TOKENS, WIDTH)
    network = net.network(input_type="bipolar", **declared)
    found = codec.from_codes(network, network.golden(codec.to_codes(network.input, x)))
    return network, float(np.max(np.abs(found - net.reference(x))))


@pytest.mark.parametrize("heads", [False, True])
def test_the_greatest_channel_is_a_layer(model, random, heads):
    net = scores(model(TOKENS, WIDTH), random, heads=heads)
    network = net.add("ReduceMax", axes=[3 if heads else 2], keepdims=0).agrees(
        frames(random, TOKENS, WIDTH), input_type="bipolar"
    )
    assert kinds(network) == [Conv, Conv, MatMul, *([Reshape] if heads else []), ChannelMax]


def test_the_least_channel_and_that_of_a_whole_map(model, random):
    net = scores(model(TOKENS, WIDTH), random)
    start = net.value
    least = net.add("ReduceMin", axes=[2], keepdims=1).value
    network = (
        net.add("ReduceMax", axes=[1, 2], keepdims=1, reads=start)
        .add("Add", least)
        .agrees(frames(random, TOKENS, WIDTH), input_type="bipolar")
    )
    assert kinds(network).count(ChannelMax) == 2


def test_channels_of_different_scales_are_brought_to_one(model, random):
    net = scores(model(TOKENS, WIDTH), random).add("Mul", np.array([1, -2, 0.5, 3, 1], np.float32))
    net.add("ReduceMax", axes=[2], keepdims=0)
    assert off(net, random)[1] <= 1e-3


@pytest.mark.parametrize("heads", [False, True])
def test_a_head_of_attention(model, random, heads):
    net = scores(model(TOKENS, WIDTH), random, heads=heads).add("Mul", np.float32(0.3)).add("Softmax", axis=-1)
    network, error = off(net.add("Mul", np.float32(2)), random)
    assert error <= 1e-5
    assert only(network, Table).lookup.table.max() == 1 << network.conversion.fixed_bits + 3
    assert {ChannelMax, Table} <= set(kinds(network))


def test_values_are_weighted_as_the_graph_weights_them(model, random):
    net = scores(model(TOKENS, WIDTH), random, heads=True).add("Mul", np.float32(0.3)).add("Softmax", axis=-1)
    weights = net.value
    net.value = "x"
    (v,) = projected(net, random, 1)
    net.add("MatMul", in_heads(net, v, (0, 2, 1, 3)), reads=weights)
    network, error = off(net, random)
    assert error <= 1e-4
    assert [layer.groups for layer in network.layers if isinstance(layer, MatMul)] == [HEADS, HEADS]


def test_masked_scores_are_nothing(model, random):
    net = scores(model(TOKENS, WIDTH), random).add("Mul", np.float32(0.3))
    mask = np.triu(np.full((TOKENS, TOKENS), -1e4, np.float32), 1)
    assert off(net.add("Add", mask).add("Softmax", axis=-1).add("Mul", np.float32(2)), random)[1] <= 1e-4


def test_the_logarithm(model, random):
    net = scores(model(TOKENS, WIDTH), random).add("Mul", np.float32(0.3)).add("LogSoftmax", axis=-1)
    assert off(net.add("Mul", np.float32(2)), random)[1] <= 2e-3


def test_along_rows(model, random):
    net = scores(model(TOKENS, WIDTH), random).add("Mul", np.float32(0.3)).add("Softmax", axis=1)
    network, error = off(net.add("Mul", np.float32(2)), random)
    assert error <= 1e-5
    assert Reorder in kinds(network)


def test_at_the_end_it_is_left_to_the_host(model, random):
    network, error = off(scores(model(TOKENS, WIDTH), random).add("Softmax", axis=-1), random)
    assert network.output.dropped
    assert error <= 1e-6


def test_exponentials_are_no_exact_calculation(model, random):
    net = scores(model(TOKENS, WIDTH), random).add("Softmax", axis=-1).add("MatMul", bipolar(random, TOKENS, 3))
    with pytest.raises(ModelError, match="takes exponentials, which integers hold only rounded"):
        net.network(input_type="bipolar", conversion=Conversion(exact=True))


def test_as_many_bits_as_there_may_be(model, random):
    """Curves over more integers than are tabulated were narrowed to as many bits, for ever."""
    net = scores(model(TOKENS, WIDTH), random).add("Mul", np.float32(0.3)).add("Softmax", axis=-1)
    assert off(net.add("Mul", np.float32(2)), random, conversion=Conversion(fixed_bits=24))[1] <= 1e-6
