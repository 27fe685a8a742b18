"""Size FIFOs: the least depths that do not slow the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from hwgen.errors import OptionError
from hwgen.fold import WindowStyle
from hwgen.pipeline.glue import ForkStage
from hwgen.pipeline.input_stage import InputStage
from hwgen.pipeline.stages import LayerStage, Stage, stages
from hwgen.plan import Plan
from hwgen.rtl_templates.streams.fifo import FULL_RATE_DEPTH
from hwgen.timing.deadlock import full_streams
from hwgen.timing.earliest import Deadlock, System, tile, yielded
from hwgen.timing.latest import Latest
from hwgen.timing.predict import most_held, predict
from hwgen.timing.schedule import Junction, Schedule

__all__ = ["size_fifos"]

FRAMES = (4, 16, 64)
"""Frames over which a depth must not delay any output beat; more are tried if a longer run is still slower in the end."""


ALWAYS = -(2**62)
"""Room that was always there."""


@dataclass(frozen=True)
class _Depth:
    """A FIFO whose depth a plan leaves open: that behind outlet ``outlet`` of stage ``number``, or with None its input FIFO."""

    number: int
    outlet: int | None


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
    chain = stages(plan)
    feeds = [stage.reads for stage in chain]
    for frames in FRAMES:
        try:
            sizing = _Sizing(chain, frames)
        except Deadlock as deadlock:
            raise OptionError(_refusal(plan, chain, deadlock)) from None
        sizing.run()
        if predict([stage.timing() for stage in sizing.chain], 4 * frames, feeds).ii <= sizing.ii:
            break
    return _with_depths(plan, sizing.chain)


def _with_depths(plan: Plan, chain: Sequence[Stage]) -> Plan:
    """Give a plan the depths of its stages."""
    branches = {
        (stage.source, reader): depth
        for stage in chain
        if isinstance(stage, ForkStage)
        for reader, depth in zip(stage.readers, stage.depths, strict=True)
        if depth is not None
    }
    first = chain[0]
    queues = zip(first.inputs, first.slots, strict=True) if isinstance(first, InputStage) else ()
    folds = {stage.name: stage.fold for stage in chain if isinstance(stage, LayerStage)}
    return replace(plan, folds=folds, branches=branches, inputs=dict(queues))


class _Sizing:
    """The search over one length of run: the stages as chosen so far, and the times that they allow.

    Raises
    ------
    Deadlock
        If the depths that are given let the pipeline come to rest.
    """

    def __init__(self, chain: Sequence[Stage], frames: int) -> None:
        self.chain = list(chain)
        self.open = [depth for number, stage in enumerate(chain) for depth in _open_depths(number, stage)]
        self.system = System(
            [self._schedule(number, stage, frames) for number, stage in enumerate(chain)],
            [stage.reads for stage in chain],
            frames,
        )
        for frame in range(frames):
            self.system.settle_frame(frame)
        self.due = self.system.transfers[-1]

    @property
    def ii(self) -> int:
        """Cycles between the last two frames at best."""
        return self._interval(self.due)

    def _interval(self, leaving: np.ndarray) -> int:
        return int(leaving[-1] - leaving[-1 - len(leaving) // self.system.frames])

    def _schedule(self, number: int, stage: Stage, frames: int) -> Schedule | Junction:
        """Give a stage's schedule, FIFOs whose depth is still open without bounds; they are as quick as shallow ones."""
        schedule = stage.timing()
        opened = [depth.outlet for depth in self.open if depth.number == number]
        if not opened:
            return schedule
        intakes = [
            replace(intake, room=np.full(intake.beats, ALWAYS)) if None in opened else intake
            for intake in schedule.intakes
        ]
        outlets = [
            replace(outlet, slots=frames * outlet.beats) if place in opened else outlet
            for place, outlet in enumerate(schedule.outlets)
        ]
        return Junction(schedule.cycles, schedule.step, tuple(intakes), tuple(outlets))

    def run(self) -> None:
        """Find every depth."""
        latest = Latest(self.system, self.due)
        while self.open:
            depth = self.open.pop()
            self.chain[depth.number], self.system = self._find(depth, latest)

    def _find(self, depth: _Depth, latest: Latest) -> tuple[Stage, System]:
        """Find one depth: most often the least that can do, else by ever greater steps and then by bisection."""
        least = _least(depth, self.chain[depth.number])
        low = max(least, self._bound(depth, latest))
        kept = self._trial(depth, low)
        if kept is None:
            latest.refine(self.system)
            refined = self._bound(depth, latest)
            low, kept = (refined, self._trial(depth, refined)) if refined > low else (low, None)
        if kept is not None:
            return kept
        high, kept = self._deepest(depth)
        step = 1
        while low + step < high:
            trial = self._trial(depth, low + step)
            if trial is not None:
                high, kept = low + step, trial
                break
            low, step = low + step, 2 * step
        while high - low > 1:
            middle = (low + high) // 2
            trial = self._trial(depth, middle)
            low, high, kept = (middle, high, kept) if trial is None else (low, middle, trial)
        return kept

    def _bound(self, depth: _Depth, latest: Latest) -> int:
        """Give a depth below which something is late: beats must be issued by then, and leave no earlier than now."""
        if depth.outlet is None:
            return self._input_bound(depth.number, latest)
        exit = self.system.rules[depth.number].exits[depth.outlet]
        stream = self.system.yields[depth.number][depth.outlet]
        return most_held(latest.events[depth.number][exit.emit], self.system.transfers[stream] + exit.slot_return - 1)

    def _input_bound(self, number: int, latest: Latest) -> int:
        """Give the same for an input FIFO: beats must be taken by then, and are used no earlier than now."""
        schedule = self.chain[number].timing()
        room = cast(np.ndarray, schedule.intakes[0].room)
        # As it stands the FIFO has the least depth, so each beat waits for the use of the one that many before it.
        uses = tile(room, len(schedule.step), self.system.frames)[FULL_RATE_DEPTH:]
        (stream,) = self.system.feeds[number]
        return most_held(latest.transfers[stream], self.system.events[number][uses])

    def _trial(self, depth: _Depth, beats: int) -> tuple[Stage, System] | None:
        """Give a stage with a FIFO of a depth, and the times that follow; None if it delays anything.

        A deep FIFO lies in block RAM and takes a cycle more, so a shallow one may have cycles in hand at first: the interval counts too.
        """
        stage, system = self._with(depth, beats)
        if system.settle(self.due) and self._interval(system.transfers[-1]) <= self.ii:
            return stage, system
        return None

    def _with(self, depth: _Depth, beats: int) -> tuple[Stage, System]:
        """Give a stage with a FIFO of a depth, and the system with that stage, unsettled."""
        stage = _deepened(self.chain[depth.number], depth, beats)
        system = self.system.copy()
        system.replace(depth.number, self._schedule(depth.number, stage, system.frames))
        return stage, system

    def _deepest(self, depth: _Depth) -> tuple[int, tuple[Stage, System]]:
        """Give a depth that is never full, and what follows; beats are due no earlier than it lets them leave."""
        schedule = self.system.schedules[depth.number]
        streams = [intake.beats for intake in schedule.intakes] + [outlet.beats for outlet in schedule.outlets]
        beats = self.system.frames * max(streams)
        stage, system = self._with(depth, beats)
        system.settle(np.full_like(self.due, np.iinfo(np.int64).max))
        self.due = np.maximum(self.due, system.transfers[-1])
        return beats, (stage, system)


