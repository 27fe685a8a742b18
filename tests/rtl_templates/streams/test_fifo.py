"""The FIFO: every kind of storage, its latency and its throughput."""

import random

import pytest

from hwgen.rtl_templates.streams.fifo import Fifo
from hwgen.rtl_templates.streams.stream_check import run

SHAPES = [(1, 1), (9, 2), (7, 3), (5, 4), (3, 5), (8, 17), (64, 16), (40, 100), (1, 65)]


def words(count: int, width: int) -> list[int]:
    rng = random.Random(width)
    return [rng.getrandbits(width) for _ in range(count)]


@pytest.mark.parametrize(("width", "depth"), SHAPES)
def test_words_leave_in_order_after_the_stated_latency(width, depth):
    sent = words(3 * depth + 10, width)
    result = run(Fifo(width, depth), sent, len(sent))
    latency = Fifo.latency(depth, width)
    interval = 1 if depth >= latency + 1 else latency + 1
    assert result.payloads == sent
    assert result.taken == [n * interval for n in range(len(sent))]
    assert result.given == [n * interval + latency for n in range(len(sent))]


@pytest.mark.parametrize(("width", "depth"), SHAPES)
@pytest.mark.parametrize("stalls", [(0.5, 0.1), (0.1, 0.6), (0.5, 0.5)])
def test_nothing_is_lost_under_stalls_and_reset(width, depth, stalls):
    sent = words(3 * depth + 40, width)
    source_stall, sink_stall = stalls
    result = run(
        Fifo(width, depth), sent, len(sent), source_stall=source_stall, sink_stall=sink_stall, reset_at=depth + 9
    )
    assert result.payloads == sent


@pytest.mark.parametrize(("width", "depth"), SHAPES)
def test_depth_words_fit_while_nothing_leaves(width, depth):
    sent = words(depth + 5, width)
    late = 3 * depth + 20
    result = run(Fifo(width, depth), sent, len(sent), sink_opens_at=late)
    assert sum(cycle < late for cycle in result.taken) == depth
    assert result.payloads == sent


@pytest.mark.usefixtures("refused_components")
def test_a_fifo_without_words_is_refused():
    with pytest.raises(ValueError, match="at least 1 word, not 0"):
        Fifo(8, 0)
