"""Asynchronous serial pins: eight data bits, no parity, one stop bit."""

from amaranth.hdl import Cat, Const, Module, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.link.pin_filter import filtered

__all__ = ["MIN_DIVISOR", "UartReceiver", "UartTransmitter"]

MIN_DIVISOR = 4
"""Cycles of a bit below which the filter and the middle of a bit are no longer apart from its edges."""

DATA_BITS = 8


def _check_divisor(divisor: int) -> None:
    if divisor < MIN_DIVISOR:
        raise ValueError(f"A bit takes at least {MIN_DIVISOR} cycles, not {divisor}")


class UartReceiver(wiring.Component):
    """Gives the bytes that arrive at a pin.

    The pin passes two registers and a majority of three samples, so that a glitch of one cycle is not seen. Each bit is read in
    its middle, and reception ends in the middle of the stop bit: a sender may be 1 % faster or slower at 4 cycles a bit, 3 % from 16 on.

    Parameters
    ----------
    divisor : int
        Cycles of a bit.

    Members
    -------
    pin : In(1)
        Idles at 1.
    o : ``Out(stream.Signature(8))``
    line_error : Out(1)
        High for one cycle: a byte was discarded, because its stop bit was 0 or the one before it was not taken.

    Raises
    ------
    ValueError
        If the divisor is below `MIN_DIVISOR`.
    """

    def __init__(self, divisor: int) -> None:
        _check_divisor(divisor)
        self.divisor = divisor
        super().__init__({"pin": In(1, init=1), "o": Out(stream.Signature(unsigned(DATA_BITS))), "line_error": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Wait for a falling edge, then count to the middle of each bit."""
        m = Module()
        line = Signal(init=1)
        m.d.sync += line.eq(filtered(m, self.pin, "pin", init=1))

        timer = Signal(range(self.divisor))
        bit = Signal(range(DATA_BITS))
        shift = Signal(DATA_BITS, reset_less=True)
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        m.d.sync += timer.eq(timer - 1)
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += timer.eq((self.divisor - 1) // 2 - 1)
                with m.If(~line):
                    m.next = "START"
            with m.State("START"), m.If(timer == 0):
                m.d.sync += [timer.eq(self.divisor - 1), bit.eq(0)]
                with m.If(line):
                    m.next = "IDLE"
                with m.Else():
                    m.next = "DATA"
            with m.State("DATA"), m.If(timer == 0):
                m.d.sync += [timer.eq(self.divisor - 1), shift.eq(Cat(shift[1:], line)), bit.eq(bit + 1)]
                with m.If(bit == DATA_BITS - 1):
                    m.next = "STOP"
            with m.State("STOP"), m.If(timer == 0):
                with m.If(line & ~self.o.valid):
                    m.d.sync += [self.o.valid.eq(1), self.o.payload.eq(shift)]
                with m.Else():
                    m.d.comb += self.line_error.eq(1)
                with m.If(line):
                    m.next = "IDLE"
                with m.Else():
                    m.next = "BREAK"
            with m.State("BREAK"), m.If(line):
                m.next = "IDLE"
        return m


class UartTransmitter(wiring.Component):
    """Sends bytes through a pin; a byte takes ``10 * divisor + 1`` cycles.

    Parameters
    ----------
    divisor : int
        Cycles of a bit.

    Members
    -------
    i : ``In(stream.Signature(8))``
    pin : Out(1)
        Idles at 1; a register.

    Raises
    ------
    ValueError
        If the divisor is below `MIN_DIVISOR`.
    """

    def __init__(self, divisor: int) -> None:
        _check_divisor(divisor)
        self.divisor = divisor
        super().__init__({"i": In(stream.Signature(unsigned(DATA_BITS))), "pin": Out(1, init=1)})

    def elaborate(self, platform: object) -> Module:
        """Shift start bit, data and stop bit out, lowest first."""
        m = Module()
        timer = Signal(range(self.divisor))
        bits = Signal(DATA_BITS + 1, init=-1)
        left = Signal(range(DATA_BITS + 3))
        m.d.comb += self.i.ready.eq(left == 0)
        with m.If(self.i.ready), m.If(self.i.valid):
            m.d.sync += [
                self.pin.eq(0),
                bits.eq(Cat(self.i.payload, Const(1))),
                left.eq(DATA_BITS + 2),
                timer.eq(self.divisor - 1),
            ]
        with m.Elif(timer == 0):
            m.d.sync += [
                self.pin.eq(bits[0]),
                bits.eq(Cat(bits[1:], Const(1))),
                left.eq(left - 1),
                timer.eq(self.divisor - 1),
            ]
        with m.Else():
            m.d.sync += timer.eq(timer - 1)
        return m
