"""QONNX's operators on maps, and FINN's lowered convolutions, against QONNX's own executor."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.errors import ModelError
from hwgen.layers.conv import Conv
from tests.streamlining.conftest import bipolar

QONNX, LAST = "qonnx.custom_op.general", "qonnx.custom_op.channels_last"
SIX_WAYS = range(6)


def pixels(random, *shape):
    return random.integers(-8, 8, (4, *shape)).astype(np.float32)


@pytest.mark.parametrize("number", SIX_WAYS)
def test_convolutions_of_channels_last(model, number):
    random = np.random.default_rng(number)
    rank, groups = (1, 2)[number % 2], (1, 1, 2)[number % 3]
    sizes, kernel = (tuple(map(int, random.integers(*ends, rank))) for ends in ((5, 9), (1, 4)))
    steps = {name: list(map(int, random.integers(1, 3, rank))) for name in ("strides", "dilations")}
    pads = list(map(int, random.integers(0, 2, 2 * rank)))
    net = model(*sizes, 4)
    weights = random.integers(-3, 4, (6, *kernel, 4 // groups)).astype(np.float32)
    net.add("Conv", weights, domain=LAST, kernel_shape=kernel, pads=pads, group=groups, **steps)
    net.agrees(pixels(random, *sizes, 4), input_type="int4")


@pytest.mark.parametrize("sizes", [(6,), (5, 6)])
def test_batch_normalization_of_channels_last(model, random, sizes):
    net = model(*sizes, 4).add(
        "BatchNormalization", *(2.0 ** random.integers(-1, 2, (4, 4))), domain=LAST, epsilon=0.0, momentum=0.9
    )
    net.sign().add("MatMul", bipolar(random, 4, 3))
    net.agrees(pixels(random, *sizes, 4), input_type="int4")


def test_kernels_of_channels_last_that_only_fit_as_onnx_has_them(model, random):
    """Some files change the maps alone."""
    weights = bipolar(random, 3, 2, 3, 3)
    attributes = {"kernel_shape": [3, 3], "strides": [1, 1], "dilations": [1, 1], "pads": [0, 0, 0, 0], "group": 1}
    net = model(5, 5, 2).add("Conv", weights, domain=LAST, **attributes)
    other = model(5, 5, 2).add("Transpose", perm=[0, 3, 1, 2]).add("Conv", weights).add("Transpose", perm=[0, 2, 3, 1])
    x = pixels(random, 5, 5, 2)
    reference = other.reference(x)
    network = net.network(input_type="int4")
    np.testing.assert_array_equal(network.golden(x.astype(np.int64)), reference)


@pytest.mark.parametrize("domain", [LAST, QONNX, "finn.custom_op.general"])
def test_pools_of_channels_last(model, random, domain):
    op = "MaxPool" if domain == LAST else "MaxPoolNHWC"
    net = model(7, 6, 3).add(op, domain=domain, kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 0])
    network = net.network(input_type="int4")
    x = pixels(random, 7, 6, 3)
    for node in net.nodes:
        node.domain = LAST if domain == LAST else QONNX
    np.testing.assert_array_equal(network.golden(x.astype(np.int64)), net.reference(x))


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize(("kernel", "stride", "bits", "signed"), [(2, 2, (4, 4), 0), (3, 1, (4, 2), 1), (2, 1, (4, 8), 0), (4, 4, (5, 3), 1)])  # fmt: skip
def test_an_average_pool_drops_the_low_bits_of_sums(model, random, layout, kernel, stride, bits, signed):
    """Right shifts round down, negative sums too; no bits are dropped where the output has as many as the sum."""
    net = model(*((8, 9, 2) if layout == "NHWC" else (2, 8, 9)))
    net.add("QuantAvgPool2d", domain=QONNX, kernel=kernel, stride=stride, ibits=bits[0], obits=bits[1], signed=signed, data_layout=layout)  # fmt: skip
    net.agrees(pixels(random, *((8, 9, 2) if layout == "NHWC" else (2, 8, 9))), input_type="int4")


def lowered(model, random, number, *, op="MatMul"):
    """Give windows and their product with weights as FINN has them, for one of many shapes."""
    high, wide, channels = (int(size) for size in random.integers(5, 8, 3))
    kernel = [int(size) for size in random.integers(1, 4, 2)]
    pads = [int(size) for size in random.integers(0, 2, 4)]
    steps = [[int(size) for size in random.integers(1, 3, 2)] for _ in range(2)]
    depthwise, rows = number % 2, 3 + channels * (number % 2)
    weights = random.integers(-3, 4, (*kernel, channels, rows if not depthwise else 2 * channels)).astype(np.float32)
    if depthwise:
        weights *= np.arange(channels)[:, None] == np.arange(2 * channels)[None] // 2
    if op != "MatMul":
        weights = (weights > 0).astype(np.float32)
    net = model(high, wide, channels)
    net.add("Im2Col", domain=QONNX, kernel_size=kernel, stride=steps[0], dilations=steps[1], pad_amount=pads, pad_value=(0, -1)[number % 3 > 1] if op == "MatMul" else 0, depthwise=depthwise, input_shape=f"(1,{high},{wide},{channels})")  # fmt: skip
    net.kinds["x"] = "INT4"
    net.add(op, weights.reshape(-1, weights.shape[-1]), **({} if op == "MatMul" else {"domain": QONNX}))
    return net, (high, wide, channels), depthwise


@pytest.mark.parametrize("number", SIX_WAYS)
def test_windows_times_weights_are_a_convolution(model, number):
    random = np.random.default_rng(number)
    net, shape, depthwise = lowered(model, random, number)
    network = net.agrees(pixels(random, *shape), input_type="int4")
    (conv,) = network.layers
    assert isinstance(conv, Conv)
    assert conv.groups == (shape[2] if depthwise else 1)


@pytest.mark.parametrize("number", SIX_WAYS)
def test_windows_of_zeros_and_ones(model, number):
    """A padded zero is one of them: it agrees with the weight zero."""
    random = np.random.default_rng(number)
    net, shape, _ = lowered(model, random, number, op="XnorPopcountMatMul")
    net.agrees((pixels(random, *shape) > 0).astype(np.float32), input_type="uint1")


def test_windows_that_nothing_multiplies(model, random):
    net, _, _ = lowered(model, random, 0)
    net.nodes.pop()
    net.value = "v0"
    with pytest.raises(ModelError, match=r"\(Im2Col\) gives windows that no product with constant weights reads"):
        net.network(input_type="int4")
