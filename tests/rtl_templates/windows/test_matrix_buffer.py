"""The matrix buffer: pieces that come in any order, words that are replayed, banks that are handed over."""

from __future__ import annotations

import random
from itertools import product

import pytest

from hwgen.rtl_templates.streams.stream_check import pack, run
from hwgen.rtl_templates.windows.matrix_buffer import ArrivalLoop, MatrixBuffer

PLACE = ArrivalLoop("row", 2, 0, is_place=True)
CASES = {
    "rows": ([ArrivalLoop("column", 3, 1), ArrivalLoop("group", 2, 6), PLACE, ArrivalLoop("fold", 2, 3)], 4),
    "columns": ([ArrivalLoop("fold", 2, 3), PLACE, ArrivalLoop("column", 3, 1)], 3),
    "rows of powers of two": ([ArrivalLoop("column", 4, 1), PLACE, ArrivalLoop("fold", 2, 4)], 4),
    "words": ([ArrivalLoop("fold", 4, 1)], 2),
    "one word": ([PLACE], 1),
    "one piece": ([ArrivalLoop("fold", 1, 1)], 3),
    "in block RAM": ([ArrivalLoop("fold", 40, 1), PLACE], 2),
}


def replayed(pieces: list[int], width: int, loops: list[ArrivalLoop], repeats: int) -> list[int]:
    """Put the pieces of each matrix in their words; give all words of each as often as they are replayed."""
    places, length = MatrixBuffer.sizes(loops)
    words = []
    for first in range(0, len(pieces), places * length):
        matrix = [[0] * places for _ in range(length)]
        for number, index in enumerate(product(*(range(loop.rounds) for loop in reversed(loops)))):
            rounds = list(zip(reversed(loops), index, strict=True))
            word = sum(loop.stride * at for loop, at in rounds)
            matrix[word][sum(at for loop, at in rounds if loop.is_place)] = pieces[first + number]
        words += [pack(word, width) for word in matrix] * repeats
    return words


@pytest.mark.parametrize(("loops", "repeats"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("stalls", [(0.0, 0.0), (0.5, 0.1), (0.1, 0.5)], ids=str)
@pytest.mark.parametrize("reset_at", [None, 7])
def test_each_matrix_is_replayed_word_by_word(
    loops: list[ArrivalLoop], repeats: int, stalls: tuple[float, float], reset_at: int | None
) -> None:
    rng, width = random.Random(1), 3
    places, length = MatrixBuffer.sizes(loops)
    pieces = [rng.getrandbits(width) for _ in range(4 * places * length)]
    expected = replayed(pieces, width, loops, repeats)
    buffer = MatrixBuffer(width, loops, repeats)
    source_stall, sink_stall = stalls
    result = run(buffer, pieces, len(expected), source_stall=source_stall, sink_stall=sink_stall, reset_at=reset_at)
    assert result.payloads == expected
    if stalls == (0.0, 0.0) and reset_at is None:
        assert result.given[0] == places * length - 1 + MatrixBuffer.read_latency(length)
        if repeats > places or (repeats == places and length > 1):
            # The next matrix is there in time: words leave without a gap.
            assert result.given == [result.given[0] + n for n in range(len(expected))]
