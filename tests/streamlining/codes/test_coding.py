"""Value sets and their types."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.codes import BIPOLAR, CodeType
from hwgen.streamlining.codes.coding import assign, snap


def test_noise_is_snapped_and_lines_are_not():
    noisy = np.array([-1, 1 - 1e-8, 1, 1 + 1e-8, -1 - 1e-9, 1e-12])
    np.testing.assert_array_equal(snap(noisy), [-1, 1, 1, 1, -1, 0])
    line = np.arange(-500, 500) * 0.1
    np.testing.assert_array_equal(snap(line), line)


def test_what_is_small_beside_a_reciprocal_of_an_epsilon_is_no_noise():
    values = np.array([1e10, 1, 0.5, 0.25, 1e-14])
    np.testing.assert_array_equal(snap(values, 36.0), [1e10, 1, 0.5, 0.25, 0])
    np.testing.assert_array_equal(snap(values), [1e10, 0, 0, 0, 0])


@pytest.mark.parametrize(
    ("values", "kind", "scale", "offset"),
    [
        ([-1, 1, 1], BIPOLAR, 1, 0),
        ([0, 3], BIPOLAR, 1.5, 1.5),
        ([0, 0.5, 1], CodeType(0, 2), 0.5, 0),
        ([-2, 0, 4], CodeType(-1, 2), 2, 0),
        ([0.25, 1.25, 3.25], CodeType(0, 3), 1, 0.25),
        ([5, 5], BIPOLAR, 5, 0),
        ([0, 0], BIPOLAR, 1, -1),
    ],
)
def test_the_value_set_decides_the_type(values, kind, scale, offset):
    found = assign(np.array(values, dtype=float), np.zeros(len(values), dtype=int), 1)
    assert (found.type, found.scale[0], found.offset[0]) == (kind, scale, offset)
    np.testing.assert_allclose(found.scale[0] * found.codes + found.offset[0], values, atol=1e-12)


def test_channels_may_have_scales_of_their_own():
    values, channel = np.array([-1, 1, -0.3, 0.3, 7.0]), np.array([0, 0, 1, 1, 2])
    found = assign(values, channel, 3)
    assert found.type == BIPOLAR
    np.testing.assert_allclose(found.scale[channel] * found.codes + found.offset[channel], values)
    assert assign(np.array([0, 1, 2.5, 7.1234567, 9.9]), np.zeros(5, dtype=int), 1) is None


def test_channels_have_scales_of_their_own_where_that_saves_bits():
    values = np.concatenate([np.arange(-128, 128) * 1.0, np.arange(-128, 128) / 32, [-4, -1.5, 1 / 32, 127 / 32]])
    channel = np.repeat([0, 1, 2], [256, 256, 4])
    found = assign(values, channel, 3)
    assert found.type == CodeType(-128, 127)
    np.testing.assert_array_equal(found.scale, [1, 1 / 32, 1 / 32])


@pytest.mark.parametrize("scale", [1 / 255, 1 / 127, 0.1, 1 / 3, 2.0**-12, 1.7])
@pytest.mark.parametrize("bits", [2, 6, 8, 9, 12, 16])
@pytest.mark.parametrize("part", [1, 5])
def test_levels_that_float32_rounded_are_found_up_to_sixteen_bits(scale, bits, part, random):
    codes = np.unique(random.choice(np.arange(-5, 2**bits - 5), max(2**bits // part, 4)))
    values = (codes.astype(np.float32) * np.float32(scale)).astype(float)
    found = assign(values, np.zeros(len(codes), dtype=int), 1)
    np.testing.assert_allclose(
        found.scale[0] * found.codes + found.offset[0], values, rtol=0, atol=3e-7 * np.abs(values).max()
    )
    assert found.type.levels <= 2**bits


def test_coarse_sums_meet_few_levels_of_a_fine_quantiser():
    """Every step of the sum is five or six levels: what they have in common is one."""
    codes = np.rint(np.arange(-100, 101) * 5.7803)
    found = assign(codes * 0.0173, np.zeros(201, dtype=int), 1)
    np.testing.assert_array_equal(found.codes, codes)
    assert found.scale[0] == pytest.approx(0.0173, rel=1e-12)
