"""The transfers that were predicted, and those that passed otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hwgen.sim.record import Trace

__all__ = ["Transfers"]


@dataclass(frozen=True, eq=False)
class Transfers:
    """What the output port must give, beat by beat.

    Parameters
    ----------
    beats : ndarray of uint8, shape (beats, bytes)
        Of whole frames; bits that carry no code are 0.
    cycles : ndarray of integers, shape (beats,)
        In which each passes if nothing pauses; cycle 0 is that of the first input transfer.
    of_frame : int
        Beats of a frame.
    """

    beats: np.ndarray
    cycles: np.ndarray
    of_frame: int

    def wrong_frames(self, trace: Trace) -> np.ndarray:
        """Give the frames (frames,), as bool, of which a beat or its ``tlast`` is another, in the run or in what a reset interrupted."""
        wrong = np.zeros(len(self.beats), bool)
        last = np.arange(1, len(self.beats) + 1) % self.of_frame == 0
        for part, first in self._parts(trace):
            end = min(first + len(part.out_beats), len(self.beats))
            wrong[first:end] |= np.any(part.out_beats[: end - first] != self.beats[first:end], axis=1)
            wrong[first:end] |= part.out_last[: end - first] != last[first:end]
        return np.any(wrong.reshape(-1, self.of_frame), axis=1)

    def has_surplus(self, trace: Trace) -> bool:
        """Say whether a beat too many came, or the port says that a frame ended elsewhere."""
        return trace.frame_error or any(
            first + len(part.out_beats) > len(self.beats) for part, first in self._parts(trace)
        )

    def off_schedule(self, trace: Trace, *, paused: bool) -> int:
        """Give the beats of what nothing pauses that passed in another cycle, or not though their cycle is over; ``paused``: the run itself is."""
        return sum(
            self._off(part, first)
            for number, (part, first) in enumerate(self._parts(trace))
            if not paused or 0 < number < len(trace.interrupted)
        )

    def _off(self, part: Trace, first: int) -> int:
        due, given = self.cycles[: len(self.beats) - first], part.out_cycles
        count = min(len(given), len(due))
        # What a reset interrupts lasts to its last input transfer at least.
        missing = int(np.sum(due <= part.in_cycles[-1])) - count if len(part.in_cycles) else 0
        return int(np.sum(given[:count] != due[:count])) + len(given) - count + max(0, missing)

    def _parts(self, trace: Trace) -> Iterator[tuple[Trace, int]]:
        """Give what passed before each reset, and at last after all, each with the beat that it begins with."""
        for number, part in enumerate(trace.interrupted):
            yield part, number * self.of_frame % max(1, len(self.beats))
        yield trace, 0
