"""The pooling unit: largest or smallest of each window, lane by lane."""

import random

import pytest
from amaranth.hdl import Shape, signed, unsigned

from hwgen.rtl_templates.streams.output_queue import OutputQueue
from hwgen.rtl_templates.streams.stream_check import pack, run
from hwgen.rtl_templates.windows.pool import PoolUnit

CASES = [
    (unsigned(1), 4, 4, [False] * 4, 1),
    (unsigned(3), 2, 3, [False, True, True, True], 1),
    (signed(4), 1, 2, [True, False, False], 3),
    (signed(5), 3, 1, [False, True, False], 2),
]


def ref(codes: list[list[int]], lanes: int, taps: int, minimum: list[bool]) -> list[list[int]]:
    pooled = []
    for number, first in enumerate(range(0, len(codes), taps)):
        window = list(zip(*codes[first : first + taps], strict=True))
        channel = number * lanes % len(minimum)
        pooled.append([(min if minimum[channel + lane] else max)(values) for lane, values in enumerate(window)])
    return pooled


@pytest.mark.parametrize(("shape", "lanes", "taps", "minimum", "slots"), CASES)
@pytest.mark.parametrize("stalls", [(0.0, 0.0), (0.5, 0.1), (0.1, 0.6)])
@pytest.mark.parametrize("reset_at", [None, 9])
def test_pool_gives_the_extreme(
    shape: Shape,
    lanes: int,
    taps: int,
    minimum: list[bool],
    slots: int,
    stalls: tuple[float, float],
    reset_at: int | None,
):
    rng = random.Random(2)
    low = -(1 << (shape.width - 1)) if shape.signed else 0
    codes = [[rng.randrange(low, low + (1 << shape.width)) for _ in range(lanes)] for _ in range(taps * 24)]
    unit = PoolUnit(shape=shape, lanes=lanes, taps=taps, minimum=minimum, slots=slots)
    expected = [pack(window, shape.width) for window in ref(codes, lanes, taps, minimum)]
    beats = [pack(beat, shape.width) for beat in codes]
    result = run(unit, beats, len(expected), source_stall=stalls[0], sink_stall=stalls[1], reset_at=reset_at)
    assert result.payloads == expected
    if stalls == (0.0, 0.0) and reset_at is None:
        latency = OutputQueue.latency(lanes * shape.width, slots)
        assert result.given == [taps - 1 + latency + taps * number for number in range(len(expected))]


@pytest.mark.usefixtures("refused_components")
def test_channels_must_fill_the_lanes():
    with pytest.raises(ValueError, match="3 channels do not make whole beats of 2 lanes"):
        PoolUnit(shape=unsigned(1), lanes=2, taps=4, minimum=[False] * 3, slots=1)
