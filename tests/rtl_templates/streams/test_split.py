"""The split in its own terms: each stream gets its runs, narrowed, each beat at its FIFO's latency."""

import random

import pytest

from hwgen.rtl_templates.streams.fifo import Fifo
from hwgen.rtl_templates.streams.split import Split
from hwgen.rtl_templates.streams.stream_check import run_ports

CASES = [((9, 4), (5, 3), (5, 3)), ((3, 70, 3), (1, 2, 40), (1, 2, 130)), ((8, 8), (1, 1), (2, 2))]
ROUNDS = 4


def ref(widths, runs, beats):
    """Deal a list of beats out."""
    streams, rest = [[] for _ in runs], list(beats)
    while rest:
        for k, run in enumerate(runs):
            streams[k] += [beat & ((1 << widths[k]) - 1) for beat in rest[:run]]
            del rest[:run]
    return streams


def case(widths, runs):
    """Give beats for some rounds, and what each port has to give."""
    draw = random.Random(0)
    beats = [draw.getrandbits(max(widths)) for _ in range(ROUNDS * sum(runs))]
    return beats, ref(widths, runs, beats)


@pytest.mark.parametrize(("widths", "runs", "depths"), CASES)
def test_each_stream_gets_its_runs_at_its_latency(widths, runs, depths):
    beats, expected = case(widths, runs)
    result = run_ports(
        Split(widths=widths, runs=runs, depths=[2 * depth for depth in depths]),
        {"i": beats},
        {f"o_{k}": len(stream) for k, stream in enumerate(expected)},
    )
    assert result.taken["i"] == list(range(len(beats)))
    turns = ref([20] * len(runs), runs, range(len(beats)))
    for k, stream in enumerate(expected):
        assert result.payloads[f"o_{k}"] == stream
        latency = Fifo.latency(2 * depths[k], widths[k])
        assert result.given[f"o_{k}"] == [cycle + latency for cycle in turns[k]]


@pytest.mark.parametrize(("widths", "runs", "depths"), CASES)
@pytest.mark.parametrize("reset_at", [None, 1, 9])
def test_stalls_and_reset(widths, runs, depths, reset_at):
    beats, expected = case(widths, runs)
    outputs = {f"o_{k}": len(stream) for k, stream in enumerate(expected)}
    result = run_ports(
        Split(widths=widths, runs=runs, depths=depths),
        {"i": beats},
        outputs,
        source_stall=0.3,
        sink_stall=0.5,
        reset_at=reset_at,
    )
    assert max(map(max, result.given.values())) < 4000
    assert list(result.payloads.values()) == expected


def test_a_full_fifo_holds_up_only_its_own_run():
    beats, _ = case((4, 4), (3, 3))
    result = run_ports(
        Split(widths=(4, 4), runs=(3, 3), depths=(8, 2)),
        {"i": beats},
        {"o_0": len(beats) // 2, "o_1": len(beats) // 2},
        sink_opens_at=40,
    )
    assert sum(cycle < 40 for cycle in result.taken["i"]) == 3 + 2


@pytest.mark.usefixtures("refused_components")
@pytest.mark.parametrize("lists", [((4,), (1,), (2,)), ((4, 4), (1,), (2, 2)), ((4, 4), (1, 1), (2,))])
def test_streams_without_a_width_a_run_or_a_depth_are_refused(lists):
    widths, runs, depths = lists
    with pytest.raises(
        ValueError, match=r"at least 2 streams, each with a width, a run and a depth, not \d, \d and \d"
    ):
        Split(widths=widths, runs=runs, depths=depths)
