from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hwgen.codes import BIPOLAR, TERNARY, signed, unsigned
from hwgen.errors import DataError
from hwgen.graph import Value
from hwgen.network import InputPort
from hwgen.verification.frames import Frames, made_frames, user_frames
from tests.verification.test_bounds import dense, network

FLOAT = np.dtype(np.float32)


def of(port: InputPort, count: int = 64, dtype: np.dtype = FLOAT) -> Frames:
    made = replace(network(dense([[1]])), inputs=(port,))
    return made_frames(made, [Value(port.name, (None, *port.onnx_shape), dtype)], count)


@pytest.mark.parametrize("kind", [BIPOLAR, TERNARY, unsigned(8), signed(4), unsigned(16)])
def test_the_file_gets_what_the_codes_mean(kind) -> None:
    port = InputPort("x", (2, 3, 4), (1, 2, 0), (3, 4, 2), kind, 0.5, 0.25)
    found = of(port)
    assert found.codes[0].shape == (64, 3, 4, 2)
    assert kind.contains(found.codes[0])
    meant = (0.5 * found.codes[0] + 0.25).astype(np.float32).transpose(0, 3, 1, 2)
    assert np.array_equal(found.values["x"], meant)


def test_the_corners_are_among_the_first() -> None:
    port = InputPort("x", (1, 4, 4), (1, 2, 0), (4, 4, 1), signed(8))
    codes = of(port).codes[0][..., 0]
    assert np.all(codes[1] == 127)
    assert np.all(codes[3] == -128)
    assert np.all(codes[5] == 0)
    assert [tuple(np.argwhere(codes[number])[0]) for number in (9, 13, 17, 21)] == [(0, 0), (0, 3), (3, 0), (3, 3)]
    assert all(codes[number].max() == 127 for number in (9, 13, 17, 21))


def test_random_frames_are_wide_and_narrow() -> None:
    codes = of(InputPort("x", (100,), (0,), (1, 1, 100), signed(16))).codes[0].reshape(64, -1)
    spreads = np.abs(codes).max(axis=1)
    assert np.sum(spreads > 30000) > 20
    assert np.sum((spreads > 0) & (spreads < 12000)) > 2


def test_frames_are_the_same_each_time() -> None:
    port = InputPort("x", (5,), (0,), (1, 1, 5), unsigned(8))
    assert np.array_equal(of(port).codes[0], of(port).codes[0])


def test_a_host_that_quantises_gets_its_steps_and_their_neighbours() -> None:
    steps = np.array([[0.5, 1.0, 2.5]], dtype=np.float32)
    port = InputPort("x", (50,), (0,), (1, 1, 50), unsigned(2), steps=steps, direction=-1)
    found = of(port)
    values = set(np.unique(-found.values["x"]).tolist())
    assert set(steps.ravel().tolist()) <= values
    assert set(np.nextafter(steps, np.float32(-np.inf)).ravel().tolist()) <= values
    assert set(np.unique(found.codes[0]).tolist()) == {0, 1, 2, 3}


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float64, np.bool_])
def test_values_have_the_files_dtype(dtype) -> None:
    found = of(InputPort("x", (5,), (0,), (1, 1, 5), unsigned(1)), dtype=np.dtype(dtype))
    assert found.values["x"].dtype == dtype
    assert np.array_equal(found.values["x"], found.codes[0].reshape(-1, 5))


def test_frames_of_a_user_are_numbers_or_codes() -> None:
    port = InputPort("x", (2,), (0,), (1, 1, 2), unsigned(8), 0.5)
    made = replace(network(dense([[1, 1]])), inputs=(port,))
    inputs = [Value("x", (None, 2), FLOAT)]
    for given in (np.array([[3, 4]]), np.array([[1.5, 2.0]])):
        found = user_frames(made, inputs, given)
        assert found.codes[0].ravel().tolist() == [3, 4]
        assert found.values["x"].tolist() == [[1.5, 2.0]]
    with pytest.raises(DataError, match="lies between two codes"):
        user_frames(made, inputs, np.array([[0.3, 0.5]]))


def test_frames_follow_one_another() -> None:
    port = InputPort("x", (2,), (0,), (1, 1, 2), unsigned(8))
    first = of(port, 3)
    both = first.pick(np.array([2])).and_then(first.pick(np.array([0, 1])))
    assert len(both) == 3
    assert np.array_equal(both.values["x"], first.values["x"][[2, 0, 1]])
    assert np.array_equal(both.codes[0], first.codes[0][[2, 0, 1]])
