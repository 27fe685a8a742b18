"""Size FIFOs: the least depths that do not slow the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hwgen.fold import Fold, WindowStyle
from hwgen.plan import Plan
from hwgen.schedule import Schedule
from hwgen.stages import LayerStage, Stage, stages
from hwgen.timing import predict

__all__ = ["size_fifos"]

FRAMES = (4, 16, 64)
"""Frames over which a depth must not delay any output beat; more are tried if a longer run is still slower in the end."""

LEAST_WINDOW_BEATS = 2
"""Depth from which a FIFO takes and gives a beat in every cycle."""


@dataclass(frozen=True)
class _Depth:
    """A FIFO whose depth a folding leaves open: field ``field`` of the folding of stage ``number``."""

    number: int
    field: str


def size_fifos(plan: Plan) -> Plan:
    """Choose the depth of every FIFO that a folding leaves open: layers' output FIFOs, and input FIFOs of parallel windows.

    A depth is enough if no beat leaves the network later than it would with FIFOs that never fill. Depths are found one at a time from
    the output back, by bisection, those before it still unbounded, so the whole set together delays nothing.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    Plan
        With every ``slots`` a number, and ``buffer_beats`` where a window is parallel.
    """
    chain = stages(plan)
    for frames in FRAMES:
        sizing = _Sizing(chain, frames)
        sizing.run()
        if predict(sizing.schedules, 4 * frames).ii <= sizing.best.ii:
            break
    return replace(
        plan, folds={stage.name: fold for stage, fold in zip(chain, sizing.folds, strict=True) if fold is not None}
    )


class _Sizing:
    """The search over one length of run: a folding and a schedule for each stage, as chosen so far."""

    def __init__(self, chain: Sequence[Stage], frames: int) -> None:
        self.chain = chain
        self.frames = frames
        self.folds = [stage.fold if isinstance(stage, LayerStage) else None for stage in chain]
        self.schedules = [stage.timing() for stage in chain]
        self.depths = [depth for number, fold in enumerate(self.folds) if fold for depth in _open_depths(number, fold)]
        self.least = {depth: _least(depth, self.schedules[depth.number]) for depth in self.depths}
        self.unbounded = frames * max(max(schedule.beats_in, schedule.beats_out) for schedule in self.schedules)
        for depth in self.depths:
            self.set(depth, self.unbounded)
        self.best = predict(self.schedules, frames)

    def set(self, depth: _Depth, beats: int) -> None:
        """Give a FIFO a depth."""
        stage = self.chain[depth.number]
        if not isinstance(stage, LayerStage):
            raise TypeError(f"Stage '{stage.name}' has no FIFO to size")
        before = self.folds[depth.number] or stage.fold
        fold = replace(before, slots=beats) if depth.field == "slots" else replace(before, buffer_beats=beats)
        self.folds[depth.number] = fold
        self.schedules[depth.number] = stage.layer.timing(fold)

    def delays(self, depth: _Depth, beats: int) -> bool:
        """Tell whether a FIFO of that depth slows the network; leave it at that depth.

        A deep FIFO lies in block RAM and takes a cycle more, so a shallow one may have cycles in hand at first: the interval counts too.
        """
        self.set(depth, beats)
        run = predict(self.schedules, self.frames)
        return run.ii > self.best.ii or bool(np.any(run.transfers[-1] > self.best.transfers[-1]))

    def run(self) -> None:
        """Find every depth."""
        for depth in reversed(self.depths):
            low, high = self.least[depth], self.unbounded
            if self.delays(depth, low):
                while high - low > 1:
                    middle = (low + high) // 2
                    low, high = (middle, high) if self.delays(depth, middle) else (low, middle)
                self.set(depth, high)


def _open_depths(number: int, fold: Fold) -> list[_Depth]:
    """List a layer's open depths in the order in which data pass them."""
    window = fold.window is WindowStyle.PARALLEL and fold.buffer_beats is None
    return [_Depth(number, "buffer_beats")] * window + [_Depth(number, "slots")] * (fold.slots is None)


def _least(depth: _Depth, schedule: Schedule) -> int:
    """Give the depth from which the layer itself runs at full rate."""
    return schedule.slots if depth.field == "slots" else LEAST_WINDOW_BEATS
