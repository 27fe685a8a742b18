"""The stages between layers: the input register, width converters, and forks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import lcm

import numpy as np
from amaranth.lib import wiring

from hwgen.pipeline.queues import Queue, deepened
from hwgen.rtl_templates.cost import Resources
from hwgen.rtl_templates.streams.fifo import FULL_RATE_DEPTH, Fifo
from hwgen.rtl_templates.streams.fork import Fork
from hwgen.rtl_templates.streams.width_converter import DownConverter, UpConverter
from hwgen.timing.schedule import Intake, Outlet, Schedule

__all__ = [
    "ForkStage",
    "InputRegister",
    "Narrow",
    "Widen",
    "conversion",
    "conversion_resources",
    "fork_resources",
    "input_resources",
]


def conversion(before: int, after: int) -> tuple[int, int]:
    """Give by which ratio a stream is widened, and by which it is then narrowed, from one number of lanes to another: they meet at the least common multiple."""
    common = lcm(before, after)
    return common // before, common // after


def conversion_resources(before: int, after: int, bits: int) -> Iterator[Resources]:
    """Give the cost of each width converter from one number of lanes to another."""
    widened, narrowed = conversion(before, after)
    if widened > 1:
        yield UpConverter.bill(before * bits, widened).resources()
    if narrowed > 1:
        yield DownConverter.bill(after * bits, narrowed).resources()


def input_resources(width: int) -> Resources:
    """Give the cost of the register behind an input port."""
    return Fifo.bill("input_register", width, FULL_RATE_DEPTH).resources()


def fork_resources(width: int, depths: Sequence[int | None]) -> Resources:
    """Give the cost of a fork with a FIFO of each of these depths; None: the least."""
    return Fork.bill("fork", width, [depth or FULL_RATE_DEPTH for depth in depths]).resources()


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
        latency = Fifo.latency(FULL_RATE_DEPTH, self.lanes * self.bits)
        return Schedule.through(
            self.beats, events=every, emit=every, accept=every, latency=latency, slots=FULL_RATE_DEPTH
        )

    def component(self) -> wiring.Component:
        return Fifo(self.lanes * self.bits, FULL_RATE_DEPTH)

    def resources(self) -> Resources:
        return input_resources(self.lanes * self.bits)


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
        return Schedule.through(self.beats, events=every, accept=every, emit=last, latency=1, slots=1, slot_return=0)

    def component(self) -> wiring.Component:
        return UpConverter(self.in_lanes * self.bits, self.ratio)

    def resources(self) -> Resources:
        return UpConverter.bill(self.in_lanes * self.bits, self.ratio).resources()


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
        return Schedule.through(
            len(every), events=every, accept=every[:: self.ratio], emit=every, latency=1, slots=1, slot_return=0
        )

    def component(self) -> wiring.Component:
        return DownConverter(self.out_lanes * self.bits, self.ratio)

    def resources(self) -> Resources:
        return DownConverter.bill(self.out_lanes * self.bits, self.ratio).resources()


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

    @property
    def queues(self) -> tuple[Queue, ...]:
        named = zip(self.readers, self.depths, strict=True)
        return tuple(
            Queue(f"the branch from '{self.source}' to '{reader}'", place, depth, least=1, key=(self.source, reader))
            for place, (reader, depth) in enumerate(named)
        )

    def deepened(self, queue: Queue, beats: int) -> ForkStage:
        return replace(self, depths=deepened(self.depths, queue, beats))

    @property
    def slots(self) -> list[int]:
        """Depths, those that are not sized yet at their least."""
        return [depth or FULL_RATE_DEPTH for depth in self.depths]

    def timing(self) -> Schedule:
        every = np.arange(self.beats)
        outlets = tuple(Outlet(every, Fifo.latency(depth, self.width), depth) for depth in self.slots)
        return Schedule(self.beats, every, (Intake(accept=every),), outlets)

    def component(self) -> wiring.Component:
        return Fork(self.width, self.slots)

    def resources(self) -> Resources:
        return fork_resources(self.width, self.depths)
