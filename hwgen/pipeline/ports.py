"""How a plan's accelerator carries frames at both of its ports."""

from __future__ import annotations

from collections.abc import Sequence

from hwgen.arrays.beats import Beats, BeatSequence
from hwgen.codes import CodeType
from hwgen.layers.protocol import MapShape
from hwgen.pipeline.input_stage import InputStage
from hwgen.pipeline.output_stage import OutputStage
from hwgen.pipeline.stages import stages
from hwgen.plan import Plan

__all__ = ["ports"]


def ports(plan: Plan) -> tuple[BeatSequence, BeatSequence]:
    """Give the beats of the input and of the output stream."""
    network, chain = plan.network, stages(plan)
    first, last = chain[0], chain[-1]
    given = first.lanes if isinstance(first, InputStage) else first.input_lanes
    taken = last.input_lanes if isinstance(last, OutputStage) else (last.out_lanes,)
    sources = [(port.shape, port.type) for port in network.inputs]
    return _sequence(sources, given), _sequence([network.map_of(port.source) for port in network.outputs], taken)


def _sequence(maps: Sequence[tuple[MapShape, CodeType]], lanes: Sequence[int]) -> BeatSequence:
    return BeatSequence(tuple(Beats(kind, width, shape) for (shape, kind), width in zip(maps, lanes, strict=True)))
