"""Random networks whose numbers are exact in float32, against ONNX Runtime."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.streamlining.conftest import Model, bipolar

COMMON = settings(
    deadline=None, derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def activation(draw: st.DrawFn, net: Model, random: np.random.Generator, channels: int, rank: int) -> None:
    """Append a scale and a shift of each channel, exact in float32, and a sign in some spelling."""
    column = (channels, *(1,) * (rank - 2))
    gamma = random.choice([-2, -1, -0.5, 0, 0.25, 1, 3], channels).reshape(column)
    shift = random.choice([-4, -1.5, -1, 0, 0, 0.5, 2, 40], channels).reshape(column)
    net.add("Mul", gamma).add("Add", shift)
    match draw(st.sampled_from(["where", "greater", "larq", "clip", "levels"])):
        case "where":
            net.sign()
        case "greater":
            net.add("Less", np.float32(0)).add("Where", np.float32(-0.5), np.float32(0.5))
        case "larq":
            net.add("Sign").add("Add", np.float32(0.125)).add("Sign")
        case "clip":
            net.add("GreaterOrEqual", np.float32(1)).add("Cast", to=1)
        case "levels":
            net.add("Mul", np.float32(0.25)).add("Floor").add("Clip", np.float32(-1), np.float32(2))


@COMMON
@given(st.data())
def test_random_dense_networks(tmp_path: Path, data: st.DataObject) -> None:
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    widths = data.draw(st.lists(st.integers(1, 24), min_size=2, max_size=4))
    net = Model(tmp_path / "net.onnx", (widths[0],))
    for columns, rows in itertools.pairwise(widths):
        scale = np.float32(data.draw(st.sampled_from([1, 0.5, 2])))
        net.add("MatMul", bipolar(random, columns, rows) * scale)
        activation(data.draw, net, random, rows, 2)
    net.add("MatMul", bipolar(random, widths[-1], 3))
    kind = data.draw(st.sampled_from(["bipolar", "uint4", "int8"]))
    low, high = {"bipolar": (-1, 1), "uint4": (0, 15), "int8": (-128, 127)}[kind]
    x = (
        bipolar(random, 40, widths[0])
        if kind == "bipolar"
        else random.integers(low, high + 1, (40, widths[0])).astype(np.float32)
    )
    x[0], x[1] = low, high
    net.agrees(x, input_type=kind)


@COMMON
@given(st.data())
def test_random_convolutional_networks(tmp_path: Path, data: st.DataObject) -> None:
    draw = data.draw
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    channels, height, width = draw(st.integers(1, 3)), draw(st.integers(4, 9)), draw(st.integers(4, 9))
    net = Model(tmp_path / "net.onnx", (channels, height, width))
    x = bipolar(random, 12, channels, height, width)
    small = st.integers(1, 2)
    for _ in range(draw(small)):
        rows, kernel = draw(st.integers(1, 6)), (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
        pads = [draw(st.integers(0, 1)) for _ in range(4)]
        if draw(st.booleans()):
            net.add("Pad", np.array([0, 0, 1, 0, 0, 0, 0, 1]), np.float32(draw(st.sampled_from([-1, 0, 1, 0.5]))))
            pads = [0] * 4
        net.add("Conv", bipolar(random, rows, channels, *kernel), pads=pads, strides=[draw(small), draw(small)])
        channels = rows
        size = net.reference(x[:1]).shape[2:]
        pool = draw(st.sampled_from(["none", "before", "behind"]))
        shape = {"kernel_shape": [min(2, size[0]), min(2, size[1])], "strides": [draw(small), draw(small)]}
        if pool == "before":
            net.add("MaxPool", **shape)
        activation(draw, net, random, channels, 4)
        if pool == "behind":
            net.add("MaxPool", **shape)
        if min(net.reference(x[:1]).shape[2:]) < 3:
            break
    if draw(st.booleans()):
        net.add("Transpose", perm=[0, 2, 3, 1])
    net.add("Flatten")
    net.add("MatMul", bipolar(random, net.reference(x[:1]).shape[1], 3))
    net.agrees(x, input_type="bipolar")
