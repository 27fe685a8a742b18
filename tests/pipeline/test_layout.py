"""The pipeline's layout: how wide maps are that pass a port in turn, and what stands at its ends."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.fold import Fold
from hwgen.pipeline.fifo_depths import size_fifos
from hwgen.pipeline.glue import ForkStage, InputRegister
from hwgen.pipeline.input_stage import InputStage
from hwgen.pipeline.layout import Pipeline, in_time, lay_out
from hwgen.pipeline.output_stage import OutputStage
from hwgen.plan import Plan
from hwgen.timing.feeds import yielded
from tests.test_network import RESIDUAL, TWO_INPUTS, output

FOLDS = {"dense": Fold(pe=1, simd=4), "sum": Fold(pe=1), "all": Fold(pe=1)}


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(1, 12), st.integers(1, 40)), min_size=2, max_size=4), st.integers(1, 90))
def test_maps_in_turn_are_as_wide_as_their_time_demands(maps: list[tuple[int, int]], cycles: int) -> None:
    lanes, codes = [width for width, _ in maps], [width * beats for width, beats in maps]
    wide = in_time(codes, lanes, cycles)
    beats = [count // width for count, width in zip(codes, wide, strict=True)]
    assert all(after % before == count % after == 0 for before, after, count in zip(lanes, wide, codes, strict=True))
    assert sum(beats) <= cycles or set(beats) == {1}
    if sum(count for _, count in maps) <= cycles:
        assert wide == tuple(lanes)


@pytest.mark.parametrize(("network", "first"), [(RESIDUAL, InputRegister), (TWO_INPUTS, InputStage)])
def test_one_input_has_a_register_and_several_have_a_stage(network: object, first: type) -> None:
    chain = lay_out(Plan(network, FOLDS)).stages
    assert isinstance(chain[0], first)
    assert (chain[0].name, chain[0].reads) == ("inputs" if first is InputStage else "input_register", (0,))


def test_inputs_and_outputs_in_turn_keep_pace_with_the_slowest_layer() -> None:
    """A dense layer of 4 cycles, and ports on which two maps of 4 codes, or of 4 and 12, pass in that time."""
    outputs = (output("all", 12), replace(output("sum"), name="z"))
    plan = Plan(replace(TWO_INPUTS, outputs=outputs), {**FOLDS, "all": Fold(pe=12), "sum": Fold(pe=4)})
    assert plan.cycles == 4
    source, sink = lay_out(plan).source, lay_out(plan).sink
    assert [part.lanes for part in source.parts] == [4, 4]
    assert (source.count, sink.count) == (2, 2)
    slow = Plan(replace(TWO_INPUTS, outputs=outputs), FOLDS)
    assert slow.cycles == 12
    source, sink = lay_out(slow).source, lay_out(slow).sink
    assert source.count <= 12
    assert [part.count for part in sink.parts] == [6, 4]
    assert isinstance(lay_out(slow).stages[-1], OutputStage)


def broken(number: int, **change: object) -> Pipeline:
    """Give the residual network's pipeline with a change of one stage."""
    pipeline = lay_out(Plan(RESIDUAL, FOLDS))
    stages = list(pipeline.stages)
    stages[number] = replace(stages[number], **change)
    return replace(pipeline, stages=tuple(stages))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "dense"}, "Two stages are called 'dense'"),
        ({"beats": 3}, "yields 3 beats a frame"),
        ({"reads": (1,)}, "reads stream 1, which comes later or has another reader"),
        ({"lanes": 2}, "The input port carries 2 beats a frame, but its stage 1"),
    ],
)
def test_the_law_of_a_pipeline_names_what_breaks_it(change: dict, message: str) -> None:
    lay_out(Plan(RESIDUAL, FOLDS)).check()
    with pytest.raises(ValueError, match=message):
        broken(0, **change).check()


def test_the_output_port_carries_what_the_last_stage_gives() -> None:
    pipeline = lay_out(Plan(RESIDUAL, FOLDS))
    (last,) = yielded(pipeline.schedules)[-1]
    tail = InputRegister("tail", lanes=2, bits=8, beats=12, reads=(last,))
    with pytest.raises(ValueError, match="The output port carries 6 beats a frame, but its stage 12"):
        replace(pipeline, stages=(*pipeline.stages, tail)).check()


def test_sized_depths_are_those_that_the_plan_gave_or_left_open() -> None:
    """A given depth stays, and every open one is found; the layers' own are in their foldings."""
    given_depth = {("x", "dense"): 9}
    plan = size_fifos(Plan(RESIDUAL, FOLDS, depths=given_depth))
    assert plan.depths["x", "dense"] == 9
    assert set(plan.depths) == {(source, reader) for source, readers in RESIDUAL.forks().items() for reader in readers}
    assert all(fold.slots for fold in plan.folds.values())


@pytest.mark.parametrize("bits", [1, 64, 65, 2000])
def test_outputs_in_turn_leave_in_the_cycle_after_they_come_however_wide(bits: int) -> None:
    stage = OutputStage("turns", (1, 2), ("a", "b"), lanes=(1, 2), bits=(1, bits), beats=(3, 1))
    (outlet,) = stage.timing().outlets
    assert outlet.latency == 1  # a FIFO of two slots never lies in block RAM


def test_a_fifo_takes_a_cycle_more_where_it_is_deep_and_wide_enough_for_block_ram() -> None:
    """More than 64 beats, or 16 of at least 1024 bits in all."""
    depths = (2, 15, 16, 65, None)
    fork = ForkStage("fork", (1,), "x", tuple("abcde"), bits=4, lanes=16, beats=3, depths=depths)
    assert [outlet.latency for outlet in fork.timing().outlets] == [1, 1, 2, 2, 1]
    narrow = replace(fork, lanes=15)
    assert [outlet.latency for outlet in narrow.timing().outlets] == [1, 1, 1, 2, 1]
    wide = replace(fork, lanes=32)
    assert [outlet.latency for outlet in wide.timing().outlets] == [1, 1, 2, 2, 1]
    inputs = InputStage(
        "inputs", ("x", "y", "z"), lanes=(16, 15, 32), bits=(4,) * 3, beats=(3, 4, 5), depths=(16, 16, 8)
    )
    assert [outlet.latency for outlet in inputs.timing().outlets] == [2, 1, 1]
    (outlet,) = InputRegister("register", lanes=500, bits=4, beats=3).timing().outlets
    assert outlet.latency == 1
