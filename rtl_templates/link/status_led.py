"""What a board's LED tells: blinking, all is well; steady, something failed; dark, no clock or reset."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["StatusLed"]


class StatusLed(wiring.Component):
    """Blinks, unless it is lit for a failure.

    Parameters
    ----------
    half_cycles : int
        At least so long is it lit, and dark: the next power of two cycles.

    Members
    -------
    failed : In(1)
    lit : Out(1)
    """

    def __init__(self, half_cycles: int) -> None:
        self.half_bits = (half_cycles - 1).bit_length()
        super().__init__({"failed": In(1), "lit": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Show a counter's highest bit, from a register."""
        m = Module()
        count = Signal(self.half_bits + 1)
        m.d.sync += [count.eq(count + 1), self.lit.eq(count[-1] | self.failed)]
        return m
