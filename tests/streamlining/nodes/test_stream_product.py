"""Products of two maps against ONNX Runtime to the last bit: heads, orders of axes, kinds of codes, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.codes import BIPOLAR, CodeType
from hwgen.conversion import Conversion
from hwgen.errors import ModelError
from hwgen.layers.conv import Conv
from hwgen.layers.matmul import MatMul
from hwgen.layers.reorder import Reorder
from hwgen.layers.reshape import Reshape
from hwgen.layers.segments import Segments
from hwgen.layers.thresholding import Thresholding
from tests.streamlining.conftest import bipolar, frames

TOKENS, WIDTH, HEADS = 5, 6, 2


def kinds(network):
    return [type(layer) for layer in network.layers]


def projected(net, random, count, *, width=WIDTH):
    """Append signs of so many linear functions of the tokens; give their names."""
    start, names = net.value, []
    for _ in range(count):
        weights, bias = bipolar(random, WIDTH, width), random.normal(0, 1.5, width).astype(np.float32)
        names.append(net.add("MatMul", weights, reads=start).add("Add", bias).sign().value)
    return names


def in_heads(net, name, order):
    split = net.add("Reshape", np.array([0, TOKENS, HEADS, WIDTH // HEADS]), reads=name).value
    return net.add("Transpose", reads=split, perm=order).value


def only(network, kind):
    (found,) = [layer for layer in network.layers if isinstance(layer, kind)]
    return found


def test_heads_need_no_layer_of_their_own(model, random):
    net = model(TOKENS, WIDTH)
    q, k, v = projected(net, random, 3)
    scores = net.add("MatMul", in_heads(net, k, (0, 2, 3, 1)), reads=in_heads(net, q, (0, 2, 1, 3))).value
    chosen = net.add("Greater", np.float32(0), reads=scores).add("Cast", to=1).value
    net.add("MatMul", in_heads(net, v, (0, 2, 1, 3)), reads=chosen)
    net.add("Transpose", perm=(0, 2, 1, 3)).add("Reshape", np.array([0, TOKENS, WIDTH])).sign()
    net.add("MatMul", bipolar(random, WIDTH, 3))
    network = net.agrees(frames(random, TOKENS, WIDTH), input_type="bipolar")
    assert kinds(network) == [Conv, Conv, MatMul, Conv, MatMul, Conv]
    scores, context = (layer for layer in network.layers if isinstance(layer, MatMul))
    assert (scores.groups, scores.by_rows, scores.out_type, scores.zeros) == (HEADS, True, BIPOLAR, (False, False))
    assert (context.groups, context.by_rows, context.out_type, context.zeros) == (HEADS, False, BIPOLAR, (True, False))


def test_matrices_that_come_one_after_the_other(model, random):
    net = model(2, TOKENS, WIDTH)
    q, k = projected(net, random, 2)
    network = net.add("MatMul", net.add("Transpose", reads=k, perm=(0, 1, 3, 2)).value, reads=q).agrees(
        frames(random, 2, TOKENS, WIDTH), input_type="bipolar"
    )
    assert only(network, MatMul).in_shapes == ((2, TOKENS, WIDTH), (2, TOKENS, WIDTH))


def test_heads_that_share_a_matrix_are_more_vectors(model, random):
    net = model(TOKENS, WIDTH)
    (q,) = projected(net, random, 1)
    net.value = "x"
    (k,) = projected(net, random, 1, width=WIDTH // HEADS)
    shared = net.add("Unsqueeze", np.array([1]), reads=net.add("Transpose", reads=k, perm=(0, 2, 1)).value).value
    net.add("MatMul", shared, reads=in_heads(net, q, (0, 2, 1, 3)))
    network = net.agrees(frames(random, TOKENS, WIDTH), input_type="bipolar")
    assert only(network, MatMul).in_shapes == ((1, TOKENS * HEADS, WIDTH // HEADS), (1, TOKENS, WIDTH // HEADS))
    assert kinds(network) == [Conv, Conv, Reshape, MatMul]


def test_heads_of_the_same_vectors_are_more_rows(model, random):
    net = model(TOKENS, WIDTH)
    (k,) = projected(net, random, 1)
    net.value = "x"
    (q,) = projected(net, random, 1, width=WIDTH // HEADS)
    net.add("MatMul", in_heads(net, k, (0, 2, 3, 1)), reads=net.add("Unsqueeze", np.array([1]), reads=q).value)
    network = net.agrees(frames(random, TOKENS, WIDTH), input_type="bipolar")
    layer = only(network, MatMul)
    assert (layer.groups, layer.rows, layer.columns) == (1, TOKENS * HEADS, WIDTH // HEADS)


def test_a_transformation_that_the_network_computes(model, random):
    net = model(TOKENS, 3)
    net.add("ReduceMax", axes=[1], keepdims=0).add("MatMul", bipolar(random, 3, 9))
    matrix = net.add("Reshape", np.array([0, 3, 3])).value
    network = net.add("MatMul", matrix, reads="x").agrees(frames(random, TOKENS, 3), input_type="bipolar")
    assert only(network, MatMul).in_shapes == ((1, TOKENS, 3), (1, 3, 3))


@pytest.mark.parametrize("equation", ["bqc,bkc->bqk", "bqc,bkc->bkq", "bqc,bqd->bcd", "bqc,bkc->bq"])
def test_einsum_of_two_tensors(model, random, equation):
    net = model(TOKENS, WIDTH)
    q, k = projected(net, random, 2)
    net.add("Einsum", k, reads=q, equation=equation)
    network = net.agrees(frames(random, TOKENS, WIDTH), input_type="bipolar")
    assert (MatMul in kinds(network), Reorder in kinds(network)) == (True, equation == "bqc,bqd->bcd")


def test_einsum_of_heads(model, random):
    net = model(TOKENS, WIDTH)
    q, k = (in_heads(net, name, (0, 1, 2, 3)) for name in projected(net, random, 2))
    network = net.add("Einsum", k, reads=q, equation="bqhd,bkhd->bhqk").agrees(
        frames(random, TOKENS, WIDTH), input_type="bipolar"
    )
    assert kinds(network) == [Conv, Conv, MatMul]


def quantised(net, name, scale, zero, levels, *, kind=np.uint8):
    """Append a quantiser behind linear scores."""
    low, high = levels
    net.add("QuantizeLinear", np.asarray(scale, np.float32), np.asarray(zero, kind), reads=name)
    net.add("Clip", np.asarray(low, kind), np.asarray(high, kind)) if levels != (0, 255) else None
    return net.add("DequantizeLinear", np.asarray(scale, np.float32), np.asarray(zero, kind)).value


def linear(net, random, reads="x"):
    return net.add("MatMul", bipolar(random, WIDTH, WIDTH), reads=reads).value


@pytest.mark.parametrize("zeros", [(0, 0), (3, 0), (3, 7)], ids=str)
def test_zero_points_are_taken_off_in_front(model, random, zeros):
    net = model(TOKENS, WIDTH)
    q, k = (quantised(net, linear(net, random), 0.5, zero, (0, 15)) for zero in zeros)
    net.add("MatMul", net.add("Transpose", reads=k, perm=(0, 2, 1)).value, reads=q)
    network = net.agrees(frames(random, TOKENS, WIDTH), input_type="bipolar")
    assert Segments not in kinds(network) or any(zeros)


def test_scales_of_columns_become_factors(model, random):
    net = model(TOKENS, WIDTH)
    q, k = projected(net, random, 2)
    scaled = net.add("Mul", np.array([1, 2, 1, 300, 1, 0.5], np.float32), reads=q).value
    net.add("MatMul", net.add("Transpose", reads=k, perm=(0, 2, 1)).value, reads=scaled)
    network = net.agrees(frames(random, TOKENS, WIDTH), input_type="bipolar")
    assert only(network, Segments).factors.ravel().tolist() == [2, 4, 2, 600, 2, 1]


def test_scales_of_columns_without_a_common_measure_are_announced_or_refused(model, random):
    net = model(TOKENS, WIDTH)
    q, k = projected(net, random, 2)
    scaled = net.add("Mul", np.sqrt(np.arange(1, WIDTH + 1)).astype(np.float32), reads=q).value
    net.add("MatMul", net.add("Transpose", reads=k, perm=(0, 2, 1)).value, reads=scaled)
    assert net.network(input_type="bipolar").announced
    with pytest.raises(ModelError, match="which integers hold only rounded"):
        net.network(input_type="bipolar", conversion=Conversion(exact=True))


def test_scales_of_rows_are_those_of_the_result(model, random):
    net = model(TOKENS, WIDTH)
    q, v = projected(net, random, 2)
    scores = net.add("MatMul", net.add("Transpose", reads=q, perm=(0, 2, 1)).value, reads=q).value
    chosen = net.add("Greater", np.float32(0), reads=scores).add("Cast", to=1).value
    scaled = net.add("Mul", np.array([1, 2, 0.25, 3, 1, 5], np.float32), reads=v).value
    network = net.add("MatMul", scaled, reads=chosen).agrees(frames(random, TOKENS, WIDTH), input_type="bipolar")
    assert Segments not in kinds(network)


def test_a_mask_differs_from_position_to_position(model, random):
    net = model(TOKENS, WIDTH)
    q, k = projected(net, random, 2)
    net.add("MatMul", net.add("Transpose", reads=k, perm=(0, 2, 1)).value, reads=q)
    net.add("Add", np.triu(np.full((TOKENS, TOKENS), -100, np.float32), 1)).sign()
    network = net.add("MatMul", bipolar(random, TOKENS, 3)).agrees(frames(random, TOKENS, WIDTH), input_type="bipolar")
    assert kinds(network) == [Conv, Conv, MatMul, Conv]
    assert only(network, MatMul).thresholds.positions.count == TOKENS


def test_products_that_count_downwards_are_compared_behind(model, random):
    net = model(TOKENS, WIDTH)
    q, k = projected(net, random, 2)
    net.add("MatMul", net.add("Transpose", reads=k, perm=(0, 2, 1)).value, reads=q)
    net.add("Mul", np.float32(-0.5)).add("Add", np.float32(0.25)).sign().add("MatMul", bipolar(random, TOKENS, 3))
    network = net.agrees(frames(random, TOKENS, WIDTH), input_type="bipolar")
    assert kinds(network) == [Conv, Conv, MatMul, Thresholding, Conv]


def test_a_tensor_times_itself(model, random):
    net = model(TOKENS, WIDTH)
    (q,) = projected(net, random, 1)
    network = net.add("MatMul", net.add("Transpose", reads=q, perm=(0, 2, 1)).value, reads=q).agrees(
        frames(random, TOKENS, WIDTH), input_type="bipolar"
    )
    assert len(set(only(network, MatMul).sources)) == 1


def test_a_matrix_across_the_batch_is_refused(model, random):
    net = model(WIDTH)
    turned = net.add("Transpose", perm=(1, 0)).value
    net.add("MatMul", turned, reads="x")
    with pytest.raises(ModelError, match="whose first axis is the batch; give each frame a matrix of its own"):
        net.network(input_type="bipolar")


def test_signs_keep_the_parity_of_their_number(model, random):
    net = model(TOKENS, WIDTH)
    q, k = projected(net, random, 2)
    net.add("MatMul", net.add("Transpose", reads=k, perm=(0, 2, 1)).value, reads=q)
    layer = only(net.agrees(frames(random, TOKENS, WIDTH), input_type="bipolar"), MatMul)
    assert layer.out_type == CodeType(-WIDTH, WIDTH)
