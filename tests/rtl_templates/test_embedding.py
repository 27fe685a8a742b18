"""The embedding unit on its own: words in order, the stream without a gap, stalls and reset."""

import pytest

from hwgen.rtl_templates.embedding import EmbeddingUnit
from hwgen.rtl_templates.stream_check import Run, run

WIDTH = 7
SYMBOLS = [0, 4, 4, 1, 3, 2, 0, 4]


def words(parts: int) -> list[int]:
    return [(11 * number + 5) % (1 << WIDTH) for number in range(5 * parts)]


def ref(parts: int) -> list[int]:
    return [words(parts)[part * 5 + symbol] for symbol in SYMBOLS for part in range(parts)]


def rtl(parts: int, *, slots: int | None = None, block: bool | None = None, **stalls: float) -> tuple[Run, int]:
    unit = EmbeddingUnit(in_bits=3, entries=5, words=words(parts), width=WIDTH, block=block, slots=slots)
    return run(unit, SYMBOLS, len(SYMBOLS) * parts, **stalls), unit.latency


@pytest.mark.parametrize("parts", [1, 2, 3, 4])
@pytest.mark.parametrize("block", [None, True, False])
def test_a_word_leaves_in_every_cycle(parts: int, block: bool | None):
    result, latency = rtl(parts, block=block)
    assert result.payloads == ref(parts)
    assert result.taken == [number * parts for number in range(len(SYMBOLS))]
    assert result.given == [cycle + latency for cycle in range(len(SYMBOLS) * parts)]


@pytest.mark.parametrize("parts", [1, 2, 3])
@pytest.mark.parametrize("slots", [None, 1, 3])
def test_stalls_and_reset_do_not_change_the_data(parts: int, slots: int | None):
    result, _ = rtl(parts, slots=slots, source_stall=0.3, sink_stall=0.4, reset_at=9)
    assert result.payloads == ref(parts)
