"""What the host does with arrays before and after the hardware."""

from dataclasses import replace

import numpy as np
import pytest

from hwgen.arrays.codec import from_codes, to_codes
from hwgen.codes import BIPOLAR, signed, unsigned
from hwgen.errors import DataError
from hwgen.layers.argmax import ArgMax
from hwgen.network import InputPort, Network, OutputPort

PIXELS = InputPort("x", (1, 4, 4), (1, 2, 0), (4, 4, 1), unsigned(8), scale=1 / 255)
BITS = InputPort("x", (3,), (0,), (1, 1, 3), BIPOLAR, steps=np.array([[0.5]], dtype=np.float32))


def network(output: OutputPort) -> Network:
    port = InputPort("x", (2, 3, 4), (1, 2, 0), (3, 4, 2), BIPOLAR)
    return Network("net", (port,), (), (output,))


def test_integers_are_codes() -> None:
    x = np.arange(32, dtype=np.uint8).reshape(2, 1, 4, 4)
    assert np.array_equal(to_codes(PIXELS, x), x.transpose(0, 2, 3, 1))


@pytest.mark.parametrize(
    "preprocess",
    [
        lambda q: q / 255,
        lambda q: q.astype(np.float32) / np.float32(255),
        lambda q: q.astype(np.float32) * np.float32(1 / 255),
    ],
)
def test_every_code_survives_the_usual_preprocessing(preprocess) -> None:
    codes = np.arange(256).reshape(16, 1, 4, 4)
    assert np.array_equal(to_codes(PIXELS, preprocess(codes)), codes.transpose(0, 2, 3, 1))


def test_a_single_frame_needs_no_frame_axis() -> None:
    assert to_codes(PIXELS, np.zeros((1, 4, 4))).shape == (1, 4, 4, 1)


def test_channels_first_becomes_channels_last() -> None:
    port = InputPort("x", (2, 3, 4), (1, 2, 0), (3, 4, 2), unsigned(8))
    x = np.arange(24).reshape(1, 2, 3, 4)
    assert np.array_equal(to_codes(port, x)[0], np.moveaxis(x[0], 0, -1))


def test_quantiser_counts_the_steps_reached() -> None:
    x = np.array([[0.5, np.nextafter(np.float32(0.5), np.float32(0)), 0.7]], dtype=np.float32)
    assert to_codes(BITS, x).tolist() == [[[[1, -1, 1]]]]


def test_falling_quantiser_compares_the_negated_input() -> None:
    steps = np.array([[-1.5, -0.5]], dtype=np.float32)
    port = InputPort("x", (4,), (0,), (1, 1, 4), unsigned(2), steps=steps, direction=-1)
    assert to_codes(port, np.array([[2.0, 1.5, 0.5, 0.0]])).tolist() == [[[[0, 1, 2, 2]]]]


