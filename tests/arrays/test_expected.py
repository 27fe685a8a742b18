"""Outputs against those that a user expects."""

import dataclasses
import itertools

import numpy as np
import pytest

from hwgen.arrays import codec
from hwgen.arrays.expected import by_output, check_expected, correct_labels, distances, is_labels, meant, meant_between
from hwgen.errors import DataError
from hwgen.network import Network
from tests.small_networks import mlp


def scaled(network: Network) -> Network:
    """Give outputs of odd units, so that a code and its meaning differ."""
    scale, offset = np.full(5, 0.1), np.linspace(-1, 1, 5)
    return dataclasses.replace(network, outputs=(dataclasses.replace(network.output, scale=scale, offset=offset),))


NETWORK = scaled(mlp(12, 8, 5))
CODES = NETWORK.golden(np.random.default_rng(0).choice(np.array([-1, 1]), size=(6, 1, 1, 12)))
PAIR = dataclasses.replace(NETWORK, outputs=(NETWORK.output, dataclasses.replace(NETWORK.output, name="z")))


def differing(network, expected: np.ndarray) -> np.ndarray:
    return distances(network, CODES, expected, network.output)[0]


def test_expected_floats_may_be_off_by_float32_rounding() -> None:
    y = codec.from_codes(NETWORK, CODES)
    assert differing(NETWORK, y).sum() == 0
    assert differing(NETWORK, np.nextafter(y, np.float32(9))).sum() == 0
    y[2, 3] += np.float32(0.1)
    y[4, 0] = np.nan
    assert differing(NETWORK, y).sum() == 2


def test_expected_integers_are_codes() -> None:
    codes = CODES.reshape(6, 5)
    assert differing(NETWORK, codes).sum() == 0
    assert differing(NETWORK, codes + 1).sum() == 6


def test_labels_take_the_largest_score_and_the_lowest_index_of_equals() -> None:
    assert correct_labels(np.array([[1.0, 3.0], [2.0, 2.0], [0.0, 5.0]]), np.array([1, 0, 0])) == 2
    assert correct_labels(np.array([3, 4]), np.array([3, 3])) == 1


def test_what_is_off_by_less_than_a_quarter_of_a_step_is_rounding_only_where_terms_are_large() -> None:
    """The slack is 2**-16 of the terms, and never more than a quarter of the step between two codes."""
    port = dataclasses.replace(NETWORK.output, scale=np.full(5, 0.5), offset=np.full(5, 2.0**16))
    network = dataclasses.replace(NETWORK, outputs=(port,))
    exact = codec.exact_values(network, CODES, port).reshape(6, 5)
    for off, differs in ((0.125, 0), (0.1251, 6)):
        assert differing(network, exact + off).sum() == differs
    near = dataclasses.replace(port, offset=np.zeros(5))
    network = dataclasses.replace(NETWORK, outputs=(near,))
    exact = codec.exact_values(network, CODES, near).reshape(6, 5)
    for part, differs in ((2.0**-16, 0), (2.0**-15, int(np.any(exact != 0, axis=1).sum()))):
        assert differing(network, exact * (1 + part)).sum() == differs


def test_a_table_s_values_may_be_off_by_their_own_rounding() -> None:
    low, high = int(CODES.min()), int(CODES.max())
    port = dataclasses.replace(NETWORK.output, values=np.tile(np.arange(low, high + 1) * 1.0, (5, 1)))
    port = dataclasses.replace(port, values=np.exp2(np.tile(np.arange(64.0), (5, 1))))
    network = dataclasses.replace(NETWORK, outputs=(port,))
    exact = codec.exact_values(network, CODES, port).reshape(6, 5)
    for part, differs in ((2.0**-16, 0), (2.0**-15, 6)):
        assert differing(network, exact * (1 + part)).sum() == differs


def test_one_whole_number_a_frame_is_a_label() -> None:
    assert is_labels(np.zeros(3, np.uint8))
    assert not is_labels(np.zeros(3))
    assert not is_labels(np.zeros((3, 1), int))


