"""The parallel sliding window unit: contents, padding, replay and cycles."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.layers.window_schedule import parallel_cycles, parallel_schedule
from hwgen.rtl_templates.cost import Part
from hwgen.rtl_templates.streams.fifo import Fifo
from hwgen.rtl_templates.streams.stream_check import Run, pack, run
from hwgen.rtl_templates.windows.parallel_window import ParallelWindow
from hwgen.rtl_templates.windows.window_axis import Axis
from hwgen.timing.predict import predict
from tests.rtl_templates.windows.window_cases import axes, taps_by_definition

FRAMES = 3
WIDTH = 4


@dataclass(frozen=True)
class Case:
    rows: Axis
    columns: Axis
    words: int
    replays: int
    depth: int
    seed: int

    @property
    def data(self) -> tuple[np.ndarray, int]:
        random = np.random.default_rng(self.seed)
        return random.integers(1 << WIDTH, size=(FRAMES, self.rows.size, self.columns.size, self.words)), self.seed % (
            1 << WIDTH
        )


cases = st.builds(Case, axes(), axes(), st.integers(1, 3), st.integers(1, 3), st.integers(1, 4), st.integers(0, 999))


def ref(case: Case) -> list[int]:
    x, padding = case.data
    taps = taps_by_definition(x, case.rows, case.columns, np.full(case.words, padding))
    windows = taps.swapaxes(2, 3).reshape(-1, case.rows.kernel * case.columns.kernel).tolist()
    return [pack(window, WIDTH) for window in windows for _ in range(case.replays)]


def rtl(case: Case, **stalls: float) -> Run:
    x, padding = case.data
    unit = ParallelWindow(
        width=WIDTH,
        rows=case.rows,
        columns=case.columns,
        words=case.words,
        replays=case.replays,
        pad_word=padding,
        depth=case.depth,
    )
    return run(unit, x.ravel().tolist(), len(ref(case)), seed=case.seed, **stalls)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(case=cases)
def test_every_beat_comes_on_schedule(case: Case):
    schedule = parallel_schedule(
        case.rows,
        case.columns,
        words=case.words,
        replays=case.replays,
        depth=case.depth,
        read_latency=Fifo.latency(case.depth, WIDTH),
        latency=1,
        slots=1 << 20,
    )
    result, prediction = rtl(case), predict([schedule], FRAMES)
    assert result.payloads == ref(case)
    assert result.taken == prediction.transfers[0].tolist()
    assert result.given == (prediction.transfers[1] - 1).tolist()
    if case.depth > 1:
        assert predict([schedule], 6).ii == parallel_cycles(case.rows, case.columns, case.words, case.replays)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(case=cases, reset_at=st.integers(1, 80))
def test_stalls_and_reset_do_not_change_the_data(case: Case, reset_at: int):
    assert rtl(case, source_stall=0.4, sink_stall=0.3, reset_at=reset_at).payloads == ref(case)


def test_a_map_of_one_column_needs_no_line_memory():
    case = Case(Axis(6, 3), Axis(1), words=1, replays=2, depth=2, seed=3)
    assert rtl(case).payloads == ref(case)


@pytest.mark.parametrize(
    ("rows", "columns", "padded"),
    [
        (Axis(4, 3), Axis(5, 3), 0),
        (Axis(4, 3, before=1), Axis(5, 3), 6),
        (Axis(4, 3), Axis(5, 3, after=1), 6),
        (Axis(4, 3, after=1), Axis(5, 3, before=1), 6),
    ],
)
def test_a_bill_has_gates_for_a_border_on_any_side(rows: Axis, columns: Axis, padded: int) -> None:
    """A gate for each bit of a word that comes in."""
    bill = ParallelWindow.bill("window", width=6, rows=rows, columns=columns, words=1, replays=1)
    assert bill.parts.get(Part.PADDING_BIT, 0) == padded
