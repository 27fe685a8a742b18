"""Nodes that an input meets before its quantiser: they cut it, move it, or take maxima of real numbers."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.errors import ModelError
from hwgen.layers.maxpool import MaxPool
from tests.streamlining.conftest import bipolar


def ints(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


SIZES = {1: (4, 8), 2: (4, 6, 8)}

MOVES = {
    "channels": [("Slice", ints(1), ints(3), ints(1))],
    "one channel": [("Slice", ints(2), ints(3), ints(1))],
    "channels reversed": [("Slice", ints(-1), ints(-9), ints(1), ints(-1))],
    "every other channel": [("Slice", ints(0), ints(4), ints(1), ints(2))],
    "every third column": [("Slice", ints(1), ints(99), ints(-1), ints(3))],
    "two axes": [("Slice", ints(1, 2), ints(4, -1), ints(1, -1))],
    "gathered": [("Gather", ints(2, 0, 1), {"axis": 1})],
    "a gathered range": [("Gather", ints(3, 4, 5, 6), {"axis": -1})],
    "repeated": [("Resize", "", "scales", {"mode": "nearest"})],
    "mirrored": [("Slice", ints(-1), ints(-99), ints(-1), ints(-1))],
    "squeezed": [("Unsqueeze", ints(2)), ("Slice", ints(1), ints(4), ints(1)), ("Squeeze", ints(2))],
    "split": [("Split", ints(1, 3), {"axis": 1, "outputs": 2})],
    "padded": [("Slice", ints(0), ints(2), ints(1)), ("Pad", "amounts", np.float32(1))],
}


def begun(net, moves, dims):
    """Append nodes that move a map of so many dimensions."""
    for op, *constants in moves:
        attributes = constants.pop() if isinstance(constants[-1], dict) else {}
        amounts = ints(0, 0, 1, 0, 0, 2) if dims == 1 else ints(0, 0, 1, 0, 0, 0, 0, 2)
        given = {"scales": np.array([1, 1, 3, 2][: dims + 2], dtype=np.float32), "amounts": amounts}
        net.add(op, *(given.get(part, part) if isinstance(part, str) else part for part in constants), **attributes)
    return net


@pytest.mark.parametrize("dims", [1, 2])
@pytest.mark.parametrize("moves", MOVES)
def test_what_a_quantiser_reads_of_an_input(model, random, moves, dims):
    size = SIZES[dims]
    x = random.standard_normal((16, *size)).astype(np.float32)
    net = begun(model(*size), MOVES[moves], dims).add("Mul", np.float32(2)).sign()
    channels = net.reference(x).shape[1]
    net.add("Conv", bipolar(random, 5, channels, *(2,) * dims)).add("Add", np.float32(0.5)).sign()
    network = net.add("Conv", bipolar(random, 3, 5, *(1,) * dims)).agrees(x)
    assert network.input.shape == ((1, 8, 4) if dims == 1 else (6, 8, 4))


@pytest.mark.parametrize("slope", [1.0, -0.5, [1.0, 2.0, 0.25, 3.0], [-1.0, -2.0, -0.25, -3.0]], ids=str)
@pytest.mark.parametrize("dims", [1, 2])
def test_a_maximum_of_real_numbers(model, random, dims, slope):
    """It is the maximum of what the host's quantiser makes of them, or the minimum where the quantiser falls."""
    net = model(*SIZES[dims]).add("Add", np.float32(0.25))
    net.add("MaxPool", kernel_shape=[3] * dims, strides=[2] * dims, pads=[1] * (2 * dims))
    net.add("Mul", np.reshape(slope, (-1, *(1,) * dims))).add("Round").add("Clip", np.float32(-2), np.float32(3))
    net.add("MaxPool", kernel_shape=[2] * dims).add("Conv", bipolar(random, 3, 4, *(2,) * dims))
    network = net.agrees(2 * random.standard_normal((24, *SIZES[dims])).astype(np.float32))
    first, second = (layer for layer in network.layers if isinstance(layer, MaxPool))
    # The host sends codes that rise.
    assert first.minimum == (bool(np.min(slope) < 0),) * 4
    assert second.minimum == (False,) * 4


def test_a_maximum_over_a_whole_input_and_its_border(model, random):
    net = model(3, 4, 4).add("Pad", ints(0, 0, 1, 0, 0, 0, 0, 1), np.float32(0.1)).add("GlobalMaxPool").sign()
    net.add("Conv", bipolar(random, 4, 3, 1, 1)).agrees(random.standard_normal((24, 3, 4, 4)).astype(np.float32) - 1)


def test_a_maximum_that_only_one_of_two_quantisers_reads(model, random):
    net = (
        model(2, 4, 4)
        .add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
        .sign()
        .add("Conv", bipolar(random, 3, 2, 1, 1))
    )
    one, net.value = net.value, "x"
    net.add("Mul", np.float32(4)).add("Round").add("Clip", np.float32(-3), np.float32(3))
    net.add("Conv", bipolar(random, 3, 2, 2, 2), strides=[2, 2]).add("Add", one)
    net.agrees(random.standard_normal((24, 2, 4, 4)).astype(np.float32))


@pytest.mark.parametrize("dims", [1, 2])
@pytest.mark.parametrize("op", ["AveragePool", "MaxPool"])
def test_a_pool_of_declared_codes(model, random, op, dims):
    net = (
        model(*SIZES[dims]).add(op, kernel_shape=[2] * dims, strides=[2] * dims).add("Mul", np.float32(4)).add("Floor")
    )
    net.add("Conv", bipolar(random, 3, 4, *(2,) * dims))
    net.agrees(random.integers(0, 256, (16, *SIZES[dims])).astype(np.float32), input_type="uint8")


def test_an_average_of_real_numbers_needs_a_declaration(model, random):
    net = model(2, 4, 4).add("AveragePool", kernel_shape=[2, 2]).sign().add("Conv", bipolar(random, 3, 2, 2, 2))
    with pytest.raises(ModelError, match=r"\(AveragePool\) reads input 'x' as real numbers; say what the host sends"):
        net.network()


def test_a_maximum_of_what_goes_up_and_down_needs_a_declaration(model, random):
    net = (
        model(2, 4, 4)
        .add("Mul", "x")
        .add("MaxPool", kernel_shape=[2, 2])
        .sign()
        .add("Conv", bipolar(random, 3, 2, 2, 2))
    )
    with pytest.raises(ModelError, match=r"\(Conv\) reads input 'x' as real numbers; say what the host sends"):
        net.network()