def _open_depths(number: int, stage: Stage) -> list[_Depth]:
    """List a stage's open depths in the order in which data pass them."""
    if isinstance(stage, ForkStage | InputStage):
        return [_Depth(number, outlet) for outlet, depth in enumerate(stage.depths) if depth is None]
    if not isinstance(stage, LayerStage):
        return []
    window = stage.fold.window is WindowStyle.PARALLEL and stage.fold.buffer_beats is None
    return [_Depth(number, None)] * window + [_Depth(number, 0)] * (stage.fold.slots is None)


def _deepened(stage: Stage, depth: _Depth, beats: int) -> Stage:
    """Give a stage with a FIFO of a depth."""
    if isinstance(stage, ForkStage | InputStage):
        depths = (beats if place == depth.outlet else other for place, other in enumerate(stage.depths))
        return replace(stage, depths=tuple(depths))
    if not isinstance(stage, LayerStage):
        raise TypeError(f"Stage '{stage.name}' has no FIFO to size")
    if depth.outlet is None:
        return replace(stage, fold=replace(stage.fold, buffer_beats=beats))
    return replace(stage, fold=replace(stage.fold, slots=beats))


def _least(depth: _Depth, stage: Stage) -> int:
    """Give the least depth to be tried: that from which a layer by itself runs at full rate, or a single beat in a branch or for an input."""
    if isinstance(stage, ForkStage | InputStage):
        return 1
    return FULL_RATE_DEPTH if depth.outlet is None else stage.timing().outlets[0].slots


def _refusal(plan: Plan, chain: Sequence[Stage], deadlock: Deadlock) -> str:
    """Say which given depth lets the network come to rest, and which one would not."""
    streams = yielded([stage.timing() for stage in chain])
    for number, stage in enumerate(chain):
        for outlet, stream in enumerate(streams[number]):
            if stream not in deadlock.streams:
                continue
            # In front of the FIFO that is too shallow others are full as well: the culprit is one that would do alone.
            branch = (stage.source, stage.readers[outlet]) if isinstance(stage, ForkStage) else None
            if branch is not None and branch in plan.branches and not _rests(chain, number, outlet):
                branches = {other: depth for other, depth in plan.branches.items() if other != branch}
                enough = size_fifos(replace(plan, branches=branches)).branches[branch]
                where, given = f"the branch from '{branch[0]}' to '{branch[1]}'", plan.branches[branch]
            elif (
                isinstance(stage, InputStage) and stage.depths[outlet] is not None and not _rests(chain, number, outlet)
            ):
                name = stage.inputs[outlet]
                queues = {other: depth for other, depth in plan.inputs.items() if other != name}
                enough = size_fifos(replace(plan, inputs=queues)).inputs[name]
                where, given = f"input '{name}'", plan.inputs[name]
            elif isinstance(stage, LayerStage) and stage.fold.slots is not None and not _rests(chain, number, outlet):
                folds = {**plan.folds, stage.name: replace(stage.fold, slots=None)}
                enough = size_fifos(replace(plan, folds=folds)).folds[stage.name].slots or 0
                where, given = f"layer '{stage.name}'", stage.fold.slots
            else:
                continue
            return f"The network deadlocks, as the FIFO of {where} holds only {given} beats; give it {enough}, or leave its depth open"
    return "The network deadlocks, as several FIFOs are too shallow; leave the depths of its inputs, branches and output FIFOs open"


def _rests(chain: Sequence[Stage], number: int, outlet: int) -> bool:
    """Tell whether the pipeline comes to rest even if one FIFO never fills."""
    schedules = [stage.timing() for stage in chain]
    outlets = list(schedules[number].outlets)
    outlets[outlet] = replace(outlets[outlet], slots=FRAMES[0] * outlets[outlet].beats)
    one = schedules[number]
    schedules[number] = Junction(one.cycles, one.step, one.intakes, tuple(outlets))
    return bool(full_streams(schedules, [stage.reads for stage in chain], FRAMES[0]))
