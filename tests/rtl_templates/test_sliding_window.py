"""The sequential sliding window unit: order, padding, replay, room and cycles."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.layers.window_schedule import default_capacity, sequential_schedule
from hwgen.rtl_templates.sliding_window import SlidingWindow
from hwgen.rtl_templates.stream_check import Run, run
from hwgen.rtl_templates.window_axis import Axis
from hwgen.timing import predict
from tests.rtl_templates.window_cases import axes, taps_by_definition

FRAMES = 3
WIDTH = 5


@dataclass(frozen=True)
class Case:
    rows: Axis
    columns: Axis
    words: int
    replays: int
    channels_outer: bool
    spare: float
    """Capacity between the least (0) and the default (1)."""
    seed: int

    @property
    def steps(self) -> int:
        return self.rows.kernel * self.columns.kernel * self.words * self.replays

    @property
    def capacity(self) -> int:
        least = SlidingWindow.least_capacity(self.rows, self.columns, self.words)
        return least + int(self.spare * (default_capacity(self.rows, self.columns, self.words, self.steps) - least))

    @property
    def data(self) -> tuple[np.ndarray, np.ndarray]:
        random = np.random.default_rng(self.seed)
        shape = (FRAMES, self.rows.size, self.columns.size, self.words)
        return random.integers(1 << WIDTH, size=shape), random.integers(1 << WIDTH, size=self.words)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    outer = draw(st.booleans())
    return Case(
        draw(axes()),
        draw(axes()),
        words=draw(st.integers(1, 3)),
        replays=1 if outer else draw(st.integers(1, 3)),
        channels_outer=outer,
        spare=draw(st.sampled_from([0, 0.5, 1, 1])),
        seed=draw(st.integers(0, 999)),
    )


def ref(case: Case) -> list[int]:
    x, padding = case.data
    taps = taps_by_definition(x, case.rows, case.columns, padding)
    if case.channels_outer:
        return taps.swapaxes(2, 3).ravel().tolist()
    return np.repeat(taps.reshape(*taps.shape[:2], 1, -1), case.replays, axis=2).ravel().tolist()


def rtl(case: Case, **stalls: float) -> Run:
    x, padding = case.data
    unit = SlidingWindow(
        width=WIDTH,
        rows=case.rows,
        columns=case.columns,
        words=case.words,
        capacity=case.capacity,
        replays=case.replays,
        channels_outer=case.channels_outer,
        pad_words=padding.tolist(),
    )
    return run(unit, x.ravel().tolist(), len(ref(case)), seed=case.seed, **stalls)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(case=cases())
def test_every_beat_comes_on_schedule(case: Case):
    schedule = sequential_schedule(
        case.rows,
        case.columns,
        words=case.words,
        passes=case.steps,
        pass_steps=1,
        capacity=case.capacity,
        latency=1,
        slots=1 << 20,
    )
    result, prediction = rtl(case), predict([schedule], FRAMES)
    assert result.payloads == ref(case)
    assert result.taken == prediction.transfers[0].tolist()
    assert result.given == prediction.events[0].tolist()


@settings(max_examples=12, deadline=None, derandomize=True)
@given(case=cases(), reset_at=st.integers(1, 80))
def test_stalls_and_reset_do_not_change_the_data(case: Case, reset_at: int):
    assert rtl(case, source_stall=0.4, sink_stall=0.3, reset_at=reset_at).payloads == ref(case)


@pytest.mark.usefixtures("refused_components")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"capacity": 8}, "The window needs a capacity of at least 9 words, not 8"),
        ({"channels_outer": True, "replays": 2}, "With channels outermost a window is given once, not 2 times"),
        (
            {"words": 2, "capacity": 40, "pad_words": [1, 2, 3]},
            "Padding needs a word for each of the 2 words of a pixel",
        ),
    ],
)
def test_impossible_parameters_are_refused(change: dict, message: str):
    parameters = {"width": 4, "rows": Axis(4, 2), "columns": Axis(7, 2), "capacity": 9}
    with pytest.raises(ValueError, match=message):
        SlidingWindow(**parameters | change)


def test_a_window_must_fit_and_reach_the_map():
    with pytest.raises(ValueError, match="A window of 5 does not fit into 4 positions"):
        Axis(2, 3, dilation=2, before=1, after=1)
    with pytest.raises(ValueError, match="No window reaches the map"):
        Axis(2, 1, stride=4, before=1)
