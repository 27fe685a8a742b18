"""Whether a plan fits the device that it was folded for, and if not what is short and which device would do."""

from __future__ import annotations

import numpy as np

from hwgen.devices.boards import devices, find_board, find_device
from hwgen.devices.family import Device
from hwgen.devices.usage import Usage
from hwgen.estimation.budget import Budget, budget, overdrawn, taken
from hwgen.fold import MemoryStyle
from hwgen.folding.for_board import catalogue_for
from hwgen.folding.prices import Pricing
from hwgen.pipeline.fifo_depths import size_fifos
from hwgen.pipeline.layout import Pipeline, draft
from hwgen.plan import Plan

__all__ = ["device_of", "shortage"]


def device_of(plan: Plan) -> Device | None:
    """Give the device that a plan was folded for, its board's or its own; None: it is not known."""
    if plan.board is not None:
        return find_board(plan.board).device
    return None if plan.device is None else find_device(plan.device)


def shortage(pipeline: Pipeline) -> str | None:
    """Say that the accelerator of a plan does not fit the device that it was folded for, by how much, and on which it would.

    Returns
    -------
    str or None
        None: it fits, or nothing is known of its device.
    """
    plan = pipeline.plan
    device = device_of(plan)
    if device is None or device.family.prices is None:
        return None
    short = _short(pipeline, _limits(plan, device))
    if not short:
        return None
    room = _smallest(pipeline, device)
    found = (
        f"the smallest known device with room for it at this rate is {room.name}"
        if room
        else "no known device has room for it at this rate"
    )
    return (
        f"'{plan.network.name}' does not fit {device.name}: as it is folded it needs about {', '.join(short)}; {found}"
    )


def _smallest(pipeline: Pipeline, device: Device) -> Device | None:
    """Give the smallest known device that has room for a plan, or for one of another folding that is no slower."""
    plan = pipeline.plan
    written = frozenset(name for name, fold in plan.folds.items() if fold.writable)
    catalogue = catalogue_for(plan.network, device, writable=written)
    used: dict[tuple[str, bool], Usage] = {}
    for one in sorted(devices().values(), key=lambda one: one.luts):
        if one.family.prices is None:
            continue
        limits = budget(one, link=False)
        # Estimates are the same on all such devices.
        key = (one.family.name, one.dsps > 0)
        if key not in used:
            used[key] = taken(pipeline, limits)
        if not overdrawn(used[key], limits):
            return one
        # Pricing takes long: not where the least of each resource is too much already.
        if np.any(catalogue.least_needs(limits, plan.cycles) > limits.limits()):
            continue
        found = Pricing(catalogue, limits, plan.clock_hz, axi_lite=plan.axi_lite).within(plan.cycles)
        if found is not None and not _short(draft(size_fifos(found)), limits):
            return one
    return None


def _limits(plan: Plan, device: Device) -> Budget:
    boots = any(fold.memory is MemoryStyle.SPRAM for fold in plan.folds.values())
    on_board = plan.board is not None
    return budget(device, link=on_board, registers=plan.has_registers, boots=on_board and boots)


def _short(pipeline: Pipeline, limits: Budget) -> list[str]:
    return overdrawn(taken(pipeline, limits), limits)
