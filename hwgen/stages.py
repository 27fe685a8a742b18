"""The pipeline of a plan, stage by stage, with the forks and width converters between layers.

Streams are numbered as in `hwgen.timing`: 0 enters the first stage, then come the streams that the stages yield, stage by stage.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lcm, prod
from typing import Protocol

import numpy as np
from amaranth.lib import wiring

from hwgen.fold import Fold
from hwgen.layers.costs import Resources
from hwgen.layers.parts import Bill, narrowing, widening
from hwgen.layers.protocol import Layer, input_lanes, inputs
from hwgen.output_stage import OutputStage
from hwgen.plan import Plan
from hwgen.rtl_templates.fifo import Fifo
from hwgen.rtl_templates.fork import Fork
from hwgen.rtl_templates.width_converter import DownConverter, UpConverter
from hwgen.schedule import Intake, Junction, Outlet, Schedule

__all__ = ["ForkStage", "InputRegister", "LayerStage", "Narrow", "Stage", "Widen", "stages"]

INPUT_SLOTS = 2
"""Depth of the register stage behind the input port: the least that takes a beat in every cycle."""

BRANCH_BEATS = 2
"""Depth of a branch that nobody sized: the least that takes a beat in every cycle."""


class Stage(Protocol):
    """One stage of the pipeline; it reads streams of beats of ``input_lanes`` codes and yields beats of ``out_lanes`` codes.

    Its component has the ports ``i`` and ``o``, or ``i_0``, ``i_1``, ... and ``o_0``, ``o_1``, ... where there are several.
    """

    @property
    def name(self) -> str: ...
    @property
    def reads(self) -> tuple[int, ...]: ...
    @property
    def input_lanes(self) -> tuple[int, ...]: ...
    @property
    def out_lanes(self) -> int: ...
    def timing(self) -> Schedule | Junction: ...
    def component(self) -> wiring.Component: ...
    def resources(self) -> Resources: ...


@dataclass(frozen=True)
class InputRegister:
    """Takes beats from the input port, so that the port's handshake ends in registers."""

    name: str
    lanes: int
    bits: int
    beats: int
    reads: tuple[int, ...] = (0,)

    @property
    def input_lanes(self) -> tuple[int, ...]:
        return (self.lanes,)

    @property
    def out_lanes(self) -> int:
        return self.lanes

    def timing(self) -> Schedule:
        every = np.arange(self.beats)
        latency = Fifo.latency(INPUT_SLOTS, self.lanes * self.bits)
        return Schedule(self.beats, step=every, emit=every, accept=every, latency=latency, slots=INPUT_SLOTS)

    def component(self) -> wiring.Component:
        return Fifo(self.lanes * self.bits, INPUT_SLOTS)

    def resources(self) -> Resources:
        bill = Bill()
        bill.fifo(self.name, self.lanes * self.bits, INPUT_SLOTS)
        return bill.resources()


@dataclass(frozen=True)
class Widen:
    """Gathers ``ratio`` beats into one."""

    name: str
    reads: tuple[int, ...]
    bits: int
    in_lanes: int
    ratio: int
    beats: int

    @property
    def input_lanes(self) -> tuple[int, ...]:
        return (self.in_lanes,)

    @property
    def out_lanes(self) -> int:
        return self.in_lanes * self.ratio

    def timing(self) -> Schedule:
        every = np.arange(self.beats)
        last = np.arange(self.ratio - 1, self.beats, self.ratio)
        return Schedule(self.beats, step=every, accept=every, emit=last, latency=1, slots=1, slot_return=0)

    def component(self) -> wiring.Component:
        return UpConverter(self.in_lanes * self.bits, self.ratio)

    def resources(self) -> Resources:
        return widening(self.in_lanes * self.bits, self.ratio)


@dataclass(frozen=True)
class Narrow:
    """Hands a beat on in ``ratio`` parts, lowest lanes first."""

    name: str
    reads: tuple[int, ...]
    bits: int
    in_lanes: int
    ratio: int
    beats: int

    @property
    def input_lanes(self) -> tuple[int, ...]:
        return (self.in_lanes,)

    @property
    def out_lanes(self) -> int:
        return self.in_lanes // self.ratio

    def timing(self) -> Schedule:
        every = np.arange(self.beats * self.ratio)
        return Schedule(
            len(every), step=every, accept=every[:: self.ratio], emit=every, latency=1, slots=1, slot_return=0
        )

    def component(self) -> wiring.Component:
        return DownConverter(self.out_lanes * self.bits, self.ratio)

    def resources(self) -> Resources:
        return narrowing(self.out_lanes * self.bits, self.ratio)