def test_steps_may_differ_by_channel() -> None:
    steps = np.array([[0.0], [10.0]], dtype=np.float32)
    port = InputPort("x", (2, 1, 1), (1, 2, 0), (1, 1, 2), BIPOLAR, steps=steps)
    assert to_codes(port, np.full((1, 2, 1, 1), 5.0)).tolist() == [[[[1, -1]]]]


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((2, 5, 4)), r"must have shape \(frames, 1, 4, 4\), or \(1, 4, 4\) for one frame, not \(2, 5, 4\)"),
        (np.zeros((2, 4, 4)), r"reshape it to \(2, 1, 4, 4\)"),
        (np.zeros((2, 16)), r"reshape it to \(2, 1, 4, 4\)"),
        (np.zeros(()), r"not \(\)"),
        (np.zeros((0, 1, 4, 4)), "holds no frame"),
        (np.zeros((1, 1, 4, 4), dtype=bool), "not bool"),
        (np.zeros((1, 1, 4, 4), dtype=complex), "not complex128"),
        (np.full((1, 1, 4, 4), "a"), "not <U1"),
        (np.full((1, 1, 4, 4), np.nan), r"value nan at \(0, 0, 0, 0\) is not a number"),
        (np.full((1, 1, 4, 4), -np.inf), "value -inf"),
        (np.full((1, 1, 4, 4), 256), r"code 256 at \(0, 0, 0, 0\) is not of type uint8 \(0 to 255\)"),
        (np.full((1, 1, 4, 4), -1 / 255), "is outside of what uint8 codes"),
        (np.full((1, 1, 4, 4), 0.5 / 255), "lies between two codes"),
    ],
)
def test_wrong_input_is_refused_by_name(x: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        to_codes(PIXELS, x)


def test_the_first_wrong_value_is_named_where_the_user_counts() -> None:
    port = InputPort("x", (2, 3, 4), (1, 2, 0), (3, 4, 2), unsigned(8))
    x = np.zeros((2, 2, 3, 4))
    x[1, 0, 2, 3] = 0.25
    x[1, 1, 0, 0] = 0.75
    with pytest.raises(DataError, match=r"0\.25 at \(1, 0, 2, 3\)"):
        to_codes(port, x)


def test_zero_is_no_bipolar_code() -> None:
    with pytest.raises(DataError, match=r"code 0 at \(0, 0\) is not of type bipolar \(-1 and \+1\)"):
        to_codes(BITS, np.array([[0, 1, -1]]))


@pytest.mark.parametrize("code", [2**64 - 1, 2**64 - 5, 2**63, 2**32])
@pytest.mark.parametrize("kind", [signed(4), unsigned(16), BIPOLAR])
def test_integers_that_int64_does_not_hold_never_wrap_to_codes(code, kind) -> None:
    port = replace(PIXELS, type=kind)
    x = np.ones((1, 1, 4, 4), dtype=np.uint64)
    assert np.array_equal(to_codes(port, x), np.ones((1, 4, 4, 1)))
    x[0, 0, 1, 2] = code
    with pytest.raises(DataError, match=rf"code {code} at \(0, 0, 1, 2\) is not of type {kind}"):
        to_codes(port, x)


@pytest.mark.parametrize("scale", [1 / 255, 0.1, 1 / 3, 2.0**-13])
def test_every_one_of_65536_codes_survives_float32(scale) -> None:
    port = InputPort("x", (16, 64, 64), (1, 2, 0), (64, 64, 16), signed(16), scale=scale)
    codes = np.arange(-(1 << 15), 1 << 15).reshape(1, 16, 64, 64)
    assert np.array_equal(to_codes(port, codes.astype(np.float32) * np.float32(scale)), codes.transpose(0, 2, 3, 1))


def test_outputs_come_in_the_models_units_and_layout() -> None:
    port = OutputPort("y", "x", (2, 3, 4), (2, 0, 1), "float32", np.array([0.5, 2.0]), np.array([1.0, 0.0]))
    codes = np.arange(24).reshape(1, 3, 4, 2)
    y = from_codes(network(port), codes)
    assert y.dtype == np.float32
    expected = np.stack([codes[..., 0] * 0.5 + 1.0, codes[..., 1] * 2.0], axis=1)
    assert np.array_equal(y, expected)


def test_an_output_in_any_order_is_put_in_order() -> None:
    order = np.array([[23, 0, 7], [5, 5, 1]])
    port = OutputPort("y", "x", (2, 3), (), "float32", np.array([0.5, 2.0]), np.array([1.0, 0.0]), order=order)
    codes = np.arange(48).reshape(2, 3, 4, 2)
    meant = [[element * 2.0 if element % 2 else element * 0.5 + 1 for element in range(48)]]
    meant = np.array(meant).reshape(2, 24)
    assert np.array_equal(from_codes(network(port), codes), np.stack([frame[order] for frame in meant]))


def test_integer_outputs_stay_integers() -> None:
    port = OutputPort("y", "x", (), (), "int64", np.array([1.0]), np.array([0.0]))
    assert from_codes(network(port), np.array([[[[7]]], [[[9]]]])).tolist() == [7, 9]


def test_a_table_of_values_is_indexed_by_code() -> None:
    values = np.array([[10.0, 20.0], [-1.0, 1.5]])
    port = OutputPort("y", "argmax", (2,), (0,), "float32", np.ones(2), np.zeros(2), values=values)
    source = ArgMax(name="argmax", source="x", in_shape=(1, 1, 2), in_type=unsigned(1), last=False)
    net = Network("net", (InputPort("x", (2,), (0,), (1, 1, 2), unsigned(1)),), (source,), (port,))
    assert from_codes(net, np.array([[[[1, 0]]], [[[0, 1]]]])).tolist() == [[20.0, -1.0], [10.0, 1.5]]
