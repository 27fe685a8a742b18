"""Fold a network for a board: its device's budget without the host link, at a clock that the board can make."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from hwgen.devices.boards import Board, boards, find_board
from hwgen.devices.family import Device
from hwgen.devices.pll import pll
from hwgen.devices.usage import Usage
from hwgen.errors import OptionError
from hwgen.estimation.budget import Budget, budget
from hwgen.estimation.estimate import estimate_total
from hwgen.folding.catalogue import Catalogue
from hwgen.folding.within_budget import fold_for_budget
from hwgen.network import Network
from hwgen.plan import Plan

__all__ = [
    "Fit",
    "board_budget",
    "catalogue_for",
    "clock_choices",
    "fits_of",
    "fold_for_board",
    "slower_clock",
]

CLOCK_STEPS = (1.0, 0.8, 0.65, 0.5)
"""Clocks to try, as shares of what the device is known to reach."""

CLOCK_MARGIN = 0.95
"""Share of a clock that was reached which the next placement should reach again."""


def clock_choices(board: Board) -> list[float]:
    """Give the clocks in MHz that a board can run at and that are worth trying, the fastest first; its pin's own is always there."""
    pin = board.clock.hz / 1e6
    choices = {pin}
    for share in CLOCK_STEPS:
        try:
            choices.add(pll(board, share * board.device.clock_goal_mhz * 1e6).hz / 1e6)
        except OptionError:
            continue
    return sorted((mhz for mhz in choices if mhz <= max(pin, board.device.clock_goal_mhz)), reverse=True)


def slower_clock(board: Board, fmax_mhz: float) -> float | None:
    """Give the fastest clock in MHz for a design that reaches no more than this; None if the board has none that slow.

    It is one of `clock_choices`, or a little below what the design has reached: the next try is another placement.
    """
    choices = [mhz for mhz in clock_choices(board) if mhz <= fmax_mhz]
    with suppress(OptionError):
        choices.append(pll(board, CLOCK_MARGIN * fmax_mhz * 1e6).hz / 1e6)
    return max(choices, default=None)


def board_budget(board: Board, *, registers: bool = False, boots: bool = False) -> Budget:
    """Give what an accelerator may take of a board's device beside the host link, which may reach registers, and a boot loader."""
    return budget(board.device, link=True, registers=registers, boots=boots)


def fold_for_board(
    network: Network,
    name: str,
    *,
    clock_mhz: float | None = None,
    target_fps: float | None = None,
    writable: frozenset[str] = frozenset(),
    axi_lite: bool = False,
    less_than: tuple[Usage, float] | None = None,
    catalogue: Catalogue | None = None,
) -> Plan:
    """Give the fastest plan that a board has room for, its FIFOs sized.

    Where nothing fits, and the board has large RAMs and a flash to load them from, weights may be there as well.

    Parameters
    ----------
    network : Network
    name : str
        Board, or the path of its TOML file.
    clock_mhz : float or None
        None: the fastest of `clock_choices`.
    target_fps : float or None
        Not the fastest plan but the cheapest that takes so many frames a second.
    writable : set of str
        Layers whose memories can be written at run time.
    axi_lite : bool
        Whether the accelerator has registers in any case.
    less_than : (Usage, float) or None
        A usage, and the share of its logic that the plan may take.
    catalogue : Catalogue or None
        The network's foldings, if they are listed already: as they are, nothing writable.

    Raises
    ------
    OptionError
        If there is no such board, or no folding fits it or reaches the rate.
    """
    board = find_board(name)
    clock_hz = (clock_choices(board)[0] if clock_mhz is None else clock_mhz) * 1e6
    most = None if target_fps is None else int(clock_hz / target_fps)

    def fold(foldings: Catalogue, *, boots: bool) -> Plan:
        limits = board_budget(board, registers=axi_lite or bool(writable) or boots, boots=boots)
        limits = limits if less_than is None else limits.below(*less_than)
        plan = fold_for_budget(foldings, limits, clock_hz=clock_hz, most_cycles=most, axi_lite=axi_lite)
        return replace(plan, board=name)

    try:
        return fold(catalogue or catalogue_for(network, board.device, writable=writable), boots=False)
    except OptionError:
        if board.flash is None or not board.device.spram_blocks:
            raise
        return fold(catalogue_for(network, board.device, writable=writable, large_rams=True), boots=True)


def catalogue_for(
    network: Network, device: Device, *, writable: frozenset[str] = frozenset(), large_rams: bool = False
) -> Catalogue:
    """Give the foldings that suit a device's family."""
    registers = device.family.fetch_registers
    return Catalogue(network, writable=writable, large_rams=large_rams, fetch_registers=registers)


@dataclass(frozen=True)
class Fit:
    """What a board makes of a network.

    Parameters
    ----------
    board : str
    plan : Plan or None
        None: it does not fit.
    usage : Usage or None
        Estimated for the accelerator.
    reason : str
        Why it does not fit.
    """

    board: str
    plan: Plan | None
    usage: Usage | None
    reason: str = ""

    def facts(self) -> dict[str, Any]:
        """Give everything as JSON types."""
        if self.plan is None or self.usage is None:
            return {"board": self.board, "fits": False, "reason": self.reason}
        cycles, clock = self.plan.cycles, self.plan.clock_hz
        numbers: Mapping[str, float] = {"luts": self.usage.luts, "ffs": self.usage.ffs, "brams": self.usage.brams}
        return {
            "board": self.board,
            "fits": True,
            "cycles": cycles,
            "clock_mhz": clock / 1e6,
            "fps": clock / cycles,
            **numbers,
            "sprams": self.usage.sprams,
        }


def fits_of(network: Network) -> list[Fit]:
    """Fold a network for every board."""
    catalogues: dict[int, Catalogue] = {}
    fits = []
    for name, board in boards().items():
        registers = board.device.family.fetch_registers
        if registers not in catalogues:
            catalogues[registers] = catalogue_for(network, board.device)
        try:
            plan = fold_for_board(network, name, catalogue=catalogues[registers])
        except OptionError as error:
            fits.append(Fit(name, None, None, str(error)))
        else:
            fits.append(Fit(name, plan, estimate_total(plan, board.device)))
    return fits
