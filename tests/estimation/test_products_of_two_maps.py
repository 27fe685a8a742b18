"""Estimates of products of two maps, held to what Yosys mapped: LUTs, flip-flops and block RAMs of ECP5 and iCE40."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import layer_samples
from hwgen.devices.boards import find_device
from hwgen.estimation.estimate import estimate

MAPPED = {
    "matmul 32x1x16x64 bbb 4x16 rows": {"ecp5-25": (350, 187, 2), "up5k": (288, 164, 5)},
    "matmul 64x2x64x32 bbb 8x32 rows": {"ecp5-25": (877, 399, 8), "up5k": (784, 504, 16)},
    "matmul 16x2x16x32 bbscore 16x8 rows": {"ecp5-25": (554, 389, 4), "up5k": (526, 388, 8)},
    "matmul 64x2x32x64 u1bb 8x16 columns": {"ecp5-25": (771, 404, 4), "up5k": (602, 369, 9)},
    "matmul 32x1x64x32 u1bscore 4x32 columns": {"ecp5-25": (588, 236, 8), "up5k": (606, 426, 8)},
    "matmul 16x1x3x3 bbscore 3x3 columns": {"ecp5-25": (90, 62, 0), "up5k": (87, 79, 0)},
    "matmul 32x1x32x64 u4bu4 4x8 columns": {"ecp5-25": (1692, 702, 2), "up5k": (810, 654, 4)},
    "matmul 32x2x32x32 bu2b 4x8 rows": {"ecp5-25": (475, 273, 2), "up5k": (442, 331, 4)},
    "matmul 32x1x32x48 ttu2 2x12 rows": {"ecp5-25": (512, 295, 2), "up5k": (433, 266, 5)},
    "matmul 16x2x16x16 u4s8score 2x4 rows words": {"ecp5-25": (342, 339, 2), "up5k": (279, 222, 5)},
}
"""LUTs, flip-flops and block RAMs of `hwgen.synthesis.recipe`, as `benchmarks.resources` measures them."""

STAGES = {sample.name: sample.stage for sample in layer_samples.SAMPLES}


@pytest.mark.parametrize("device", ["ecp5-25", "up5k"])
def test_estimates_are_near_what_is_mapped(device: str) -> None:
    errors = []
    for name, counts in MAPPED.items():
        found = estimate(STAGES[name].resources(), find_device(device))
        luts, ffs, brams = counts[device]
        assert found.brams == brams, name
        errors.append((found.luts / luts - 1, found.ffs / ffs - 1))
    luts, ffs = np.abs(errors).T
    assert luts.max() <= 0.15
    assert np.mean(luts) <= 0.09
    assert np.mean(ffs <= 0.1) >= 0.9


@pytest.mark.parametrize(("product", "dense"), [("matmul 64x2x64x32 bbb 8x32 rows", "dense 256x256 bbb 8x32 a")])
def test_lanes_of_two_maps_cost_little_more_than_those_of_a_dense_layer(product: str, dense: str) -> None:
    """As many lanes, weights in a memory for both."""
    costs = [estimate(STAGES[name].resources(), find_device("ecp5-25")).luts for name in (product, dense)]
    assert costs[0] <= 1.15 * costs[1]
