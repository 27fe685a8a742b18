"""What hardware takes of a device."""

from __future__ import annotations

from dataclasses import astuple, dataclass

__all__ = ["Usage"]


@dataclass(frozen=True)
class Usage:
    """What a module takes of a device after mapping, before cells are packed together.

    Parameters
    ----------
    luts : int
        Look-up tables, including those that hold a carry cell or distributed RAM where the family has it so.
    ffs, carries : int
        Flip-flops, bits of carry chains.
    brams : float
        Block RAMs; halves on 7-series and GateMate.
    lutrams, sprams, dsps : int
        Cells of distributed RAM, large RAMs, multipliers.
    """

    luts: int = 0
    ffs: int = 0
    carries: int = 0
    brams: float = 0
    lutrams: int = 0
    sprams: int = 0
    dsps: int = 0

    def __add__(self, other: Usage) -> Usage:
        """Give what both take together."""
        return Usage(*(mine + its for mine, its in zip(astuple(self), astuple(other), strict=True)))
