"""Products with several matrices, and sums of products in Einstein's notation, against ONNX Runtime."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.arrays import codec
from hwgen.errors import ModelError
from hwgen.layers.conv import Conv
from hwgen.layers.dense import Dense
from tests.streamlining.conftest import bipolar, frames


def heads(model, *, places=5, groups=3, size=4):
    """Give a tensor (1, groups, places, size) as attention heads lie on a sequence of vectors."""
    net = model(places, groups * size).add("Reshape", np.array([0, places, groups, size]))
    return net.add("Transpose", perm=[0, 2, 1, 3])


@pytest.mark.parametrize("leading", [False, True])
@pytest.mark.parametrize("places", [1, 5])
def test_each_head_has_a_matrix_of_its_own(model, random, leading, places):
    weights = bipolar(random, *((1,) if leading else ()), 3, 4, 2)
    net = heads(model, places=places).add("MatMul", weights)
    network = net.agrees(frames(random, places, 12), input_type="bipolar")
    (conv,) = network.layers
    assert isinstance(conv, Conv)
    assert (conv.groups, conv.weights.size) == (3, 24)


def test_heads_of_zeros_and_ones(model, random):
    weights = (bipolar(random, 3, 4, 2) + 1) / 2
    net = heads(model).add("XnorPopcountMatMul", weights, domain="qonnx.custom_op.general")
    x = (frames(random, 5, 12) + 1) / 2
    network = net.network(input_type="uint1")
    seen = x.reshape(-1, 5, 3, 4).transpose(0, 2, 1, 3)
    agree = (seen[..., None] == weights[None, :, None]).sum(axis=3)
    np.testing.assert_array_equal(codec.from_codes(network, network.golden(codec.to_codes(network.input, x))), agree)


def test_one_tensor_times_many_matrices(model, random):
    """No element is repeated: the matrices stand side by side."""
    net = model(1, 5, 6).add("MatMul", bipolar(random, 4, 6, 3))
    network = net.agrees(frames(random, 1, 5, 6), input_type="bipolar")
    assert sum(layer.weights.size for layer in network.layers if isinstance(layer, Conv | Dense)) == 4 * 6 * 3


EQUATIONS = [
    ("bij,jk->bik", [(6, 3)], (5, 6)),
    ("bij,kj->bik", [(3, 6)], (5, 6)),
    ("bij,jk", [(6, 3)], (5, 6)),
    ("bij,jk->bki", [(6, 3)], (5, 6)),
    ("b i j , j -> b i", [(6,)], (5, 6)),
    ("...j,jk->...k", [(6, 3)], (5, 6)),
    ("jk,bij->bik", [(6, 3)], (5, 6)),
    ("bij,ijk->bk", [(5, 6, 3)], (5, 6)),
    ("bihd,hdk->bihk", [(3, 4, 2)], (5, 3, 4)),
    ("bihd,hdk->bik", [(3, 4, 2)], (5, 3, 4)),
    ("bchw,oc->bohw", [(3, 4)], (4, 2, 5)),
    ("bchw,oc,p->bophw", [(3, 4), (1,)], (4, 2, 5)),
    ("bij,j->bij", [(6,)], (5, 6)),
    ("bij,i->bji", [(5,)], (5, 6)),
    ("bij->bi", [], (5, 6)),
    ("bij->bji", [], (5, 6)),
    ("bij,jk,kl->bil", [(6, 3), (3, 2)], (5, 6)),
]


@pytest.mark.parametrize(("equation", "shapes", "data"), EQUATIONS)
def test_sums_of_products(model, random, equation, shapes, data):
    net = model(*data)
    first = equation.replace(" ", "").partition("->")[0].split(",")[0]
    constants = [net.constant(bipolar(random, *shape)) for shape in shapes]
    if first == "jk":
        net.add("Einsum", "x", reads=constants[0], equation=equation)
    else:
        net.add("Einsum", *constants, equation=equation)
    if not shapes or equation in ("bij,j->bij", "bij,i->bji"):
        net.add(
            "MatMul",
            bipolar(
                random,
                net.graph().values[net.value].shape[-1] if len(net.graph().values[net.value].shape) > 1 else 5,
                2,
            ),
        )
    net.agrees(frames(random, *data), input_type="bipolar")


@pytest.mark.parametrize("equation", ["bii->bi", "bij,bjk,bkl->bil"])
def test_what_is_no_product_with_constants(model, equation):
    net = model(5, 5)
    net.add("Einsum", *["x"] * equation.count(","), equation=equation)
    with pytest.raises(ModelError, match=r"'the_einsum_0' \(Einsum\) has (no hardware|operands that both depend)"):
        net.network(input_type="bipolar")


@pytest.mark.parametrize(
    ("axis", "kept", "columns"),
    [(2, [0, 2], 24), (3, [1, 2], 24), (3, [0, 1, 3], 48), (2, [0, 1, 3], 48), (1, [0, 2], 32)],
)
def test_a_vector_of_a_part_of_a_map_leaves_out_the_rest_where_it_lies_evenly(model, random, axis, kept, columns):
    net = model(3, 4, 4).add("Gather", np.array(kept), axis=axis).add("Flatten")
    net.add("MatMul", bipolar(random, 48 // (3 if axis == 1 else 4) * len(kept), 5))
    network = net.agrees(frames(random, 3, 4, 4), input_type="bipolar")
    assert isinstance(network.layers[-1], Dense)
    assert network.layers[-1].columns == columns
