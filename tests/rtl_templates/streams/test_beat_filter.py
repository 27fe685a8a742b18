"""Beats that are kept pass in their order; the others never wait."""

import pytest

from hwgen.rtl_templates.streams.beat_filter import BeatFilter
from hwgen.rtl_templates.streams.stream_check import run

YES, NO = True, False


def ref(words, columns, rows):
    """Give the numbers of the beats of a map that are kept."""
    kept = [word and column and row for row in rows for column in columns for word in words]
    return [number for number, is_kept in enumerate(kept) if is_kept]


@pytest.mark.parametrize(
    ("words", "columns", "rows"),
    [
        ([YES], [YES], [YES]),
        ([NO, YES, YES, NO, YES], [YES], [YES]),
        ([YES, NO], [NO, YES, NO, NO], [YES]),
        ([YES], [NO, YES, YES], [NO, NO, YES, YES]),
        ([NO, YES], [YES, YES, NO], [YES, NO, NO]),
    ],
)
def test_the_kept_beats_pass_a_cycle_later(words, columns, rows):
    unit = {"width": 8, "words": words, "columns": columns, "rows": rows}
    beats = len(words) * len(columns) * len(rows)
    kept = [frame * beats + number for frame in range(3) for number in ref(words, columns, rows)]
    free = run(BeatFilter(**unit), list(range(3 * beats)), len(kept))
    assert free.payloads == kept
    assert free.taken == list(range(3 * beats))
    assert free.given == [number + 1 for number in kept]
    stalled = {"source_stall": 0.3, "sink_stall": 0.5, "reset_at": 7, "seed": 1}
    assert run(BeatFilter(**unit, slots=1), list(range(3 * beats)), len(kept), **stalled).payloads == kept


def test_dropped_beats_do_not_wait_for_the_output():
    unit = BeatFilter(width=4, words=[NO, NO, NO, YES], columns=[YES], rows=[YES])
    result = run(unit, list(range(16)), 4, sink_opens_at=30)
    assert sum(cycle < result.given[0] for cycle in result.taken) == 2 * 4 + 3
