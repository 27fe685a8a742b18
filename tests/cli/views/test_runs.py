"""What is shown of simulations and boards."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from hwgen.cli.views.runs import render_board_run, render_loading, render_simulation
from hwgen.golden.sensitivity import Seen
from hwgen.host.link import Counters
from hwgen.host.program import Loading
from hwgen.host.run import BoardRun
from hwgen.sim.check import Engine, Simulation
from tests.cli.shown import shown

SIMULATION = Simulation(
    outputs=np.zeros(2),
    codes=np.zeros(2, np.int64),
    frames=1234,
    mismatches=0,
    mismatches_by_output={"y": 0},
    expected_mismatches=None,
    correct=None,
    cycles_total=9000,
    ii_predicted=1500,
    ii_measured=1600,
    latency_predicted=2100,
    latency_measured=2200,
    beats_off_schedule=0,
    engine=Engine.COCOTB,
    clock_hz=16e6,
)

RUN = BoardRun(
    outputs=np.zeros(2),
    codes=np.zeros(2, np.int64),
    frames=1000,
    mismatches=None,
    seconds=2.0,
    retries=3,
    counters=Counters(1000, 4, 0, 0, 0, busy_cycles=1, frame_error=False),
    network_id=7,
    clock_hz=12_000_000,
)


def cells(text: str) -> dict[str, list[str]]:
    """Give the cells of each row behind its name."""
    lines = [line.split("│")[1:-1] for line in text.splitlines() if line.startswith("│")]
    return {first.strip(): [cell.strip() for cell in rest] for first, *rest in lines}


def test_a_simulation_stands_beside_its_prediction() -> None:
    text = shown(render_simulation(SIMULATION))
    assert text.splitlines()[0].strip() == "1,234 frames in cocotb"
    assert cells(text) == {
        "frames against golden": ["", "", "0"],
        "cycle of every output beat": ["", "", "0"],
        "cycles a frame (II)": ["1,500", "1,600", ""],
        "latency in cycles": ["2,100", "2,200", ""],
        "cycles in all": ["", "9,000", ""],
        "frames/s at clock": ["", "10,000", ""],
    }


def test_what_no_frame_shows_stands_below_the_table() -> None:
    seen = Seen((30, 32), (0, 0), ("conv: weight [0, 1] 1 as -1", "conv: weight [3, 2] -1 as 1"))
    text = shown(render_simulation(replace(SIMULATION, seen=seen)))
    assert cells(text)["weight bits that show"] == ["", "30 of 32", ""]
    assert "thresholds that show" not in cells(text)
    below = [line.rstrip() for line in text.splitlines()[-3:]]
    assert below == ["Shown by no frame:", "  conv: weight [0, 1] 1 as -1", "  conv: weight [3, 2] -1 as 1"]
    none = replace(seen, unseen=())
    assert "Shown by no frame" not in shown(render_simulation(replace(SIMULATION, seen=none)))


def test_what_was_compared_has_a_row_each() -> None:
    more = replace(
        SIMULATION,
        mismatches=5,
        mismatches_by_output={"left": 2, "[red]": 3},
        expected_mismatches=6,
        correct=617,
        beats_off_schedule=8,
        ii_measured=None,
    )
    found = cells(shown(render_simulation(more)))
    assert found["frames against golden"] == ["", "", "5"]
    assert (found["of output left"], found["of output [red]"]) == (["", "", "2"], ["", "", "3"])
    assert found["frames against expected"] == ["", "", "6"]
    assert found["cycle of every output beat"] == ["", "", "8"]
    assert found["cycles a frame (II)"] == ["1,500", "-", ""]
    assert found["accuracy"] == ["", "50.00%", ""]


def test_a_board_s_answer_is_compared_where_that_was_asked_for() -> None:
    plain = cells(shown(render_board_run(RUN)))
    assert plain == {
        "frames/s through the port": ["500.0"],
        "requests sent again": ["3"],
        "damaged packets seen by the board": ["4"],
    }
    compared = cells(shown(render_board_run(replace(RUN, mismatches=9))))
    assert compared == {"frames against golden": ["9"], **plain}


def test_a_bitstream_is_where_it_was_put() -> None:
    loading = Loading("icebreaker", Path("out/top.bin"), ("iceprog",), volatile=False, done=True)
    assert shown(render_loading(loading)) == "top.bin is in board icebreaker, in its flash\n"
    assert shown(render_loading(replace(loading, volatile=True))).endswith(", until power goes\n")
