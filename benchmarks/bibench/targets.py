"""A device of each family, the clock that figures assume on it, and what of it an accelerator takes."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.bibench.energy import microjoules
from hwgen.devices.boards import find_device
from hwgen.devices.family import Device
from hwgen.estimation.budget import budget, taken
from hwgen.folding.for_board import catalogue_for
from hwgen.folding.within_budget import NothingFits, fold_for_budget
from hwgen.network import Network
from hwgen.pipeline.layout import draft, lay_out
from hwgen.plan import Plan

__all__ = ["TARGETS", "Target", "facts", "folded"]

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


def folded(network: Network, target: Target) -> tuple[Plan, int]:
    """Give the fastest plan within a device, or within the least number of them that is found to hold the network, as if they were one."""
    device, number = find_device(target.device), 1
    catalogue = catalogue_for(network, device, large_rams=device.spram_blocks > 0)
    while True:
        limits = budget(_together(device, number), link=False)
        try:
            return fold_for_budget(catalogue, limits, clock_hz=target.clock_mhz * 1e6), number
        except NothingFits as short:
            needs = limits.needs(taken(draft(short.nearest), limits))
        share = max(need / most for need, most in zip(needs, limits.limits(), strict=True) if need)
        number = max(number + 1, math.ceil(number * share))


def _together(device: Device, number: int) -> Device:
    """Give a device of so many times the resources."""
    resources = ("luts", "ffs", "bram_blocks", "spram_blocks", "lutram_bits", "dsps")
    return replace(device, **{name: number * getattr(device, name) for name in resources})


def facts(plan: Plan, number: int, device: Device) -> dict[str, Any]:
    """Give what a plan takes by the resource model of so many devices, each less what stands round the accelerator and 15 % for routing, and its rate."""
    usage = taken(lay_out(plan), budget(device, link=False))
    cycles = plan.cycles
    return {
        "cycles": cycles,
        "luts": usage.luts,
        "ffs": usage.ffs,
        "ram_blocks": usage.brams,
        "large_rams": usage.sprams,
        "ram_kbit": round(usage.brams * device.bram_bits / 1024 + usage.sprams * device.spram_bits / 1024),
        "multipliers": usage.dsps,
        "devices": number,
        "clock_mhz": plan.clock_hz / 1e6,
        "frames_a_second": round(plan.clock_hz / cycles, 1),
        "microjoules": round(microjoules(usage, device, cycles), 3),
    }