def test_what_is_expected_of_the_only_output_needs_no_name() -> None:
    y = np.zeros((6, 5))
    assert by_output(NETWORK, y, 6) == {"y": y}
    assert by_output(NETWORK, {"y": y}, 6) == {"y": y}
    assert by_output(PAIR, {"z": y}, 6) == {"z": y}
    for network, expected, message in (
        (PAIR, y, "The network has the outputs 'y', 'z': name what is expected of each"),
        (PAIR, {"x": y}, "Expected outputs name 'x', but the network has 'y', 'z'"),
        (PAIR, {"z": np.zeros(6, int)}, "Labels need a network of one output, and this one has 'y', 'z'"),
        (NETWORK, {"y": y[:5]}, r"must have shape \(6, 5\)"),
    ):
        with pytest.raises(DataError, match=message):
            by_output(network, expected, 6)


def test_an_output_of_one_number_may_be_expected_as_numbers() -> None:
    port = dataclasses.replace(NETWORK.output, onnx_shape=())
    for expected in (np.zeros(6), np.zeros(6, int)):
        check_expected(port, expected, 6)
    with pytest.raises(DataError, match=r"must have shape \(6,\)"):
        check_expected(port, np.zeros(7), 6)


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        (np.zeros((6, 4)), r"must have shape \(6, 5\), or be 6 whole-number labels, not float64 of shape \(6, 4\)"),
        (np.zeros(6), r"not float64 of shape \(6,\)"),
        (np.zeros(5, dtype=int), r"not int64 of shape \(5,\)"),
        (np.full((6, 5), "a"), "must be numbers, not <U1"),
    ],
)
def test_an_expectation_of_another_shape_is_refused(expected: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        check_expected(NETWORK.output, expected, 6)


def test_the_greatest_distance_is_in_the_units_of_what_is_expected() -> None:
    y = codec.from_codes(NETWORK, CODES)
    y[3, 0] += 2.5
    assert distances(NETWORK, CODES, y, NETWORK.output)[1] == pytest.approx(2.5, abs=1e-6)
    codes = codec.unmap(NETWORK.output, CODES).astype(np.uint8)
    assert distances(NETWORK, CODES, codes + 3, NETWORK.output)[1] == np.max(
        np.abs(codec.unmap(NETWORK.output, CODES) - (codes + 3).astype(np.int64))
    )


@pytest.mark.parametrize("operator", ["Softmax", "LogSoftmax"])
def test_what_is_left_to_the_reader_is_done_before_numbers_are_compared(operator: str) -> None:
    port = dataclasses.replace(NETWORK.output, dropped=("last",), dropped_operators=(operator,))
    network = dataclasses.replace(NETWORK, outputs=(port,))
    scores = codec.from_codes(NETWORK, CODES)
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    expected = (np.log(shares) if operator == "LogSoftmax" else shares).astype(np.float32)
    assert differing(network, expected).sum() == 0
    assert differing(network, expected + 1e-4).sum() == len(CODES)
    assert differing(network, codec.unmap(port, CODES)).sum() == 0


@pytest.mark.parametrize("operator", ["Softmax", "LogSoftmax"])
def test_shares_of_scores_in_intervals(operator: str) -> None:
    """A share is least where the score is, and all others are greatest: tried at every corner."""
    port = dataclasses.replace(NETWORK.output, dropped=("last",), dropped_operators=(operator,))
    network = dataclasses.replace(NETWORK, outputs=(port,))
    spread = np.random.default_rng(4).integers(0, 3, CODES.shape)
    found = meant_between(network, CODES - spread, CODES + spread, port)
    sides = [np.array(each) for each in itertools.product((-1, 1), repeat=CODES.shape[-1])]
    corners = np.stack([meant(network, CODES + side * spread, port)[0] for side in sides])
    np.testing.assert_allclose(found[0], corners.min(axis=0), rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(found[1], corners.max(axis=0), rtol=1e-9, atol=1e-300)
