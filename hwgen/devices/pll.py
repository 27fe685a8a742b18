"""Clock multipliers: the settings of a board's PLL that come nearest to a clock."""

from __future__ import annotations

from hwgen.devices.boards import Board
from hwgen.devices.clock import Pll
from hwgen.errors import OptionError

__all__ = ["pll"]


def pll(board: Board, clock_hz: float) -> Pll:
    """Find the settings that give the fastest clock up to one, from the clock at a board's pin.

    Parameters
    ----------
    board : Board
    clock_hz : float
        What the clock shall not exceed.

    Raises
    ------
    OptionError
        If the family has no PLL here, or its PLL cannot go so low.
    """
    plls = board.device.family.plls
    if plls is None:
        raise OptionError(
            f"Board '{board.name}' runs at the clock of its pin, {board.clock.hz / 1e6:g} MHz: hwgen drives no PLL of its family"
        )
    choices = (one for one in plls(board.device, board.clock) if one.hz <= clock_hz)
    found = max(choices, key=lambda one: one.hz, default=None)
    if found is None:
        raise OptionError(
            f"The PLL of board '{board.name}' makes no clock of {clock_hz / 1e6:g} MHz or a little less; "
            f"take the clock of its pin, {board.clock.hz / 1e6:g} MHz, or a higher one"
        )
    return found
