"""Operators of integers as ONNX Runtime's static quantisation writes them, code by code as ONNX Runtime computes them.

Weights stay within 63: two products of 8-bit codes and weights beyond that overflow 16 bits, and ONNX Runtime saturates there on
processors that have no instruction for it.
"""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.errors import ModelError
from tests.streamlining.conftest import bipolar

MICROSOFT = "com.microsoft"
NUMBERS = range(8)


class Drawn:
    """Scales, zero points and weights of a case."""

    def __init__(self, number: int) -> None:
        self.random = np.random.default_rng(number)
        self.kinds = [np.dtype(kind) for kind in self.random.choice(["uint8", "int8"], 3)]

    def scale(self, size: int | None = None) -> np.ndarray:
        return np.asarray(self.random.uniform(0.5, 2, size) / 64, dtype=np.float32)

    def point(self, kind: np.dtype, size: int | None = None) -> np.ndarray:
        return self.random.integers(*((100, 150) if kind.kind == "u" else (-20, 20)), size, dtype=kind)

    def weights(self, kind: np.dtype, *shape: int) -> np.ndarray:
        low, high = (0, 127) if kind.kind == "u" else (-63, 64)
        return self.random.integers(low, high, shape, dtype=kind)

    def frames(self, *shape: int) -> np.ndarray:
        return self.random.integers(-128, 128, (6, *shape)).astype(np.float32)


def quantised(net, drawn, kind):
    """Let the input become codes of some kind, and give what they mean."""
    scale, point = np.float32(1), drawn.point(kind)
    net.add("QuantizeLinear", scale, point)
    return scale, point


