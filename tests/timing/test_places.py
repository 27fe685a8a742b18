"""Places and times in few bytes are the numbers that they were."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from hwgen.timing.earliest import Deadlock, System
from hwgen.timing.latest import Latest
from hwgen.timing.places import compact, in_frames, lower_at, picked, raise_at, stored
from hwgen.timing.predict import predict
from hwgen.timing.schedule import INFINITY, Schedule
from tests.timing.test_predict import graph


@pytest.mark.parametrize("number", [(1 << 30) - 1, 1 << 30, (1 << 31) + 5, INFINITY])
@pytest.mark.parametrize("sign", [1, -1])
def test_numbers_are_kept_whatever_their_size(number: int, sign: int) -> None:
    numbers = np.array([0, sign * number], dtype=np.int64)
    assert stored(numbers).tolist() == numbers.tolist()
    assert stored(numbers).dtype == (np.int32 if number < 1 << 30 else np.int64)


def test_all_places_of_a_frame_are_one_array() -> None:
    assert compact(np.arange(7)) is compact(np.arange(7))
    assert compact(np.array([0, 2, 1, 3])).tolist() == [0, 2, 1, 3]
    assert compact(np.zeros(0, dtype=np.int64)).tolist() == []


@pytest.mark.parametrize("index", [[0, 2], [0, 1, 2], [1], []])
def test_places_repeat_in_every_frame(index: list[int]) -> None:
    places, numbers = np.array(index, dtype=np.int64), np.arange(20, 26)
    spread = in_frames(places, 3, slice(0, 2))
    assert picked(numbers, places, 3).tolist() == numbers[spread].tolist()
    for change, extreme in ((raise_at, np.maximum), (lower_at, np.minimum)):
        bounds, others = numbers.copy(), np.full(len(spread), 23)
        change(bounds, places, 3, others)
        expected = numbers.copy()
        expected[spread] = extreme(numbers[spread], 23)
        assert bounds.tolist() == expected.tolist()


def test_cycles_beyond_four_bytes_are_exact() -> None:
    steps = 1 << 30
    slow = Schedule.through(steps, np.array([0, steps - 1]), np.array([1]), 2, 2, accept=np.array([0]))
    fast = Schedule.through(1, np.array([0]), np.array([0]), 1, 2, accept=np.array([0]))
    found = predict([slow, fast], 6)
    assert found.transfers[0].tolist() == [frame * steps for frame in range(6)]
    assert found.transfers[2].tolist() == [(frame + 1) * steps + 2 for frame in range(6)]
    assert found.output_cycles(9).tolist() == [(frame + 1) * steps + 2 for frame in range(9)]
    assert found.ii == steps


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graph())
def test_the_bytes_of_a_number_change_no_time(
    monkeypatch: pytest.MonkeyPatch, pipeline: tuple[list[Schedule], list[tuple[int, ...]]]
) -> None:
    """The same runs with four bytes for all numbers, and with eight for all above a few."""
    found = []
    for greatest in (1 << 30, 6):
        monkeypatch.setattr("hwgen.timing.places.GREATEST", greatest)
        system = System(*pipeline, 3)
        try:
            for frame in range(3):
                system.settle_frame(frame)
        except Deadlock:
            return
        latest = Latest(system, system.transfers[-1])
        arrays = (*system.events, *system.transfers, *latest.events, *latest.transfers)
        found.append([array.tolist() for array in arrays])
    assert found[0] == found[1]
