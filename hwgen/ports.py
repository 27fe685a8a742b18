"""How a plan's accelerator carries frames at both of its ports."""

from __future__ import annotations

from hwgen.beats import Beats, BeatSequence
from hwgen.output_stage import OutputStage
from hwgen.plan import Plan
from hwgen.stages import stages

__all__ = ["ports"]


def ports(plan: Plan) -> tuple[Beats, BeatSequence]:
    """Give the beats of the input and of the output stream."""
    network, chain = plan.network, stages(plan)
    last = chain[-1]
    lanes = last.input_lanes if isinstance(last, OutputStage) else (last.out_lanes,)
    maps = [network.map_of(port.source) for port in network.outputs]
    return (
        Beats(network.input.type, chain[0].input_lanes[0], network.input.shape),
        BeatSequence(tuple(Beats(kind, width, shape) for (shape, kind), width in zip(maps, lanes, strict=True))),
    )