@pytest.mark.parametrize("number", NUMBERS)
def test_convolution(model, number):
    """Types are mixed, scales and zero points of weights lie on channels or not, with and without bias, groups, pads and strides."""
    drawn = Drawn(number)
    groups, channels = (1, 2)[number % 2], 6 if number % 3 else None
    (x_kind, w_kind, y_kind) = (
        drawn.kinds[0],
        np.dtype(np.int8) if drawn.kinds[0] == np.int8 else drawn.kinds[1],
        drawn.kinds[0],
    )
    net = model(4, 7, 6)
    given = [*quantised(net, drawn, x_kind), drawn.weights(w_kind, 6, 4 // groups, 3, 2), drawn.scale(channels)]
    given += [np.zeros(channels or (), w_kind) if w_kind == np.int8 else np.full(channels or (), 64, w_kind)]
    given += [np.float32(drawn.scale() * 32), drawn.point(y_kind)]
    if number % 4:
        given.append(drawn.random.integers(-9000, 9000, 6, dtype=np.int32))
    net.add("QLinearConv", *given, group=groups, strides=[1, 2], pads=[1, 0, 1, 1], auto_pad="NOTSET")
    net.add("DequantizeLinear", np.float32(1), given[6]).agrees(drawn.frames(4, 7, 6), input_type="int8")


@pytest.mark.parametrize("pad", ["SAME_UPPER", "SAME_LOWER", "VALID"])
def test_convolution_that_pads_by_itself(model, pad):
    drawn = Drawn(1)
    net = model(3, 6, 5)
    scale, point = quantised(net, drawn, np.dtype(np.uint8))
    w = drawn.weights(np.dtype(np.int8), 4, 3, 3, 2)
    net.add("QLinearConv", scale, point, w, drawn.scale(), np.int8(0), np.float32(1), np.uint8(9), auto_pad=pad)
    net.add("DequantizeLinear", np.float32(1), np.uint8(9)).agrees(drawn.frames(3, 6, 5), input_type="int8")


@pytest.mark.parametrize("number", NUMBERS)
def test_product(model, number):
    drawn = Drawn(number)
    x_kind, w_kind = drawn.kinds[0], drawn.kinds[1] if drawn.kinds[0] == np.uint8 else np.dtype(np.int8)
    columns = 5 if number % 2 else None
    shape = (12,) if number % 3 else (4, 12)
    net = model(*shape)
    given = [
        *quantised(net, drawn, x_kind),
        drawn.weights(w_kind, 12, 5),
        drawn.scale(columns),
        drawn.point(w_kind, columns),
    ]
    given += [np.float32(drawn.scale() * 16), drawn.point(x_kind)]
    net.add("QLinearMatMul", *given).add("DequantizeLinear", np.float32(0.5), given[6])
    net.agrees(drawn.frames(*shape), input_type="int8")


@pytest.mark.parametrize("op", ["ConvInteger", "MatMulInteger"])
@pytest.mark.parametrize("number", range(4))
def test_sums_of_32_bits(model, op, number):
    """What follows is real: a scale, a bias, a quantiser."""
    drawn = Drawn(number)
    w_kind = np.dtype(np.uint8) if number % 2 else np.dtype(np.int8)
    net = model(*((3, 6, 6) if op == "ConvInteger" else (12,)))
    point = quantised(net, drawn, np.dtype(np.uint8))[1]
    weights = drawn.weights(w_kind, *((5, 3, 3, 3) if op == "ConvInteger" else (12, 5)))
    points = [point] if number > 1 and w_kind == np.int8 else [point, drawn.point(w_kind)]
    net.add(op, weights, *points, **({"pads": [1, 1, 0, 0]} if op == "ConvInteger" else {}))
    net.add("Cast", to=1).add("Mul", np.float32(0.25)).agrees(
        drawn.frames(*((3, 6, 6) if op == "ConvInteger" else (12,))), input_type="int8"
    )


@pytest.mark.parametrize("number", range(6))
def test_general_product(model, number):
    drawn = Drawn(number)
    columns, kind = 5 if number % 2 else None, np.dtype(np.int8)
    net = model(12)
    x_kind = drawn.kinds[0]
    weights = drawn.weights(kind, *((5, 12) if number % 3 else (12, 5)))
    given = [*quantised(net, drawn, x_kind), weights, drawn.scale(columns), np.zeros(columns or (), kind)]
    given += [drawn.random.integers(-999, 999, 5, dtype=np.int32), np.float32(0.5), drawn.point(x_kind)]
    net.add("QGemm", *given, transB=int(number % 3 > 0), domain=MICROSOFT)
    net.add("DequantizeLinear", np.float32(1), given[-1]).agrees(drawn.frames(12), input_type="int8")


@pytest.mark.parametrize("last", [0, 1])
@pytest.mark.parametrize("kind", [np.uint8, np.int8])
def test_average_of_a_map(model, kind, last):
    drawn = Drawn(5)
    shape = (5, 7, 3) if last else (3, 5, 7)
    net = model(*shape)
    scale, point = quantised(net, drawn, np.dtype(kind))
    out = np.float32(0.3), kind(7)
    net.add("QLinearGlobalAveragePool", scale, point, *out, channels_last=last, domain=MICROSOFT)
    net.add("DequantizeLinear", np.float32(1), out[1]).agrees(drawn.frames(*shape), input_type="int8")


@pytest.mark.parametrize("last", [0, 1])
def test_average_of_windows(model, last):
    drawn = Drawn(6)
    shape = (6, 8, 3) if last else (3, 6, 8)
    net = model(*shape)
    scale, point = quantised(net, drawn, np.dtype(np.uint8))
    net.add("QLinearAveragePool", scale, point, np.float32(0.5), np.uint8(3), kernel_shape=[2, 4], strides=[2, 2], channels_last=last, domain=MICROSOFT)  # fmt: skip
    net.add("DequantizeLinear", np.float32(1), np.uint8(3)).agrees(drawn.frames(*shape), input_type="int8")


@pytest.mark.parametrize("kind", [np.uint8, np.int8])
@pytest.mark.parametrize(
    ("op", "attributes"), [("QLinearLeakyRelu", {"alpha": 0.1}), ("QLinearLeakyRelu", {}), ("QLinearSigmoid", {})]
)
def test_functions_of_a_code(model, kind, op, attributes):
    drawn = Drawn(7)
    net = model(256, 1).add("MatMul", np.ones((1, 1)))
    point = quantised(net, drawn, np.dtype(kind))[1]
    out = np.float32(1 / 256 if op == "QLinearSigmoid" else 0.07), kind(0)
    net.add(op, np.float32(0.05), point, *out, domain=MICROSOFT, **attributes).add(
        "DequantizeLinear", np.float32(1), out[1]
    )
    x = np.arange(-128, 128, dtype=np.float32)[None, :, None]
    net.agrees(x, input_type="int8")


@pytest.mark.parametrize("op", ["QLinearAdd", "QLinearMul"])
@pytest.mark.parametrize("constant", [False, True])
def test_joins(model, op, constant):
    """Scales are powers of two, so that no rounding of ONNX Runtime's own decides."""
    drawn = Drawn(8)
    net = model(3, 4, 4)
    scale, point = quantised(net, drawn, np.dtype(np.uint8))
    first, weights = net.value, drawn.weights(np.dtype(np.int8), 3, 3, 1, 1)
    other = drawn.weights(np.dtype(np.uint8), 1, 3, 1, 1)
    if not constant:
        net.add("QLinearConv", scale, point, weights, np.float32(0.125), np.int8(0), np.float32(0.5), np.uint8(99))
    net.add(op, scale, point, other if constant else net.value, np.float32(0.5), np.uint8(99), np.float32(2), np.uint8(77), reads=first, domain=MICROSOFT)  # fmt: skip
    net.add("DequantizeLinear", np.float32(2), np.uint8(77)).add("Conv", bipolar(drawn.random, 2, 3, 1, 1))
    net.agrees(drawn.frames(3, 4, 4), input_type="int8")


def test_concatenation(model):
    drawn = Drawn(9)
    net = model(3, 4, 4)
    scale, point = quantised(net, drawn, np.dtype(np.uint8))
    first = net.value
    net.add("QLinearConv", scale, point, drawn.weights(np.dtype(np.int8), 2, 3, 1, 1), np.float32(0.125), np.int8(0), np.float32(4), np.uint8(99))  # fmt: skip
    net.add("QLinearConcat", np.uint8(3), net.value, np.float32(4), np.uint8(99), first, np.float32(1), point, reads=net.constant(np.float32(2)), axis=1, domain=MICROSOFT)  # fmt: skip
    net.add("DequantizeLinear", np.float32(2), np.uint8(3)).agrees(drawn.frames(3, 4, 4), input_type="int8")


def test_weights_that_depend_on_the_input(model):
    net = model(4, 4)
    quantised(net, Drawn(1), np.dtype(np.uint8))
    net.add("MatMulInteger", net.value, reads=net.value)
    with pytest.raises(
        ModelError, match=r"'the_matmulinteger_1' \(MatMulInteger\) has operands that both depend on the input"
    ):
        net.network(input_type="int8")
