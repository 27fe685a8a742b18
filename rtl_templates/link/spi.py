"""Synchronous serial pins, mode 0, at the end that is clocked: eight data bits, the highest first."""

from amaranth.hdl import Cat, Module, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.link.link_protocol import ESCAPE, FLAG
from hwgen.rtl_templates.link.pin_filter import filtered

__all__ = ["MIN_SCLK_CYCLES", "SpiPeripheral"]

MIN_SCLK_CYCLES = 6
"""Cycles of a period of ``sclk`` for which `SpiPeripheral` is made."""

DATA_BITS = 8


class SpiPeripheral(wiring.Component):
    """Gives the bytes that a host clocks in, and sends bytes with the same clocks.

    ``sclk`` is sampled, so it needs no clock network: each of its phases must last more than 2 cycles, which a period of
    `MIN_SCLK_CYCLES` gives, and ``mosi`` must be still as long before and behind a rising edge. ``miso`` changes 3 to 4 cycles behind a rising edge:
    it is still at the next one, and was at this one. ``cs`` must fall a cycle before the first rising edge, and be high for more than 2
    cycles. A glitch of one cycle is not seen at periods of 10 cycles and more.

    The clock is the host's, so there is always a byte to send: if none is offered in time, a flag where the byte before it was one, else,
    within a packet, two escapes, which every receiver passes over.

    Parameters
    ----------
    None

    Members
    -------
    sclk, mosi : In(1)
    cs : In(1)
        Active low.
    miso : Out(1)
        A register. The first bit of a byte is there when the last of the one before has been taken.
    o : ``Out(stream.Signature(8))``
        Bytes from the host.
    i : ``In(stream.Signature(8))``
        Bytes to the host; one is taken when the byte before it has ended.
    line_error : Out(1)
        High for one cycle: a byte was discarded, because ``cs`` rose within it or the one before it was not taken.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "sclk": In(1),
                "mosi": In(1),
                "cs": In(1, init=1),
                "miso": Out(1),
                "o": Out(stream.Signature(unsigned(DATA_BITS))),
                "i": In(stream.Signature(unsigned(DATA_BITS))),
                "line_error": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Shift a byte in at one end of a register while the other leaves at its other end."""
        m = Module()
        sclk = filtered(m, self.sclk, "sclk", init=0)
        mosi = filtered(m, self.mosi, "mosi", init=0)
        # A reset may come within a byte: nothing counts until the host has been seen to begin anew.
        deselected = filtered(m, self.cs, "cs", init=0)
        armed = Signal()
        before = Signal()
        bit = Signal(range(DATA_BITS))
        shift = Signal(DATA_BITS, init=FLAG)
        open_frame, half_filled = Signal(), Signal()
        rise, ended, aborted, load = (Signal(name=name) for name in ("rise", "ended", "aborted", "load"))
        shifted = Cat(mosi, shift[:-1])
        m.d.comb += [
            rise.eq(sclk & ~before & armed & ~deselected),
            ended.eq(rise & (bit == DATA_BITS - 1)),
            aborted.eq(deselected & (bit != 0)),
            load.eq(ended | aborted),
            self.miso.eq(shift[-1]),
            self.i.ready.eq(load & ~half_filled),
            self.line_error.eq(aborted | (ended & self.o.valid)),
        ]
        m.d.sync += before.eq(sclk)
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(ended & ~self.o.valid):
            m.d.sync += [self.o.valid.eq(1), self.o.payload.eq(shifted)]
        with m.If(deselected):
            m.d.sync += [armed.eq(1), bit.eq(0)]
        with m.If(rise):
            m.d.sync += [bit.eq(bit + 1), shift.eq(shifted)]
        with m.If(load):
            with m.If(half_filled):
                m.d.sync += [shift.eq(ESCAPE), half_filled.eq(0)]
            with m.Elif(self.i.valid):
                m.d.sync += [shift.eq(self.i.payload), open_frame.eq(self.i.payload != FLAG)]
            with m.Elif(open_frame):
                m.d.sync += [shift.eq(ESCAPE), half_filled.eq(1)]
            with m.Else():
                m.d.sync += shift.eq(FLAG)
        return m
