"""What the layers that join maps share: what their foldings may be, and the schedules of taking maps together or in turn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwgen.errors import OptionError
from hwgen.fold import Fold, WindowStyle
from hwgen.layers.legal import check_slots, check_tables
from hwgen.timing.schedule import Intake, Junction, Outlet

__all__ = ["check_join_fold", "in_step", "in_turn"]


def check_join_fold(fold: Fold, name: str) -> None:
    """Refuse a folding that has no meaning for a layer without columns, window and input buffer.

    Raises
    ------
    OptionError
        Naming the layer.
    """
    if fold.simd != 1:
        raise OptionError(f"SIMD must be 1, not {fold.simd}, as layer '{name}' has no columns to fold")
    if fold.window is WindowStyle.PARALLEL:
        raise OptionError(f"Layer '{name}' has no window to hand over in parallel")
    check_slots(fold, name)
    check_tables(fold, name)


def in_step(sources: int, beats: int, outlet_latency: int, slots: int) -> Junction:
    """Give the schedule of a stage that takes a beat of every source, and yields one, in each step."""
    every = np.arange(beats, dtype=np.int64)
    return Junction(beats, every, (Intake(accept=every),) * sources, (Outlet(every, outlet_latency, slots),))


def in_turn(turns: np.ndarray, sources: Sequence[str], outlet_latency: int, slots: int) -> Junction:
    """Give the schedule of a stage that takes a beat of one source, and yields it, in each step.

    Parameters
    ----------
    turns : ndarray of int
        The source whose beat is taken, step by step.
    sources : sequence of str
    outlet_latency, slots : int
    """
    every = np.arange(len(turns), dtype=np.int64)
    intakes = tuple(Intake(accept=np.flatnonzero(turns == source)) for source in range(len(sources)))
    return Junction(len(turns), every, intakes, (Outlet(every, outlet_latency, slots),))
