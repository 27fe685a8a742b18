"""The pipeline's layout: how wide maps are that pass a port in turn, and what stands at its ends."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.fold import Fold
from hwgen.pipeline.glue import InputRegister
from hwgen.pipeline.input_stage import InputStage
from hwgen.pipeline.output_stage import OutputStage
from hwgen.pipeline.ports import ports
from hwgen.pipeline.stages import in_time, stages
from hwgen.plan import Plan
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
    chain = stages(Plan(network, FOLDS))
    assert isinstance(chain[0], first)
    assert (chain[0].name, chain[0].reads) == ("inputs" if first is InputStage else "input_register", (0,))


def test_inputs_and_outputs_in_turn_keep_pace_with_the_slowest_layer() -> None:
    """A dense layer of 4 cycles, and ports on which two maps of 4 codes, or of 4 and 12, pass in that time."""
    outputs = (output("all", 12), replace(output("sum"), name="z"))
    plan = Plan(replace(TWO_INPUTS, outputs=outputs), {**FOLDS, "all": Fold(pe=12), "sum": Fold(pe=4)})
    assert plan.cycles == 4
    source, sink = ports(plan)
    assert [part.lanes for part in source.parts] == [4, 4]
    assert (source.count, sink.count) == (2, 2)
    slow = Plan(replace(TWO_INPUTS, outputs=outputs), FOLDS)
    assert slow.cycles == 12
    source, sink = ports(slow)
    assert source.count <= 12
    assert [part.count for part in sink.parts] == [6, 4]
    assert isinstance(stages(slow)[-1], OutputStage)
