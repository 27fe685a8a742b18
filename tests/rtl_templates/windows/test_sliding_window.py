"""The sequential sliding window unit: order, padding, replay, room and cycles."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.layers.window_schedule import default_capacity, sequential_schedule
from hwgen.rtl_templates.streams.stream_check import Run, run
from hwgen.rtl_templates.windows.sliding_window import SlidingWindow
from hwgen.rtl_templates.windows.window_axis import Axis
from hwgen.timing.predict import predict
from tests.rtl_templates.windows.window_cases import axes, taps_by_definition

FRAMES = 3
WIDTH = 5


@dataclass(frozen=True)
class Case:
    rows: Axis
    columns: Axis
    words: int
    replays: int
    parts: int
    output_register: bool
    spare: float
    """Capacity between the least (0) and the default (1)."""
    seed: int

    @property
    def steps(self) -> int:
        return self.rows.kernel * self.columns.kernel * self.words * self.replays

    @property
    def capacity(self) -> int:
        least = SlidingWindow.least_capacity(self.rows, self.columns, self.words)
        ample = default_capacity(self.rows, self.columns, self.words, self.steps, self.read_latency)
        return least + int(self.spare * (ample - least))

    @property
    def read_latency(self) -> int:
        return SlidingWindow.read_latency(self.output_register)

    @property
    def data(self) -> tuple[np.ndarray, np.ndarray]:
        random = np.random.default_rng(self.seed)
        shape = (FRAMES, self.rows.size, self.columns.size, self.words)
        return random.integers(1 << WIDTH, size=shape), random.integers(1 << WIDTH, size=self.parts)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    parts = draw(st.integers(1, 3))
    return Case(
        draw(axes()),
        draw(axes()),
        words=parts * draw(st.integers(1, 3)),
        replays=draw(st.integers(1, 3)),
        parts=parts,
        output_register=draw(st.booleans()),
        spare=draw(st.sampled_from([0, 0.5, 1, 1])),
        seed=draw(st.integers(0, 999)),
    )


def ref(case: Case) -> list[int]:
    x, padding = case.data
    taps = taps_by_definition(x, case.rows, case.columns, padding.repeat(case.words // case.parts))
    parts = np.moveaxis(taps.reshape(*taps.shape[:3], case.parts, -1), 3, 2)
    return np.repeat(parts[:, :, :, None], case.replays, axis=3).ravel().tolist()


def rtl(case: Case, **stalls: float) -> Run:
    x, padding = case.data
    unit = SlidingWindow(
        width=WIDTH,
        rows=case.rows,
        columns=case.columns,
        words=case.words,
        capacity=case.capacity,
        replays=case.replays,
        parts=case.parts,
        pad_words=padding.tolist(),
        output_register=case.output_register,
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
        read_latency=case.read_latency,
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
        ({"words": 3, "capacity": 40, "parts": 2}, "The 3 words of a pixel cannot be in 2 equal parts"),
        (
            {"words": 4, "capacity": 40, "parts": 2, "pad_words": [1, 2, 3]},
            "Padding needs a word for each of the 2 parts of a pixel, not 3",
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


@pytest.mark.usefixtures("refused_components")
@pytest.mark.parametrize("pad_words", [[3], [1, 2]])
def test_padding_is_one_word_for_all_parts_of_a_pixel_or_one_for_each(pad_words: list[int]) -> None:
    unit = SlidingWindow(
        width=4, rows=Axis(4, 2), columns=Axis(7, 2), words=4, capacity=40, parts=2, pad_words=pad_words
    )
    assert unit.pad_words == pad_words
