"""Size FIFOs: the least depths that do not slow the network."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple, cast

import numpy as np

from hwgen.errors import OptionError
from hwgen.pipeline.layout import Pipeline, lay_out
from hwgen.pipeline.queues import Queue
from hwgen.pipeline.stages import Queued, Stage
from hwgen.plan import Plan
from hwgen.progress import at
from hwgen.rtl_templates.streams.fifo import FULL_RATE_DEPTH
from hwgen.timing.deadlock import full_streams
from hwgen.timing.earliest import Deadlock, System
from hwgen.timing.feeds import yielded
from hwgen.timing.latest import Latest
from hwgen.timing.places import tile
from hwgen.timing.predict import most_held
from hwgen.timing.schedule import INFINITY, Schedule

__all__ = ["size_fifos"]

FRAMES = (4, 16, 64)
"""Frames over which a depth must not delay any output beat; more are tried if a longer run is still slower in the end."""


class _Open(NamedTuple):
    """A FIFO whose depth a plan leaves open, and the number of its stage."""

    number: int
    queue: Queue


def size_fifos(plan: Plan) -> Plan:
    """Choose the depth of every FIFO that a plan leaves open: layers' output FIFOs, forks' branches, those of several inputs, and input FIFOs of parallel windows.

    A depth is enough if no beat leaves the network later than it would with FIFOs that never fill. Depths are found one at a time from
    the output back, those before it still unbounded, so the whole set together delays nothing. Each trial starts from the times found so far,
    of which it moves only those that the FIFO disturbs.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    Plan
        With every ``slots``, branch and input a number, and ``buffer_beats`` where a window is parallel.

    Raises
    ------
    OptionError
        If depths that the plan gives let the network come to rest; names one.
    """
    pipeline = lay_out(plan)
    for frames in FRAMES:
        try:
            sizing = _Sizing(pipeline, frames)
        except Deadlock as deadlock:
            raise OptionError(_refusal(pipeline, deadlock)) from None
        if not sizing.open:
            return plan
        sizing.run()
        sized = Pipeline(plan, tuple(sizing.stages))
        limit = int(sizing.due[-1]) + 3 * frames * sizing.ii
        # Its times are no longer needed, and as many come now.
        del sizing
        # The last two frames alone may be two of a burst, so what counts is when all of a longer run have left.
        if sized.predict(4 * frames).output_cycles(4 * frames)[-1] <= limit:
            break
    return _with_depths(sized)


def _with_depths(pipeline: Pipeline) -> Plan:
    """Give a plan the depths of its stages."""
    depths = {
        queue.key: queue.depth
        for stage in pipeline.stages
        for queue in _queues(stage)
        if queue.key is not None and queue.depth is not None
    }
    return replace(pipeline.plan, folds={stage.name: stage.fold for stage in pipeline.layers}, depths=depths)


def _queues(stage: Stage) -> tuple[Queue, ...]:
    return stage.queues if isinstance(stage, Queued) else ()


class _Sizing:
    """The search over one length of run: the stages as chosen so far, and the times that they allow.

    Raises
    ------
    Deadlock
        If the depths that are given let the pipeline come to rest.
    """

    def __init__(self, pipeline: Pipeline, frames: int) -> None:
        self.stages = list(pipeline.stages)
        self.open = [
            _Open(number, queue)
            for number, stage in enumerate(self.stages)
            for queue in _queues(stage)
            if queue.depth is None
        ]
        schedules = [self._schedule(number, stage, frames) for number, stage in enumerate(self.stages)]
        self.system = System(schedules, pipeline.feeds, frames)
        for frame in range(frames):
            self.system.settle_frame(frame)
        self.system.share()
        self.due = self.system.transfers[-1]

    @property
    def ii(self) -> int:
        """Cycles between the last two frames at best."""
        return int(self.due[-1] - self.due[-1 - len(self.due) // self.system.frames])

    def _schedule(self, number: int, stage: Stage, frames: int) -> Schedule:
        """Give a stage's schedule, FIFOs whose depth is still open without bounds; they are as quick as shallow ones."""
        schedule = stage.timing()
        opened = [fifo.queue.outlet for fifo in self.open if fifo.number == number]
        if not opened:
            return schedule
        intakes = [
            replace(intake, room=np.full(intake.beats, -INFINITY)) if None in opened else intake
            for intake in schedule.intakes
        ]
        outlets = [
            replace(outlet, slots=frames * outlet.beats) if place in opened else outlet
            for place, outlet in enumerate(schedule.outlets)
        ]
        return Schedule(schedule.steps, schedule.events, tuple(intakes), tuple(outlets))

    def run(self) -> None:
        """Find every depth."""
        latest = Latest(self.system, self.due)
        while self.open:
            fifo = self.open.pop()
            at(fifo.queue.where)
            self.stages[fifo.number], self.system = self._find(fifo, latest)

    def _find(self, fifo: _Open, latest: Latest) -> tuple[Stage, System]:
        """Find one depth: most often the least that can do, else by ever greater steps and then by bisection."""
        low = max(fifo.queue.least, self._bound(fifo, latest))
        kept = self._trial(fifo, low)
        if kept is None:
            latest.refine(self.system)
            refined = self._bound(fifo, latest)
            low, kept = (refined, self._trial(fifo, refined)) if refined > low else (low, None)
        if kept is not None:
            return kept
        due = self.due
        high, kept = self._deepest(fifo)
        if np.any(self.due > due):
            # Beats are due later now, as block RAM lets them leave later: the bound may do after all.
            low -= 1
        step = 1
        while low + step < high:
            trial = self._trial(fifo, low + step)
            if trial is not None:
                high, kept = low + step, trial
                break
            low, step = low + step, 2 * step
        while high - low > 1:
            middle = (low + high) // 2
            trial = self._trial(fifo, middle)
            low, high, kept = (middle, high, kept) if trial is None else (low, middle, trial)
        return kept

    def _bound(self, fifo: _Open, latest: Latest) -> int:
        """Give a depth below which something is late: beats must be issued by then, and leave no earlier than now."""
        if fifo.queue.outlet is None:
            return self._input_bound(fifo.number, latest)
        exit = self.system.rules[fifo.number].exits[fifo.queue.outlet]
        stream = self.system.yields[fifo.number][fifo.queue.outlet]
        return most_held(exit.emitted(latest.events[fifo.number]), self.system.transfers[stream] + exit.slot_return - 1)

    def _input_bound(self, number: int, latest: Latest) -> int:
        """Give the same for an input FIFO: beats must be taken by then, and are used no earlier than now."""
        schedule = self.stages[number].timing()
        room = cast(np.ndarray, schedule.intakes[0].room)
        # As it stands the FIFO has the least depth, so each beat waits for the use of the one that many before it.
        uses = tile(room, len(schedule.events), self.system.frames)[FULL_RATE_DEPTH:]
        (stream,) = self.system.feeds[number]
        return most_held(latest.transfers[stream], self.system.events[number][uses])

    def _trial(self, fifo: _Open, beats: int) -> tuple[Stage, System] | None:
        """Give a stage with a FIFO of a depth, and the times that follow; None if it delays anything.

        A deep FIFO lies in block RAM and takes a cycle more, so a shallow one may have cycles in hand at first; whether it uses them up a longer run shows.
        """
        stage, system = self._with(fifo, beats)
        return (stage, system) if system.settle(self.due) else None

    def _with(self, fifo: _Open, beats: int) -> tuple[Stage, System]:
        """Give a stage with a FIFO of a depth, and the system with that stage, unsettled."""
        stage = cast(Queued, self.stages[fifo.number]).deepened(fifo.queue, beats)
        system = self.system.copy()
        system.replace(fifo.number, self._schedule(fifo.number, stage, system.frames))
        return stage, system

    def _deepest(self, fifo: _Open) -> tuple[int, tuple[Stage, System]]:
        """Give a depth that is never full, and what follows; beats are due no earlier than it lets them leave."""
        schedule = self.system.schedules[fifo.number]
        streams = [intake.beats for intake in schedule.intakes] + [outlet.beats for outlet in schedule.outlets]
        beats = self.system.frames * max(streams)
        stage, system = self._with(fifo, beats)
        system.settle(np.full(len(self.due), np.iinfo(np.int64).max))
        self.due = np.maximum(self.due, system.transfers[-1])
        return beats, (stage, system)


