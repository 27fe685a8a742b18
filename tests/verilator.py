"""Few frames of a small network in Verilator."""

from __future__ import annotations

from hwgen import Accelerator, Simulation
from hwgen.arrays.codec import Inputs
from hwgen.progress import silent
from hwgen.sim.check import Engine, simulate

COMPILER_FLAGS = ("-O0",)
"""A few frames run for less time than the compiler would take over them."""


def played(accelerator: Accelerator, x: Inputs, *, stall: bool) -> Simulation:
    """Simulate frames, at full rate or with pauses in bursts, and hold them to golden and to their cycles."""
    return simulate(
        accelerator.pipeline,
        accelerator.folder,
        x,
        expected=None,
        frames=None,
        engine=Engine.VERILATOR,
        stall=stall,
        waves=None,
        progress=silent,
        compiler_flags=COMPILER_FLAGS,
    )
