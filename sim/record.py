"""What is sent to an accelerator and what came of it, the same for every simulator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwgen.arrays.beats import BeatSequence
from hwgen.errors import OptionError

__all__ = ["Stimulus", "Trace", "patience"]

PATIENCE = 4
"""Cycles without a transfer that mean a deadlock, in times of an interval and a latency."""


def patience(ii: int, latency: int) -> int:
    """Give the cycles without a transfer after which a pipeline of an interval and a latency has come to rest."""
    return 1000 + PATIENCE * (ii + latency)


BURST = 2
"""Cycles of the longest pause, in times of an interval and a latency: the frames under way, and as many again, fill every buffer."""

SLOWER = 2
"""Cycles a frame in slow phases, in times of an interval."""


RESETS = 96
"""Resets of a run with pauses, at most."""

RESET_RUN = 1 << 15
"""Cycles that pass between resets in all, as many as the frames themselves take or these."""

GOLDEN = 0.6180339887
"""Places that lie this share of a length apart, round and round, are spread evenly however many they are."""


def reset_cycles(ii: int, latency: int, cycles: int) -> tuple[int, ...]:
    """Give when a run with pauses of a pipeline is reset whose frames take so many cycles.

    First all buffers are full, as the sink takes nothing: whatever a reset must clear holds something. Then neither side pauses, and resets come after
    the first result, at all places of a frame; some come earlier, while the pipeline fills. What passes in between tells whether the reset before did its work.
    """
    times, count = [BURST * (ii + latency)], max(RESET_RUN, cycles) // (ii + latency)
    for number in range(1, min(RESETS, count)):
        place = number * GOLDEN % 1
        length = int(place * latency) if number % 4 == 0 else latency + int(2 * place * ii)
        times.append(times[-1] + 2 + length)
    return tuple(times)


DRAIN = 64
"""Cycles after the last awaited beat in which further ones are seen, at least."""

LONGEST_DRAIN = 1 << 14
"""Cycles for that, at most: else those in which a further frame would come."""


@dataclass(frozen=True, eq=False)
class Stimulus:
    """What is sent to an accelerator, how, and how much is awaited.

    Parameters
    ----------
    beats : ndarray of uint8, shape (beats, bytes)
        Input beats in order, as `hwgen.arrays.beats.pack` gives them.
    last : ndarray of bool, shape (beats,)
        ``tlast`` of each.
    out_bytes : int
        Bytes of an output beat.
    out_beats : int
        Output beats to wait for.
    stall_in, stall_out : float
        Share of the cycles, 0 to below 1, in which the source or the sink pauses.
    burst_cycles : int
        Longest phase of such pauses, or of others: see `hwgen.rtl_templates.streams.pauses.Pauses`; 0: no phases.
    pace_in, pace_out : int
        Cycles a beat in a slow phase of the source, of the sink.
    seed : int
        Of the pauses.
    resets : tuple of int
        Clock cycles, counted from power-up and ascending, in which the accelerator is reset, for one cycle. After the last of them everything is sent
        again from the start; after reset n before it from frame n on, round and round, and neither side pauses.
    frame_beats : int
        Input beats of a frame, for that; 0: always from the start.
    timeout_cycles : int
        Cycles without a transfer and without a pause that mean a deadlock.
    drain_cycles : int
        Cycles after the last awaited beat in which further ones are seen.
    writes : ndarray of integers, shape (words, 2), or None
        Address and word of what is written through the AXI4-Lite port before anything is sent.
    """

    beats: np.ndarray
    last: np.ndarray
    out_bytes: int
    out_beats: int
    stall_in: float = 0.0
    stall_out: float = 0.0
    burst_cycles: int = 0
    pace_in: int = 1
    pace_out: int = 1
    seed: int = 1
    resets: tuple[int, ...] = ()
    frame_beats: int = 0
    timeout_cycles: int = 1_000_000
    drain_cycles: int = DRAIN
    writes: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.beats.dtype != np.uint8 or self.beats.ndim != 2 or self.last.shape != self.beats.shape[:1]:
            raise ValueError(f"Beats must be uint8 (beats, bytes) with a tlast each, not {self.beats.shape}")
        for name, share in (("stall_in", self.stall_in), ("stall_out", self.stall_out)):
            if not 0 <= share < 1:
                raise OptionError(f"{name} is the share of cycles that pause, from 0 to below 1, not {share}")

    @classmethod
    def of_frames(
        cls,
        codes: Sequence[np.ndarray],
        input: BeatSequence,
        output: BeatSequence,
        *,
        stall: float = 0.0,
        ii: int = 0,
        latency: int = 0,
        seed: int = 1,
        resets: tuple[int, ...] = (),
        timeout_cycles: int | None = None,
        writes: np.ndarray | None = None,
    ) -> Stimulus:
        """Send whole frames of codes, a map of each input, the last beat of each frame marked, with pauses on both sides.

        Pauses and time-out suit a pipeline of the interval ``ii`` and the latency ``latency``; where they are 0, all pauses are single cycles.
        """
        beats = input.pack(codes)
        last = np.arange(1, len(beats) + 1) % input.count == 0
        out_beats = len(codes[0]) * output.count
        return cls(
            beats,
            last,
            output.bytes,
            out_beats,
            stall_in=stall,
            stall_out=stall,
            burst_cycles=BURST * (ii + latency),
            pace_in=1 + SLOWER * ii // input.count,
            pace_out=1 + SLOWER * ii // output.count,
            seed=seed,
            resets=resets,
            frame_beats=input.count,
            timeout_cycles=patience(ii, latency) if timeout_cycles is None else timeout_cycles,
            drain_cycles=max(DRAIN, min(ii + latency, LONGEST_DRAIN)),
            writes=writes,
        )


@dataclass(frozen=True, eq=False)
class Trace:
    """Every transfer of a run after its last reset; cycle 0 is the cycle of the first input transfer.

    Parameters
    ----------
    in_cycles : ndarray of int64, shape (beats in,)
        Cycle in which each input beat was taken.
    out_beats : ndarray of uint8, shape (beats out, bytes)
        Output beats; more than were awaited if the accelerator gave more.
    out_cycles : ndarray of int64, shape (beats out,)
        Cycle in which each was given.
    out_last : ndarray of bool, shape (beats out,)
        ``tlast`` of each.
    frame_error : bool
        Port ``frame_error`` at the end.
    interrupted : tuple of Trace
        What passed before each of the resets since the one before.
    """

    in_cycles: np.ndarray
    out_beats: np.ndarray
    out_cycles: np.ndarray
    out_last: np.ndarray
    frame_error: bool
    interrupted: tuple[Trace, ...] = ()
