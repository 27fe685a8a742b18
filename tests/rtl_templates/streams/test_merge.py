"""Streams in turn and side by side, against lists put together by hand."""

import random

import pytest

from hwgen.rtl_templates.compute.number import Coding
from hwgen.rtl_templates.cost import Part
from hwgen.rtl_templates.streams.fifo import Fifo
from hwgen.rtl_templates.streams.merge import Merge, Zip
from hwgen.rtl_templates.streams.stream_check import pack, run_ports

LANES, SLOTS = 2, 8
CODINGS = [Coding(1, bipolar=True), Coding(3), Coding(4, signed=True), Coding(2)]
OUT = Coding(5, signed=True)
MERGES = [((1, 1, 1, 1), 4, 1), ((3, 3, 3, 3), 4, 2), ((2, 1, 3, 4), 2, 3), ((2, 2, 1, 1), 1, 2)]
"""Runs, streams in a group, rounds of a group."""


def numbers(count: int, coding: Coding, seed: int) -> list[list[int]]:
    rng = random.Random(seed)
    every = [-1, 1] if coding.bipolar else range(coding.low, coding.high + 1)
    return [rng.choices(every, k=LANES) for _ in range(count)]


def beat(row: list[int], coding: Coding) -> int:
    return pack([(number + 1) // 2 if coding.bipolar else number for number in row], coding.bits)


def in_turn(streams: list[list], runs: tuple[int, ...], group: int, rounds: int) -> list:
    left, merged = [list(stream) for stream in streams], []
    while any(left):
        for first in range(0, len(runs), group):
            for k in [*range(first, first + group)] * rounds:
                merged += [left[k].pop(0) for _ in range(runs[k])]
    return merged


@pytest.mark.parametrize("stall", [0.0, 0.4])
@pytest.mark.parametrize(("runs", "group", "rounds"), MERGES, ids=str)
def test_streams_have_their_turns(runs: tuple[int, ...], group: int, rounds: int, stall: float) -> None:
    streams = [numbers(3 * rounds * run, coding, k) for k, (run, coding) in enumerate(zip(runs, CODINGS, strict=True))]
    unit = Merge(lanes=LANES, codings=CODINGS, out_coding=OUT, runs=runs, group=group, rounds=rounds, slots=SLOTS)
    sent = {f"i_{k}": [beat(row, CODINGS[k]) for row in stream] for k, stream in enumerate(streams)}
    expected = [pack(row, OUT.bits) for row in in_turn(streams, runs, group, rounds)]
    found = run_ports(unit, sent, {"o": len(expected)}, source_stall=stall, sink_stall=stall, seed=1)
    assert found.payloads["o"] == expected
    if not stall:
        cycles = sorted(cycle for taken in found.taken.values() for cycle in taken)
        assert cycles == list(range(len(expected)))
        latency = Fifo.latency(SLOTS, unit.width_out)
        assert found.given["o"] == [cycle + latency for cycle in cycles]


@pytest.mark.parametrize("reset_at", [None, 9])
def test_beats_side_by_side_are_taken_together(reset_at: int | None) -> None:
    streams = [numbers(12, coding, k) for k, coding in enumerate(CODINGS)]
    unit = Zip(lanes=[LANES] * 4, codings=CODINGS, out_coding=OUT, slots=SLOTS)
    sent = {f"i_{k}": [beat(row, CODINGS[k]) for row in stream] for k, stream in enumerate(streams)}
    expected = [pack([number for row in rows for number in row], OUT.bits) for rows in zip(*streams, strict=True)]
    found = run_ports(unit, sent, {"o": 12}, source_stall=0.3, sink_stall=0.3, reset_at=reset_at)
    assert found.payloads["o"] == expected
    assert found.taken["i_0"] == found.taken["i_1"] == found.taken["i_2"] == found.taken["i_3"]
    latency = Fifo.latency(SLOTS, unit.width_out)
    assert all(out >= cycle + latency for out, cycle in zip(found.given["o"], found.taken["i_0"], strict=True))


@pytest.mark.parametrize(
    ("codings", "out", "luts"),
    [
        ((Coding(2), Coding(4)), Coding(4), 2 * 2),
        ((Coding(4), Coding(4)), Coding(4), 2 * 4),
        ((Coding(1), Coding(4), Coding(3)), Coding(4), 2 * (1 + 3)),
        # A sign fills the bits above it.
        ((Coding(3, signed=True), Coding(4)), Coding(5, signed=True), 2 * 4),
    ],
)
def test_a_bill_chooses_among_streams_only_where_more_than_one_has_bits(
    codings: tuple[Coding, ...], out: Coding, luts: int
) -> None:
    rest = Fifo.bill("merge.queue", LANES * out.bits, SLOTS)
    for values in (len(codings), 1, 1):
        rest.counter(values)
    runs = (1,) * len(codings)
    bill = Merge.bill("merge", lanes=LANES, codings=codings, out_coding=out, runs=runs, slots=SLOTS)
    rest.add(Part.OTHER, luts)
    assert (bill.parts, bill.chains, bill.memories) == (rest.parts, rest.chains, rest.memories)
