"""Tensors one behind the other along any axis, constants among them, against ONNX Runtime."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper

from hwgen.arrays import codec
from hwgen.conversion import Conversion
from hwgen.errors import ModelError
from hwgen.frontend import read_onnx
from hwgen.layers.concat import Concat
from hwgen.layers.segments import Segments
from hwgen.passes import run
from hwgen.streamlining.options import Options
from hwgen.streamlining.streamline import streamline
from tests.streamlining.conftest import bipolar


def one_frame(net, *shape):
    """Let the file take one frame at a time, as files with constants beside a map do."""
    net.input = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, *shape])
    return net


def agrees(net, x, **declared):
    """Hold that the network gives exactly what ONNX Runtime gives for each frame."""
    network = net.network(**declared)
    found = codec.from_codes(network, network.golden(codec.to_codes(network.input, x)))
    np.testing.assert_array_equal(found, np.concatenate([net.reference(frame[None]) for frame in x]))
    return network


def joins(network):
    return [layer for layer in network.layers if isinstance(layer, Concat)]


def branches(net, random, *, scales=(1.0, 1.0), shifts=(0.0, 0.0), channels=4):
    """Give two maps of one 6x6 input, 4x4 and 2x4, each with a scale and a shift."""
    net.add("Conv", bipolar(random, channels, 2, 3, 3)).sign()
    first = net.add("Mul", np.float32(scales[0])).add("Add", np.float32(shifts[0])).value
    net.add("Conv", bipolar(random, channels, 2, 3, 3), strides=[2, 1], reads="x").add("Mul", np.float32(scales[1]))
    return first, net.add("Add", np.float32(shifts[1])).value


@pytest.mark.parametrize("order", ["behind", "before", "both sides"])
@pytest.mark.parametrize("values", ["coordinates", "halves", "ones", "zero"])
def test_constant_channels_beside_a_map(model, random, order, values):
    grid = np.broadcast_to(np.linspace(-1, 1, 6), (1, 1, 6, 6)).copy()
    plane = {"coordinates": 5 * grid, "halves": np.round(4 * grid) / 2, "ones": 1 + 0 * grid, "zero": 0 * grid}[values]
    net = one_frame(model(3, 6, 6), 3, 6, 6).sign().add("Conv", bipolar(random, 4, 3, 3, 3), pads=[1, 1, 1, 1]).sign()
    both = np.concatenate([plane, -plane.swapaxes(2, 3)], axis=1)
    before = net.value
    if order == "behind":
        net.add("Concat", plane, axis=1)
    else:
        net.add("Concat", *([before, plane] if order == "both sides" else [before]), reads=net.constant(both), axis=1)
    channels = 4 + {"behind": 1, "before": 2, "both sides": 3}[order]
    net.add("Conv", bipolar(random, 5, channels, 3, 3), pads=[1, 1, 1, 1]).sign().add(
        "Conv", bipolar(random, 2, 5, 1, 1)
    )
    (join,) = joins(agrees(net, bipolar(random, 12, 3, 6, 6)))
    assert join.axis == 2
    assert len(join.constants) == 1 + (order == "both sides")


@pytest.mark.parametrize("axis", [2, 3])
@pytest.mark.parametrize("order", [0, 1])
def test_constant_rows_and_columns(model, random, axis, order):
    size = [1, 4, 5, 5]
    size[axis] = 2
    net = one_frame(model(3, 5, 5), 3, 5, 5).sign().add("Conv", bipolar(random, 4, 3, 1, 1)).sign()
    row = random.choice([-1.0, 0.0, 1.0, 0.25], size)
    net.add("Concat", *([net.value] if order else [row]), reads=net.constant(row) if order else None, axis=axis)
    net.add("Conv", bipolar(random, 3, 4, 2, 2)).sign().add("Conv", bipolar(random, 2, 3, 1, 1))
    (join,) = joins(agrees(net, bipolar(random, 12, 3, 5, 5)))
    assert (join.axis, join.places) == (axis - 2, (1 - order,))


def test_a_class_token_in_front_of_a_sequence(model, random):
    net = one_frame(model(4, 2, 2), 4, 2, 2).sign().add("Conv", bipolar(random, 6, 4, 1, 1)).sign()
    net.add("Reshape", np.array([1, 6, 4])).add("Transpose", perm=[0, 2, 1])
    net.add("Concat", net.value, reads=net.constant(bipolar(random, 1, 1, 6)), axis=1)
    net.add("MatMul", bipolar(random, 6, 5)).sign().add("MatMul", bipolar(random, 5, 3))
    (join,) = joins(agrees(net, bipolar(random, 12, 4, 2, 2)))
    assert (join.axis, join.out_shape) == (1, (1, 5, 6))


def test_a_constant_of_real_numbers_is_rounded_and_announced(model, random):
    net = one_frame(model(4, 5), 4, 5).sign().add("Conv", bipolar(random, 6, 4, 1)).sign()
    net.add("Concat", random.standard_normal((1, 6, 2)).astype(np.float32), axis=2)
    net.add("Conv", bipolar(random, 3, 6, 2)).add("Conv", bipolar(random, 2, 3, 1))
    network = net.network()
    (note,) = [note for note in network.notes if "joins is rounded to steps of" in note]
    x = bipolar(random, 12, 4, 5)
    found = codec.from_codes(network, network.golden(codec.to_codes(network.input, x)))
    expected = np.concatenate([net.reference(frame[None]) for frame in x])
    error = float(note.rsplit(" ", 1)[1])
    assert 0 < np.max(np.abs(found - expected)) <= 36 * error + 1e-4
    assert network.announced[0].layer == joins(network)[0].name
    with pytest.raises(
        ModelError, match=r"\(Concat\) joins a constant of real numbers, which integers hold only rounded"
    ):
        net.network(conversion=Conversion(exact=True))


@pytest.mark.parametrize(
    ("scales", "shifts"), [((1, 1), (0, 0)), ((0.5, 2), (0, 0)), ((1, 3), (2, -1)), ((-1, 1), (0, 1))]
)
def test_maps_under_one_another(model, random, scales, shifts):
    """What stands in one channel has one scale: integers that are multiplied, exactly."""
    net = model(2, 6, 6)
    first, second = branches(net, random, scales=scales, shifts=shifts)
    net.add("Concat", second, reads=first, axis=2).add("Conv", bipolar(random, 3, 4, 2, 2)).sign()
    network = net.add("Conv", bipolar(random, 2, 3, 1, 1)).agrees(bipolar(random, 24, 2, 6, 6), input_type="bipolar")
    (join,) = joins(network)
    assert (join.axis, join.out_shape) == (0, (6, 4, 4))
    assert any(isinstance(layer, Segments) for layer in network.layers) == (scales != (1, 1))


@pytest.mark.parametrize("name", ["columns", "sequences"])
def test_maps_beside_one_another(model, random, name):
    dims = 2 if name == "columns" else 1
    net = model(2, *(5,) * dims).sign()
    net.add("Conv", bipolar(random, 3, 2, *(2,) * dims)).sign()
    first = net.value
    net.add("MaxPool", kernel_shape=[1] * (dims - 1) + [2])
    net.add("Concat", first, first, axis=dims + 1).add("Conv", bipolar(random, 4, 3, *(2,) * dims)).sign()
    (join,) = joins(net.agrees(bipolar(random, 24, 2, *(5,) * dims)))
    assert (join.axis, len(join.sources)) == (1, 3)


@pytest.mark.parametrize("scales", ["one", "commensurable", "incommensurable", "each channel"])
@pytest.mark.parametrize("where", ["output", "inside"])
def test_heads_as_detectors_write_them(model, random, scales, where):
    """Maps of different sizes, channels last, flattened to boxes, all of one head behind those of the other."""
    numbers = {"one": (1, 1), "commensurable": (1, 0.5), "incommensurable": (1, np.pi), "each channel": (1, 1)}[scales]
    net = model(2, 6, 6).sign()
    heads, before = [], net.value
    for stride, scale in zip((1, 2), numbers, strict=True):
        net.add("Conv", bipolar(random, 8, 2, 3, 3), pads=[1, 1, 1, 1], strides=[stride, stride], reads=before)
        by = random.standard_normal((8, 1, 1)) if scales == "each channel" else np.full((1, 1, 1), scale)
        net.add("Mul", by.astype(np.float32)).add("Transpose", perm=[0, 2, 3, 1])
        heads.append(net.add("Reshape", np.array([0, -1, 4])).value)
    net.add("Concat", heads[1], reads=heads[0], axis=1)
    if where == "inside":
        net.sign().add("MatMul", bipolar(random, 4, 2))
    network = net.agrees(bipolar(random, 8, 2, 6, 6))
    (join,) = joins(network)
    assert join.out_shape == ((1, 90, 4) if scales in ("one", "commensurable") else (1, 1, 360))


def test_operands_in_other_orders_follow_one_another_as_they_are(model, random):
    """One is transposed and the other is not: the host puts them in order."""
    net = model(2, 4, 4).sign().add("Conv", bipolar(random, 3, 2, 1, 1))
    first = net.add("Transpose", perm=[0, 1, 3, 2]).value
    net.add("Conv", bipolar(random, 3, 2, 1, 1), reads="v1").add("Concat", first, axis=2)
    assert len(joins(net.agrees(bipolar(random, 8, 2, 4, 4)))) == 1


def test_joined_maps_are_read_by_several_and_leave(model, random):
    net = model(2, 6, 6)
    first, second = branches(net, random)
    joined = net.add("Concat", second, reads=first, axis=2).value
    net.add("Conv", bipolar(random, 3, 4, 2, 2)).sign().add("GlobalAveragePool")
    path, x = net.save(outputs=(joined, net.value)), bipolar(random, 24, 2, 6, 6)
    network = streamline(run(read_onnx(path)), Options(input_type="bipolar"))
    found = codec.outputs_of(network, network.golden_maps(codec.to_codes(network.input, x)))
    for value in (net.value, joined):
        net.value = value
        np.testing.assert_array_equal(found[value], net.reference(x))
