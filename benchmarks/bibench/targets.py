"""A device of each family, the clock that figures assume on it, and what of it an accelerator takes."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bibench.energy import microjoules
from hwgen.devices.boards import find_device
from hwgen.devices.family import Device
from hwgen.estimation.budget import budget, taken
from hwgen.pipeline.layout import lay_out
from hwgen.plan import Plan

__all__ = ["TARGETS", "Target", "facts"]

BOARDS = Path(__file__).parents[1] / "boards.json"


@dataclass(frozen=True)
class Target:
    """Where networks are folded for.

    Parameters
    ----------
    family, device : str
    measured : tuple of str
        Devices of the family in ``boards.json`` that are as fast as this one.
    """

    family: str
    device: str
    measured: tuple[str, ...] = ()

    @property
    def clock_mhz(self) -> float:
        """The slowest clock of an example network that was placed and routed there; where none was, the device's goal."""
        rows = json.loads(BOARDS.read_text(encoding="utf-8"))
        found = [row["fmax_mhz"] for row in rows if row["device"] in self.measured]
        return math.floor(min(found, default=find_device(self.device).clock_goal_mhz))


TARGETS = {
    each.family: each
    for each in (
        Target("ice40", "up5k", ("up5k",)),
        Target("ecp5", "ecp5-85", ("ecp5-25", "ecp5-85")),
        Target("gowin", "gw2ar-18", ("gw1nr-9",)),
        Target("nexus", "lifcl-40"),
        Target("gatemate", "ccgm1a1"),
    )
}


def facts(plan: Plan, device: Device) -> dict[str, Any]:
    """Give what a plan takes of a device by the resource model, and at which rate it runs.

    ``devices`` is how many of them hold it: the resource that is most short decides, each device less what stands round the accelerator and 15 % for routing.
    """
    limits = budget(device, link=False)
    usage = taken(lay_out(plan), limits)
    needs, limit = limits.needs(usage), limits.limits()
    shares = [need / most if most else math.inf for need, most in zip(needs, limit, strict=True) if need]
    cycles = plan.cycles
    return {
        "cycles": cycles,
        "luts": usage.luts,
        "ffs": usage.ffs,
        "ram_blocks": usage.brams,
        "ram_kbit": round(usage.brams * device.bram_bits / 1024 + usage.sprams * device.spram_bits / 1024),
        "multipliers": usage.dsps,
        "devices": int(np.ceil(max(shares))) if math.isfinite(max(shares)) else None,
        "clock_mhz": plan.clock_hz / 1e6,
        "frames_a_second": round(plan.clock_hz / cycles, 1),
        "microjoules": round(microjoules(usage, device, cycles), 3),
    }
