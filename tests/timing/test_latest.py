"""Latest times, against every rule of a schedule written out one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.timing.earliest import System
from hwgen.timing.latest import LONG, Latest
from hwgen.timing.schedule import Schedule
from tests.timing.test_predict import graph

Time = tuple[str, int, int]
"""An event of a stage, or a beat of a stream: kind, number, index."""


def rules(schedules: list[Schedule], feeds: list[tuple[int, ...]], frames: int) -> Iterator[tuple[Time, Time, int]]:
    """Give all rules ``later >= earlier + cycles`` as (later, earlier, cycles)."""
    stream = 0
    for number, (schedule, reads) in enumerate(zip(schedules, feeds, strict=True)):
        events = len(schedule.events)
        at = [frame * schedule.steps + int(step) for frame in range(frames) for step in schedule.events]
        for e in range(1, len(at)):
            yield ("event", number, e), ("event", number, e - 1), at[e] - at[e - 1]
        for intake, read in zip(schedule.intakes, reads, strict=True):
            for beat in range(frames * intake.beats):
                frame, place = divmod(beat, intake.beats)
                if intake.accept is not None:
                    event = ("event", number, frame * events + int(intake.accept[place]))
                    yield ("beat", read, beat), event, 0
                    yield event, ("beat", read, beat), 0
                    continue
                after = frame * events + int(intake.room[place])
                if after >= 0:
                    yield ("beat", read, beat), ("event", number, after), 1
                if beat:
                    yield ("beat", read, beat), ("beat", read, beat - 1), 1
            for e in range(frames * events):
                frame, place = divmod(e, events)
                if intake.need is not None and intake.need[place] >= 0:
                    needed = ("beat", read, frame * intake.beats + int(intake.need[place]))
                    yield ("event", number, e), needed, intake.read_latency
        for outlet in schedule.outlets:
            stream += 1
            for beat in range(frames * outlet.beats):
                frame, place = divmod(beat, outlet.beats)
                event = ("event", number, frame * events + int(outlet.emit[place]))
                yield ("beat", stream, beat), event, outlet.latency
                if beat:
                    yield ("beat", stream, beat), ("beat", stream, beat - 1), 1
                if beat >= outlet.slots:
                    yield event, ("beat", stream, beat - outlet.slots), outlet.slot_return


def latest_times(system: System, due: np.ndarray) -> list[list[int]]:
    """Give the latest cycle of every event of each stage by lowering one time after another."""
    times = {("beat", len(system.transfers) - 1, beat): int(cycle) for beat, cycle in enumerate(due)}
    everything = list(rules(system.schedules, system.feeds, system.frames))
    moved = True
    while moved:
        moved = False
        for later, earlier, cycles in everything:
            bound = times.get(later, int(LONG)) - cycles
            if later in times and bound < times.get(earlier, int(LONG)):
                times[earlier], moved = bound, True
    return [
        [times.get(("event", number, e), int(LONG)) for e in range(len(events))]
        for number, events in enumerate(system.events)
    ]


def settled(schedules: list[Schedule], feeds: list[tuple[int, ...]], frames: int, slots: int) -> System:
    """Give a pipeline with FIFOs of another depth, at its earliest times."""
    junctions = [
        Schedule(one.steps, one.events, one.intakes, tuple(replace(outlet, slots=slots) for outlet in one.outlets))
        for one in schedules
    ]
    system = System(junctions, feeds, frames)
    for frame in range(frames):
        system.settle_frame(frame)
    return system


@settings(max_examples=60, deadline=None, derandomize=True)
@given(graph(), st.integers(2, 4))
def test_the_latest_times_where_no_fifo_fills(pipeline, frames: int) -> None:
    """Whatever leaves in time was issued no later than that, and the earliest times are no later."""
    system = settled(*pipeline, frames, slots=999)
    latest = Latest(system, system.transfers[-1])
    assert [events.tolist() for events in latest.events] == latest_times(system, system.transfers[-1])
    for early, late in zip(system.events, latest.events, strict=True):
        assert np.all(early <= late)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(graph(), st.integers(2, 3))
def test_bounds_of_a_pipeline_whose_fifos_fill_are_no_earlier_than_the_latest(pipeline, frames: int) -> None:
    """Each FIFO is deep enough that nothing deadlocks, and shallow enough to hold others up."""
    schedules, feeds = pipeline
    beats = max(outlet.beats for one in schedules for outlet in one.outlets)
    system = settled(schedules, feeds, frames, slots=2 * beats)
    exact = latest_times(system, system.transfers[-1])
    latest = Latest(system, system.transfers[-1])
    before = [events.copy() for events in latest.events]
    latest.refine(system)
    for late, first, bound in zip(exact, before, latest.events, strict=True):
        assert np.all(late <= bound)
        assert np.all(bound <= first)
