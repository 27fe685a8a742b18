"""The last stage of a network with several outputs: their maps leave one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hwgen.layers.joining import in_turn
from hwgen.rtl_templates.compute.number import Coding
from hwgen.rtl_templates.cost import Resources
from hwgen.rtl_templates.streams.fifo import FULL_RATE_DEPTH, Fifo
from hwgen.rtl_templates.streams.merge import Merge
from hwgen.timing.schedule import Schedule

__all__ = ["OutputStage"]


@dataclass(frozen=True)
class OutputStage:
    """Gives all beats of the first output's map, then those of the next, each zero-extended to the widest.

    Parameters
    ----------
    name : str
    reads : tuple of int
        A stream for each output.
    outputs : tuple of str
        Their names.
    lanes : tuple of int
        Codes in a beat of each.
    bits : tuple of int
        Bits of a code of each.
    beats : tuple of int
        Beats of a map of each.
    """

    name: str
    reads: tuple[int, ...]
    outputs: tuple[str, ...]
    lanes: tuple[int, ...]
    bits: tuple[int, ...]
    beats: tuple[int, ...]

    @property
    def input_lanes(self) -> tuple[int, ...]:
        """Codes in a beat of each output."""
        return self.lanes

    @property
    def out_lanes(self) -> int:
        """Codes in the beat that holds most."""
        return max(self.lanes)

    @property
    def widths(self) -> list[int]:
        """Bits of a beat of each output."""
        return [lanes * bits for lanes, bits in zip(self.lanes, self.bits, strict=True)]

    def timing(self) -> Schedule:
        """Take a beat in every step, of the first output's map until it ends."""
        turns = np.repeat(np.arange(len(self.reads)), self.beats)
        return in_turn(turns, range(len(self.reads)), Fifo.latency(FULL_RATE_DEPTH, max(self.widths)), FULL_RATE_DEPTH)

    def component(self) -> Merge:
        """Treat a beat as one number without a sign, which is what zero extension keeps."""
        return Merge(group=len(self.reads), **self._merge())

    def resources(self) -> Resources:
        return Merge.bill(self.name, **self._merge()).resources()

    def _merge(self) -> dict[str, Any]:
        """Give what the unit and its bill have in common."""
        return {
            "lanes": 1,
            "codings": [Coding(width) for width in self.widths],
            "out_coding": Coding(max(self.widths)),
            "runs": self.beats,
            "slots": FULL_RATE_DEPTH,
        }
