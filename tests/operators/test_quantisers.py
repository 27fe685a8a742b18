"""Quantisers against onnxruntime, or against the qonnx definition written out by hand."""

import numpy as np
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from qonnx.custom_op.general.intquant import int_quant
from qonnx.custom_op.general.trunc import trunc_v1, trunc_v2

from hwgen.operators.quantisers import ROUNDING
from tests.operators.onnx_cases import both, call, hold_equal, parse, sample

EXACT = {
    "quantize": "s = Constant <value_float = 0.5> () z = Constant <value = uint8[1] {3}> () q = QuantizeLinear "
    "(x, s, z) y = DequantizeLinear (q, s, z)",
    "quantize_axis": "s = Constant <value_floats = [0.5, 0.25, 1.0, 2.0]> () z = Constant <value = int8[4] {0, 1, "
    "-1, 0}> () q = QuantizeLinear <axis = 1> (x, s, z) "
    "y = DequantizeLinear <axis = 1> (q, s, z)",
}


@pytest.mark.parametrize("body", EXACT.values(), ids=EXACT)
def test_equals_onnxruntime(body, tmp_path):
    hold_equal(body, tmp_path)


@pytest.mark.parametrize(("kind", "low", "high"), [("int4", -8, 7), ("uint4", 0, 15)])
@pytest.mark.parametrize("given", ["zero point", "output type"])
def test_quantisers_to_four_bits_equal_onnxruntime(kind, low, high, given, tmp_path):
    code = {"int4": 22, "uint4": 21}[kind]
    point = f", output_dtype = {code}" if given == "output type" else ""
    zero = f"z = Constant <value = {kind}[1] {{1}}> ()" if given == "zero point" else ""
    more = ", z" if zero else ""
    body = f"s = Constant <value_floats = [0.5]> () {zero} q = QuantizeLinear <axis = 1{point}> (x, s{more}) y = DequantizeLinear <axis = 1> (q, s{more})"
    (y,), (reference,) = both(parse(body, "float[N,1] x", opset=21), sample((80, 1)) * 4, tmp_path)
    assert np.array_equal(y, reference)
    assert (y.min(), y.max()) == tuple((edge - bool(zero)) * 0.5 for edge in (low, high))


def test_quantiser_to_two_bits():
    x = np.array([-9, -2, -1.5, -0.5, 0.5, 1.5, 9], np.float32)
    y = call("QuantizeLinear", x, np.float32(1), np.int8(0), axis=1, bits=2)
    assert np.array_equal(y, [-2, -2, -2, 0, 0, 1, 1])


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("ROUND", [0, 0, 2, 2, -2, -2, 1, -1]),
        ("half_even", [0, 0, 2, 2, -2, -2, 1, -1]),
        ("CEIL", [1, 0, 2, 3, -1, -2, 2, -1]),
        ("FLOOR", [0, -1, 1, 2, -2, -3, 1, -2]),
        ("UP", [1, -1, 2, 3, -2, -3, 2, -2]),
        ("DOWN", [0, 0, 1, 2, -1, -2, 1, -1]),
        ("HALF_UP", [1, -1, 2, 3, -2, -3, 1, -1]),
        ("HALF_DOWN", [0, 0, 1, 2, -1, -2, 1, -1]),
    ],
)
def test_quant_rounding_modes(mode, expected):
    x = np.array([0.5, -0.5, 1.5, 2.5, -1.5, -2.5, 1.25, -1.25], np.float32) * 0.25
    y = call("Quant", x, np.float32(0.25), np.float32(0), np.float32(4), signed=1, narrow=0, rounding_mode=mode)
    assert y.dtype == np.float32
    assert np.array_equal(y * 4, expected)


@pytest.mark.parametrize(
    ("signed", "narrow", "low", "high"), [(1, 0, -8, 7), (1, 1, -7, 7), (0, 0, 0, 15), (0, 1, 0, 14)]
)
def test_quant_clamps_before_it_rounds(signed, narrow, low, high):
    x = np.array([-100, -8.4, 6.7, 14.2, 100], np.float32)
    y = call(
        "Quant", x, np.float32(1), np.float32(0), np.float32(4), signed=signed, narrow=narrow, rounding_mode="CEIL"
    )
    assert np.array_equal(y, np.ceil(np.clip(x, low, high)))


def test_quant_of_one_signed_bit_is_bipolar_with_zero_positive():
    x = np.array([-0.0, 0.0, -1e-9, 3], np.float32)
    y = call("Quant", x, np.float32(0.5), np.float32(0), np.float32(1), signed=1, narrow=1, rounding_mode="ROUND")
    assert np.array_equal(y, [0.5, 0.5, -0.5, 0.5])
    assert np.array_equal(call("BipolarQuant", x, np.array([0.5], np.float32)), [0.5, 0.5, -0.5, 0.5])


