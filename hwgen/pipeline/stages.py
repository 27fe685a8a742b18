"""What the stages of a pipeline have in common, and the stage that is a layer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol, runtime_checkable

from amaranth.lib import wiring

from hwgen.fold import Fold, WindowStyle
from hwgen.layers.protocol import Layer
from hwgen.pipeline.queues import Queue
from hwgen.rtl_templates.cost import Resources
from hwgen.rtl_templates.streams.fifo import FULL_RATE_DEPTH
from hwgen.timing.schedule import Schedule

__all__ = ["LayerStage", "Queued", "Stage"]


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
    def timing(self) -> Schedule: ...
    def component(self) -> wiring.Component: ...
    def resources(self) -> Resources: ...


@runtime_checkable
class Queued(Stage, Protocol):
    """A stage with FIFOs whose depths a plan can choose."""

    @property
    def queues(self) -> tuple[Queue, ...]:
        """Its FIFOs, in the order in which data pass them."""
        ...

    def deepened(self, queue: Queue, beats: int) -> Stage:
        """Give the stage with another depth of one of its FIFOs."""
        ...


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
        return self.layer.folding.input_lanes(self.fold)

    @property
    def out_lanes(self) -> int:
        return self.layer.folding.out_lanes(self.fold)

    @property
    def queues(self) -> tuple[Queue, ...]:
        """The output FIFO, behind the FIFO in front of a parallel window."""
        output = Queue(f"layer '{self.name}'", 0, self.fold.slots, least=self._schedule.outlets[0].slots)
        if self.fold.window is not WindowStyle.PARALLEL:
            return (output,)
        window = Queue(f"the window of layer '{self.name}'", None, self.fold.buffer_beats, least=FULL_RATE_DEPTH)
        return (window, output)

    def deepened(self, queue: Queue, beats: int) -> LayerStage:
        if queue.outlet is None:
            return replace(self, fold=replace(self.fold, buffer_beats=beats))
        return replace(self, fold=replace(self.fold, slots=beats))

    @cached_property
    def _schedule(self) -> Schedule:
        return self.layer.timing(self.fold)

    def timing(self) -> Schedule:
        return self._schedule

    def component(self) -> wiring.Component:
        return self.layer.component(self.fold)

    def resources(self) -> Resources:
        return self.layer.resources(self.fold)
