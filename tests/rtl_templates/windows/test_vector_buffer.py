"""The vector buffer: replay, gating of the first pass, room."""

import random

import pytest

from hwgen.rtl_templates.streams.stream_check import run
from hwgen.rtl_templates.windows.vector_buffer import VectorBuffer

CASES = [(4, 1, 2, 2), (4, 3, 2, 6), (8, 4, 3, 8), (6, 3, 2, 3), (6, 3, 3, 4), (40, 20, 2, 40), (3, 5, 4, 13)]


def ref(beats: list[int], length: int, repeats: int) -> list[int]:
    starts = range(0, len(beats), length)
    return [beat for start in starts for _ in range(repeats) for beat in beats[start : start + length]]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("stalls", [(0.0, 0.0), (0.5, 0.1), (0.1, 0.5)])
@pytest.mark.parametrize("reset_at", [None, 7])
def test_each_vector_is_replayed(case, stalls, reset_at):
    width, length, repeats, capacity = case
    rng = random.Random(1)
    beats = [rng.getrandbits(width) for _ in range(5 * length)]
    expected = ref(beats, length, repeats)
    source_stall, sink_stall = stalls
    buffer = VectorBuffer(width, length, repeats, capacity)
    result = run(buffer, beats, len(expected), source_stall=source_stall, sink_stall=sink_stall, reset_at=reset_at)
    assert result.payloads == expected
    if capacity >= 2 * length and stalls == (0.0, 0.0) and reset_at is None:
        assert result.given == [2 + n for n in range(len(expected))]


@pytest.mark.usefixtures("refused_components")
def test_a_buffer_smaller_than_a_vector_is_refused():
    with pytest.raises(ValueError, match="A buffer of 3 beats cannot hold a vector of 4"):
        VectorBuffer(8, 4, 2, 3)
