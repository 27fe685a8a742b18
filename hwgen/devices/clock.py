"""The clock at a board's pin, and a PLL that makes another of it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Clock", "Pll"]


@dataclass(frozen=True)
class Clock:
    """The clock that a board feeds to the FPGA.

    Parameters
    ----------
    pin : str
    hz : int
    note : str
        What a person has to do for it.
    pll_pad : bool
        iCE40: whether the pin is the one that belongs to the PLL.
    """

    pin: str
    hz: int
    note: str = ""
    pll_pad: bool = False


@dataclass(frozen=True)
class Pll:
    """A PLL with its settings.

    Parameters
    ----------
    cell : str
        Name of the family's primitive.
    hz : int
        The clock that it makes, to the nearest hertz.
    parameters : dict
        Parameters of the cell.
    clock_in, clock_out, locked : str
        Its ports.
    constants : dict
        Ports that are tied: name -> (width, value).
    feedback : (str, str) or None
        Output and input between which the loop is closed; None: inside.
    """

    cell: str
    hz: int
    parameters: dict[str, int | str]
    clock_in: str
    clock_out: str
    locked: str
    constants: dict[str, tuple[int, int]]
    feedback: tuple[str, str] | None = None
