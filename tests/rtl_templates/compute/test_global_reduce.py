"""Sums, maxima and minima of whole maps, frame after frame without a gap, from registers and from a memory."""

import numpy as np
import pytest
from amaranth.hdl import signed, unsigned

from hwgen.rtl_templates.compute.global_reduce import RING_GROUPS, GlobalReduceUnit, Reduction
from hwgen.rtl_templates.streams.stream_check import pack, run

REFERENCE = {Reduction.SUM: np.sum, Reduction.MAX: np.max, Reduction.MIN: np.min}


@pytest.mark.parametrize("reduction", Reduction)
@pytest.mark.parametrize("shape", [signed(4), unsigned(4), unsigned(1)])
@pytest.mark.parametrize("groups", [1, 2, RING_GROUPS, RING_GROUPS + 1, 20])
@pytest.mark.parametrize("pixels", [1, 5])
def test_results_leave_at_the_stated_cycle(reduction, shape, groups, pixels):
    low = -(1 << shape.width - 1) if shape.signed else 0
    numbers = np.random.default_rng(groups).integers(low, low + (1 << shape.width), (4, pixels, groups, 2))
    numbers[0], numbers[1] = low, low + (1 << shape.width) - 1
    width = shape.width + 3 * (reduction is Reduction.SUM)
    result = signed(width) if shape.signed else unsigned(width)
    unit = {"lanes": 2, "shape": shape, "groups": groups, "pixels": pixels, "reduction": reduction, "result": result}
    sent = [pack(beat, shape.width) for beat in numbers.reshape(-1, 2)]
    expected = [pack(beat, width) for beat in REFERENCE[reduction](numbers, axis=1).reshape(-1, 2)]
    free = run(GlobalReduceUnit(**unit), sent, len(expected))
    assert free.payloads == expected
    assert free.taken == list(range(len(sent)))
    last = [frame * pixels * groups + (pixels - 1) * groups + n for frame in range(4) for n in range(groups)]
    assert free.given == [cycle + GlobalReduceUnit.pipeline(groups) + 1 for cycle in last]
    stalled = {"source_stall": 0.3, "sink_stall": 0.5, "reset_at": pixels * groups // 2 + 2, "seed": 1}
    assert run(GlobalReduceUnit(**unit), sent, len(expected), **stalled).payloads == expected


@pytest.mark.parametrize("pixels", [1, 4, 7])
def test_bits_that_stand_for_minus_and_plus_one_are_summed_as_such(pixels):
    bits = np.random.default_rng(0).integers(0, 2, (6, pixels, 3))
    bits[0], bits[1] = 0, 1
    width = pixels.bit_length() + 1
    unit = GlobalReduceUnit(
        lanes=3,
        shape=unsigned(1),
        groups=1,
        pixels=pixels,
        reduction=Reduction.SUM,
        result=signed(width),
        bipolar=True,
    )
    expected = [pack(sums, width) for sums in (2 * bits - 1).sum(axis=1)]
    assert run(unit, [pack(beat, 1) for beat in bits.reshape(-1, 3)], 6).payloads == expected
