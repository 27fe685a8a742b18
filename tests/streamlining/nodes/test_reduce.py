"""Sums, means and extremes along axes, against ONNX Runtime."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.errors import ModelError
from hwgen.layers.global_reduce import GlobalReduce
from tests.streamlining.conftest import frames

AXES = [[2], [3], [1], [2, 3], [1, 2], [1, 3], [1, 2, 3], [-1]]


@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize("axes", AXES, ids=str)
@pytest.mark.parametrize("op", ["ReduceSum", "ReduceMean", "ReduceL1", "ReduceSumSquare"])
def test_sums_along_axes(model, random, op, axes, keepdims):
    """A mean of a number of elements that is no power of two is not exact in float32, so its sum is compared."""
    shape, opset13 = (2, 2, 4), {"keepdims": keepdims}
    net = model(*shape)
    if op in ("ReduceSum",):
        net.add(op, np.array(axes), **opset13)
    else:
        net.add(op, axes=axes, **opset13)
    net.agrees(frames(random, *shape, kind="uint8"), input_type="uint8")


@pytest.mark.parametrize("op", ["ReduceMax", "ReduceMin"])
@pytest.mark.parametrize("axes", [[2], [3], [2, 3]], ids=str)
def test_extremes_along_rows_and_columns(model, random, op, axes):
    net = model(3, 3, 4).add(op, axes=axes, keepdims=0)
    net.agrees(frames(random, 3, 3, 4, kind="uint8"), input_type="uint8")


def test_a_sum_of_all_pixels_has_running_accumulators(model, random):
    network = model(2, 3, 3).add("ReduceSum", np.array([2, 3])).network(input_type="uint8")
    (layer,) = network.layers
    assert isinstance(layer, GlobalReduce)
    assert (layer.out_type.low, layer.out_type.high) == (0, 9 * 255)


@pytest.mark.parametrize("order", [(0, 2, 3, 1), (0, 3, 1, 2)])
def test_axes_follow_the_map_wherever_they_lie(model, random, order):
    net = model(2, 4, 8).add("Transpose", perm=list(order)).add("ReduceSum", np.array([1, 2]), keepdims=0)
    net.agrees(frames(random, 2, 4, 8, kind="uint8"), input_type="uint8")


@pytest.mark.parametrize(
    ("op", "axes", "sentence"),
    [
        ("ReduceSum", np.array([0]), r"mixes the frames|reduces the batch; frames must be independent"),
        ("ReduceProd", [2], r"\(ReduceProd\) has no hardware; sums, means, maxima and minima have"),
    ],
)
def test_reductions_without_hardware_are_refused(model, op, axes, sentence):
    net = model(2, 3, 4)
    net = net.add(op, axes) if op == "ReduceSum" else net.add(op, axes=axes)
    with pytest.raises(ModelError, match=sentence):
        net.network(input_type="uint8")


@pytest.mark.parametrize(("sign", "value"), [(1, 255), (-1, 0)])
def test_a_sum_over_the_map_reaches_its_extremes(model, sign, value):
    """The last sums each give another value, up to the least and the greatest."""
    net = model(2, 2, 2).add("ReduceSum", np.array([2, 3])).add("Mul", np.float32(sign))
    net.add("Add", np.float32(3 - sign * 4 * value)).add("Relu")
    x = np.full((4, 2, 2, 2), value, dtype=np.float32)
    for frame in range(4):
        x[frame, :, 0, 1] -= sign * frame
    network = net.agrees(x, input_type="uint8")
    assert network.golden(x.astype(int).transpose(0, 2, 3, 1))[:, 0, 0, 0].tolist() == [3, 2, 1, 0]
