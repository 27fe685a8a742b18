"""Whether a plan fits the device that it was folded for, and if not what is short and which device would do."""

from __future__ import annotations

from hwgen.devices.boards import devices, find_board, find_device
from hwgen.devices.family import Device
from hwgen.estimation.budget import Budget, budget, overdrawn, taken
from hwgen.fold import MemoryStyle
from hwgen.pipeline.layout import Pipeline
from hwgen.plan import Plan

__all__ = ["device_of", "shortage"]


def device_of(plan: Plan) -> Device | None:
    """Give the device that a plan was folded for, its board's or its own; None: it is not known."""
    if plan.board is not None:
        return find_board(plan.board).device
    return None if plan.device is None else find_device(plan.device)


def shortage(pipeline: Pipeline) -> str | None:
    """Say that the accelerator of a plan does not fit the device that it was folded for, by how much, and the smallest known device that it fits.

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
    known = sorted(devices().values(), key=lambda one: one.luts)
    larger = [one for one in known if one.family.prices is not None and not _short(pipeline, budget(one, link=False))]
    room = (
        f"the smallest known device with room for it is {larger[0].name}"
        if larger
        else "no known device has room for it"
    )
    return (
        f"'{plan.network.name}' does not fit {device.name}: as it is folded it needs about {', '.join(short)}; {room}"
    )


def _limits(plan: Plan, device: Device) -> Budget:
    boots = any(fold.memory is MemoryStyle.SPRAM for fold in plan.folds.values())
    on_board = plan.board is not None
    return budget(device, link=on_board, registers=on_board and plan.has_registers, boots=on_board and boots)


def _short(pipeline: Pipeline, limits: Budget) -> list[str]:
    return overdrawn(taken(pipeline, limits), limits)
