"""Convolutions and pools whose windows lie on the border, against ONNX Runtime."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from hwgen.errors import ModelError
from hwgen.layers.conv import Conv
from hwgen.layers.global_reduce import GlobalReduce
from hwgen.layers.maxpool import MaxPool
from tests.streamlining.conftest import bipolar, frames


def every_map(*shape):
    """Give all bipolar maps of a small shape."""
    return np.array(list(itertools.product((-1, 1), repeat=int(np.prod(shape)))), np.float32).reshape(-1, *shape)


BORDERED = [
    # map, kernel, stride, dilation, pads (top, left, bottom, right)
    ((1, 1), (3, 3), (1, 1), (1, 1), (1, 1, 1, 1)),
    ((2, 2), (3, 3), (1, 1), (1, 1), (1, 1, 1, 1)),
    ((2, 3), (4, 4), (1, 2), (1, 1), (2, 1, 1, 2)),
    ((1, 4), (2, 2), (2, 1), (1, 3), (1, 2, 0, 1)),
    ((3, 1), (2, 3), (1, 1), (2, 1), (0, 2, 2, 1)),
]


@pytest.mark.parametrize("border", [1, -1])
@pytest.mark.parametrize(("size", "kernel", "stride", "dilation", "pads"), BORDERED)
def test_a_border_of_one_value_around_a_map_no_larger_than_the_kernel(
    model, random, size, kernel, stride, dilation, pads, border
):
    """Thresholds lie among what windows with taps in the border reach, not among what the map alone does."""
    amounts = np.array([0, 0, *pads[:2], 0, 0, *pads[2:]], dtype=np.int64)
    net = model(1, *size).sign().add("Pad", amounts, np.float32(border))
    net.add("Conv", bipolar(random, 6, 1, *kernel), strides=stride, dilations=dilation)
    net.add("Add", random.integers(-3, 4, (1, 6, 1, 1)).astype(np.float32)).sign()
    network = net.agrees(every_map(1, *size))
    (conv,) = [layer for layer in network.layers if isinstance(layer, Conv)]
    assert (conv.window.pads, conv.pad_value) == (pads, border)


@pytest.mark.parametrize("counting", [0, 1])
@pytest.mark.parametrize("ceil", [0, 1])
def test_averages_over_the_border_of_a_small_map(model, ceil, counting):
    """With ceil_mode the last window may hang over the padding, which is never counted."""
    net = model(1, 2, 4).sign()
    net.add(
        "AveragePool",
        kernel_shape=[2, 3],
        strides=[2, 2],
        pads=[1, 1, 0, 2],
        ceil_mode=ceil,
        count_include_pad=counting,
    )
    x = every_map(1, 2, 4)
    net.add("Mul", np.float32(12)).agrees(x, input_type="bipolar")


@pytest.mark.parametrize(
    ("op", "flags", "sentence"),
    [
        (
            "MaxPool",
            {"kernel_shape": [1, 1, 1]},
            r"'the_maxpool_0' \(MaxPool\) slides over 3 dimensions; one and two have hardware",
        ),
        (
            "MaxPool",
            {"kernel_shape": [2, 2], "dilations": [2, 2], "pads": [1, 1, 1, 1]},
            r"'the_maxpool_0' \(MaxPool\): No window of",
        ),
    ],
)
def test_windows_without_hardware_are_refused(model, op, flags, sentence):
    shape = (1, 2, 2, 2) if len(flags["kernel_shape"]) == 3 else (1, 1, 1)
    with pytest.raises(ModelError, match=sentence):
        model(*shape).add(op, **flags).network(input_type="uint8")


@pytest.mark.parametrize(
    ("size", "stride", "pads", "kind"),
    [
        ((3, 4), (1, 1), (0, 0, 0, 0), GlobalReduce),
        # The last row, or the last column, is in no window.
        ((3, 3), (2, 2), (1, 0, 0, 0), MaxPool),
        ((3, 3), (2, 2), (0, 1, 0, 0), MaxPool),
    ],
)
def test_only_a_pool_over_the_whole_map_needs_no_window(model, random, size, stride, pads, kind):
    net = model(4, *size)
    net.add("MaxPool", kernel_shape=size, strides=stride, pads=pads)
    network = net.agrees(frames(random, 4, *size, kind="uint8"), input_type="uint8")
    assert [type(layer) for layer in network.layers] == [kind]
