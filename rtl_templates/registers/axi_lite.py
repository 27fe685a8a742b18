"""AXI4-Lite, both ends: one access at a time, every handshake from a register."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.registers.register_bus import STROBES, WORD_BITS, RegisterBus

__all__ = ["OKAY", "SLVERR", "AxiLite", "AxiLiteMaster", "AxiLiteSlave"]

OKAY, SLVERR = 0, 2

_BYTE_BITS = (STROBES - 1).bit_length()


class AxiLite(wiring.Signature):
    """The five channels as the master drives them, by the names of the standard.

    Parameters
    ----------
    address_bits : int
        Of a byte address.
    """

    def __init__(self, address_bits: int) -> None:
        super().__init__(
            {
                "awaddr": Out(address_bits),
                "awprot": Out(3),
                "awvalid": Out(1),
                "awready": In(1),
                "wdata": Out(WORD_BITS),
                "wstrb": Out(STROBES),
                "wvalid": Out(1),
                "wready": In(1),
                "bresp": In(2),
                "bvalid": In(1),
                "bready": Out(1),
                "araddr": Out(address_bits),
                "arprot": Out(3),
                "arvalid": Out(1),
                "arready": In(1),
                "rdata": In(WORD_BITS),
                "rresp": In(2),
                "rvalid": In(1),
                "rready": Out(1),
            }
        )


class AxiLiteSlave(wiring.Component):
    """Turns AXI4-Lite accesses into those of a register bus, writes before reads.

    The lowest two address bits do not count.

    Parameters
    ----------
    address_bits : int
        Of a byte address.

    Members
    -------
    axi : ``In(AxiLite(address_bits))``
    bus : ``Out(RegisterBus(address_bits - 2))``
    """

    def __init__(self, address_bits: int) -> None:
        super().__init__({"axi": In(AxiLite(address_bits)), "bus": Out(RegisterBus(address_bits - _BYTE_BITS))})

    def elaborate(self, platform: object) -> Module:
        """Hold what the three request channels brought until its access is over."""
        m = Module()
        axi, bus = self.axi, self.bus
        held = {name: Signal(name=f"{name}_held") for name in ("aw", "w", "ar")}
        write_address = Signal.like(axi.awaddr, name="write_address", reset_less=True)
        read_address = Signal.like(axi.araddr, name="read_address", reset_less=True)
        for channel, taken in held.items():
            valid, ready = getattr(axi, f"{channel}valid"), getattr(axi, f"{channel}ready")
            m.d.comb += ready.eq(~taken)
            with m.If(valid & ready):
                m.d.sync += taken.eq(1)
        with m.If(~held["aw"]):
            m.d.sync += write_address.eq(axi.awaddr)
        with m.If(~held["ar"]):
            m.d.sync += read_address.eq(axi.araddr)
        with m.If(~held["w"]):
            m.d.sync += [bus.value.eq(axi.wdata), bus.strobe.eq(axi.wstrb)]

        with m.FSM():
            with m.State("IDLE"):
                with m.If(held["aw"] & held["w"]):
                    m.d.sync += [bus.start.eq(1), bus.write.eq(1), bus.address.eq(write_address[_BYTE_BITS:])]
                    m.next = "ACCESS"
                with m.Elif(held["ar"]):
                    m.d.sync += [bus.start.eq(1), bus.write.eq(0), bus.address.eq(read_address[_BYTE_BITS:])]
                    m.next = "ACCESS"
            with m.State("ACCESS"):
                m.d.sync += bus.start.eq(0)
                with m.If(bus.done):
                    response = bus.error.replicate(2) & SLVERR
                    m.d.sync += [axi.bresp.eq(response), axi.rresp.eq(response), axi.rdata.eq(bus.read_value)]
                    m.d.sync += [axi.bvalid.eq(bus.write), axi.rvalid.eq(~bus.write)]
                    m.next = "ANSWER"
            with m.State("ANSWER"):
                with m.If(axi.bvalid & axi.bready):
                    m.d.sync += [axi.bvalid.eq(0), held["aw"].eq(0), held["w"].eq(0)]
                    m.next = "IDLE"
                with m.If(axi.rvalid & axi.rready):
                    m.d.sync += [axi.rvalid.eq(0), held["ar"].eq(0)]
                    m.next = "IDLE"
        return m


class AxiLiteMaster(wiring.Component):
    """Turns accesses of a register bus into those of AXI4-Lite.

    Parameters
    ----------
    address_bits : int
        Of a byte address.

    Members
    -------
    bus : ``In(RegisterBus(address_bits - 2))``
    axi : ``Out(AxiLite(address_bits))``
    """

    def __init__(self, address_bits: int) -> None:
        super().__init__({"bus": In(RegisterBus(address_bits - _BYTE_BITS)), "axi": Out(AxiLite(address_bits))})

    def elaborate(self, platform: object) -> Module:
        """Raise each channel's valid with the access, and drop it when it was taken."""
        m = Module()
        axi, bus = self.axi, self.bus
        valids = {"aw": bus.write, "w": bus.write, "ar": ~bus.write}
        for channel, wanted in valids.items():
            valid = getattr(axi, f"{channel}valid")
            with m.If(valid & getattr(axi, f"{channel}ready")):
                m.d.sync += valid.eq(0)
            with m.If(bus.start):
                m.d.sync += valid.eq(wanted)
        with m.If(bus.start):
            m.d.sync += [axi.bready.eq(bus.write), axi.rready.eq(~bus.write)]
        m.d.comb += [
            axi.awaddr[_BYTE_BITS:].eq(bus.address),
            axi.araddr[_BYTE_BITS:].eq(bus.address),
            axi.wdata.eq(bus.value),
            axi.wstrb.eq(bus.strobe),
            bus.read_value.eq(axi.rdata),
        ]
        with m.If(axi.bvalid & axi.bready):
            m.d.comb += [bus.done.eq(1), bus.error.eq(axi.bresp != OKAY)]
            m.d.sync += axi.bready.eq(0)
        with m.If(axi.rvalid & axi.rready):
            m.d.comb += [bus.done.eq(1), bus.error.eq(axi.rresp != OKAY)]
            m.d.sync += axi.rready.eq(0)
        return m