@dataclass(frozen=True)
class ForkStage:
    """Gives a map to all its readers, each behind a FIFO; a depth of None is not sized yet."""

    name: str
    reads: tuple[int, ...]
    source: str
    readers: tuple[str, ...]
    bits: int
    lanes: int
    beats: int
    depths: tuple[int | None, ...]

    @property
    def input_lanes(self) -> tuple[int, ...]:
        return (self.lanes,)

    @property
    def out_lanes(self) -> int:
        return self.lanes

    @property
    def width(self) -> int:
        """Bits of a beat."""
        return self.lanes * self.bits

    def timing(self) -> Junction:
        every = np.arange(self.beats)
        depths = [depth or BRANCH_BEATS for depth in self.depths]
        outlets = tuple(Outlet(every, Fifo.latency(depth, self.width), depth) for depth in depths)
        return Junction(self.beats, every, (Intake(accept=every),), outlets)

    def component(self) -> wiring.Component:
        return Fork(self.width, [depth or BRANCH_BEATS for depth in self.depths])

    def resources(self) -> Resources:
        bill = Bill()
        for number, depth in enumerate(self.depths):
            bill.fifo(f"{self.name}.branch_{number}", self.width, depth or BRANCH_BEATS)
        return bill.resources()


@dataclass(frozen=True, eq=False)
class LayerStage:
    """A layer with its folding."""

    layer: Layer
    fold: Fold
    reads: tuple[int, ...]

    @property
    def name(self) -> str:
        return self.layer.name

    @property
    def input_lanes(self) -> tuple[int, ...]:
        return input_lanes(self.layer, self.fold)

    @property
    def out_lanes(self) -> int:
        return self.layer.out_lanes(self.fold)

    def timing(self) -> Schedule | Junction:
        return self.layer.timing(self.fold)

    def component(self) -> wiring.Component:
        return self.layer.component(self.fold)

    def resources(self) -> Resources:
        return self.layer.resources(self.fold)


def stages(plan: Plan) -> tuple[Stage, ...]:
    """Lay out the pipeline in an order in which every stream is yielded before it is read.

    The input port is as wide as the widest input beat of a layer that reads it, so a converter stands behind it only where its readers differ; two layers
    whose lanes are no multiples of one another meet at the least common multiple. A map with several readers is forked at the lanes that it comes in.
    Several outputs end in an `OutputStage`; a single one needs none.
    """
    network = plan.network
    layout = _Layout(plan)
    port = network.input
    lanes = max(
        width
        for layer in network.layers
        for entry, width in zip(inputs(layer), input_lanes(layer, plan.folds[layer.name]), strict=True)
        if entry.source == port.name
    )
    layout.add(InputRegister(layout.name("input_register"), lanes, port.type.bits, prod(port.shape) // lanes))
    layout.hand_out(port.name, port.type.bits, prod(port.shape), lanes)
    for layer in network.layers:
        fold = plan.folds[layer.name]
        reads = tuple(layout.fetch(layer, number, lanes) for number, lanes in enumerate(input_lanes(layer, fold)))
        layout.add(LayerStage(layer, fold, reads))
        layout.hand_out(layer.name, layer.out_type.bits, prod(layer.out_shape), layer.out_lanes(fold))
    if len(network.outputs) > 1:
        layout.gather_outputs()
    return tuple(layout.stages)


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
        self._streams += len(stage.depths) if isinstance(stage, ForkStage) else 1
        return self._streams

    def hand_out(self, source: str, bits: int, codes: int, lanes: int) -> None:
        """Reserve the latest stream for its reader, or fork it for its readers."""
        stream, readers = self._streams, tuple(self._readers[source])
        if len(readers) > 1:
            depths = tuple(self.plan.branches.get((source, reader)) for reader in readers)
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
        reader = layer.name if len(layer.sources) == 1 else f"{layer.name}.{number}"
        entry = inputs(layer)[number]
        (stream, before), codes, bits = self._waiting.pop(reader), prod(entry.shape), entry.type.bits
        stem, common = reader.replace(".", "_"), lcm(before, lanes)
        if common != before:
            name = self.name(f"{stem}_widen")
            stream = self.add(Widen(name, (stream,), bits, before, common // before, codes // before))
        if common != lanes:
            name = self.name(f"{stem}_narrow")
            stream = self.add(Narrow(name, (stream,), bits, common, common // lanes, codes // common))
        return stream

    def gather_outputs(self) -> None:
        """Append the stage that gives the maps of all outputs, at the lanes that they come in."""
        network = self.plan.network
        found = [self._waiting.pop(f"output.{port.name}") for port in network.outputs]
        maps = [network.map_of(port.source) for port in network.outputs]
        self.add(
            OutputStage(
                self.name("outputs"),
                reads=tuple(stream for stream, _ in found),
                outputs=tuple(port.name for port in network.outputs),
                lanes=tuple(lanes for _, lanes in found),
                bits=tuple(kind.bits for _, kind in maps),
                beats=tuple(prod(shape) // lanes for (shape, _), (_, lanes) in zip(maps, found, strict=True)),
            )
        )
