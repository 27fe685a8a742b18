"""The fork in its own terms: every branch gives every beat, each at its FIFO's latency."""

import random

import pytest

from hwgen.rtl_templates.streams.fifo import Fifo
from hwgen.rtl_templates.streams.fork import Fork
from hwgen.rtl_templates.streams.stream_check import run_ports

BEATS = [random.Random(0).getrandbits(9) for _ in range(60)]


@pytest.mark.parametrize("depths", [(2, 2), (2, 5, 130), (40, 2)])
def test_every_branch_gives_every_beat_at_its_latency(depths):
    result = run_ports(Fork(9, depths), {"i": BEATS}, {f"o_{k}": len(BEATS) for k in range(len(depths))})
    assert result.taken["i"] == list(range(len(BEATS)))
    for k, depth in enumerate(depths):
        assert result.payloads[f"o_{k}"] == BEATS
        assert result.given[f"o_{k}"] == [cycle + Fifo.latency(depth, 9) for cycle in result.taken["i"]]


@pytest.mark.parametrize("depths", [(1, 1), (1, 3), (5, 2, 70)])
@pytest.mark.parametrize("reset_at", [None, 7])
def test_stalls_and_reset(depths, reset_at):
    outputs = {f"o_{k}": len(BEATS) for k in range(len(depths))}
    result = run_ports(Fork(9, depths), {"i": BEATS}, outputs, source_stall=0.3, sink_stall=0.5, reset_at=reset_at)
    assert max(map(max, result.given.values())) < 2000
    assert all(payloads == BEATS for payloads in result.payloads.values())


def test_a_branch_runs_ahead_by_its_neighbours_depth():
    depths = (3, 8)
    result = run_ports(Fork(9, depths), {"i": BEATS}, {"o_0": len(BEATS), "o_1": len(BEATS)}, sink_opens_at=50)
    assert sum(cycle < result.given["o_0"][0] for cycle in result.taken["i"]) == min(depths)


@pytest.mark.usefixtures("refused_components")
def test_a_single_branch_is_no_fork():
    with pytest.raises(ValueError, match="at least 2 branches, not 1"):
        Fork(4, [2])
