"""Codes and weights of up to 16 bits: integers == ONNX Runtime or QONNX's executor == Verilog, and quantisers of every width, scale and rounding."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from qonnx.custom_op.general.intquant import int_quant

import hwgen
from hwgen.arrays import codec
from hwgen.layers.segments import Segments
from hwgen.operators.quantisers import ROUNDING
from tests.streamlining.conftest import Model

MOST = (1 << 15) - 1


def quant(net, scale, bits, *, signed=1, mode="ROUND", point=0.0, narrow=0):
    numbers = (np.asarray(part, dtype=np.float32) for part in (scale, point, bits))
    return net.add(
        "Quant", *numbers, domain="qonnx.custom_op.general", signed=signed, narrow=narrow, rounding_mode=mode
    )


def layer_of(kind, net, random, most):
    """Append a layer with weights of any size up to a bound, among them both extremes."""
    shape = {"dense": (36, 3), "conv": (3, 4, 2, 2), "depthwise": (4, 1, 2, 2), "pooled": (3, 4, 1, 1)}[kind]
    weights = random.integers(-most, most + 1, shape)
    weights.flat[:2] = most, -most
    weights = weights / np.float32(1 << 10)
    match kind:
        case "dense":
            return net.add("Flatten").add("MatMul", weights)
        case "depthwise":
            return net.add("Conv", weights, group=4)
        case "pooled":
            return net.add("Conv", weights).add("MaxPool", kernel_shape=[2, 2])
    return net.add("Conv", weights)


KINDS = ["dense", "conv", "depthwise", "pooled"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wide", ["inputs", "weights"])
def test_verilog_is_qonnx_with_sixteen_bits(model, random, tmp_path, kind, wide):
    """Products of as many bits as float32 holds, so that its sums are exact; the result has 16 bits again, ties to even."""
    bits, most = (16, 3) if wide == "inputs" else (3, MOST)
    net = layer_of(kind, quant(model(4, 3, 3), 2.0**-12, bits), random, most)
    quant(net, 2.0**-20, 16).add("Mul", np.float32(1))
    low = -(2 ** (bits - 1))
    x = (random.integers(low, -low, (6, 4, 3, 3)) * np.float32(2.0**-12)).astype(np.float32)
    x[0], x[1] = low * 2.0**-12, (-low - 1) * 2.0**-12
    network = net.agrees(x)
    assert network.notes == ()
    (layer,) = [layer for layer in network.layers if isinstance(layer, Segments)]
    assert layer.out_type.bits == 16
    assert hwgen.build(hwgen.plan(network), tmp_path / "build").simulate(x).exact


@pytest.mark.parametrize("kind", KINDS)
def test_sixteen_bits_times_sixteen_bits(model, random, tmp_path, kind):
    """Wider than float32: its own sums are rounded, the integers' are not."""
    net = layer_of(kind, quant(model(4, 3, 3), 1, 16), random, MOST)
    network = net.network()
    (port,) = network.inputs
    x = random.integers(-MOST - 1, MOST + 1, (6, 4, 3, 3))
    x[0], x[1] = -MOST - 1, MOST
    codes = codec.to_codes(port, x.astype(np.float32))
    np.testing.assert_array_equal(codes, codec.to_codes(port, x))
    sums = network.golden(codes)
    weights = next(layer for layer in network.layers if hasattr(layer, "weights")).weights
    assert np.abs(weights).max() == MOST
    if kind == "dense":
        wanted = (codes.reshape(6, -1) @ weights.T).reshape(sums.shape)
    else:
        taps = (codes[:, y : y + 2, z : z + 2] for y in (0, 1) for z in (0, 1))
        match kind:
            case "depthwise":
                wanted = sum(tap * row for tap, row in zip(taps, weights.reshape(4, 4).T, strict=True))
            case "conv":
                wanted = sum(
                    tap @ row.T for tap, row in zip(taps, weights.reshape(3, 4, 4).swapaxes(0, 1), strict=True)
                )
            case "pooled":
                wanted = np.max([tap @ weights.reshape(3, 4).T for tap in taps], axis=0)
    np.testing.assert_array_equal(sums, wanted)
    assert np.abs(sums).max() > 2**30
    x = x.astype(np.float32)
    reference = net.reference(x).astype(float)
    found = codec.from_codes(network, sums).astype(float)
    np.testing.assert_allclose(found, reference, atol=1e-6 * np.abs(reference).max())
    assert hwgen.build(hwgen.plan(network), tmp_path / "build").simulate(x).exact


