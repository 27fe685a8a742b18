"""Serial pins that a host clocks: SPI in mode 0, eight bits a byte, highest bit first."""

from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

__all__ = ["MIN_CLOCK_RATIO", "SpiDevice"]

MIN_CLOCK_RATIO = 8
"""Cycles of a period of the host's clock below which an answer's bit may be late for the host's edge."""

DATA_BITS = 8


class SpiDevice(wiring.Component):
    """Exchanges bytes with a host that drives the clock: one in each direction for every eight periods.

    The pins pass two registers; ``sck`` may be at most the clock divided by `MIN_CLOCK_RATIO`. A byte that is cut short when
    ``select`` rises is no byte: what was received of it is dropped, and what was to be sent with it is lost. A byte of which no bit
    was clocked is kept for the next time.

    Parameters
    ----------
    idle : int
        Byte that is sent when none is offered.

    Members
    -------
    sck, mosi : In(1)
        The host's clock and data.
    select : In(1)
        Active low.
    miso : Out(1)
        A register; the highest bit stands from the fall of ``select`` on, each further one from a falling edge of ``sck``.
    i : ``In(stream.Signature(8))``
        Bytes to send.
    o : ``Out(stream.Signature(8))``
        Bytes received.
    line_error : Out(1)
        High for one cycle: a byte was discarded, because it was cut short or the one before it was not taken.
    """

    def __init__(self, idle: int) -> None:
        self.idle = idle
        super().__init__(
            {
                "sck": In(1),
                "mosi": In(1),
                "select": In(1, init=1),
                "miso": Out(1),
                "i": In(stream.Signature(unsigned(DATA_BITS))),
                "o": Out(stream.Signature(unsigned(DATA_BITS))),
                "line_error": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Sample at rising edges, shift at falling ones, load a byte behind the eighth and at the selection, and take it at its first bit."""
        m = Module()
        sck, mosi, select = Signal(), Signal(), Signal(init=1)
        m.submodules.clock_pin = FFSynchronizer(self.sck, sck)
        m.submodules.data_pin = FFSynchronizer(self.mosi, mosi)
        m.submodules.select_pin = FFSynchronizer(self.select, select, init=1)
        before, selected = Signal(), Signal()
        m.d.sync += [before.eq(sck), selected.eq(~select)]

        bit = Signal(range(DATA_BITS))
        received = Signal(DATA_BITS, reset_less=True)
        sending = Signal(DATA_BITS, reset_less=True)
        whole = Cat(mosi, received[:-1])

        offered = Signal()

        def load() -> None:
            m.d.sync += [sending.eq(Mux(self.i.valid, self.i.payload, self.idle)), offered.eq(self.i.valid)]

        m.d.comb += self.miso.eq(sending[-1])
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(select):
            m.d.sync += bit.eq(0)
            m.d.comb += self.line_error.eq(selected & (bit != 0))
        with m.Elif(~selected):
            load()
        with m.Elif(sck & ~before):
            m.d.sync += [bit.eq(bit + 1), received.eq(whole)]
            m.d.comb += self.i.ready.eq(offered & (bit == 0))
            with m.If(bit == DATA_BITS - 1):
                with m.If(self.o.valid & ~self.o.ready):
                    m.d.comb += self.line_error.eq(1)
                with m.Else():
                    m.d.sync += [self.o.valid.eq(1), self.o.payload.eq(whole)]
        with m.Elif(~sck & before):
            with m.If(bit == 0):
                load()
            with m.Else():
                m.d.sync += sending.eq(Cat(0, sending[:-1]))
        return m