@seed(11)
@settings(max_examples=150, deadline=None, database=None)
@given(
    scale=st.sampled_from([1, 0.5, 2.0**-12, 1 / 255, 1 / 127, 0.1, 1 / 3]),
    per_channel=st.booleans(),
    point=st.sampled_from([0, 1, -3, 128]),
    bits=st.lists(st.integers(1, 16), min_size=1, max_size=5),
    signed=st.integers(0, 1),
    narrow=st.integers(0, 1),
    mode=st.sampled_from(sorted(ROUNDING)),
    draw=st.integers(0, 1 << 30),
)
def test_quant_equals_qonnx(scale, per_channel, point, bits, signed, narrow, mode, draw):
    """Scales and bit widths of one channel or of each: QONNX runs each channel of a width by itself."""
    random = np.random.default_rng(draw)
    scales = np.float32(scale) * (2.0 ** random.integers(-2, 3, len(bits)) if per_channel else np.ones(len(bits)))
    codes = random.integers(-40000, 70000, (40, len(bits))) / 4 * random.choice([1, 1 / 64, 1 / 1024], 40)[:, None]
    x = (codes * scales).astype(np.float32)
    columns = [
        int_quant(x[:, [n]], np.float32(s), np.float32(point), np.float32([b]), signed, narrow, mode)
        for n, (s, b) in enumerate(zip(scales, bits, strict=True))
    ]
    y = call(
        "Quant",
        x,
        scales.astype(np.float32)[None] if per_channel else np.float32(scale),
        np.float32(point),
        np.float32(bits)[None],
        signed=signed,
        narrow=narrow,
        rounding_mode=mode,
    )
    assert y.dtype == np.float32
    assert np.array_equal(y, np.hstack(columns))


def test_quant_shifts_by_the_zero_point():
    y = call(
        "Quant",
        np.float32([0.3, 9]),
        np.float32(0.1),
        np.float32(2),
        np.float32(3),
        signed=0,
        narrow=0,
        rounding_mode="ROUND",
    )
    assert np.array_equal(y, np.float32([3, 5]) * np.float32(0.1))


def test_trunc_of_both_versions_drops_low_bits():
    x = np.arange(-8, 8, dtype=np.float32)
    one = call("Trunc", x, *map(np.float32, (1, 0, 4, 2)), rounding_mode="FLOOR", signed=1, narrow=0)
    two = call("Trunc", x, *map(np.float32, (1, 0, 4, 4, 2)), rounding_mode="FLOOR", signed=1, narrow=0)
    assert np.array_equal(one, np.floor(x / 4))
    assert np.array_equal(two, 4 * np.floor(x / 4))


@pytest.mark.parametrize("mode", ["FLOOR", "ROUND", "CEIL", "UP", "DOWN", "HALF_UP"])
@pytest.mark.parametrize("zero_point", [0, 3, -2, 8])
def test_trunc_of_the_second_version_equals_qonnx(mode, zero_point):
    """The zero point is in the codes that are cut, and a shorter one leaves the result."""
    for scale, drop, signed, narrow in ((1, 2, 1, 0), (0.5, 1, 1, 1), (0.25, 3, 0, 0), (2, 2, 0, 1)):
        x = np.arange(-40, 41, dtype=np.float32) * np.float32(scale)
        numbers = [np.float32(number) for number in (scale, zero_point, 6, scale * 2**drop, 6 - drop)]
        y = call("Trunc", x, *numbers, rounding_mode=mode, signed=signed, narrow=narrow)
        assert y.tolist() == trunc_v2(x, *numbers[:3], narrow, signed, *numbers[3:], mode).tolist()


@pytest.mark.parametrize("zero_point", [0, 3, -2])
def test_trunc_of_the_first_version_equals_qonnx(zero_point):
    """Its result keeps scale and zero point, though its codes are shorter."""
    x = np.arange(-20, 21, dtype=np.float32) / 2
    numbers = [np.float32(number) for number in (0.5, zero_point, 6, 4)]
    y = call("Trunc", x, *numbers, rounding_mode="ROUND", signed=1, narrow=0)
    assert y.tolist() == trunc_v1(x, *numbers, "ROUND").tolist()


@pytest.mark.parametrize("axis", [1, 3])
def test_multi_threshold_counts_thresholds_reached(axis):
    x = sample((2, 3, 3, 3), seed=3)
    thresholds = np.array([[-1, 0, 1], [-2.5, 0.5, 0.5], [0, 0, np.inf]], np.float32)
    y = call("MultiThreshold", x, thresholds, out_scale=2.0, out_bias=-1.0, channel_axis=axis)
    for index in np.ndindex(x.shape):
        assert y[index] == 2 * sum(x[index] >= t for t in thresholds[index[axis]]) - 1
