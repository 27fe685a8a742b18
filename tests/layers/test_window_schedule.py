"""Window schedules: no cycle is lost with the default memory, and one word less than the least has no schedule."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.layers.window import Window
from hwgen.layers.window_schedule import axes, default_capacity, sequential_schedule
from hwgen.rtl_templates.windows.sliding_window import SlidingWindow
from hwgen.rtl_templates.windows.window_axis import Axis
from hwgen.timing.predict import predict
from hwgen.timing.schedule import Schedule
from tests.rtl_templates.windows import window_cases

LATENCIES = tuple(map(SlidingWindow.read_latency, (False, True)))


def source(cycles: int, beats: int) -> Schedule:
    """Give a stage that offers its beats evenly over a frame's cycles."""
    step = np.arange(beats) * cycles // beats
    return Schedule.through(
        cycles, events=step, accept=np.arange(beats), emit=np.arange(beats), latency=1, slots=1 << 20
    )


@settings(max_examples=150, deadline=None, derandomize=True)
@given(window_cases.axes(), window_cases.axes(), st.integers(1, 3), st.integers(1, 3), st.sampled_from(LATENCIES))
def test_the_default_memory_costs_no_cycle(rows: Axis, columns: Axis, words: int, passes: int, read_latency: int):
    steps = passes * rows.kernel * columns.kernel * words
    capacity = default_capacity(rows, columns, words, steps, read_latency)
    schedule = sequential_schedule(
        rows,
        columns,
        words=words,
        passes=passes,
        pass_steps=steps // passes,
        capacity=capacity,
        latency=1,
        slots=3,
        read_latency=read_latency,
    )
    beats = rows.size * columns.size * words
    interval = max(schedule.steps, beats)
    assert predict([schedule], 8).ii == interval
    even = source(interval, beats)
    fed = predict([even, schedule], 8)
    assert fed.ii == interval
    assert np.array_equal(fed.transfers[1], predict([even], 8).transfers[1]), "an even source never waits"


@settings(max_examples=60, deadline=None, derandomize=True)
@given(window_cases.axes(), window_cases.axes(), st.integers(1, 3))
def test_the_least_memory_completes_every_window(rows: Axis, columns: Axis, words: int):
    capacity = SlidingWindow.least_capacity(rows, columns, words)
    steps = rows.kernel * columns.kernel * words
    parameters = {"words": words, "passes": 1, "pass_steps": steps, "latency": 1, "slots": 3, "read_latency": 2}
    schedule = sequential_schedule(rows, columns, capacity=capacity, **parameters)
    assert np.all(np.diff(predict([schedule], 4).transfers[1]) > 0)
    if capacity > 1:
        (less,) = sequential_schedule(rows, columns, capacity=capacity - 1, **parameters).intakes
        room_event = less.room[np.maximum(less.need, 0)]
        assert np.any((less.need >= 0) & (room_event >= np.arange(len(less.need))))


@pytest.mark.parametrize(
    ("window", "size", "words", "passes", "capacities"),
    [
        (Window((3, 3)), (32, 32), 1, 8, (134, 134)),
        (Window((3, 3), pads=(1, 1, 1, 1)), (32, 32), 1, 8, (68, 68)),
        (Window((2, 2), (2, 2)), (28, 28), 1, 1, (61, 62)),
        (Window((1, 1)), (32, 32), 4, 2, (8, 12)),
    ],
)
def test_default_capacities_of_common_layers(window: Window, size, words: int, passes: int, capacities: tuple):
    steps = passes * window.kernel[0] * window.kernel[1] * words
    assert tuple(default_capacity(*axes(window, *size), words, steps, cycles) for cycles in LATENCIES) == capacities
