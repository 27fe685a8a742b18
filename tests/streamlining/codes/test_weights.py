"""Rows of weights as integers."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.conversion import Conversion
from hwgen.errors import ModelError
from hwgen.graph import Node
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.codes.weights import integer_rows, note_rounding, rounded_rows
from tests.streamlining.conftest import bipolar

NODE = Node("MatMul", "fc", (), ())


def test_rows_of_one_magnitude_are_signs(random):
    signs = bipolar(random, 5, 20)
    alpha = np.array([1, 0.1, 3e-5, 700, 0])
    integers, scale = integer_rows(signs * alpha[:, None] * (1 + random.uniform(-4e-7, 4e-7, (5, 20))))
    np.testing.assert_array_equal(integers[:4], signs[:4])
    np.testing.assert_array_equal(integers[4], 1)
    np.testing.assert_allclose(scale, alpha, rtol=1e-6)


def test_rows_of_few_bits_are_integers(random):
    wanted = random.integers(-7, 8, (6, 50))
    wanted[:, 0], wanted[:, 1] = 7, 5
    integers, scale = integer_rows((wanted * np.float32(0.0371)).astype(np.float32).astype(float))
    np.testing.assert_array_equal(integers, wanted)
    np.testing.assert_allclose(scale, 0.0371, rtol=1e-6)


def test_rows_that_float32_rounded_near_one_are_integers_and_it_says_so(random):
    wanted = 2 * random.integers(0, 256, (4, 60)) - 255
    wanted[:, :2] = 255, 1
    levels = ((wanted + 255) // 2).astype(np.float32) / np.float32(255)
    weights = (np.float32(2) * levels - np.float32(1)).astype(float)
    integers, scale = integer_rows(weights)
    np.testing.assert_array_equal(integers, wanted)
    np.testing.assert_allclose(scale, 1 / 255, rtol=1e-7)
    builder = Builder(Conversion(exact=True))
    note_rounding(weights, integers, scale, NODE, builder)
    off = np.abs(integers * scale[:, None] - weights)
    largest = np.abs(weights).max(axis=1, keepdims=True)
    (note,) = builder.notes
    assert note.startswith(
        "'fc' has weights that are integers times one scale a row up to float32's rounding, and is taken so: "
    )
    assert note.endswith(
        f"{np.max(off / np.abs(weights)):.2g} of a weight, {np.max(off / largest):.2g} of a row's largest"
    )
    assert np.max(off / largest) < 4e-7
    weights[2, 7] += 3e-6
    assert integer_rows(weights) is None


def test_rows_that_are_integers_to_their_own_rounding_need_no_note(random):
    wanted = random.integers(-127, 128, (3, 40))
    wanted[:, :2] = 127, 1
    weights = np.vstack([(wanted * np.float32(0.0371)).astype(np.float32), np.zeros((1, 40))]).astype(float)
    builder = Builder(Conversion())
    note_rounding(weights, *integer_rows(weights), NODE, builder)
    assert not builder.notes


@pytest.mark.parametrize("scale", [1 / 255, 0.1, 1 / 3, 2.0**-13, 0.0371])
@pytest.mark.parametrize("bits", [9, 10, 12, 14, 16])
def test_rows_of_up_to_sixteen_bits_are_integers(scale, bits, random):
    most = 2 ** (bits - 1) - 1
    wanted = random.integers(-most, most + 1, (12, 40))
    wanted[3] = 0
    wanted[4] = 17 * (wanted[4] // 17)
    weights = (wanted.astype(np.float32) * np.float32(scale)).astype(float)
    integers, scales = integer_rows(weights)
    wanted[3], wanted[4] = 1, wanted[4] // 17
    np.testing.assert_array_equal(integers, wanted)
    factor = np.where(np.arange(12) == 3, 0, np.where(np.arange(12) == 4, 17, 1))
    np.testing.assert_allclose(scales, factor * scale, rtol=1e-6)


def test_weights_with_a_zero_point_are_integers_of_seventeen_bits(random):
    wanted = random.integers(0, 1 << 16, (3, 50)) - 40000
    wanted[:, :2] = -40000, 25535
    integers, _ = integer_rows((wanted.astype(np.float32) * np.float32(0.01)).astype(float))
    np.testing.assert_array_equal(integers, wanted)


def test_a_row_of_reals_among_integers_is_none(random):
    weights = random.integers(-3000, 3000, (5, 30)) / 4096
    assert integer_rows(weights) is not None
    weights[4] = random.standard_normal(30)
    assert integer_rows(weights) is None


def test_real_rows_are_rounded_or_refused(random):
    weights = bipolar(random, 3, 9).astype(float)
    weights[1, 4:8] = 0.777123, 0.1234567, 0.3141592, 0.9182737
    assert integer_rows(weights) is None
    builder = Builder(Conversion(weight_bits=6))
    integers, scale = rounded_rows(weights, NODE, builder)
    assert np.abs(integers).max() == 31
    np.testing.assert_allclose(integers * scale[:, None], weights, atol=0.5 / 31)
    assert builder.notes == [
        f"'fc' has real weights, rounded to 6 bits with one scale a row: off by at most {abs(28 / 31 - 0.9182737):.2g} of a row's largest"
    ]
    exact = Builder(Conversion(exact=True))
    with pytest.raises(ModelError, match=r"'fc' \(MatMul\) has weights .* row 1 holds .* without --exact"):
        rounded_rows(weights, NODE, exact)


def test_the_finest_grid_has_sixteen_bits():
    """Rows are multiples of a part in 65,535 of their largest weight, and of no finer one."""
    wanted = np.array([[65535, 65534, 60013, -50021, 40009, 30011, 1001, 7, 1]])
    integers, scale = integer_rows((wanted * np.float32(0.37)).astype(np.float32).astype(float))
    np.testing.assert_array_equal(integers, wanted)
    np.testing.assert_allclose(scale, 0.37, rtol=1e-6)
    finer = np.array([[65537, 65536, 60013, -50021, 40009, 30011, 1001, 7, 1]])
    assert integer_rows((finer * np.float32(0.37)).astype(np.float32).astype(float)) is None


def test_weights_of_few_bits_keep_their_scale():
    """Halves, and a pixel's 255th beside them, which float32 rounded: what sums of halves meet exactly stays exact."""
    third = float(np.float32(1 / 255))
    integers, scale = integer_rows(np.array([[0.5, 0.5, -0.5, third], [third, third, third, 3 * third]]))
    assert integers[0].tolist() in ([255, 255, -255, 2], [-255, -255, 255, -2])
    assert 255 * scale[0] == 0.5
    assert scale[1] == third


def test_the_scale_of_most_weights_is_kept():
    tenth, third = 0.1, float(np.float32(0.3))
    _, scale = integer_rows(np.array([[tenth, tenth, -tenth, third]]))
    assert scale[0] == tenth
