"""What an accelerator may take of a device: what the device has, less what stands around the accelerator and what routing needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil, floor

import numpy as np

from hwgen.devices.family import Device
from hwgen.devices.usage import Usage
from hwgen.estimation.estimate import estimate_pipeline, model_of
from hwgen.estimation.harness_bill import harness_usage
from hwgen.fold import Fold
from hwgen.pipeline.layout import Pipeline

__all__ = ["RESOURCES", "Budget", "budget", "counts", "overdrawn", "taken"]

ROUTABLE = 0.85
"""Share of a device's logic that may be estimated as used: what the model may be wrong, and what routing needs."""

REGISTER_ACCESS = Usage(luts=170, ffs=100)
"""What the link takes more where it reaches registers: measured 92 to 136 and 32 to 93 for a small network, whose frames fit no block RAM without."""


@dataclass(frozen=True)
class Budget:
    """What an accelerator may take.

    Parameters
    ----------
    device : Device
    cells : float
        Logic cells.
    usage : Usage
        Everything else.
    harness : bool
        Whether an accelerator's ports must be within the budget as well, as the harness of `hwgen synth --device` makes them.
    """

    device: Device
    cells: float
    usage: Usage
    harness: bool = False

    def limits(self) -> np.ndarray:
        """Give the budget in the order of `needs`."""
        usage = self.usage
        return np.array([self.cells, usage.ffs, usage.brams, usage.lutrams, usage.sprams, usage.dsps], dtype=float)

    def below(self, usage: Usage, share: float) -> Budget:
        """Give the budget with no more logic than a share of a usage."""
        cells, ffs = self.needs(usage)[:2]
        return replace(
            self,
            cells=min(self.cells, share * cells),
            usage=replace(self.usage, ffs=min(self.usage.ffs, int(share * ffs))),
        )

    def needs(self, usage: Usage) -> np.ndarray:
        """Give what a usage takes of each limited resource."""
        return np.asarray(self.needs_of(np.array([counts(usage)]))[0])

    def needs_of(self, usages: np.ndarray) -> np.ndarray:
        """Give what usages take, each a row of `counts`, as rows of `needs`."""
        needs = usages.astype(float)
        needs[:, 0] += self.device.family.room.flipflop_cells * needs[:, 1]
        return needs


RESOURCES = ("logic cells", "flip-flops", "block RAMs", "LUT RAM cells", "large RAMs", "multipliers")
"""Names of the limited resources, in the order of `Budget.needs`."""


def counts(usage: Usage) -> tuple[float, ...]:
    """Give a usage in the order of `RESOURCES`, LUTs in the place of cells."""
    return (usage.luts, usage.ffs, usage.brams, usage.lutrams, usage.sprams, usage.dsps)


def budget(device: Device, *, link: bool, registers: bool = False, boots: bool = False) -> Budget:
    """Give what an accelerator may take of a device.

    Parameters
    ----------
    device : Device
    link : bool
        Whether a board's host link stands beside it; else it is the harness.
    registers : bool
        Whether the link reaches registers.
    boots : bool
        Whether a boot loader is beside it, without which large RAMs stay empty.
    """
    model_of(device)
    room = device.family.room
    around = room.link if link else Usage()
    if link and registers:
        around += REGISTER_ACCESS
    if boots and room.boot is not None:
        around += room.boot
    # Registers and boot loader count and shift: nearly all of their flip-flops follow the LUT of their own cell.
    alone = room.link.ffs if link else 0
    cells = device.luts * ROUTABLE - around.luts - room.flipflop_cells * alone
    usage = Usage(
        ffs=int(device.ffs * ROUTABLE - around.ffs),
        brams=device.bram_blocks - around.brams,
        lutrams=device.lutram_bits // device.family.memories.lut_bits,
        sprams=device.spram_blocks if boots or not link else 0,
        dsps=device.dsps,
    )
    return Budget(device, cells, usage, harness=not link)


def taken(pipeline: Pipeline, limits: Budget, known: Mapping[tuple[str, Fold], Usage] | None = None) -> Usage:
    """Estimate what an accelerator takes of a budget; layers may be known by name and folding, see `estimate_pipeline`."""
    usage = sum(estimate_pipeline(pipeline, limits.device, known).values(), Usage())
    return usage + harness_usage(pipeline) if limits.harness else usage


def overdrawn(usage: Usage, limits: Budget) -> list[str]:
    """Name the resources of which a usage takes more than there is, with both numbers."""
    return [
        f"{ceil(need):,} {name} where there are {floor(limit):,}"
        for need, limit, name in zip(limits.needs(usage), limits.limits(), RESOURCES, strict=True)
        if need > limit
    ]
