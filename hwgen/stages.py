"""The pipeline of a plan, stage by stage, with the width converters between layers."""

from __future__ import annotations

from dataclasses import dataclass
from math import lcm
from typing import Protocol

import numpy as np
from amaranth.lib import wiring

from hwgen.fold import Fold
from hwgen.layers.costs import Resources
from hwgen.layers.parts import Bill, narrowing, widening
from hwgen.layers.protocol import Layer, inputs
from hwgen.plan import Plan
from hwgen.rtl_templates.fifo import Fifo
from hwgen.rtl_templates.width_converter import DownConverter, UpConverter
from hwgen.schedule import Schedule

__all__ = ["InputRegister", "LayerStage", "Narrow", "Stage", "Widen", "stages"]

INPUT_SLOTS = 2
"""Depth of the register stage behind the input port: the least that takes a beat in every cycle."""


class Stage(Protocol):
    """One link of the pipeline; ``in_bits`` is the width of one code, beats hold ``in_lanes`` codes."""

    @property
    def name(self) -> str: ...
    @property
    def in_lanes(self) -> int: ...
    @property
    def out_lanes(self) -> int: ...
    def timing(self) -> Schedule: ...
    def component(self) -> wiring.Component: ...
    def resources(self) -> Resources: ...


@dataclass(frozen=True)
class InputRegister:
    """Takes beats from the input port, so that the port's handshake ends in registers."""

    name: str
    lanes: int
    bits: int
    beats: int

    @property
    def in_lanes(self) -> int:
        return self.lanes

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
    bits: int
    in_lanes: int
    ratio: int
    beats: int

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
    bits: int
    in_lanes: int
    ratio: int
    beats: int

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


@dataclass(frozen=True, eq=False)
class LayerStage:
    """A layer with its folding."""

    layer: Layer
    fold: Fold

    @property
    def name(self) -> str:
        return self.layer.name

    @property
    def in_lanes(self) -> int:
        return self.layer.in_lanes(self.fold)

    @property
    def out_lanes(self) -> int:
        return self.layer.out_lanes(self.fold)

    def timing(self) -> Schedule:
        return self.layer.timing(self.fold)

    def component(self) -> wiring.Component:
        return self.layer.component(self.fold)

    def resources(self) -> Resources:
        return self.layer.resources(self.fold)


def stages(plan: Plan) -> tuple[Stage, ...]:
    """Lay out the pipeline in the order in which data pass it.

    The input port is as wide as the first layer's input beat, so converters stand only between layers; two layers whose lanes
    are no multiples of one another meet at the least common multiple.
    """
    port = plan.network.input
    height, width, channels = port.shape
    codes = height * width * channels
    first = LayerStage(plan.network.layers[0], plan.folds[plan.network.layers[0].name])
    chain: list[Stage] = [InputRegister("input_register", first.in_lanes, port.type.bits, codes // first.in_lanes)]
    for layer in plan.network.layers:
        stage = LayerStage(layer, plan.folds[layer.name])
        (entry,) = inputs(layer)
        height, width, channels = entry.shape
        codes, bits = height * width * channels, entry.type.bits
        lanes = chain[-1].out_lanes
        common = lcm(lanes, stage.in_lanes)
        if common != lanes:
            chain.append(Widen(f"{layer.name}_widen", bits, lanes, common // lanes, codes // lanes))
        if common != stage.in_lanes:
            chain.append(Narrow(f"{layer.name}_narrow", bits, common, common // stage.in_lanes, codes // common))
        chain.append(stage)
    return tuple(chain)
