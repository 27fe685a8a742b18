from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hwgen.errors import OptionError
from hwgen.fold import Fold, WindowStyle
from hwgen.folding import goals
from hwgen.pipeline.fifo_depths import size_fifos
from hwgen.pipeline.layout import lay_out
from hwgen.plan import Plan
from hwgen.timing.earliest import System
from hwgen.timing.latest import Latest
from hwgen.timing.predict import Deadlock
from hwgen.timing.schedule import Junction
from tests.random_networks import plans
from tests.small_networks import mlp
from tests.test_network import RESIDUAL
from tests.timing.test_predict import graph


def interval(plan: Plan, frames: int = 24) -> int:
    return lay_out(plan).predict(frames).ii


def opened(plan: Plan) -> Plan:
    folds = {name: replace(fold, slots=None, buffer_beats=None) for name, fold in plan.folds.items()}
    return replace(plan, folds=folds, depths={})


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(plans())
def test_the_interval_is_the_largest_fold_product(plan: Plan) -> None:
    """A stage's fold product, or the beats it must take if those are more."""
    schedules = [stage.timing() for stage in lay_out(plan).stages]
    busiest = max(max(one.cycles, *(intake.beats for intake in one.intakes)) for one in schedules)
    assert interval(plan) == busiest


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(plans())
def test_deeper_fifos_make_nothing_faster(plan: Plan) -> None:
    deeper = replace(plan, folds={name: replace(fold, slots=fold.slots + 50) for name, fold in plan.folds.items()})
    assert interval(deeper) == interval(plan)


def test_a_shallower_fifo_slows_the_network() -> None:
    plan = size_fifos(goals.fold_for_rate(mlp(24, 24, 24, 4), 1e6, goals.Setting(clock_hz=24e6)))
    deepest = max(plan.folds, key=lambda name: plan.folds[name].slots or 0)
    slots = plan.folds[deepest].slots
    assert slots is not None
    assert slots > 1
    shallow = replace(plan, folds={**plan.folds, deepest: replace(plan.folds[deepest], slots=1)})
    outputs = [lay_out(version).predict(8).transfers[-1] for version in (plan, shallow)]
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


def leaving(plan: Plan, frames: int = 4) -> np.ndarray:
    return lay_out(plan).predict(frames).transfers[-1]


def residual() -> Plan:
    """Give a residual block: two layers that each need a whole vector beside a shortcut."""
    return Plan(RESIDUAL, {"dense": Fold(pe=2, simd=1), "sum": Fold(pe=2), "all": Fold(pe=1)})


def test_every_branch_gets_a_fifo() -> None:
    plan = size_fifos(residual())
    assert set(plan.depths) == {(s, reader) for s, readers in RESIDUAL.forks().items() for reader in readers}
    assert size_fifos(plan).depths == plan.depths


def test_one_beat_less_in_any_branch_is_late() -> None:
    plan = size_fifos(residual())
    for branch, depth in plan.depths.items():
        if depth > 1:
            shallow = replace(plan, depths={**plan.depths, branch: depth - 1})
            assert np.any(leaving(shallow) > leaving(plan)), branch
        deeper = replace(plan, depths={**plan.depths, branch: depth + 1})
        assert np.array_equal(leaving(deeper), leaving(plan)), branch


def test_a_depth_that_deadlocks_is_refused_by_name() -> None:
    """The shortcut must hold a whole vector before the dense layer yields its first row."""
    plan = size_fifos(residual())
    branch = ("x", "sum.1")
    fatal = replace(plan, depths={**plan.depths, branch: 1})
    with pytest.raises(Deadlock):
        leaving(fatal)
    enough = plan.depths[branch]
    message = f"deadlocks, as the FIFO of the branch from 'x' to 'sum.1' holds only 1 beats; give it {enough}"
    with pytest.raises(OptionError, match=re.escape(message)):
        size_fifos(fatal)
    leaving(size_fifos(replace(fatal, depths={**plan.depths, branch: enough})))


def test_branches_that_do_not_exist_are_refused() -> None:
    with pytest.raises(
        OptionError, match=r"a branch from 'x' to 'fc', but the network has 'x' to 'dense', 'x' to 'sum\.1'"
    ):
        replace(residual(), depths={("x", "fc"): 3})
    with pytest.raises(OptionError, match="The branch from 'x' to 'dense' needs a FIFO of at least 1 beat, not 0"):
        replace(residual(), depths={("x", "dense"): 0})


@settings(max_examples=40, deadline=None, derandomize=True)
@given(graph(), st.integers(2, 4))
def test_no_later_time_is_allowed_than_the_latest(pipeline, frames: int) -> None:
    """Whatever leaves in time was issued no later than the bound."""
    schedules, feeds = pipeline
    unbounded = [
        Junction(one.cycles, one.step, one.intakes, tuple(replace(outlet, slots=999) for outlet in one.outlets))
        for one in schedules
    ]
    system = System(unbounded, feeds, frames)
    for frame in range(frames):
        system.settle_frame(frame)
    latest = Latest(system, system.transfers[-1])
    for early, late in zip(system.events, latest.events, strict=True):
        assert np.all(early <= late)
