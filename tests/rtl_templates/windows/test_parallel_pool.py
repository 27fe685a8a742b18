"""Whole windows reduced at once, the largest in some lanes and the smallest in others."""

import numpy as np
import pytest
from amaranth.hdl import signed, unsigned

from hwgen.rtl_templates.streams.elastic import ElasticPipeline
from hwgen.rtl_templates.streams.stream_check import pack, run
from hwgen.rtl_templates.windows.parallel_pool import ParallelPool

MINIMUM = (False, True, False)


@pytest.mark.parametrize("taps", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("shape", [signed(3), unsigned(3), unsigned(1), signed(16)])
def test_each_lane_has_its_best_at_the_stated_latency(taps, shape):
    low = -(1 << shape.width - 1) if shape.signed else 0
    windows = np.random.default_rng(taps).integers(low, low + (1 << shape.width), (20, taps, 3))
    best = np.where(MINIMUM, windows.min(axis=1), windows.max(axis=1))
    sent = [pack(window.ravel(), shape.width) for window in windows]
    free = run(ParallelPool(shape=shape, taps=taps, minimum=MINIMUM), sent, 20)
    assert free.payloads == [pack(pixel, shape.width) for pixel in best]
    latency, _ = ElasticPipeline.timing(ParallelPool.stages(taps), 3 * shape.width)
    assert free.taken == list(range(20))
    assert free.given == [cycle + latency for cycle in range(20)]
    stalled = {"source_stall": 0.3, "sink_stall": 0.4, "reset_at": 6}
    assert run(ParallelPool(shape=shape, taps=taps, minimum=MINIMUM), sent, 20, **stalled).payloads == free.payloads


@pytest.mark.parametrize(("taps", "stages"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (8, 3), (9, 4)])
def test_a_level_of_comparisons_halves_what_is_left(taps, stages):
    assert ParallelPool.stages(taps) == stages
