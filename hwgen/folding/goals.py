"""Fold a network for a goal, priced on a device: as fast as there is room, a rate, the highest rate, the least area."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hwgen.devices.boards import find_device
from hwgen.errors import OptionError
from hwgen.estimation.budget import budget
from hwgen.folding.for_board import catalogue_for
from hwgen.folding.prices import Pricing
from hwgen.folding.within_budget import NothingFits, fold_for_budget
from hwgen.network import Network
from hwgen.plan import Plan

__all__ = ["DEFAULT_DEVICE", "Setting", "fold_for_area", "fold_for_device", "fold_for_rate", "fold_for_throughput"]

DEFAULT_DEVICE = "up5k"
"""Device for which a network is folded where none is named: the smallest of all that are known, and that of boards for a few dollars."""


@dataclass(frozen=True)
class Setting:
    """What a goal is reached with.

    Parameters
    ----------
    device : str
        Device that the accelerator has for itself, behind the harness of ``hwgen synth --device``.
    clock_hz : float
    writable : set of str
        Layers whose memories can be written at run time.
    axi_lite : bool
        Whether the accelerator has registers in any case.
    """

    device: str = DEFAULT_DEVICE
    clock_hz: float = 100e6
    writable: frozenset[str] = frozenset()
    axi_lite: bool = False


def fold_for_device(network: Network, setting: Setting | None = None) -> Plan:
    """Give the fastest plan that fits the device with its FIFOs; where none does, the one that exceeds it least.

    Raises
    ------
    OptionError
        If there is no such device, or a layer that shall be writable has no memory.
    """
    setting = setting or Setting()
    device = find_device(setting.device)
    catalogue = catalogue_for(network, device, writable=setting.writable)
    try:
        plan = fold_for_budget(
            catalogue, budget(device, link=False), clock_hz=setting.clock_hz, axi_lite=setting.axi_lite
        )
    except NothingFits as short:
        plan = short.nearest
    return replace(plan, device=device.name)


def fold_for_rate(network: Network, frames_per_second: float, setting: Setting | None = None) -> Plan:
    """Give the cheapest plan that takes a frame often enough.

    Raises
    ------
    OptionError
        If a layer cannot be unfolded that far; names it and the highest rate it allows.
    """
    setting = setting or Setting()
    clock_hz = setting.clock_hz
    if not frames_per_second > 0 or not clock_hz > 0:
        raise OptionError(f"Frames a second and clock must be positive, not {frames_per_second:g} and {clock_hz:g} Hz")
    limit = int(clock_hz / frames_per_second)
    pricing = _pricing(network, setting)
    for layer, menu in pricing.menus.items():
        fastest = int(menu.cycles.min())
        if fastest > limit:
            raise OptionError(
                f"Layer '{layer}' needs at least {fastest} cycles a frame, but {frames_per_second:g} frames/s at {clock_hz / 1e6:g} MHz "
                f"leave {limit}; ask for at most {clock_hz / fastest:.0f} frames/s"
            )
    return _cheapest(pricing, limit)


def fold_for_throughput(network: Network, setting: Setting | None = None) -> Plan:
    """Give the cheapest plan of the highest rate that any folding reaches."""
    pricing = _pricing(network, setting or Setting())
    return _cheapest(pricing, pricing.rates[0])


def fold_for_area(network: Network, setting: Setting | None = None) -> Plan:
    """Give the cheapest plan of all, however slow."""
    pricing = _pricing(network, setting or Setting())
    return _cheapest(pricing, pricing.rates[-1])


def _pricing(network: Network, setting: Setting) -> Pricing:
    """Price all foldings, also those that the device has no room for."""
    device = find_device(setting.device)
    catalogue = catalogue_for(network, device, writable=setting.writable)
    limits = budget(device, link=False)
    return Pricing(catalogue, limits, setting.clock_hz, axi_lite=setting.axi_lite, bounded=False)


def _cheapest(pricing: Pricing, cycles: int) -> Plan:
    """Give the cheapest plan that fits, or the one that exceeds the device least."""
    return replace(pricing.nearest(cycles), device=pricing.limits.device.name)
