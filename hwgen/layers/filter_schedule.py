"""Schedule of a stage that passes some beats of a map on and drops the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwgen.fold import Fold
from hwgen.rtl_templates.streams.fifo import FULL_RATE_DEPTH, Fifo
from hwgen.timing.schedule import Schedule

__all__ = ["filter_schedule"]


def filter_schedule(
    words: Sequence[bool], columns: Sequence[bool], rows: Sequence[bool], fold: Fold, *, width: int
) -> Schedule:
    """Give the schedule: a beat a step, of which those are yielded whose word, column and row are all kept.

    Parameters
    ----------
    words, columns, rows : sequence of bool
        What is kept of a pixel's words, of the columns and of the rows.
    fold : Fold
    width : int
        Bits of an output beat.
    """
    kept = np.multiply.outer(np.multiply.outer(rows, columns), words).ravel()
    beats, slots = np.arange(len(kept), dtype=np.int64), fold.slots or FULL_RATE_DEPTH
    return Schedule.through(
        steps=len(beats),
        events=beats,
        accept=beats,
        emit=np.flatnonzero(kept),
        latency=Fifo.latency(slots, width),
        slots=slots,
    )
