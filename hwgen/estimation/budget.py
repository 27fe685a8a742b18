"""What an accelerator may take of a device: what the device has, less what stands around the accelerator and what routing needs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hwgen.devices.boards import Device, Family
from hwgen.estimation.estimate import model_of
from hwgen.estimation.usage import Usage

__all__ = ["RESOURCES", "Budget", "budget", "overdrawn"]

ROUTABLE = 0.85
"""Share of a device's logic that may be estimated as used: what the model may be wrong, and what routing needs."""

FLIPFLOP_CELLS = {
    Family.ICE40: 0.75,
    Family.ECP5: 0.0,
    Family.GOWIN: 1.0,
    Family.NEXUS: 0.0,
    Family.GATEMATE: 0.9,
    Family.XILINX7: 0.0,
}
"""Logic cells that a flip-flop takes on average in families where it can only follow its own cell's LUT: the rest share one.

With what stands beside it: iCE40's carry cells; GateMate's ends of carry chains, and the halves of CPEs through which a block RAM's pins go (65 a
half). Gowin's would be 0.62, but nextpnr's placer needs room.
"""

LINK = {
    Family.ICE40: Usage(luts=740, ffs=560, brams=2),
    Family.ECP5: Usage(luts=760, ffs=560, brams=2),
    Family.GOWIN: Usage(luts=760, ffs=560, brams=2),
    Family.NEXUS: Usage(luts=820, ffs=590, brams=2),
    Family.GATEMATE: Usage(luts=1350, ffs=600, brams=1),
    Family.XILINX7: Usage(luts=600, ffs=560, brams=1),
}
"""What the host link of a board takes, as measured around the trained TFC."""

REGISTER_ACCESS = Usage(luts=170, ffs=100)
"""What the link takes more where it reaches registers: measured 92 to 136 and 32 to 93 for a small network, whose frames fit no block RAM without."""

BOOT = Usage(luts=360, ffs=130)
"""What the boot loader of iCE40 boards takes, and its way to the registers: link and loader together were 1,231 and 1,317 LUTs, here 1,270."""


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
    """

    device: Device
    cells: float
    usage: Usage

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
        cells = usage.luts + FLIPFLOP_CELLS[self.device.family] * usage.ffs
        return np.array([cells, usage.ffs, usage.brams, usage.lutrams, usage.sprams, usage.dsps], dtype=float)


RESOURCES = ("logic cells", "flip-flops", "block RAMs", "LUT RAM cells", "large RAMs", "multipliers")
"""Names of the limited resources, in the order of `Budget.needs`."""


def budget(device: Device, *, link: bool, registers: bool = False, boots: bool = False) -> Budget:
    """Give what an accelerator may take of a device.

    Parameters
    ----------
    device : Device
    link : bool
        Whether a board's host link stands beside it.
    registers : bool
        Whether the link reaches registers.
    boots : bool
        Whether a boot loader is beside it, without which large RAMs stay empty.
    """
    model_of(device)
    around = LINK[device.family] if link else Usage()
    if link and registers:
        around += REGISTER_ACCESS
    if boots:
        around += BOOT
    # Registers and boot loader count and shift: nearly all of their flip-flops follow the LUT of their own cell.
    alone = LINK[device.family].ffs if link else 0
    cells = device.luts * ROUTABLE - around.luts - FLIPFLOP_CELLS[device.family] * alone
    lutram_bits = 64 * 6 if device.family is Family.XILINX7 else 64
    usage = Usage(
        ffs=int(device.ffs * ROUTABLE - around.ffs),
        brams=device.bram_blocks - around.brams,
        lutrams=device.lutram_bits // lutram_bits,
        sprams=device.spram_blocks if boots or not link else 0,
        dsps=device.dsps,
    )
    return Budget(device, cells, usage)


def overdrawn(usage: Usage, limits: Budget) -> list[str]:
    """Name the resources of which a usage takes more than there is, with both numbers."""
    return [
        f"{need:,.0f} {name} of {limit:,.0f}"
        for need, limit, name in zip(limits.needs(usage), limits.limits(), RESOURCES, strict=True)
        if need > limit
    ]
