"""One direction of a window against positions counted one by one on the padded map."""

import itertools

import pytest

from hwgen.rtl_templates.windows.window_axis import (
    Axis,
    moves_ahead,
    moves_behind,
    pixels_freed,
    pixels_held,
    pixels_needed,
)

PLACES = list(itertools.product((1, 2, 5, 6), (1, 2, 3), (1, 2, 3), (1, 2), (0, 1, 2), (0, 2)))


def axes() -> list[Axis]:
    found = []
    for place in PLACES:
        try:
            found.append(Axis(*place))
        except ValueError:
            continue
    return found


AXES = axes()


def windows(axis: Axis) -> list[list[int | None]]:
    """Give each window's taps: map positions, or None in the padding."""
    padded = [None] * axis.before + list(range(axis.size)) + [None] * axis.after
    span = (axis.kernel - 1) * axis.dilation + 1
    starts = range(0, len(padded) - span + 1, axis.stride)
    return [padded[start : start + span : axis.dilation] for start in starts]


def test_every_property_is_what_counting_gives() -> None:
    assert len(AXES) > 300
    for axis in AXES:
        found = windows(axis)
        inside = [[tap for tap in window if tap is not None] for window in found]
        assert axis.windows == len(found), axis
        assert [axis.taps(window) for window in range(axis.windows)] == inside, axis
        assert axis.reaches == tuple(map(bool, inside)), axis
        assert axis.last == tuple(max(taps, default=0) for taps in inside), axis
        first = [min((tap for taps in inside[k:] for tap in taps), default=axis.size) for k in range(len(found))]
        assert axis.first == (0, *first[1:], axis.size), axis
        end = (len(found) - 1) * axis.stride + (axis.kernel - 1) * axis.dilation + 1
        assert axis.walked == max(axis.before + axis.size, end), axis
        assert axis.is_padded == (axis.before > 0 or end > axis.before + axis.size), axis


@pytest.mark.parametrize("words", [1, 3])
def test_moves_lead_from_each_window_s_words_to_the_next_one_s(words: int) -> None:
    for rows, columns in zip(AXES, reversed(AXES), strict=True):
        ahead, behind = moves_ahead(rows, columns, words), moves_behind(rows, columns, words)
        pixels = rows.size * columns.size
        need, free = words * pixels_needed(rows, columns, 0, 0), 0
        for frame, row, column in itertools.product(range(2), range(rows.windows), range(columns.windows)):
            base = frame * pixels
            assert need == words * (base + pixels_needed(rows, columns, row, column))
            assert free == words * (base + pixels_freed(rows, columns, row, column))
            if column == columns.windows - 1:
                need, free = need + ahead.turns[row], free + behind.turns[row]
            else:
                need += ahead.steps[column] if ahead.chosen[row] else 0
                free += behind.steps[column] if behind.chosen[row] else 0


def test_needed_is_the_last_tap_and_freed_goes_before_every_later_one() -> None:
    for rows, columns in zip(AXES, AXES[7:] + AXES[:7], strict=True):
        places = list(itertools.product(range(rows.windows), range(columns.windows)))
        taps = [[y * columns.size + x for y in rows.taps(row) for x in columns.taps(column)] for row, column in places]
        for at, (row, column) in enumerate(places):
            later = [tap for each in taps[at:] for tap in each]
            assert pixels_freed(rows, columns, row, column) <= min(later, default=rows.size * columns.size)
            assert max(taps[at], default=0) < pixels_needed(rows, columns, row, column)
            if rows.taps(row) and columns.taps(column):
                assert pixels_needed(rows, columns, row, column) == max(taps[at]) + 1
        held = (pixels_needed(rows, columns, *place) - pixels_freed(rows, columns, *place) for place in places)
        assert pixels_held(rows, columns) == max(held)


@pytest.mark.parametrize(
    ("axis", "sentence"),
    [
        ({"size": 3, "kernel": 3, "dilation": 2}, r"^A window of 5 does not fit into 3 positions$"),
        ({"size": 1, "kernel": 1, "stride": 3, "before": 2}, r"^No window reaches the map: Axis\(size=1"),
    ],
)
def test_windows_that_find_nothing_are_refused(axis: dict[str, int], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Axis(**axis)
