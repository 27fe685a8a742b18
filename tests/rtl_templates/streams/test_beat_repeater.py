"""The beat repeater: every code in all lanes of its beats, a beat a cycle."""

import random

import pytest

from hwgen.rtl_templates.streams.beat_repeater import BeatRepeater
from hwgen.rtl_templates.streams.stream_check import pack, run


@pytest.mark.parametrize(("lanes", "repeats"), [(1, 2), (3, 5), (2, 4)])
@pytest.mark.parametrize("stalls", [(0.0, 0.0), (0.5, 0.1), (0.1, 0.5)], ids=str)
@pytest.mark.parametrize("reset_at", [None, 7])
def test_each_code_is_repeated(lanes: int, repeats: int, stalls: tuple[float, float], reset_at: int | None) -> None:
    rng, bits = random.Random(1), 3
    codes = [rng.getrandbits(bits) for _ in range(12)]
    expected = [pack([code] * lanes, bits) for code in codes for _ in range(repeats)]
    unit = BeatRepeater(bits=bits, lanes=lanes, repeats=repeats, slots=2)
    source_stall, sink_stall = stalls
    found = run(unit, codes, len(expected), source_stall=source_stall, sink_stall=sink_stall, reset_at=reset_at)
    assert found.payloads == expected
    if stalls == (0.0, 0.0) and reset_at is None:
        assert found.taken == [repeats * number for number in range(len(codes))]
        assert found.given == [1 + number for number in range(len(expected))]
