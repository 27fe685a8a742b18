"""Two masters of one register bus: the first may keep the second from writing."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.registers.register_bus import RegisterBus

__all__ = ["BusArbiter"]


class BusArbiter(wiring.Component):
    """Carries out the accesses of both masters, one at a time, the first master's before the second's.

    An access begins two cycles later than it was asked for, or when the one under way is over.

    Parameters
    ----------
    address_bits : int

    Members
    -------
    first, second : ``In(RegisterBus(address_bits))``
    closed : In(1)
        Writes of the second master wait.
    bus : ``Out(RegisterBus(address_bits))``
    """

    def __init__(self, address_bits: int) -> None:
        bus = RegisterBus(address_bits)
        super().__init__({"first": In(bus), "second": In(bus), "closed": In(1), "bus": Out(bus)})

    def elaborate(self, platform: object) -> Module:
        """Remember who asks; choose; pass the chosen one's access through until its end."""
        m = Module()
        masters, bus = (self.first, self.second), self.bus
        asked = [Signal(name="first_asked"), Signal(name="second_asked")]
        chosen = Signal()
        for name in ("write", "address", "value", "strobe"):
            m.d.comb += getattr(bus, name).eq(Mux(chosen, *(getattr(master, name) for master in reversed(masters))))
        for number, (master, waits) in enumerate(zip(masters, asked, strict=True)):
            m.d.comb += [
                master.done.eq(bus.done & (chosen == number)),
                master.error.eq(bus.error),
                master.read_value.eq(bus.read_value),
            ]
            with m.If(master.start):
                m.d.sync += waits.eq(1)
        with m.FSM():
            with m.State("IDLE"):
                with m.If(asked[0]):
                    m.d.sync += [chosen.eq(0), asked[0].eq(0), bus.start.eq(1)]
                    m.next = "ACCESS"
                with m.Elif(asked[1] & ~(self.closed & self.second.write)):
                    m.d.sync += [chosen.eq(1), asked[1].eq(0), bus.start.eq(1)]
                    m.next = "ACCESS"
            with m.State("ACCESS"):
                m.d.sync += bus.start.eq(0)
                with m.If(bus.done):
                    m.next = "IDLE"
        return m
