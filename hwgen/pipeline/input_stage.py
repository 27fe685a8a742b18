"""The first stage of a network with several inputs: their maps arrive one after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hwgen.pipeline.queues import Queue, deepened
from hwgen.rtl_templates.cost import Resources
from hwgen.rtl_templates.streams.fifo import FULL_RATE_DEPTH, Fifo
from hwgen.rtl_templates.streams.split import Split
from hwgen.timing.schedule import Intake, Outlet, Schedule

__all__ = ["InputStage"]


@dataclass(frozen=True)
class InputStage:
    """Takes all beats of the first input's map, then those of the next, each from the lowest bits of the port, and gives each map to its own readers.

    Parameters
    ----------
    name : str
    inputs : tuple of str
        Their names.
    lanes : tuple of int
        Codes in a beat of each.
    bits : tuple of int
        Bits of a code of each.
    beats : tuple of int
        Beats of a map of each.
    depths : tuple of int or None
        Beats that each input's FIFO holds; None is not sized yet.
    """

    name: str
    inputs: tuple[str, ...]
    lanes: tuple[int, ...]
    bits: tuple[int, ...]
    beats: tuple[int, ...]
    depths: tuple[int | None, ...]
    reads: tuple[int, ...] = (0,)

    @property
    def input_lanes(self) -> tuple[int, ...]:
        """Codes in the beat that holds most."""
        return (max(self.lanes),)

    @property
    def out_lanes(self) -> int:
        """Codes in a beat of the last input."""
        return self.lanes[-1]

    @property
    def widths(self) -> list[int]:
        """Bits of a beat of each input."""
        return [lanes * bits for lanes, bits in zip(self.lanes, self.bits, strict=True)]

    @property
    def queues(self) -> tuple[Queue, ...]:
        """The FIFO of each input."""
        named = zip(self.inputs, self.depths, strict=True)
        return tuple(
            Queue(f"input '{name}'", place, depth, least=1, key=(name, None))
            for place, (name, depth) in enumerate(named)
        )

    def deepened(self, queue: Queue, beats: int) -> InputStage:
        """Give the stage with another depth of one input's FIFO."""
        return replace(self, depths=deepened(self.depths, queue, beats))

    @property
    def slots(self) -> list[int]:
        """Depths, those that are not sized yet at their least."""
        return [depth or FULL_RATE_DEPTH for depth in self.depths]

    def timing(self) -> Schedule:
        """Take a beat in every step, of the first input's map until it ends."""
        total = sum(self.beats)
        every = np.arange(total, dtype=np.int64)
        parts = np.split(every, np.cumsum(self.beats)[:-1])
        outlets = tuple(
            Outlet(part, Fifo.latency(depth, width), depth)
            for part, depth, width in zip(parts, self.slots, self.widths, strict=True)
        )
        return Schedule(total, every, (Intake(accept=every),), outlets)

    def component(self) -> Split:
        """Deal out whole maps."""
        return Split(**self._split())

    def resources(self) -> Resources:
        return Split.bill(self.name, **self._split()).resources()

    def _split(self) -> dict[str, Any]:
        """Give what the unit and its bill have in common."""
        return {"widths": self.widths, "runs": self.beats, "depths": self.slots}
