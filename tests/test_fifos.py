from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, given, settings

from hwgen import folding
from hwgen.fifos import size_fifos
from hwgen.fold import Fold, WindowStyle
from hwgen.plan import Plan
from hwgen.stages import stages
from hwgen.timing import predict
from tests.random_networks import plans
from tests.small_networks import mlp


def interval(plan: Plan, frames: int = 24) -> int:
    return predict([stage.timing() for stage in stages(plan)], frames).ii


def opened(plan: Plan) -> Plan:
    return replace(
        plan, folds={name: replace(fold, slots=None, buffer_beats=None) for name, fold in plan.folds.items()}
    )


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(plans())
def test_the_interval_is_the_largest_fold_product(plan: Plan) -> None:
    """A stage's fold product, or the beats it must take if those are more."""
    schedules = [stage.timing() for stage in stages(plan)]
    assert interval(plan) == max(max(schedule.cycles, schedule.beats_in) for schedule in schedules)


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(plans())
def test_deeper_fifos_make_nothing_faster(plan: Plan) -> None:
    deeper = replace(plan, folds={name: replace(fold, slots=fold.slots + 50) for name, fold in plan.folds.items()})
    assert interval(deeper) == interval(plan)


def test_a_shallower_fifo_slows_the_network() -> None:
    plan = size_fifos(folding.fold_for_rate(mlp(24, 24, 24, 4), frames_per_second=1e6, clock_hz=24e6))
    deepest = max(plan.folds, key=lambda name: plan.folds[name].slots or 0)
    slots = plan.folds[deepest].slots
    assert slots is not None
    assert slots > 1
    shallow = replace(plan, folds={**plan.folds, deepest: replace(plan.folds[deepest], slots=1)})
    outputs = [predict([stage.timing() for stage in stages(version)], 8).transfers[-1] for version in (plan, shallow)]
    assert np.any(outputs[1] > outputs[0])


def test_depths_that_a_folding_gives_are_kept() -> None:
    network = mlp(8, 4, 2)
    plan = size_fifos(Plan(network, {"dense0": Fold(2, 2, slots=9), "dense1": Fold(1, 1)}))
    assert plan.folds["dense0"].slots == 9
    assert plan.folds["dense1"].slots is not None
    assert size_fifos(plan).folds == plan.folds


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(plans())
def test_every_parallel_window_gets_an_input_fifo(plan: Plan) -> None:
    for fold in size_fifos(opened(plan)).folds.values():
        assert fold.slots is not None
        assert (fold.buffer_beats is not None) == (fold.window is WindowStyle.PARALLEL)
