"""Nodes that treat every element alike, whose parameters lie on an axis of their own."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.errors import ModelError
from tests.streamlining.conftest import bipolar, frames

QONNX = "qonnx.custom_op.general"
LAYOUTS = [((9,), ""), ((9,), "NC"), ((3, 5), ""), ((3, 5), "NWC"), ((3, 5), "NCW"), ((4, 3, 5), ""), ((4, 3, 5), "NHWC"), ((4, 3, 5), "NCHW")]  # fmt: skip
"""Shapes of a tensor without batch, and names of its axes; without names QONNX's executor guesses NC, NWC or NCHW."""


def channel_axis(shape, layout):
    """Give the axis of the channels behind the batch."""
    return layout.index("C") - 1 if layout else {1: 0, 2: 1, 3: 0}[len(shape)]


def thresholded(model, random, shape, layout, rows, domain=QONNX):
    """Add up eight signs for each element, and threshold the sums: unsorted rows, some beyond reach, half of them met exactly."""
    net = model(*shape, 8).add("MatMul", bipolar(random, 8, 1)).add("Squeeze", np.array([len(shape) + 1]))
    table = random.integers(-16, 17, (rows, 3)) / 2
    table[random.random(table.shape) < 0.2] = random.choice([-np.inf, np.inf])
    named = {"data_layout": layout} if layout else {}
    return net.add("MultiThreshold", table, domain=domain, out_dtype="INT4", out_scale=0.5, out_bias=-1.0, **named)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize(("shape", "layout"), LAYOUTS)
def test_thresholds_belong_to_the_channels_of_their_layout(model, random, shape, layout, shared):
    rows = 1 if shared else shape[channel_axis(shape, layout)]
    net = thresholded(model, random, shape, layout, rows)
    net.agrees(frames(random, *shape, 8, count=6), input_type="bipolar")


@pytest.mark.parametrize("layout", ["", "NC"])
def test_one_threshold_for_all(model, random, layout):
    """What FINN writes for a sign: thresholds of shape (1, 1)."""
    net = model(8).add("MatMul", bipolar(random, 8, 6))
    named = {"data_layout": layout} if layout else {}
    net.add("MultiThreshold", np.ones((1, 1)), domain=QONNX, out_dtype="BIPOLAR", out_scale=2.0, out_bias=-1.0, **named)
    net.add("MatMul", bipolar(random, 6, 3))
    network = net.agrees(frames(random, 8), input_type="bipolar")
    assert network.layers[0].out_type.bipolar


@pytest.mark.parametrize("op", ["MultiThreshold", "QuantizeLinear"])
def test_a_border_is_treated_as_its_channel(model, random, op):
    net = model(4, 5, 6).add("Pad", np.array([0, 1, 1, 0, 0, 1, 1, 0]), np.float32(0.5))
    if op == "MultiThreshold":
        net.add(op, random.integers(-4, 4, (6, 3)), domain=QONNX, out_dtype="INT4", data_layout="NHWC")
    else:
        scale, point = (2.0 ** random.integers(-1, 2, 6)).astype(np.float32), random.integers(-3, 4, 6).astype(np.int8)
        net.add(op, scale, point, axis=3).add("DequantizeLinear", scale, point, axis=3)
    net.add("Transpose", perm=[0, 3, 1, 2]).add("Conv", bipolar(random, 3, 6, 2, 2))
    net.agrees(random.integers(-4, 4, (12, 4, 5, 6)).astype(np.float32), input_type="int4")


def test_rows_of_thresholds_that_are_not_the_channels(model, random):
    net = thresholded(model, random, (6,), "", 4)
    with pytest.raises(ModelError, match=r"of shape \(1, 6\) by its constant of shape \(4, 3\)"):
        net.network(input_type="bipolar")


@pytest.mark.parametrize("axis", [1, 2, 3, -1])
def test_quantisers_of_any_axis(model, random, axis):
    shape = (4, 3, 5)
    net = model(*shape, 8).add("MatMul", bipolar(random, 8, 1)).add("Squeeze", np.array([4]))
    size = (1, *shape)[axis]
    scale, point = (
        (2.0 ** random.integers(-1, 2, size)).astype(np.float32),
        random.integers(-3, 4, size).astype(np.int8),
    )
    net.add("QuantizeLinear", scale, point, axis=axis).add("DequantizeLinear", scale, point, axis=axis)
    net.agrees(frames(random, *shape, 8, count=6), input_type="bipolar")
