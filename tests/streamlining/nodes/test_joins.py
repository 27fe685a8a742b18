"""Maps with several readers, maps that join, and maps whose elements move, against ONNX Runtime to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto

from hwgen.arrays import codec
from hwgen.errors import ModelError
from hwgen.layers.channel_max import ChannelMax
from hwgen.layers.combine import Combine, Operation
from hwgen.layers.concat import Concat
from hwgen.layers.conv import Conv
from hwgen.layers.crop import Crop
from hwgen.layers.dense import Dense
from hwgen.layers.embedding import Embedding
from hwgen.layers.global_reduce import GlobalReduce
from hwgen.layers.maxpool import MaxPool
from hwgen.layers.protocol import sources_of
from hwgen.layers.reorder import Reorder
from hwgen.layers.reshape import Reshape
from hwgen.layers.select import Select
from hwgen.layers.thresholding import Thresholding
from hwgen.layers.upsample import Upsample
from tests.streamlining.conftest import bipolar, frames


def kinds(network):
    return [type(layer) for layer in network.layers]


def two_convolutions(net, random, channels=4, **second):
    """Append two convolutions of the input, give the names of their accumulators."""
    inner = net.value
    size = net.reference(np.zeros((1, *shape_of(net)), np.float32)).shape[1] if net.nodes else shape_of(net)[0]
    first = net.add("Conv", bipolar(random, channels, size, 3, 3), reads=inner, pads=[1, 1, 1, 1]).value
    second = net.add("Conv", bipolar(random, channels, size, 1, 1), reads=inner, **second).value
    return first, second


def shape_of(net):
    return [dim.dim_value for dim in net.input.type.tensor_type.shape.dim[1:]]


def test_two_readers_of_the_same_codes_share_a_layer(model, random):
    net = model(8).add("MatMul", bipolar(random, 8, 4)).sign()
    before = net.value
    one = net.add("MatMul", bipolar(random, 4, 4)).value
    net.add("MatMul", bipolar(random, 4, 4), reads=before).add("Add", one).sign().add("MatMul", bipolar(random, 4, 3))
    network = net.agrees(frames(random, 8), input_type="bipolar")
    assert kinds(network) == [Dense, Dense, Dense, Combine, Thresholding, Dense]
    assert network.layers[0].out_type.bipolar
    first, *readers = network.layers
    assert [sources_of(layer) for layer in readers[:2]] == [(first.name,)] * 2


def test_two_signs_of_one_map_that_agree_share_a_layer(model, random):
    net = model(8).add("MatMul", bipolar(random, 8, 4))
    start = net.value
    one = net.sign().add("MatMul", bipolar(random, 4, 4)).value
    net.value = start
    net.add("Mul", np.float32(3)).sign().add("MatMul", bipolar(random, 4, 4)).add("Add", one)
    assert kinds(net.agrees(frames(random, 8), input_type="bipolar")) == [Dense, Dense, Dense, Combine]


def test_different_codes_of_one_map_are_cut_from_its_integers(model, random):
    net = model(8).add("MatMul", bipolar(random, 8, 4))
    start = net.value
    one = net.sign().add("MatMul", bipolar(random, 4, 4)).value
    net.value = start
    net.add("Add", np.array([3, -3, 1, -5.0])).sign().add("MatMul", bipolar(random, 4, 4)).add("Add", one)
    network = net.agrees(frames(random, 8), input_type="bipolar")
    assert kinds(network) == [Dense, Thresholding, Thresholding, Dense, Dense, Combine]
    assert network.layers[0].thresholds is None


def test_a_real_valued_shortcut_of_integers_is_exact(model, random):
    """Bi-Real: y = conv(sign(x)) + x, twice, and a sign."""
    net = model(3, 6, 6).add("Conv", bipolar(random, 4, 3, 3, 3), pads=[1, 1, 1, 1])
    for _ in range(2):
        before = net.value
        net.sign().add("Conv", bipolar(random, 4, 4, 3, 3), pads=[1, 1, 1, 1]).add("Mul", np.float32(0.5))
        net.add("Add", before)
    net.sign().add("Flatten").add("MatMul", bipolar(random, 144, 3))
    network = net.agrees(frames(random, 3, 6, 6), input_type="bipolar")
    assert [layer.factors.tolist() for layer in network.layers if isinstance(layer, Combine)] == [
        [[1] * 4, [2] * 4],
        [[1] * 4, [1] * 4],
    ]
    assert network.notes == ()


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Max", "Min", "Sum", "Mean"])
def test_two_maps_join(model, random, op):
    net = model(2, 5, 5)
    first, second = two_convolutions(net, random)
    net.value = first
    net.add(op, second)
    network = net.agrees(frames(random, 2, 5, 5), input_type="bipolar")
    joins = [layer for layer in network.layers if isinstance(layer, Combine)]
    assert (joins[0].operation is Operation.MULTIPLY) == (op == "Mul")


@pytest.mark.parametrize("op", ["Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal"])
def test_two_maps_are_compared(model, random, op):
    net = model(2, 5, 5)
    first, second = two_convolutions(net, random)
    net.value = first
    net.add(op, second).add("Cast", to=1).add("Conv", bipolar(random, 3, 4, 1, 1))
    net.agrees(frames(random, 2, 5, 5), input_type="bipolar")


@pytest.mark.parametrize("op", ["And", "Or", "Xor"])
def test_two_conditions_join(model, random, op):
    net = model(2, 5, 5)
    first, second = two_convolutions(net, random)
    net.value = first
    one = net.add("Greater", np.float32(1)).value
    net.add("LessOrEqual", np.float32(0), reads=second).add(op, one)
    net.add("Cast", to=1).add("Conv", bipolar(random, 3, 4, 1, 1))
    net.agrees(frames(random, 2, 5, 5), input_type="bipolar")


def test_one_map_chooses_between_two(model, random):
    net = model(2, 5, 5)
    first, second = two_convolutions(net, random)
    third = net.add("Conv", bipolar(random, 4, 2, 1, 1), reads="x").value
    condition = net.add("Greater", np.float32(0), reads=third).value
    net.add("Where", first, second, reads=condition)
    net.agrees(frames(random, 2, 5, 5), input_type="bipolar")


def test_other_operators_of_two_maps_are_refused(model, random):
    net = model(2, 5, 5)
    first, second = two_convolutions(net, random)
    net.add("Pow", second, reads=first)
    with pytest.raises(ModelError, match=r"'the_pow_2' \(Pow\) joins tensors that come from different layers"):
        net.network(input_type="bipolar")


@pytest.mark.parametrize("shape", [(1, 1, 1), (4, 1, 1), (1, 5, 5), (1, 1, 5)])
def test_a_smaller_map_is_spread_over_a_larger(model, random, shape):
    net = model(2, 5, 5)
    large = net.add("Conv", bipolar(random, 4, 2, 1, 1)).value
    axes = [axis + 1 for axis, size in enumerate(shape) if size == 1 and axis]
    small = net.add("Conv", bipolar(random, shape[0], 2, 1, 1), reads="x").value
    if axes:
        small = net.add("ReduceMax", reads=small, axes=axes, keepdims=1).value
    net.add("Mul", small, reads=large)
    net.agrees(frames(random, 2, 5, 5), input_type="bipolar")


def test_concat_of_bits_stays_bits(model, random):
    net = model(2, 5, 5)
    first, second = two_convolutions(net, random)
    net.value = first
    one = net.sign().value
    net.value = second
    net.sign().add("Concat", one, axis=1).add("Conv", bipolar(random, 3, 8, 3, 3))
    network = net.agrees(frames(random, 2, 5, 5), input_type="bipolar")
    (join,) = [layer for layer in network.layers if isinstance(layer, Concat)]
    assert join.out_type.bipolar


def test_concat_of_accumulators_and_bits(model, random):
    net = model(2, 5, 5)
    first, second = two_convolutions(net, random)
    net.value = second
    net.sign().add("Concat", first, axis=1).add("Add", np.arange(8.0).reshape(8, 1, 1)).sign()
    net.add("Conv", bipolar(random, 3, 8, 3, 3))
    net.agrees(frames(random, 2, 5, 5), input_type="bipolar")


def test_doubled_channels(model, random):
    """ReActNet doubles channels by concatenating a map with itself."""
    net = model(2, 5, 5).add("Conv", bipolar(random, 4, 2, 1, 1))
    net.add("Concat", net.value, axis=1).add("Conv", bipolar(random, 3, 8, 3, 3))
    network = net.agrees(frames(random, 2, 5, 5), input_type="bipolar")
    assert kinds(network) == [Conv, Select, Conv]


def test_a_channel_shuffle_is_free_in_front_of_a_convolution(model, random):
    net = model(2, 5, 5).add("Conv", bipolar(random, 6, 2, 1, 1)).sign()
    net.add("Reshape", np.array([-1, 2, 3, 5, 5])).add("Transpose", perm=[0, 2, 1, 3, 4])
    net.add("Reshape", np.array([-1, 6, 5, 5])).add("Conv", bipolar(random, 3, 6, 3, 3))
    assert kinds(net.agrees(frames(random, 2, 5, 5), input_type="bipolar")) == [Conv, Conv]


def test_a_channel_shuffle_in_front_of_groups_is_a_selection(model, random):
    net = model(2, 5, 5).add("Conv", bipolar(random, 6, 2, 1, 1)).sign()
    net.add("Reshape", np.array([-1, 2, 3, 5, 5])).add("Transpose", perm=[0, 2, 1, 3, 4])
    net.add("Reshape", np.array([-1, 6, 5, 5])).add("Conv", bipolar(random, 4, 3, 3, 3), group=2)
    network = net.agrees(frames(random, 2, 5, 5), input_type="bipolar")
    assert kinds(network) == [Conv, Select, Conv]
    assert network.layers[1].channels == (0, 3, 1, 4, 2, 5)


def test_split_and_crop(model, random):
    net = model(2, 6, 7).add("Conv", bipolar(random, 6, 2, 1, 1))
    net.add("Split", np.array([2, 4]), axis=1, outputs=2)
    second = net.value + "_1"
    left = net.sign().add("Conv", bipolar(random, 3, 2, 3, 3)).value
    net.value = second
    net.add("Slice", np.array([1, 2]), np.array([5, 7]), np.array([2, 3])).add("Mul", np.float32(2))
    net.add("Conv", bipolar(random, 3, 4, 1, 1)).add("Add", left)
    network = net.agrees(frames(random, 2, 6, 7), input_type="bipolar")
    assert {Crop, Select} <= set(kinds(network))


@pytest.mark.parametrize(("starts", "ends", "steps"), [([0, 0], [6, 6], [2, 3]), ([1, 2], [6, 6], [2, 1])])
def test_strided_slices(model, random, starts, ends, steps):
    net = model(2, 6, 6).add("Conv", bipolar(random, 4, 2, 1, 1)).sign()
    net.add("Slice", np.array(starts), np.array(ends), np.array([2, 3]), np.array(steps))
    net.add("Conv", bipolar(random, 3, 4, 1, 1))
    net.agrees(frames(random, 2, 6, 6), input_type="bipolar")


def test_gather_of_channels(model, random):
    net = model(2, 4, 4).add("Conv", bipolar(random, 4, 2, 1, 1)).sign().add("Gather", np.array([3, 0, 0]), axis=1)
    net.add("Conv", bipolar(random, 3, 3, 2, 2))
    assert kinds(net.agrees(frames(random, 2, 4, 4), input_type="bipolar")) == [Conv, Select, Conv]


def test_nearest_upsampling(model, random):
    net = model(2, 4, 3).add("Conv", bipolar(random, 4, 2, 1, 1)).sign()
    net.add(
        "Resize",
        "",
        np.array([1, 1, 2, 3], np.float32),
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )
    net.add("Conv", bipolar(random, 3, 4, 3, 3))
    assert kinds(net.agrees(frames(random, 2, 4, 3), input_type="bipolar")) == [Conv, Upsample, Conv]


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_depth_to_space_and_back(model, random, mode):
    net = model(2, 4, 3).add("Conv", bipolar(random, 8, 2, 1, 1)).sign().add("DepthToSpace", blocksize=2, mode=mode)
    net.add("Conv", bipolar(random, 3, 2, 1, 1)).sign().add("SpaceToDepth", blocksize=2)
    net.add("Conv", bipolar(random, 3, 12, 1, 1))
    network = net.agrees(frames(random, 2, 4, 3), input_type="bipolar")
    assert kinds(network) == [Conv, Reorder, Conv, Reorder, Conv]


@pytest.mark.parametrize(
    "attributes",
    [
        {"kernel_shape": [2, 2], "strides": [2, 2]},
        {"kernel_shape": [3, 2], "pads": [1, 0, 1, 1], "count_include_pad": 1},
        {"kernel_shape": [2, 4], "pads": [1, 1, 0, 2], "strides": [1, 2]},
        {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1},
        {"kernel_shape": [4, 2], "strides": [2, 2], "pads": [1, 0, 1, 0], "ceil_mode": 1, "count_include_pad": 1},
    ],
)
def test_average_pool_in_front_of_a_sign(model, random, attributes):
    net = model(2, 5, 5).add("Conv", bipolar(random, 4, 2, 1, 1)).add("Mul", np.array([1, 2, -1, 0.5]).reshape(4, 1, 1))
    net.add("AveragePool", **attributes).add("Sub", np.float32(0.3)).sign()
    net.add("Conv", bipolar(random, 3, 4, 1, 1))
    network = net.agrees(frames(random, 2, 5, 5), input_type="bipolar")
    assert network.layers[1].groups == 4
    assert np.all(network.layers[1].weights == 1)


@pytest.mark.parametrize("op", ["GlobalAveragePool", "ReduceMean", "ReduceSum", "ReduceL1"])
def test_sums_over_the_map(model, random, op):
    net = model(2, 4, 4).add("Conv", bipolar(random, 4, 2, 1, 1))
    match op:
        case "GlobalAveragePool":
            net.add(op)
        case "ReduceSum":
            net.add(op, np.array([2, 3]))
        case _:
            net.add(op, axes=[2, 3])
    net.add("Flatten").add("Add", np.array([0, 1, -1, 0.25])).sign().add("MatMul", bipolar(random, 4, 3))
    network = net.agrees(frames(random, 2, 4, 4), input_type="bipolar")
    assert GlobalReduce in kinds(network)


@pytest.mark.parametrize("axes", [[1], [2], [3], [1, 3], [1, 2, 3]])
@pytest.mark.parametrize("keepdims", [0, 1])
def test_sums_along_any_axes(model, random, axes, keepdims):
    net = model(3, 4, 5).add("Conv", bipolar(random, 4, 3, 1, 1)).sign()
    net.add("ReduceSum", np.array(axes), keepdims=keepdims)
    net.agrees(frames(random, 3, 4, 5), input_type="bipolar")


@pytest.mark.parametrize("op", ["ReduceMax", "ReduceMin"])
@pytest.mark.parametrize("axes", [[2], [2, 3]])
def test_extremes_along_axes(model, random, op, axes):
    net = model(3, 4, 5).add("Conv", bipolar(random, 4, 3, 1, 1)).add("Add", np.float32(0.5))
    net.add(op, axes=axes, keepdims=0)
    network = net.agrees(frames(random, 3, 4, 5), input_type="bipolar")
    assert kinds(network)[1] in (MaxPool, GlobalReduce)


def test_points_with_channels_last(model, random):
    """PointNet: a shared product for every point, and the greatest over all points."""
    net = model(10, 3).add("MatMul", bipolar(random, 3, 6)).sign().add("MatMul", bipolar(random, 6, 8))
    net.add("ReduceMax", axes=[1], keepdims=0).sign().add("MatMul", bipolar(random, 8, 3))
    net.agrees(frames(random, 10, 3), input_type="bipolar")


def test_the_greatest_channel_of_a_convolution(model, random):
    net = model(3, 4, 5).add("Conv", bipolar(random, 4, 3, 1, 1)).add("ReduceMax", axes=[1])
    assert kinds(net.agrees(frames(random, 3, 4, 5), input_type="bipolar")) == [Conv, ChannelMax]


@pytest.mark.parametrize(
    ("shape", "attributes"),
    [
        ((4, 3, 2, 2), {"strides": [2, 2]}),
        ((4, 3, 4, 4), {"strides": [2, 2], "pads": [1, 1, 1, 1]}),
        ((4, 3, 3, 3), {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]}),
        ((4, 3, 3, 2), {"strides": [2, 3], "pads": [0, 0, 1, 1]}),
        ((4, 3, 3, 3), {"dilations": [2, 1], "strides": [2, 2]}),
        ((4, 3, 3, 3), {}),
        ((4, 2, 2, 3), {"strides": [3, 2], "group": 2, "dilations": [1, 2], "pads": [3, 2, 0, 3]}),
    ],
)
@pytest.mark.parametrize("kind", ["bipolar", "gates"])
def test_transposed_convolutions(model, random, shape, attributes, kind):
    net = model(2, 4, 3).add("Conv", bipolar(random, 4, 2, 1, 1))
    if kind == "gates":
        net.add("Greater", np.float32(0)).add("Cast", to=1)
    else:
        net.sign()
    rows = shape[1] * attributes.get("group", 1)
    net.add("ConvTranspose", bipolar(random, *shape), np.arange(rows) - 1.5, **attributes).sign()
    net.add("Conv", bipolar(random, 3, rows, 1, 1))
    network = net.agrees(frames(random, 2, 4, 3), input_type="bipolar")
    phases = [layer for layer in network.layers if isinstance(layer, Conv)][1:-1]
    assert len(phases) <= np.prod(attributes.get("strides", [1]))
    if attributes.get("strides", [1])[0] <= shape[2]:
        assert sum(np.count_nonzero(layer.weights) for layer in phases) <= np.prod(shape) * 4


def test_a_transposed_convolution_of_a_sequence(model, random):
    net = model(4, 6).add("Conv", bipolar(random, 4, 4, 1)).sign()
    net.add("ConvTranspose", bipolar(random, 4, 3, 4), strides=[2], pads=[1, 1]).sign().add(
        "Conv", bipolar(random, 2, 3, 2)
    )
    net.agrees(frames(random, 4, 6), input_type="bipolar")


def test_a_matrix_from_the_left(model, random):
    net = model(4, 6).add("Conv", bipolar(random, 4, 4, 1)).sign()
    net.add("MatMul", net.value, reads=net.constant(bipolar(random, 5, 4)))
    net.agrees(frames(random, 4, 6), input_type="bipolar")


@pytest.mark.parametrize("table", ["signs", "levels"])
def test_an_embedding_of_codes(model, random, table):
    rows = bipolar(random, 10, 6) if table == "signs" else random.integers(-3, 4, (10, 6)) / 4
    net = model(7, dtype=TensorProto.INT64)
    net.add("Gather", "x", reads=net.constant(rows)).add("MatMul", bipolar(random, 6, 4))
    network = net.agrees(random.integers(0, 8, (20, 7)), input_type="uint3")
    assert kinds(network) == [Embedding, Conv]
    assert network.layers[0].out_type.bits == (1 if table == "signs" else 3)


@pytest.mark.parametrize("declared", [{}, {"input_type": "uint4"}])
def test_symbols_are_the_rows_of_the_smallest_table(model, random, declared):
    """A vocabulary is no power of two, and an index of 64 bits says nothing about it."""
    net = model(7, dtype=TensorProto.INT64)
    first = net.add("Gather", "x", reads=net.constant(bipolar(random, 11, 6))).value
    net.add("Gather", "x", reads=net.constant(bipolar(random, 9, 6))).add("Add", first)
    network = net.add("MatMul", bipolar(random, 6, 4)).agrees(random.integers(0, 9, (20, 7)), **declared)
    assert (network.input.type.low, network.input.type.high) == (0, 8)


def test_what_follows_an_embedding_is_worked_into_its_table(model, random):
    net = model(7, dtype=TensorProto.INT64)
    net.add("Gather", "x", reads=net.constant(random.standard_normal((8, 6)))).add(
        "Add", random.standard_normal(6)
    ).sign()
    net.add("MatMul", bipolar(random, 6, 4)).add("ReduceSum", np.array([1]), keepdims=0)
    network = net.agrees(random.integers(0, 8, (20, 7)), input_type="uint3")
    assert network.layers[0].out_type.bipolar


def test_a_real_embedding_is_fixed_point(model, random):
    net = model(7, dtype=TensorProto.INT64)
    net.add("Gather", "x", reads=net.constant(random.standard_normal((8, 6)))).add("MatMul", bipolar(random, 6, 4))
    network = net.network(input_type="uint3")
    x = random.integers(0, 8, (20, 7))
    found = codec.from_codes(network, network.golden(codec.to_codes(network.input, x)))
    assert np.max(np.abs(found - net.reference(x))) < 1e-3
    assert "holds real numbers in steps of" in network.notes[0]


def embedded(model, random, rows):
    """Start with a map of rows of a table, channels first."""
    net = model(6, dtype=TensorProto.INT64).add("Gather", "x", reads="")
    net.nodes[-1].input.insert(0, net.constant(np.asarray(rows, np.float32)))
    return net.add("Transpose", perm=[0, 2, 1]).add("Unsqueeze", np.array([2])), random.integers(0, 8, (40, 6))


def test_a_pool_and_a_border_of_rows_in_front_of_a_quantiser_are_of_codes(model, random):
    net, x = embedded(model, random, random.standard_normal((8, 5)))
    net.add("MaxPool", kernel_shape=[1, 2], strides=[1, 2]).add("Add", random.standard_normal((5, 1, 1))).sign()
    net.add("Pad", np.array([0, 0, 0, 1, 0, 0, 0, 1]), np.float32(1)).add("Conv", bipolar(random, 4, 5, 1, 2))
    network = net.agrees(x, input_type="uint3")
    assert kinds(network) == [Embedding, MaxPool, Conv]
    assert network.layers[0].out_type.bipolar


def test_a_pool_of_rows_in_front_of_what_rises_and_falls_is_of_their_own_codes(model, random):
    net, x = embedded(model, random, random.integers(-9, 10, (8, 5)) / 4)
    net.add("MaxPool", kernel_shape=[1, 2]).add("Abs").add("Sub", np.float32(1)).sign().add(
        "Conv", bipolar(random, 4, 5, 1, 2)
    )
    assert kinds(net.agrees(x, input_type="uint3"))[:2] == [Embedding, MaxPool]


def test_rows_that_are_scaled_by_the_position(model, random):
    net, x = embedded(model, random, random.integers(-9, 10, (8, 5)) / 4)
    net.add("Mul", random.choice([-1, 0.5, 2], (5, 1, 6))).add("Conv", bipolar(random, 4, 5, 1, 2))
    assert Embedding in kinds(net.agrees(x, input_type="uint3"))
    net.sign().add("Conv", bipolar(random, 4, 4, 1, 2))
    net.agrees(x, input_type="uint3")


def test_symbols_that_the_table_lacks_are_refused(model, random):
    net = model(7, dtype=TensorProto.INT64)
    net.add("Gather", "x", reads=net.constant(bipolar(random, 10, 6))).add("MatMul", bipolar(random, 6, 4))
    with pytest.raises(ModelError, match=r"\(Gather\) has a table of 10 rows, but is asked for -8 to 7 \(int4\)"):
        net.network(input_type="int4")


def test_a_vector_becomes_a_map(model, random):
    net = model(8).add("MatMul", bipolar(random, 8, 36)).sign().add("Reshape", np.array([-1, 4, 3, 3]))
    net.add("Conv", bipolar(random, 3, 4, 2, 2))
    network = net.agrees(frames(random, 8), input_type="bipolar")
    assert kinds(network) == [Dense, Reshape, Conv]


def test_a_map_becomes_a_vector_of_another_order_and_a_map_again(model, random):
    net = model(2, 4, 6).add("Conv", bipolar(random, 4, 2, 1, 1)).sign().add("Transpose", perm=[0, 2, 3, 1])
    net.add("Reshape", np.array([-1, 2, 12, 4])).add("Transpose", perm=[0, 3, 1, 2]).add(
        "Conv", bipolar(random, 3, 4, 2, 2)
    )
    network = net.agrees(frames(random, 2, 4, 6), input_type="bipolar")
    assert kinds(network) == [Conv, Reshape, Conv]


def test_a_gate_of_zero_and_a_real_number_is_multiplied_exactly(model, random):
    net = model(2, 5, 5)
    first, second = two_convolutions(net, random)
    gate = net.add("Greater", np.float32(0), reads=second).add("Cast", to=1).add("Mul", np.float32(0.3)).value
    net.add("Mul", gate, reads=first).add("Sub", np.float32(0.7)).sign().add("Conv", bipolar(random, 3, 4, 1, 1))
    network = net.agrees(frames(random, 2, 5, 5), input_type="bipolar")
    assert network.notes == ()
