"""Quantisers as exporters write them: ApproxSign, pairs of QuantizeLinear and DequantizeLinear, two and four bits."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from hwgen.arrays import codec
from hwgen.codes import CodeType
from hwgen.frontend import read_onnx
from hwgen.operators import evaluate
from hwgen.passes import run
from hwgen.streamlining.options import Options
from hwgen.streamlining.streamline import streamline
from tests.streamlining.conftest import bipolar, frames


def test_the_approximate_sign_of_bi_real_net(model, random):
    """26 nodes of comparisons, casts and products around one Sign, as the exporter writes (detach, forward of ApproxSign)."""
    net = model(12).add("MatMul", bipolar(random, 12, 6)).add("Mul", np.float32(0.15)).add("Add", np.float32(0.01))
    x = net.value
    sign = net.add("Sign", reads=x).value

    def mask(bound):
        return net.add("Less", np.float32(bound), reads=x).add("Cast", to=1).value

    def rest(name):
        return net.add("Sub", name, reads=net.constant(np.float32(1))).value

    square = net.add("Mul", x, reads=x).value
    below = net.add("Mul", np.float32(2), reads=x).add("Add", square).value
    above = net.add("Mul", np.float32(2), reads=x).add("Sub", square).value
    first, second, third = mask(-1), mask(0), mask(1)
    minus = net.add("Mul", np.float32(-1), reads=first).value
    out1 = net.add("Mul", rest(first), reads=below).add("Add", minus).value
    rest2 = net.add("Mul", rest(second), reads=above).value
    out2 = net.add("Mul", second, reads=out1).add("Add", rest2).value
    rest3 = rest(third)
    out3 = net.add("Mul", third, reads=out2).add("Add", rest3).value
    negative = net.add("Neg", reads=out3).value
    net.add("Add", negative, reads=sign).add("Add", out3).add("MatMul", bipolar(random, 6, 3))
    assert len(net.nodes) >= 26
    network = net.network(input_type="bipolar")
    assert [layer.out_type.bipolar for layer in network.layers] == [True, False]
    codes = bipolar(random, 60, 12).astype(np.int64)
    sums = (0.15 * (codes @ net_weights(net, 0)) + 0.01 >= 0) * 2 - 1
    np.testing.assert_array_equal(network.golden(codes.reshape(-1, 1, 1, 12))[:, 0, 0], sums @ net_weights(net, -1))


def net_weights(net, place):
    """Give the first or the last matrix of a model, as integers."""
    matrices = [numpy_helper.to_array(tensor) for tensor in net.constants if len(tensor.dims) == 2]
    return matrices[place].astype(np.int64)


@pytest.mark.parametrize("kind", [np.int8, np.uint8])
@pytest.mark.parametrize("per_channel", [False, True])
def test_pairs_of_quantise_and_dequantise(model, random, kind, per_channel):
    """ONNX's own quantisers around activations and weights."""
    point = kind(3 if kind is np.uint8 else 0)
    scales = 2.0 ** -np.arange(6) if per_channel else np.float32(0.25)
    points = np.full(6, point) if per_channel else point
    weights = random.integers(-3, 4, (6, 2, 3, 3)).astype(np.int8)
    net = model(2, 5, 5)
    quantised = net.add("DequantizeLinear", np.float32(0.5), np.int8(0), reads=net.constant(weights), axis=0).value
    net.add("Conv", quantised, reads="x").add("QuantizeLinear", scales, points, axis=1).add(
        "DequantizeLinear", scales, points, axis=1
    )
    net.add("Conv", bipolar(random, 3, 6, 2, 2)).add("QuantizeLinear", np.float32(0.5), np.int8(0)).add(
        "DequantizeLinear", np.float32(0.5), np.int8(0)
    )
    network = net.agrees(frames(random, 2, 5, 5), input_type="bipolar")
    # Nothing has the code of the zero point, so that zero is zero.
    assert network.layers[0].out_type.levels <= 256


@pytest.mark.parametrize("bits", [2, 4])
def test_narrow_quantisers(tmp_path, random, bits):
    kind = f"int{bits}"
    low = -(2 ** (bits - 1))
    text = (
        f'<ir_version: 10, opset_import: ["" : {25 if bits == 2 else 21}]> net (float[N,2,5,5] x) => (float[N,3,2,2] y) '
        "{ a = Conv (x, w) q = QuantizeLinear <axis = 0> (a, t, z) d = DequantizeLinear <axis = 0> (q, t, z) y = Conv (d, v) }"
    )
    model = onnx.parser.parse_model(text)
    weights = bipolar(random, 4, 2, 3, 3), bipolar(random, 3, 4, 2, 2)
    model.graph.initializer.extend(
        [
            numpy_helper.from_array(weights[0], "w"),
            numpy_helper.from_array(weights[1], "v"),
            numpy_helper.from_array(np.float32(2), "t"),
            helper.make_tensor("z", getattr(TensorProto, kind.upper()), [], [0]),
        ]
    )
    onnx.save(model, tmp_path / "net.onnx")
    network = streamline(run(read_onnx(tmp_path / "net.onnx")), Options(input_type="bipolar"))
    assert network.layers[0].out_type == CodeType(low, -low - 1)
    x = frames(random, 2, 5, 5)
    codes = network.golden(codec.to_codes(network.input, x))
    sums = evaluate.run(read_onnx(tmp_path / "net.onnx"), {"x": x})
    levels = np.clip(np.rint(sums["a"] / 2), low, -low - 1)
    np.testing.assert_array_equal(sums["d"], 2 * levels)
    np.testing.assert_array_equal(codec.from_codes(network, codes), sums["y"])
