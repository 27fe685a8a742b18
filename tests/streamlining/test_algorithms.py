"""A small graph for each algorithm of the field, from its paper's equations, against ONNX Runtime.

Where a network is integer between quantisers its output is ONNX Runtime's. Where it keeps real numbers the output is as near as the notes
announce, here a bound that follows from them.
"""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.arrays import codec
from hwgen.layers.combine import Combine
from hwgen.layers.conv import Conv
from hwgen.layers.interleave import Interleave
from hwgen.layers.segments import Segments
from hwgen.layers.select import Select
from tests.streamlining.conftest import Model, bipolar

SIDE = 6
PIXELS = {"input_type": "uint8", "input_scale": 1 / 255}


class Net:
    """Appends the blocks that the algorithms share."""

    def __init__(self, model: Model, random: np.random.Generator, channels: int = 3) -> None:
        self.model, self.random, self.channels = model, random, channels

    @property
    def value(self) -> str:
        return self.model.value

    def column(self, low: float, high: float, channels: int | None = None) -> np.ndarray:
        return self.random.uniform(low, high, (channels or self.channels, 1, 1)).astype(np.float32)

    def conv(self, rows: int, kernel: int = 3, *, alpha: bool = False, real: bool = False, reads=None, **more) -> Net:
        shape = (rows, self.channels // more.get("group", 1), kernel, kernel)
        weights = self.random.standard_normal(shape).astype(np.float32) if real else bipolar(self.random, *shape)
        if alpha:
            weights = weights * self.random.uniform(0.05, 0.2, (rows, 1, 1, 1)).astype(np.float32)
        self.model.add("Conv", weights, reads=reads, pads=[kernel // 2] * 4, **more)
        self.channels = rows
        return self

    def norm(self, gamma=(0.5, 2)) -> Net:
        count, random = self.channels, self.random
        self.model.norm(
            random.uniform(*gamma, count),
            random.normal(size=count),
            random.normal(size=count) * 2,
            random.uniform(1, 9, count),
            1e-5,
        )
        return self

    def add(self, op: str, *operands, **more) -> Net:
        self.model.add(op, *operands, **more)
        return self

    def sign(self, reads: str | None = None) -> Net:
        if reads:
            self.model.value = reads
        self.model.sign()
        return self

    def first(self, rows: int = 6) -> Net:
        """Append a binary first layer on 8-bit pixels, and its normalization: real numbers."""
        return self.conv(rows).norm()

    def scores(self) -> Net:
        """Append a binary classifier."""
        self.add("Flatten")
        size = self.model.reference(np.zeros((1, 3, SIDE, SIDE), np.float32)).shape[1]
        self.add("MatMul", bipolar(self.random, size, 5))
        return self

    def frames(self, count: int = 40) -> np.ndarray:
        return (self.random.integers(0, 256, (count, 3, SIDE, SIDE)) * np.float32(1 / 255)).astype(np.float32)

    def exact(self):
        network = self.model.network(**PIXELS)
        x = self.frames()
        codes = network.golden(codec.to_codes(network.input, x))
        # Thirds and the like are rounded in float32: the integers that they stand for are compared.
        wanted = np.rint((self.model.reference(x) - network.output.offset) / network.output.scale)
        np.testing.assert_array_equal(codes[:, 0, 0], wanted)
        return network

    def near(self, share: float):
        """Hold that the output is off by at most a share of its largest value, and that more than float32's rounding is announced."""
        network = self.model.network(**PIXELS)
        x = self.frames()
        found = codec.from_codes(network, network.golden(codec.to_codes(network.input, x)))
        wanted = self.model.reference(x)
        off = np.max(np.abs(found - wanted)) / np.max(np.abs(wanted))
        assert off <= share
        assert off <= 1e-6 or any("off by at most" in note for note in network.notes)
        return network


@pytest.fixture
def net(model, random) -> Net:
    return Net(model(3, SIDE, SIDE), random)


def test_binary_net_with_shift_based_normalization(net):
    """BNN: the normalization's scale is rounded to a power of two."""
    net.conv(6)
    net.add("Sub", net.column(-3, 3)).add("Mul", 2.0 ** np.rint(net.column(-3, 1))).add("Add", net.column(-1, 1))
    network = net.sign().conv(6).norm((-2, 2)).sign().scores().exact()
    assert [type(layer).__name__ for layer in network.layers] == ["Conv", "Conv", "Dense"]


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_binary_weights_with_quantised_activations(net, bits):
    """BWN: weights +-alpha, ReLU quantised to k bits."""
    net.conv(6, alpha=True).norm().add("Clip", np.float32(0), np.float32(2))
    steps = 2**bits - 1
    net.add("Mul", np.float32(steps / 2)).add("Round").add("Div", np.float32(steps / 2))
    network = net.conv(6, alpha=True).norm().sign().scores().exact()
    # Many levels are searched for behind the sums instead of being compared all at once.
    assert [type(layer).__name__ for layer in network.layers[:2]] == ["Conv", "Conv" if bits < 5 else "Thresholding"]
    assert network.layers[bits > 4].out_type.bits == bits


def test_binary_weights_with_real_activations(net):
    """BinaryConnect: ReLU without a quantiser becomes fixed point."""
    network = net.conv(6, alpha=True).norm().add("Relu").conv(6, alpha=True).norm().near(1e-3)
    assert Segments in map(type, network.layers)


def test_xnor_net(net):
    """Alpha a filter, order norm, sign, convolution, ReLU, pool."""
    net.first().sign().conv(6, alpha=True).add("Relu").add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    net.norm().sign().scores().exact()


def test_xnor_net_with_dynamic_scales(net):
    """K: the box filter of the mean magnitude of the input scales the result at each position."""
    before = net.first().value
    net.add("Abs").add("ReduceMean", axes=[1], keepdims=1)
    box = net.add("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1).value
    network = net.sign(before).conv(6, alpha=True).add("Mul", box).add("Relu").norm().near(1e-3)
    assert [layer.operation.value for layer in network.layers if isinstance(layer, Combine)] == ["multiply"]


def test_xnor_net_plus_plus(net):
    """A learned scale with a factor for each channel, row and column: thresholds of the position."""
    net.first().sign().conv(6)
    scale = net.column(0.1, 1) * net.random.uniform(0.5, 1, (1, SIDE, 1)) * net.random.uniform(0.5, 1, (1, 1, SIDE))
    network = net.add("Mul", scale.astype(np.float32)).norm().sign().scores().exact()
    assert network.layers[1].thresholds.positions.count == SIDE * SIDE


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 8])
def test_dorefa_net(net, bits):
    """k-bit weights and activations, one scale a layer, activations clipped to [0, 1]."""
    steps = 2**bits - 1

    def quantised(rows):
        shape = (rows, net.channels, 3, 3)
        levels = 2 * net.random.integers(0, steps + 1, shape) - steps if bits > 1 else net.random.choice([-1, 1], shape)
        weights = (
            (levels / np.float32(steps)).astype(np.float32)
            if bits > 1
            else levels.astype(np.float32) * np.float32(0.37)
        )
        net.add("Conv", weights, pads=[1, 1, 1, 1])
        net.channels = rows
        return (
            net.norm()
            .add("Clip", np.float32(0), np.float32(1))
            .add("Mul", np.float32(steps))
            .add("Round")
            .add("Div", np.float32(steps))
        )

    network = quantised(6) and quantised(4).scores().exact()
    each = 1 if bits < 5 else 2
    assert [layer.out_type.bits for layer in network.layers[each - 1 : 2 * each : each]] == [bits, bits]


def test_bi_real_net(net):
    """A real shortcut round every binary convolution; average pool and a real 1x1 convolution where the map shrinks."""
    net.first()
    for _ in range(2):
        before = net.value
        net.sign().conv(6, alpha=True).norm().add("Add", before)
    before = net.value
    net.add("AveragePool", kernel_shape=[2, 2], strides=[2, 2])
    net.add("Conv", net.random.standard_normal((8, 6, 1, 1)) * 0.3)
    net.channels = 8
    short = net.norm().value
    net.channels = 6
    net.sign(before).conv(8, alpha=True, strides=[2, 2]).norm().add("Add", short).add("GlobalAveragePool")
    network = net.near(0.02)
    assert sum(isinstance(layer, Combine) for layer in network.layers) == 3


def rprelu(net):
    return net.add("Add", net.column(-0.5, 0.5)).add("PRelu", net.column(0.1, 0.4)).add("Add", net.column(-0.5, 0.5))


def test_react_net(net):
    """RSign and RPReLU: shifts for each channel; channels doubled by two branches that are put side by side."""
    net.first()
    before = net.value
    net.add("Add", net.column(-0.3, 0.3)).sign().conv(6, alpha=True).norm().add("Add", before)
    before = rprelu(net).value
    short = net.add("AveragePool", kernel_shape=[2, 2], strides=[2, 2]).value
    halves = []
    for _ in range(2):
        net.model.value = before
        net.add("Add", net.column(-0.3, 0.3)).sign().conv(6, alpha=True, strides=[2, 2]).norm().add("Add", short)
        halves.append(rprelu(net).value)
    net.add("Concat", halves[0], axis=1).add("GlobalAveragePool")
    network = net.near(2e-3)
    assert sum(isinstance(layer, Segments) and layer.pieces == 2 for layer in network.layers) == 3


def test_react_net_doubles_channels_of_one_map(net):
    before = net.first().sign().value
    net.add("Concat", before, axis=1)
    net.channels *= 2
    network = net.conv(4).norm().sign().scores().exact()
    assert Select in map(type, network.layers)


@pytest.mark.parametrize("order", [2, 3])
@pytest.mark.parametrize("placed", ["around the convolution", "on the input"])
def test_horq_with_static_scales(net, order, placed):
    """Residual signs: X = sum of beta_i H_i, one binary convolution for each, or one of their sum."""
    net.first()
    rest, weights = net.value, bipolar(net.random, 6, 6, 3, 3)
    terms = []
    for beta in (0.8, 0.37, 0.21)[:order]:
        term = net.sign(rest).add("Mul", np.float32(beta)).value
        terms.append(net.add("Conv", weights, pads=[1, 1, 1, 1]).value if placed == "around the convolution" else term)
        rest = net.add("Sub", term, reads=rest).value
    net.add("Sum", *terms[1:], reads=terms[0])
    if placed == "on the input":
        net.add("Conv", weights, pads=[1, 1, 1, 1])
    network = net.norm().near(1e-3)
    planes = [layer for layer in network.layers if isinstance(layer, Conv) and layer.in_type.bipolar]
    assert len(planes) == (order if placed == "around the convolution" else 0)


def test_horq_with_scales_of_each_frame(net):
    """beta_i is the mean magnitude of what is left: global sums, products, signs of the residue."""
    net.first()
    rest, terms = net.value, []
    for _ in range(2):
        beta = net.add("Abs", reads=rest).add("ReduceMean", axes=[1, 2, 3], keepdims=1).value
        signs = net.sign(rest).value
        plane = net.add("Mul", beta).value
        terms.append(net.conv(6, alpha=True, reads=signs).add("Mul", beta).value)
        rest = net.add("Sub", plane, reads=rest).value
    net.add("Add", terms[0], reads=terms[1]).norm().near(2e-3)


def test_partly_binary_layers_and_binary_deconvolution(net):
    """Staged residual binarization: some channels binary, the rest of full precision; a binary transposed convolution."""
    before = net.first().sign().value
    binary = net.conv(4, alpha=True).value
    net.channels = 6
    net.conv(2, real=True, reads=before).add("Concat", binary, axis=1)
    net.channels = 6
    net.norm().sign().add(
        "ConvTranspose", bipolar(net.random, 6, 4, 4, 4) * np.float32(0.1), strides=[2, 2], pads=[1, 1, 1, 1]
    )
    net.channels = 4
    network = net.norm().sign().conv(3, 1).add("ArgMax", axis=1).model.network(**PIXELS)
    assert Interleave in map(type, network.layers)
    x = net.frames()
    labels = codec.from_codes(network, network.golden(codec.to_codes(network.input, x)))
    assert np.mean(labels == net.model.reference(x)) > 0.99


def test_residual_binarization_of_the_input(net):
    """X = H + beta: the shift is folded with exact borders."""
    net.first().sign().add("Add", np.float32(0.25)).conv(4).norm().sign().scores().exact()


def test_ternary_weights_and_activations(net):
    ternary = net.random.integers(-1, 2, (6, 3, 3, 3)) * net.random.uniform(0.1, 0.3, (6, 1, 1, 1))
    net.add("Conv", ternary.astype(np.float32), pads=[1, 1, 1, 1])
    net.channels = 6
    net.norm().add("Clip", np.float32(-1), np.float32(1)).add("Round")
    net.add("Conv", net.random.integers(-1, 2, (4, 6, 3, 3)).astype(np.float32), pads=[1, 1, 1, 1])
    net.channels = 4
    network = net.norm().sign().scores().exact()
    assert str(network.layers[0].out_type) == "ternary"


def test_sequential_memory(model, random):
    """FSMN: depthwise convolution along time with look-ahead, and a real shortcut."""
    net = model(4, 20).add("Conv", bipolar(random, 8, 4, 1)).norm(*random.uniform(0.5, 2, (4, 8)))
    before = net.value
    net.sign().add("Conv", bipolar(random, 8, 1, 5), group=8, pads=[3, 1]).norm(*random.uniform(0.5, 2, (4, 8))).add(
        "Add", before
    )
    net.add("Relu").add("Conv", random.standard_normal((3, 8, 1)))
    network = net.network(input_type="int8", input_scale=1 / 64)
    x = (random.integers(-128, 128, (30, 4, 20)) / 64).astype(np.float32)
    found, wanted = codec.from_codes(network, network.golden(codec.to_codes(network.input, x))), net.reference(x)
    assert np.max(np.abs(found - wanted)) <= 0.02 * np.max(np.abs(wanted))
    assert network.layers[2].groups == 8


def test_point_net(model, random):
    """A shared product for every point, and the greatest over all points."""
    net = model(3, 16).add("Conv", bipolar(random, 8, 3, 1)).norm(*random.uniform(0.5, 2, (4, 8))).sign()
    net.add("Conv", bipolar(random, 12, 8, 1)).norm(*random.uniform(0.5, 2, (4, 12)))
    net.add("ReduceMax", axes=[2], keepdims=0).sign().add("MatMul", bipolar(random, 12, 4))
    net.agrees((random.integers(-128, 128, (30, 3, 16)) / 64).astype(np.float32), input_type="int8", input_scale=1 / 64)
