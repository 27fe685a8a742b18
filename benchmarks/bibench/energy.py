"""An estimate of the energy of a frame from what an accelerator takes, by published measurements of other binary accelerators."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.devices.family import Device
from hwgen.devices.usage import Usage

__all__ = ["BLOCK_PICOJOULES", "LUT_PICOJOULES", "Measured", "microjoules"]


@dataclass(frozen=True)
class Measured:
    """An accelerator whose chip's power was measured.

    Parameters
    ----------
    name : str
    luts : int
    blocks : float
        Block RAMs of 36 kbit.
    watts : float
    """

    name: str
    luts: int
    blocks: float
    watts: float


CLOCK_HZ = 200e6

FINN = (
    Measured("SFC-max", 91131, 4.5, 7.3),
    Measured("LFC-max", 82988, 396, 8.8),
    Measured("CNV-max", 46253, 186, 3.6),
    Measured("SFC-fix", 5155, 16, 0.4),
    Measured("LFC-fix", 5636, 114.5, 0.8),
    Measured("CNV-fix", 29274, 152.5, 2.3),
)
"""Umuroglu et al., FPGA 2017 (arXiv 1612.07119): six binary networks on a ZC706 at 200 MHz."""


def _fit() -> tuple[float, float]:
    """Give picojoules a cycle of a LUT and of a block RAM: least squares of the relative errors."""
    takes = np.array([[one.luts, one.blocks] for one in FINN])
    watts = np.array([one.watts for one in FINN])
    found = np.linalg.lstsq(takes / watts[:, None], np.ones(len(FINN)), rcond=None)[0]
    return float(found[0] / CLOCK_HZ * 1e12), float(found[1] / CLOCK_HZ * 1e12)


LUT_PICOJOULES, BLOCK_PICOJOULES = _fit()


def microjoules(usage: Usage, device: Device, cycles: int) -> float:
    """Estimate what a frame takes at full rate: that of each LUT and each 36 kbit of block RAM, every cycle. What a device takes at rest is not in it."""
    blocks = usage.brams * device.bram_bits / 36864 + usage.sprams
    return (usage.luts * LUT_PICOJOULES + blocks * BLOCK_PICOJOULES) * cycles * 1e-6
