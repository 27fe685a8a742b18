"""Orders that no few layers give come out of a memory, and the integers say what ONNX Runtime says."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.activation import Positions
from hwgen.codes import signed
from hwgen.conversion import Conversion
from hwgen.errors import ModelError
from hwgen.graph import Node
from hwgen.layers.conv import Conv
from hwgen.layers.dense import Dense
from hwgen.layers.reorder import Reorder
from hwgen.layers.segments import Segments
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.functions.domain import Integers
from hwgen.streamlining.functions.signal import Codes
from hwgen.streamlining.places.reorder import reordered
from tests.streamlining.conftest import bipolar, frames


def kinds(network) -> list[type]:
    return [type(layer) for layer in network.layers]


def test_tokens_are_mixed_and_mixed_back(model, random):
    net = model(8, 6).add("MatMul", bipolar(random, 6, 5)).sign().add("Transpose", perm=[0, 2, 1])
    net.add("MatMul", bipolar(random, 8, 8)).sign().add("Transpose", perm=[0, 2, 1])
    network = net.add("MatMul", bipolar(random, 5, 3)).agrees(frames(random, 8, 6), input_type="bipolar")
    assert kinds(network) == [Conv, Reorder, Conv, Reorder, Conv]
    assert [layer.out_shape for layer in network.layers[1::2]] == [(1, 5, 8), (1, 8, 5)]
    assert network.notes[0] == (
        "'the_matmul_4' (MatMul) reads the 40 codes of 'the_matmul_0' in another order: 'reorder1' holds up to 70 of them at a time (0.0684 Kbit)"
    )


def test_a_matrix_on_the_other_side_needs_one_memory(model, random):
    net = model(4, 6, 5).add("Conv", bipolar(random, 3, 4, 1, 1)).sign()
    network = net.add("MatMul", bipolar(random, 5, 7)).agrees(frames(random, 4, 6, 5), input_type="bipolar")
    assert kinds(network) == [Conv, Reorder, Conv]


def test_patches_of_a_map(model, random):
    net = model(3, 8, 12).add("Conv", bipolar(random, 4, 3, 1, 1)).sign()
    net.add("Reshape", np.array([0, 4, 2, 4, 3, 4])).add("Transpose", perm=[0, 2, 4, 3, 5, 1])
    net.add("Reshape", np.array([-1, 6, 64])).add("MatMul", bipolar(random, 64, 5))
    network = net.agrees(frames(random, 3, 8, 12), input_type="bipolar")
    assert kinds(network) == [Conv, Reorder, Conv]


def test_heads_become_rows(model, random):
    net = model(10, 8).add("MatMul", bipolar(random, 8, 6)).sign()
    net.add("Reshape", np.array([-1, 10, 2, 3])).add("Transpose", perm=[0, 2, 1, 3])
    network = net.add("MatMul", bipolar(random, 3, 4)).agrees(frames(random, 10, 8), input_type="bipolar")
    assert kinds(network) == [Conv, Reorder, Conv]
    assert network.layers[1].out_shape == (2, 10, 3)


@pytest.mark.parametrize("axis", [1, 2, 3])
def test_a_map_turned_round(model, random, axis):
    net = model(2, 5, 6).add("Conv", bipolar(random, 4, 2, 2, 2)).sign()
    net.add("Slice", np.array([-1]), np.array([-100]), np.array([axis]), np.array([-1]))
    network = net.add("Conv", bipolar(random, 3, 4, 2, 3)).agrees(frames(random, 2, 5, 6), input_type="bipolar")
    assert kinds(network) == ([Conv, Conv] if axis == 1 else [Conv, Reorder, Conv])


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
@pytest.mark.parametrize("block", [2, 3])
def test_pixels_made_of_channels_in_mid_network(model, random, mode, block):
    rows = 2 * block * block
    net = model(2, 4, 5).add("Conv", bipolar(random, rows, 2, 2, 2)).sign()
    net.add("DepthToSpace", blocksize=block, mode=mode).add("Conv", bipolar(random, 3, 2, 2, 2))
    network = net.agrees(frames(random, 2, 4, 5), input_type="bipolar")
    assert kinds(network) == [Conv, Reorder, Conv]


@pytest.mark.parametrize("block", [2, 3])
def test_channels_made_of_pixels_in_mid_network(model, random, block):
    net = model(2, 6, 12).add("Conv", bipolar(random, 3, 2, 1, 1)).sign().add("SpaceToDepth", blocksize=block)
    network = net.add("Conv", bipolar(random, 4, 3 * block * block, 1, 1)).agrees(
        frames(random, 2, 6, 12), input_type="bipolar"
    )
    assert kinds(network) == [Conv, Reorder, Conv]


@pytest.mark.parametrize("shape", [[0, 5, 4, 6], [0, 6, 5, 4], [0, 2, 6, 10], [0, 3, 40], [0, 40, 3]])
def test_a_map_seen_as_another_without_a_transpose(model, random, shape):
    net = model(2, 5, 6).add("Conv", bipolar(random, 6, 2, 2, 2)).sign().add("Reshape", np.array(shape))
    channels = shape[1]
    net.add("Conv", bipolar(random, 4, channels, *(1,) * (len(shape) - 2)))
    net.agrees(frames(random, 2, 5, 6), input_type="bipolar")


def test_rows_of_a_map_flattened_with_the_batch(model, random):
    net = model(2, 4, 5).add("Conv", bipolar(random, 3, 2, 1, 1)).sign().add("Flatten", axis=2)
    net.add("MatMul", bipolar(random, 20, 6)).add("Reshape", np.array([-1, 3, 6]))
    network = net.agrees(frames(random, 2, 4, 5), input_type="bipolar")
    assert kinds(network) == [Conv, Reorder, Conv]


def test_elements_in_no_order_at_all(model, random):
    net = model(3, 4, 5).add("Conv", bipolar(random, 6, 3, 2, 2)).sign().add("Flatten")
    net.add("Gather", random.integers(0, 72, 60), axis=1).add("Reshape", np.array([-1, 4, 3, 5]))
    network = net.add("Conv", bipolar(random, 2, 4, 2, 2)).agrees(frames(random, 3, 4, 5), input_type="bipolar")
    assert kinds(network) == [Conv, Reorder, Conv]


def test_a_sum_of_a_map_and_its_transpose(model, random):
    net = model(6, 6).add("MatMul", bipolar(random, 6, 6)).sign()
    straight = net.value
    net.add("Transpose", perm=[0, 2, 1]).add("Add", straight).add("Sub", np.float32(1)).sign()
    net.add("MatMul", bipolar(random, 6, 4)).agrees(frames(random, 6, 6), input_type="bipolar")


def test_what_each_channel_holds_is_known_behind_the_memory_if_all_positions_hold_it():
    def reach(low: list[int], high: list[int]) -> Integers:
        lows = np.array([low])
        return Integers(lows, np.ones_like(lows), np.array([high]) - lows + 1, Positions.uniform(1, 4))

    ones, places = np.ones(4), np.arange(16).reshape(1, 4, 4)
    codes = Codes("x", (1, 4, 4), signed(4), ones, 0 * ones, reach([-1, 0, 2, 3], [1, 0, 5, 7]))
    node, builder = Node("MatMul", "product", (), ()), Builder(Conversion())
    assert reordered(codes, places.transpose(0, 2, 1), node, builder).reach is None
    swapped = reordered(codes, places[:, ::-1, [2, 0, 2, 1]], node, builder).reach
    assert swapped.low.tolist() == [[2, -1, 2, 0]]
    assert swapped.high.tolist() == [[5, 1, 5, 0]]


def scaled(model, random, scales) -> object:
    """Give a model whose four channels are worth different numbers when positions and channels are exchanged."""
    net = model(6, 3).add("MatMul", bipolar(random, 3, 4))
    net.add("Mul", np.array(scales)).add("Transpose", perm=[0, 2, 1])
    return net.add("MatMul", bipolar(random, 6, 5))


def test_channels_of_different_scales_are_brought_to_one_exactly(model, random):
    network = scaled(model, random, [0.5, 0.75, -1.25, 2]).agrees(frames(random, 6, 3), input_type="bipolar")
    assert [kind for kind in kinds(network) if kind in (Segments, Reorder)] == [Segments, Reorder]
    assert not any("off by" in note for note in network.notes)


def test_channels_of_scales_that_no_integers_have_are_rounded_and_announced(model, random):
    net = scaled(model, random, [0.5, 0.7123, 1.2519, 2])
    network = net.network(input_type="bipolar")
    assert Reorder in kinds(network)
    assert any("off by at most" in note for note in network.notes)
    with pytest.raises(ModelError, match="reads real numbers"):
        net.network(input_type="bipolar", conversion=Conversion(exact=True))


def test_a_dense_layer_still_reads_any_order_without_a_memory(model, random):
    net = model(3, 4, 5).add("Conv", bipolar(random, 6, 3, 2, 2)).sign().add("Transpose", perm=[0, 3, 1, 2])
    network = (
        net.add("Reshape", np.array([-1, 72]))
        .add("MatMul", bipolar(random, 72, 5))
        .agrees(frames(random, 3, 4, 5), input_type="bipolar")
    )
    assert kinds(network) == [Conv, Dense]
