"""Size the output FIFO of every layer: the least depth that does not slow the network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hwgen.plan import Plan
from hwgen.schedule import Schedule
from hwgen.stages import LayerStage, Stage, stages
from hwgen.timing import predict

__all__ = ["size_fifos"]

FRAMES = 4
"""Frames over which a depth must not delay any output beat: the pipeline fills, and runs on."""


def size_fifos(plan: Plan) -> Plan:
    """Choose ``slots`` for every layer whose folding leaves it open.

    A depth is enough if no beat leaves the network later than it would with FIFOs that never fill. Depths are found one layer at a time from
    the output back, by bisection, the layers before it still unbounded, so the whole set together delays nothing.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    Plan
        With every ``slots`` a number.
    """
    chain = stages(plan)
    schedules = [stage.timing() for stage in chain]
    open_stages = [n for n, stage in enumerate(chain) if isinstance(stage, LayerStage) and stage.fold.slots is None]
    least = {n: schedules[n].slots for n in open_stages}
    for n in open_stages:
        schedules[n] = _with_slots(chain[n], schedules[n].beats_out * FRAMES)
    best = predict(schedules, FRAMES).transfers[-1]
    for n in reversed(open_stages):
        unbounded = schedules[n]

        def delays(depth: int, n: int = n) -> bool:
            schedules[n] = _with_slots(chain[n], depth)
            return bool(np.any(predict(schedules, FRAMES).transfers[-1] > best))

        low = least[n]
        high = max(low, unbounded.beats_out * FRAMES)
        if delays(low):
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if delays(middle) else (low, middle)
            low = high
        schedules[n] = _with_slots(chain[n], low)
        least[n] = low
    return plan.with_slots({chain[n].name: depth for n, depth in least.items()})


def _with_slots(stage: Stage, slots: int) -> Schedule:
    if not isinstance(stage, LayerStage):
        raise TypeError(f"Stage '{stage.name}' has no FIFO to size")
    return replace(stage, fold=replace(stage.fold, slots=slots)).timing()
