"""The pipeline of a plan: its layers with the forks and width converters between them.

Streams are numbered as in `hwgen.timing.predict`: 0 enters the first stage, then come the streams that the stages yield, stage by stage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

from hwgen.arrays.beats import Beats, BeatSequence
from hwgen.codes import CodeType
from hwgen.layers.protocol import Layer, MapShape
from hwgen.pipeline.glue import ForkStage, InputRegister, Narrow, Widen, conversion
from hwgen.pipeline.input_stage import InputStage
from hwgen.pipeline.output_stage import OutputStage
from hwgen.pipeline.stages import LayerStage, Stage
from hwgen.plan import Plan
from hwgen.timing.feeds import check_feeds
from hwgen.timing.predict import Prediction, predict
from hwgen.timing.schedule import Schedule

__all__ = ["Pipeline", "draft", "in_time", "lay_out"]


@dataclass(frozen=True, eq=False)
class Pipeline:
    """A plan, laid out: what the hardware, the timing, the report and the estimate are made of.

    Parameters
    ----------
    plan : Plan
    stages : tuple of Stage
        In an order in which every stream is yielded before it is read.
    """

    plan: Plan
    stages: tuple[Stage, ...]

    @cached_property
    def layers(self) -> tuple[LayerStage, ...]:
        """The stages that are layers."""
        return tuple(stage for stage in self.stages if isinstance(stage, LayerStage))

    @cached_property
    def schedules(self) -> tuple[Schedule, ...]:
        """The schedule of each stage."""
        return tuple(stage.timing() for stage in self.stages)

    @cached_property
    def feeds(self) -> tuple[tuple[int, ...], ...]:
        """The streams that each stage reads."""
        return tuple(stage.reads for stage in self.stages)

    @cached_property
    def source(self) -> BeatSequence:
        """How frames come in at the input port."""
        first = self.stages[0]
        lanes = first.lanes if isinstance(first, InputStage) else first.input_lanes
        return _sequence([(port.shape, port.type) for port in self.plan.network.inputs], lanes)

    @cached_property
    def sink(self) -> BeatSequence:
        """How frames leave at the output port."""
        last, network = self.stages[-1], self.plan.network
        lanes = last.input_lanes if isinstance(last, OutputStage) else (last.out_lanes,)
        return _sequence([network.map_of(port.source) for port in network.outputs], lanes)

    def predict(self, frames: int) -> Prediction:
        """Give the cycle of every transfer over so many frames."""
        return predict(self.schedules, frames, self.feeds)

    def check(self) -> None:
        """Raise ValueError with a sentence if the stages are no pipeline: the law that `lay_out` keeps.

        Names differ; every stream has one reader, behind its writer; writer and reader agree on the beats of a frame; the ports carry what the
        first and the last stage take and give.
        """
        names = [stage.name for stage in self.stages]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"Two stages are called '{min(twice)}'")
        check_feeds(self.schedules, self.feeds)
        for beats, sequence, where in (
            (self.schedules[0].intakes[0].beats, self.source, "input"),
            (self.schedules[-1].outlets[-1].beats, self.sink, "output"),
        ):
            if beats != sequence.count:
                raise ValueError(f"The {where} port carries {sequence.count} beats a frame, but its stage {beats}")


def _sequence(maps: Sequence[tuple[MapShape, CodeType]], lanes: Sequence[int]) -> BeatSequence:
    return BeatSequence(tuple(Beats(kind, width, shape) for (shape, kind), width in zip(maps, lanes, strict=True)))


def lay_out(plan: Plan) -> Pipeline:
    """Lay out the pipeline of a plan.

    An input arrives in beats as wide as the widest input beat of a layer that reads it, so a converter stands behind it only where its readers differ; two
    layers whose lanes are no multiples of one another meet at the least common multiple. A map with several readers is forked at the lanes that it comes in.
    Several inputs begin with an `InputStage`, several outputs end in an `OutputStage`; a single one has an `InputRegister`, or needs none. Where maps in turn
    would take more beats than the slowest layer takes cycles, they go in wider beats.
    """
    pipeline = draft(plan)
    pipeline.check()
    return pipeline


def draft(plan: Plan) -> Pipeline:
    """Lay out a pipeline that is priced and given up again, without asking every stage for its schedule as the check does."""
    network = plan.network
    layout = _Layout(plan)
    layout.take_inputs()
    for layer in network.layers:
        fold = plan.folds[layer.name]
        reads = tuple(
            layout.fetch(layer, number, lanes) for number, lanes in enumerate(layer.folding.input_lanes(fold))
        )
        layout.add(LayerStage(layer, fold, reads))
        layout.hand_out(layer.name, layer.out_type.bits, prod(layer.out_shape), layer.folding.out_lanes(fold))
    if len(network.outputs) > 1:
        layout.gather_outputs()
    return Pipeline(plan, tuple(layout.stages))


class _Layout:
    """The stages so far, and the stream that waits for each reader, with its lanes."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.stages: list[Stage] = []
        self._streams = 0
        self._readers = plan.network.readers()
        self._waiting: dict[str, tuple[int, int]] = {}
        self._names = {layer.name for layer in plan.network.layers}

    def name(self, wanted: str) -> str:
        """Give a stage a name that no layer has."""
        while wanted in self._names:
            wanted += "_"
        self._names.add(wanted)
        return wanted

    def add(self, stage: Stage) -> int:
        """Append a stage; give the number of its last stream."""
        self.stages.append(stage)
        self._streams += len(stage.depths) if isinstance(stage, ForkStage | InputStage) else 1
        return self._streams

    def take_inputs(self) -> None:
        """Begin with the stage that takes the maps of all inputs."""
        ports, plan = self.plan.network.inputs, self.plan
        # An input that only leaves again is read by no layer: whole pixels then.
        widest = {port.name: 0 for port in ports}
        for layer in plan.network.layers:
            for entry, width in zip(layer.inputs, layer.folding.input_lanes(plan.folds[layer.name]), strict=True):
                if entry.source in widest:
                    widest[entry.source] = max(widest[entry.source], width)
        lanes = tuple(widest[port.name] or port.shape[2] for port in ports)
        if len(ports) > 1:
            lanes = in_time([prod(port.shape) for port in ports], lanes, plan.cycles)
        beats = tuple(prod(port.shape) // width for port, width in zip(ports, lanes, strict=True))
        bits = tuple(port.type.bits for port in ports)
        if len(ports) == 1:
            self.add(InputRegister(self.name("input_register"), lanes[0], bits[0], beats[0]))
        else:
            depths = tuple(plan.depths.get((port.name, None)) for port in ports)
            self.add(InputStage(self.name("inputs"), tuple(port.name for port in ports), lanes, bits, beats, depths))
        for stream, (port, width) in enumerate(zip(ports, lanes, strict=True), 1):
            self.hand_out(port.name, port.type.bits, prod(port.shape), width, stream)

    def hand_out(self, source: str, bits: int, codes: int, lanes: int, stream: int | None = None) -> None:
        """Reserve a stream, by default the latest, for its reader, or fork it for its readers."""
        stream, readers = self._streams if stream is None else stream, tuple(self._readers[source])
        if len(readers) > 1:
            depths = tuple(self.plan.depths.get((source, reader)) for reader in readers)
            name = self.name(f"{source}_fork")
            last = self.add(ForkStage(name, (stream,), source, readers, bits, lanes, codes // lanes, depths))
            self._waiting |= {
                reader: (last + 1 - back, lanes)
                for back, reader in zip(range(len(readers), 0, -1), readers, strict=True)
            }
        else:
            self._waiting[readers[0]] = (stream, lanes)

    def fetch(self, layer: Layer, number: int, lanes: int) -> int:
        """Give the stream for one of a layer's inputs, converted to its lanes."""
        reader = layer.name if len(layer.inputs) == 1 else f"{layer.name}.{number}"
        entry = layer.inputs[number]
        return self._convert(reader, prod(entry.shape), entry.type.bits, lanes)

    def _convert(self, reader: str, codes: int, bits: int, lanes: int) -> int:
        """Give the stream that waits for a reader, converted to its lanes."""
        stream, before = self._waiting.pop(reader)
        stem, (widened, narrowed) = reader.replace(".", "_"), conversion(before, lanes)
        common = before * widened
        if widened > 1:
            name = self.name(f"{stem}_widen")
            stream = self.add(Widen(name, (stream,), bits, before, widened, codes // before))
        if narrowed > 1:
            name = self.name(f"{stem}_narrow")
            stream = self.add(Narrow(name, (stream,), bits, common, narrowed, codes // common))
        return stream

    def gather_outputs(self) -> None:
        """Append the stage that gives the maps of all outputs, at the lanes that they come in."""
        network = self.plan.network
        readers = [f"output.{port.name}" for port in network.outputs]
        maps = [network.map_of(port.source) for port in network.outputs]
        codes, bits = [prod(shape) for shape, _ in maps], tuple(kind.bits for _, kind in maps)
        lanes = in_time(codes, [self._waiting[reader][1] for reader in readers], self.plan.cycles)
        reads = tuple(self._convert(*wanted) for wanted in zip(readers, codes, bits, lanes, strict=True))
        beats = tuple(count // width for count, width in zip(codes, lanes, strict=True))
        names = tuple(port.name for port in network.outputs)
        self.add(OutputStage(self.name("outputs"), reads, names, lanes, bits, beats))


def in_time(codes: Sequence[int], lanes: Sequence[int], cycles: int) -> tuple[int, ...]:
    """Give the lanes at which maps that pass in turn take no more beats together than there are cycles, or whole maps as beats.

    The map of most beats is widened first, by the least factor.

    Parameters
    ----------
    codes, lanes : sequence of int
        Codes of each map, and of its beats as they come.
    cycles : int
    """
    wide = list(lanes)
    while sum(count // width for count, width in zip(codes, wide, strict=True)) > cycles:
        beats = [count // width for count, width in zip(codes, wide, strict=True)]
        longest = beats.index(max(beats))
        if beats[longest] == 1:
            break
        wide[longest] *= next(factor for factor in range(2, beats[longest] + 1) if beats[longest] % factor == 0)
    return tuple(wide)