SCALES = [1 / 255, 1 / 127, 0.1, 1 / 3, 2.0**-7, 0.5, 1.0]

quantisers = st.fixed_dictionaries(
    {
        "scale": st.sampled_from(SCALES),
        "bits": st.integers(2, 16),
        "signed": st.integers(0, 1),
        "narrow": st.integers(0, 1),
        "mode": st.sampled_from(sorted(ROUNDING)),
        "point": st.sampled_from([0, 0, 1, -3]),
    }
)


def edges(random, one, shape):
    """Give numbers on both sides of a quantiser's steps and beyond its ends."""
    low = -(2 ** (one["bits"] - 1)) if one["signed"] else 0
    codes = random.integers(low - 2, low + 2 ** one["bits"] + 2, shape) - one["point"] + random.choice([0, 0.5], shape)
    x = (codes * one["scale"]).astype(np.float32)
    return np.where(random.integers(0, 2, shape), x, np.nextafter(x, random.choice(np.float32([-9e9, 9e9]), shape)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("quantisers")


@seed(16)
@settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(one=quantisers, per_channel=st.booleans(), widths=st.booleans(), draw=st.integers(0, 1 << 30))
def test_every_quantiser_of_the_input_is_qonnx_s(folder, one, per_channel, widths, draw):
    """Scales and bit widths of the whole input or of each channel: the codes that the host sends stand for QONNX's values."""
    random = np.random.default_rng(draw)
    scales = np.full(3, one["scale"], np.float32) * (2.0 ** random.integers(-1, 2, 3) if per_channel else np.ones(3))
    bits = np.maximum(one["bits"] - random.integers(0, 3, 3), 1 + one["signed"]) if widths else np.full(3, one["bits"])
    scales, bits = scales.astype(np.float32), bits.astype(np.float32)
    net = quant(
        Model(folder / "net.onnx", (3,)),
        scales[None],
        bits[None],
        **{k: one[k] for k in ("signed", "mode", "point", "narrow")},
    )
    net.add("MatMul", np.eye(3))
    x = edges(random, one, (60, 3))
    network = net.network()
    found = codec.from_codes(network, network.golden(codec.to_codes(network.input, x)))
    columns = [
        int_quant(x[:, [n]], scales[n], np.float32(one["point"]), bits[n], one["signed"], one["narrow"], one["mode"])
        for n in range(3)
    ]
    np.testing.assert_array_equal(found, np.hstack(columns))


@seed(17)
@settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(one=quantisers, factor=st.sampled_from([1, -1, 3, 0.25]), draw=st.integers(0, 1 << 30))
def test_every_quantiser_behind_a_sum_is_qonnx_s(folder, one, factor, draw):
    """Sums that float32 holds exactly: every decision is its own."""
    random = np.random.default_rng(draw)
    weights = random.integers(-7, 8, (6, 3)).astype(np.float32) * np.float32(factor)
    net = Model(folder / "net.onnx", (6,)).add("MatMul", weights)
    quant(net, one["scale"] * 16, **{k: one[k] for k in ("bits", "signed", "mode", "point", "narrow")})
    net.add("MatMul", np.eye(3))
    x = random.integers(-128, 128, (80, 6)).astype(np.float32)
    net.agrees(x, input_type="int8")


@pytest.mark.parametrize("kind", ["uint16", "int16", "uint8", "int8"])
@pytest.mark.parametrize("scale", [1 / 255, 0.1, 2.0**-9, 1 / 3])
@pytest.mark.parametrize("first", ["input", "sum"])
def test_onnx_s_own_quantisers_are_onnx_runtime_s(model, random, kind, scale, first):
    point, each = np.dtype(kind).type(3), np.float32(scale)
    net = model(5)
    net.opset = 21
    if first == "sum":
        net.add("MatMul", random.integers(-5, 6, (5, 5)).astype(np.float32) / 4)
    net.add("QuantizeLinear", each, point).add("DequantizeLinear", each, point).add("MatMul", np.eye(5))
    info = np.iinfo(kind)
    one = {"bits": info.bits, "signed": int(info.min < 0), "point": 3, "scale": scale}
    x = edges(random, one, (99, 5)) if first == "input" else random.integers(-128, 128, (99, 5)).astype(np.float32)
    net.agrees(x, **({} if first == "input" else {"input_type": "int8"}))
