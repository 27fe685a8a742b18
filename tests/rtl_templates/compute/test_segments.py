"""The unit of straight lines in its own terms: extremes of wide numbers, every way to multiply."""

import numpy as np
import pytest

from hwgen.rtl_templates.compute.segments import SegmentsUnit
from hwgen.rtl_templates.streams.elastic import ElasticPipeline
from hwgen.rtl_templates.streams.stream_check import pack, run, unpack
from hwgen.rtl_templates.windows.lines import Lines
from tests.rtl_templates.windows.test_lines import ref


@pytest.mark.parametrize(
    ("bounds", "factor", "pieces"),
    [
        ((-(1 << 15), (1 << 15) - 1), 1 << 15, 1),
        ((-(1 << 15), (1 << 15) - 1), 1 << 15, 3),
        ((-(1 << 23), (1 << 23) - 1), 1 << 15, 1),
        ((-(1 << 23), (1 << 23) - 1), 1 << 20, 2),
        ((0, (1 << 16) - 1), 1 << 15, 1),
        ((0, (1 << 24) - 1), 1 << 15, 4),
        ((-1, 0), 1 << 15, 2),
    ],
)
@pytest.mark.parametrize("positive", [False, True])
def test_the_widest_products_are_exact(bounds, factor, pieces, positive):
    random = np.random.default_rng(pieces)
    low, high = bounds
    factors = random.integers(0 if positive else -factor, factor, (4, pieces))
    factors[0], factors[1] = (0 if positive else -factor), factor - 1
    breaks = np.sort(random.integers(low, high + 1, (4, pieces - 1)), axis=-1)
    offsets = random.integers(-(1 << 40), 1 << 40, (4, pieces))
    lines = Lines(bounds, breaks, factors, offsets, 20, -(1 << 23), (1 << 23) - 1).reduced()
    x = np.concatenate([[low, low + 1, -1, 0, 1, high - 1, high], random.integers(low, high + 1, 20)])
    x = np.clip(x, low, high)
    unit = SegmentsUnit(lanes=2, lines=lines, out_bits=24)
    sent = [pack([number] * 2, lines.number.width) for number in x.tolist() for _ in range(2)]
    result = run(unit, sent, len(sent), source_stall=0.1, sink_stall=0.1, seed=1)
    codes = np.reshape([unpack(beat, 2, 24) for beat in result.payloads], (-1, 4))
    assert np.array_equal((codes ^ 1 << 23) - (1 << 23), ref(lines, x)[1])


def test_a_beat_passes_in_every_cycle_at_the_stated_latency():
    lines = Lines((-8, 7), np.array([[0]] * 2), np.array([[1, 3]] * 2), np.array([[1, 2]] * 2), 1, -8, 7)
    result = run(SegmentsUnit(lanes=1, lines=lines, out_bits=4), list(range(16)), 16)
    latency, _ = ElasticPipeline.timing(lines.stages, 4)
    assert result.taken == list(range(16))
    assert result.given == [cycle + latency for cycle in range(16)]


@pytest.mark.parametrize(("low", "high"), [(-8, 7), (0, 15), (-5, 6), (1, 3), (-8, -1), (-3, -2), (0, 0)])
@pytest.mark.parametrize("bounds", [(-20, 20), (0, 40), (-40, -1)])
def test_every_clip_is_exact(low, high, bounds):
    one = np.ones((1, 1), dtype=np.int64)
    lines = Lines(bounds, np.zeros((1, 0)), one, 0 * one, 0, low, high)
    x = np.arange(bounds[0], bounds[1] + 1)
    sent = [pack([number], lines.number.width) for number in x.tolist()]
    result = run(SegmentsUnit(lanes=1, lines=lines, out_bits=4), sent, len(sent))
    assert result.payloads == (np.clip(x, low, high) & 15).tolist()
