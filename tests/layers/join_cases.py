"""The proof that a joining layer's hardware is its golden model on its schedule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from hwgen.fold import Fold
from hwgen.layers.protocol import Layer
from hwgen.rtl_templates.streams.stream_check import run_ports
from hwgen.timing.places import tile
from hwgen.timing.schedule import Schedule
from tests.layers.channelwise_cases import FRAMES, STYLES, beats, random_codes


@st.composite
def folds(draw: st.DrawFn, layer: Layer) -> Fold:
    """Draw a legal folding with any memory and FIFO depth."""
    fold = draw(st.sampled_from(list(layer.folding.folds())))
    return replace(fold, memory=draw(st.sampled_from(STYLES)), slots=draw(st.sampled_from([None, None, 1, 2, 7])))


def always_offered(schedule: Schedule, frames: int) -> tuple[list[list[int]], list[int]]:
    """Give the cycles in which a stage takes each beat of each source, all of which always offer, and gives each beat: the contract's rules, one by one."""
    (outlet,), count = schedule.outlets, len(schedule.events)
    steps, emits = (
        tile(*parts, frames).tolist() for parts in ((schedule.events, schedule.steps), (outlet.emit, count))
    )
    accepts, needs, rooms = [], [], []
    for one in schedule.intakes:
        accepts.append([] if one.accept is None else tile(one.accept, count, frames).tolist())
        rooms.append([] if one.room is None else tile(one.room, count, frames).tolist())
        waits = [] if one.need is None else np.tile(one.need, frames) + np.repeat(np.arange(frames), count) * one.beats
        needs.append([] if one.need is None else np.where(np.tile(one.need, frames) < 0, -1, waits).tolist())
    cycles: list[int] = []
    taken: list[list[int]] = [[] for _ in schedule.intakes]
    given: list[int] = []
    for event in range(len(steps) + 1):
        for had, room in zip(taken, rooms, strict=True):
            while len(had) < len(room) and room[len(had)] < event:
                freed = cycles[room[len(had)]] + 1 if room[len(had)] >= 0 else 0
                had.append(max(freed, had[-1] + 1 if had else 0))
        if event == len(steps):
            break
        at = cycles[-1] + steps[event] - steps[event - 1] if event else 0
        for one, had, need in zip(schedule.intakes, taken, needs, strict=True):
            if need and need[event] >= 0:
                at = max(at, had[need[event]] + one.read_latency)
        yields = len(given) < len(emits) and emits[len(given)] == event
        if yields and len(given) >= outlet.slots:
            at = max(at, given[-outlet.slots] + outlet.slot_return)
        cycles.append(at)
        for had, accept in zip(taken, accepts, strict=True):
            had.extend([at] * accept[len(had) : len(had) + 1].count(event))
        if yields:
            given.append(max(at + outlet.latency, given[-1] + 1 if given else 0))
    start = min(had[0] for had in taken)
    return [[cycle - start for cycle in had] for had in taken], [cycle - start for cycle in given]


def assert_hardware_is_golden(layer: Layer, fold: Fold, seed: int) -> None:
    """Run frames back to back, then with stalls and a reset in the middle; compare values and cycles exactly."""
    layer.check()
    layer.folding.check(fold)
    random = np.random.default_rng(seed)
    entries = list(zip(layer.inputs, layer.folding.input_lanes(fold), strict=True))
    maps = [random_codes(random, entry.type, (FRAMES, *entry.shape)) for entry, _ in entries]
    ports = ["i"] if len(entries) == 1 else [f"i_{k}" for k in range(len(entries))]
    sent = {port: beats(entry.type, x, lanes) for port, (entry, lanes), x in zip(ports, entries, maps, strict=True)}
    expected = beats(layer.out_type, layer.golden(*maps), layer.folding.out_lanes(fold))

    free = run_ports(layer.component(fold), sent, {"o": len(expected)}, seed=seed)
    timing = layer.timing(fold)
    taken, given = always_offered(timing, FRAMES)
    assert free.payloads["o"] == expected
    assert free.given["o"] == given
    for port, cycles in zip(ports, taken, strict=True):
        assert free.taken[port] == cycles
    if all(intake.accept is not None for intake in timing.intakes):
        assert timing.interval == timing.steps

    stalled = run_ports(
        layer.component(fold),
        sent,
        {"o": len(expected)},
        source_stall=0.3,
        sink_stall=0.4,
        reset_at=seed % 20 + 1,
        seed=seed,
    )
    assert stalled.payloads["o"] == expected