def _refusal(pipeline: Pipeline, deadlock: Deadlock) -> str:
    """Say which given depth lets the network come to rest, and which one would not."""
    streams = yielded(pipeline.schedules)
    for number, stage in enumerate(pipeline.stages):
        for queue in _queues(stage):
            # In front of the FIFO that is too shallow others are full as well: the culprit is one that would do alone.
            if queue.outlet is None or queue.depth is None or streams[number][queue.outlet] not in deadlock.streams:
                continue
            if not _rests(pipeline, number, queue.outlet):
                enough = _enough(pipeline.plan, stage.name, queue)
                return (
                    f"The network deadlocks, as the FIFO of {queue.where} holds only {queue.depth} beats; "
                    f"give it {enough}, or leave its depth open"
                )
    return "The network deadlocks, as several FIFOs are too shallow; leave the depths of its inputs, branches and output FIFOs open"


def _enough(plan: Plan, layer: str, queue: Queue) -> int | None:
    """Give the depth that a FIFO gets where it is left open."""
    if queue.key is None:
        folds = {**plan.folds, layer: replace(plan.folds[layer], slots=None)}
        return size_fifos(replace(plan, folds=folds)).folds[layer].slots
    depths = {key: depth for key, depth in plan.depths.items() if key != queue.key}
    return size_fifos(replace(plan, depths=depths)).depths[queue.key]


def _rests(pipeline: Pipeline, number: int, outlet: int) -> bool:
    """Tell whether the pipeline comes to rest even if one FIFO never fills."""
    schedules = list(pipeline.schedules)
    one = schedules[number]
    outlets = list(one.outlets)
    outlets[outlet] = replace(outlets[outlet], slots=FRAMES[0] * outlets[outlet].beats)
    schedules[number] = Schedule(one.steps, one.events, one.intakes, tuple(outlets))
    return bool(full_streams(schedules, pipeline.feeds, FRAMES[0]))
