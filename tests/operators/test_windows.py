"""Convolutions and pools against onnxruntime."""

import numpy as np
import onnx
import pytest

from tests.operators.onnx_cases import both, hold_close, hold_equal, parse

EXACT = {
    "maxpool": "y = MaxPool <kernel_shape = [3, 2], strides = [2, 1], pads = [1, 0, 1, 1]> (x)",
    "maxpool_ceil": "y = MaxPool <kernel_shape = [3, 3], strides = [2, 2], ceil_mode = 1> (x)",
    "maxpool_same": 'y = MaxPool <kernel_shape = [2, 2], auto_pad = "SAME_LOWER"> (x)',
    "maxpool_dilated": "y = MaxPool <kernel_shape = [2, 2], dilations = [2, 3]> (x)",
    "global_max": "y = GlobalMaxPool (x)",
}
CLOSE = {
    "average": "y = AveragePool <kernel_shape = [3, 3], strides = [2, 2], pads = [1, 1, 1, 1]> (x)",
    "average_counting": "y = AveragePool <kernel_shape = [3, 3], strides = [2, 2], pads = [1, 1, "
    "1, 1], count_include_pad = 1> (x)",
    "average_ceil": "y = AveragePool <kernel_shape = [3, 3], strides = [2, 2], ceil_mode = 1> (x)",
    "average_ceil_counting": "y = AveragePool <kernel_shape = [3, 3], strides = [2, 2], pads = [1, 1, 0, 0], "
    "ceil_mode = 1, count_include_pad = 1> (x)",
    "average_dilated": "y = AveragePool <kernel_shape = [2, 2], dilations = [2, 1], pads = [0, 1, 1, 0]> (x)",
    "average_dilated_counting": "y = AveragePool <kernel_shape = [3, 2], dilations = [2, 1], pads = [2, 1, 1, 0], "
    "count_include_pad = 1> (x)",
    "average_same": 'y = AveragePool <kernel_shape = [3, 3], auto_pad = "SAME_UPPER", strides = [2, 1]> (x)',
    "average_ceil_uneven": "y = AveragePool <kernel_shape = [3, 2], strides = [2, 3], pads = [1, 1, 1, 1], ceil_mode = 1> (x)",
    "average_ceil_uneven_counting": "y = AveragePool <kernel_shape = [3, 2], strides = [2, 3], pads = [1, 1, 1, 1], "
    "ceil_mode = 1, count_include_pad = 1> (x)",
    "global_average": "y = GlobalAveragePool (x)",
}


@pytest.mark.parametrize("body", EXACT.values(), ids=EXACT)
def test_equals_onnxruntime(body, tmp_path):
    hold_equal(body, tmp_path)


@pytest.mark.parametrize("body", CLOSE.values(), ids=CLOSE)
def test_agrees_with_onnxruntime_to_float32(body, tmp_path):
    hold_close(body, tmp_path)


CEILED = [
    # kernel, stride, dilation, pads: size 1 to 9 each
    (2, 3, 1, (0, 1)),
    (3, 2, 1, (1, 1)),
    (3, 4, 1, (1, 2)),
    (3, 5, 1, (2, 2)),
    (2, 4, 2, (1, 1)),
    (3, 2, 3, (0, 2)),
]


@pytest.mark.parametrize("counting", [0, 1])
@pytest.mark.parametrize(("kernel", "stride", "dilation", "pads"), CEILED)
def test_the_last_window_begins_inside_as_in_onnxruntime(kernel, stride, dilation, pads, counting, tmp_path):
    """With ceil_mode a window that begins behind the map and its front padding is left out; what hangs over is never counted."""
    for size in range((kernel - 1) * dilation + 1, 10):
        flags = f"kernel_shape = [{kernel}], strides = [{stride}], dilations = [{dilation}], pads = [{pads[0]}, {pads[1]}], ceil_mode = 1"
        body = f"m = MaxPool <{flags}> (x) a = AveragePool <{flags}, count_include_pad = {counting}> (x) y = Concat <axis = 1> (m, a)"
        x = np.arange(2 * size, dtype=np.float32).reshape(1, 2, size) ** 2
        (y,), (reference,) = both(parse(body, f"float[N,2,{size}] x"), x, tmp_path)
        assert y.shape == reference.shape, size
        np.testing.assert_allclose(y, reference, rtol=3e-7)


CONVOLUTIONS = [
    ("Conv", (5, 4, 3, 3), ""),
    ("Conv", (5, 4, 3, 2), "strides = [2, 1], pads = [1, 0, 2, 1], dilations = [1, 2]"),
    ("Conv", (6, 2, 3, 3), 'group = 2, auto_pad = "SAME_UPPER", strides = [2, 2]'),
    ("Conv", (4, 1, 2, 2), 'group = 4, auto_pad = "SAME_LOWER"'),
    ("Conv", (5, 4, 6, 6), 'auto_pad = "VALID"'),
    ("ConvTranspose", (4, 5, 3, 3), "strides = [2, 3], pads = [1, 0, 2, 1]"),
    ("ConvTranspose", (4, 2, 2, 2), "group = 2, strides = [2, 2], dilations = [2, 1], output_padding = [1, 1]"),
    ("ConvTranspose", (4, 5, 3, 3), 'auto_pad = "SAME_UPPER", strides = [2, 2]'),
    (
        "ConvTranspose",
        (4, 5, 3, 2),
        "strides = [2, 2], pads = [1, 0, 1, 1], dilations = [1, 3], output_padding = [1, 0]",
    ),
    ("ConvTranspose", (4, 3, 4, 4), 'group = 2, auto_pad = "SAME_LOWER", strides = [2, 2]'),
    ("ConvTranspose", (4, 1, 2, 2), "group = 4, strides = [3, 3]"),
    ("ConvTranspose", (4, 5, 3, 3), "output_shape = [12, 13], strides = [2, 2]"),
]


@pytest.mark.parametrize(("op", "shape", "attributes"), CONVOLUTIONS)
def test_convolutions_of_integers_equal_onnxruntime(op, shape, attributes, tmp_path):
    rng = np.random.default_rng(1)
    model = parse(f"y = {op} <{attributes}> (x, w, b)" if attributes else f"y = {op} (x, w, b)", "float[N,4,6,6] x")
    maps = shape[0] if op == "Conv" else shape[1] * int(([*attributes.split("group = "), "1"])[1][0])
    for name, array in (("w", rng.integers(-3, 4, shape)), ("b", rng.integers(-9, 9, maps))):
        model.graph.initializer.append(onnx.numpy_helper.from_array(array.astype(np.float32), name))
    x = rng.integers(-8, 8, (2, 4, 6, 6)).astype(np.float32)
    (y,), (reference,) = both(model, x, tmp_path)
    assert np.array_equal(y, reference)
