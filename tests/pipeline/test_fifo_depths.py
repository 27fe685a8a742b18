from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from hwgen.codes import BIPOLAR, CodeType
from hwgen.errors import OptionError
from hwgen.fold import Fold, WindowStyle
from hwgen.folding import goals
from hwgen.layers.combine import Combine, Operation
from hwgen.layers.concat import Concat
from hwgen.layers.conv import Conv
from hwgen.layers.window import Window
from hwgen.network import InputPort, Network, OutputPort
from hwgen.pipeline.fifo_depths import size_fifos
from hwgen.pipeline.layout import lay_out
from hwgen.pipeline.queues import Queue
from hwgen.pipeline.stages import Queued
from hwgen.plan import Plan
from hwgen.timing.predict import Deadlock
from tests.random_networks import plans
from tests.small_networks import mlp
from tests.test_network import RESIDUAL


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
    busiest = max(max(one.steps, *(intake.beats for intake in one.intakes)) for one in schedules)
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


def queues(plan: Plan) -> Iterator[tuple[Queue, Callable[[int], Plan]]]:
    """Give every FIFO of a sized plan, and the plan with another depth of it."""
    for stage in lay_out(plan).stages:
        for queue in stage.queues if isinstance(stage, Queued) else ():
            yield queue, partial(with_depth, plan, stage.name, queue)


def with_depth(plan: Plan, layer: str, queue: Queue, depth: int) -> Plan:
    if queue.key is not None:
        return replace(plan, depths={**plan.depths, queue.key: depth})
    field = "buffer_beats" if queue.outlet is None else "slots"
    return replace(plan, folds={**plan.folds, layer: replace(plan.folds[layer], **{field: depth})})


def beside_three_layers() -> Plan:
    """Give a sum of a vector and of what three unfolded layers make of it."""
    trunk = mlp(4, 4, 4, 4)
    factors, kinds = np.ones((2, 4), dtype=np.int64), (trunk.layers[2].out_type, BIPOLAR)
    total = Combine("sum", ("dense2", "x"), (1, 1, 4), kinds, Operation.ADD, factors, CodeType(-5, 5))
    output = replace(trunk.output, source="sum")
    network = replace(trunk, name="beside_three_layers", layers=(*trunk.layers, total), outputs=(output,))
    return Plan(network, {**{layer.name: Fold(pe=4, simd=4) for layer in trunk.layers}, "sum": Fold(pe=4)})


def beside_a_map() -> Plan:
    """Give a sum of what a convolution makes of an image and of the next image, which comes behind it: it waits for a whole map, in block RAM."""
    shape, sums = (6, 6, 6), CodeType(-6, 6)
    ports = tuple(InputPort(name, shape, (0, 1, 2), shape, BIPOLAR) for name in ("x", "w"))
    weights = np.ones((6, 1, 1, 6), dtype=np.int64)
    conv = Conv("conv", "x", shape, BIPOLAR, weights, Window((1, 1)), 0, None, sums)
    factors = np.ones((3, 6), dtype=np.int64)
    total = Combine("sum", ("x", "conv", "w"), shape, (BIPOLAR, sums, BIPOLAR), Operation.ADD, factors, CodeType(-8, 8))
    output = OutputPort("y", "sum", shape, (0, 1, 2), "float32", np.ones(6), np.zeros(6))
    network = Network("beside_a_map", ports, (conv, total), (output,))
    return Plan(network, {"conv": Fold(pe=1, simd=3), "sum": Fold(pe=2)})


def beside_windows() -> Plan:
    """Give two convolutions of an image, one beside itself and the other: what is ready waits for what waits for windows."""
    shape = (3, 6, 2)
    port, window = InputPort("x", shape, (0, 1, 2), shape, BIPOLAR), Window((3, 3), pads=(1, 1, 1, 1))
    wide = Conv("wide", "x", shape, BIPOLAR, np.ones((2, 3, 3, 2), int), window, 1, None, CodeType(-18, 18))
    narrow = Conv("narrow", "x", shape, BIPOLAR, np.ones((2, 1, 1, 2), int), Window((1, 1)), 0, None, CodeType(-2, 2))
    kinds = (narrow.out_type, narrow.out_type, wide.out_type)
    both = Concat("both", ("narrow", "narrow", "wide"), (shape,) * 3, kinds, wide.out_type)
    output = OutputPort("y", "both", (3, 6, 6), (0, 1, 2), "float32", np.ones(6), np.zeros(6))
    network = Network("beside_windows", (port,), (wide, narrow, both), (output,))
    parallel = Fold(pe=2, simd=18, window=WindowStyle.PARALLEL)
    return Plan(network, {"wide": parallel, "narrow": Fold(pe=1, simd=1), "both": Fold(pe=2)})


def under_itself() -> Plan:
    """Give a map under itself, behind a constant row: the second reader takes nothing before the first one's last beat."""
    shape, token = (3, 2, 4), np.ones((1, 2, 4), dtype=np.int64)
    port = InputPort("x", shape, (0, 1, 2), shape, BIPOLAR)
    stack = Concat("stack", ("x", "x"), (shape,) * 2, (BIPOLAR,) * 2, BIPOLAR, 0, (token,), (0,))
    output = OutputPort("y", "stack", (7, 2, 4), (0, 1, 2), "float32", np.ones(4), np.zeros(4))
    return Plan(Network("under_itself", (port,), (stack,), (output,)), {"stack": Fold(pe=2)})


