"""The argmax unit in its own terms, with as many ties as numbers of two bits bring."""

import numpy as np
import pytest
from amaranth.hdl import signed, unsigned

from hwgen.rtl_templates.compute.argmax import ArgMaxUnit
from hwgen.rtl_templates.cost import CarryChain, Part
from hwgen.rtl_templates.streams.stream_check import pack, run


def ref(pixels, last):
    return [
        max(range(len(pixel)), key=lambda index: (pixel[index], index if last else -index)) for pixel in pixels.tolist()
    ]


@pytest.mark.parametrize("lanes", [1, 2, 3, 5, 6, 15, 30])
@pytest.mark.parametrize("shape", [signed(2), unsigned(2), signed(12)])
@pytest.mark.parametrize("last", [False, True])
def test_the_greatest_wins_at_the_stated_latency(lanes, shape, last):
    random = np.random.default_rng(lanes)
    low = -(1 << shape.width - 1) if shape.signed else 0
    pixels = random.integers(low, low + (1 << shape.width), (20, 30))
    pixels[0] = low
    pixels[1] = low + (1 << shape.width) - 1
    unit = ArgMaxUnit(lanes=lanes, shape=shape, channels=30, last=last)
    result = run(unit, [pack(beat, shape.width) for beat in pixels.reshape(-1, lanes)], 20)
    folds = 30 // lanes
    assert result.payloads == ref(pixels, last)
    assert result.taken == list(range(20 * folds))
    assert result.given == [(pixel + 1) * folds - 1 + ArgMaxUnit.pipeline(lanes) + 1 for pixel in range(20)]


def test_a_single_channel_is_the_greatest():
    assert run(ArgMaxUnit(lanes=1, shape=unsigned(4), channels=1), [3, 0, 9], 3).payloads == [0, 0, 0]


@pytest.mark.parametrize(("lanes", "comparisons"), [(1, 1), (2, 2), (3, 3), (4, 4), (7, 7)])
def test_a_bill_has_a_comparison_for_each_lane(lanes, comparisons):
    """All but one in the tree, and one with the best so far."""
    bill = ArgMaxUnit.bill("best", lanes=lanes, shape=unsigned(5), channels=84)
    ranks = {chain: number for chain, number in bill.chains.items() if chain.part is Part.RANK_BIT}
    assert ranks == {CarryChain(Part.RANK_BIT, 5, False): comparisons}