@pytest.mark.parametrize("make_plan", [residual, beside_three_layers, beside_a_map, beside_windows])
def test_one_beat_less_in_any_fifo_is_late_and_one_more_is_no_gain(make_plan: Callable[[], Plan]) -> None:
    plan = size_fifos(make_plan())
    sized = leaving(plan, 16)
    for queue, with_beats in queues(plan):
        if queue.depth > queue.least:
            assert np.any(leaving(with_beats(queue.depth - 1), 16) > sized), queue
        assert np.array_equal(leaving(with_beats(queue.depth + 1), 16), sized), queue


@pytest.mark.parametrize(("frames", "depth", "cycles"), [((4,), 4, 49), ((4, 16), 11, 28)])
def test_a_branch_that_many_frames_wait_in_is_sought_over_more_than_four(
    frames: tuple[int, ...], depth: int, cycles: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All at once a vector may pass every cycle, and more than four are on their way beside the branch; too few pass in bursts."""
    monkeypatch.setattr("hwgen.pipeline.fifo_depths.FRAMES", frames)
    plan = size_fifos(beside_three_layers())
    assert plan.depths["x", "sum.1"] == depth
    assert leaving(plan, 16)[-1] == cycles


def test_a_map_that_waits_for_another_does_so_in_block_ram() -> None:
    """Its FIFO takes a cycle more than shallow ones: what leaves is due a cycle later, and no FIFO is deeper than that needs."""
    plan = size_fifos(beside_a_map())
    assert {queue.where: queue.depth for queue, _ in queues(plan)} == {
        "input 'x'": 66,
        "input 'w'": 18,
        "the branch from 'x' to 'conv'": 2,
        "the branch from 'x' to 'sum.0'": 9,
        "layer 'conv'": 31,
        "layer 'sum'": 4,
    }


def test_a_map_that_stands_under_another_waits_for_all_of_it() -> None:
    """All but the last of its 12 beats, or nothing moves any more; and what leaves does so at full rate."""
    plan = size_fifos(under_itself())
    waits, cycles = ("x", "stack.1"), leaving(plan, 16)
    enough = plan.depths[waits]
    assert 11 <= enough <= 24
    assert np.array_equal(np.diff(cycles[-28:]), np.ones(27))
    for depth in range(1, 11):
        with pytest.raises(
            OptionError, match=r"deadlocks, as the FIFO of the branch from 'x' to 'stack\.1' holds only"
        ):
            size_fifos(replace(plan, depths={**plan.depths, waits: depth}))


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


def in_order_of_making() -> Plan:
    """Give a vector, twice it and thrice it, one behind the other: the sum comes last and has two readers of one value before it."""
    shape, ones = (1, 1, 8), np.ones((2, 8), dtype=np.int64)
    two, three = CodeType(-2, 2), CodeType(-3, 3)
    layers = (
        Combine("twice", ("x", "x"), shape, (BIPOLAR, BIPOLAR), Operation.ADD, ones, two),
        Combine("sum", ("twice", "x"), shape, (two, BIPOLAR), Operation.ADD, ones, three),
        Concat("all", ("x", "twice", "sum"), (shape,) * 3, (BIPOLAR, two, three), three),
    )
    output = OutputPort("y", "all", (1, 1, 24), (0, 1, 2), "float32", np.ones(24), np.zeros(24))
    network = Network("in_order", (InputPort("x", shape, (0, 1, 2), shape, BIPOLAR),), layers, (output,))
    return Plan(network, {layer.name: Fold(pe=1) for layer in layers})


@pytest.mark.parametrize(
    ("slots", "sums", "shortcut", "beside", "culprit"),
    [
        # What waits for the concatenation is the sum: its own FIFO, or one in front of it, has to hold it.
        (2, 1, 3, 8, "as the FIFO of layer 'sum' holds only 2 beats; give it 7, or leave its depth open"),
        (1, 3, 4, 8, "as the FIFO of layer 'sum' holds only 1 beats; give it 5, or leave its depth open"),
        (1, 2, 5, 8, "as the FIFO of the branch from 'twice' to 'sum.0' holds only 2 beats; give it 5"),
        (
            1,
            1,
            3,
            2,
            "as several FIFOs are too shallow; leave the depths of its inputs, branches and output FIFOs open",
        ),
    ],
)
def test_the_fifo_that_would_do_alone_is_named(slots: int, sums: int, shortcut: int, beside: int, culprit: str) -> None:
    plan = in_order_of_making()
    branches = {("x", "twice.0"): 3, ("x", "twice.1"): 3, ("x", "all.0"): beside, ("twice", "all.1"): beside}
    fatal = replace(
        plan,
        folds={**plan.folds, "sum": Fold(pe=1, slots=slots)},
        depths={**branches, ("twice", "sum.0"): sums, ("x", "sum.1"): shortcut},
    )
    with pytest.raises(OptionError, match=re.escape(f"The network deadlocks, {culprit}")):
        size_fifos(fatal)
    if found := re.search(r"layer 'sum' .* give it (\d)", culprit):
        enough = int(found[1])
        leaving(size_fifos(replace(fatal, folds={**fatal.folds, "sum": Fold(pe=1, slots=enough)})))
        with pytest.raises(OptionError, match="The network deadlocks"):
            size_fifos(replace(fatal, folds={**fatal.folds, "sum": Fold(pe=1, slots=enough - 1)}))


def test_branches_that_do_not_exist_are_refused() -> None:
    with pytest.raises(
        OptionError, match=r"a branch from 'x' to 'fc', but the network has 'x' to 'dense', 'x' to 'sum\.1'"
    ):
        replace(residual(), depths={("x", "fc"): 3})
    with pytest.raises(OptionError, match="The branch from 'x' to 'dense' needs a FIFO of at least 1 beat, not 0"):
        replace(residual(), depths={("x", "dense"): 0})
