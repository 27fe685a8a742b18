"""The side entrance of an accelerator: AXI4-Lite in, registers, counters of both streams, and the bus to the memories."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.cost import Part
from hwgen.rtl_templates.registers.axi_lite import AxiLite, AxiLiteSlave
from hwgen.rtl_templates.registers.register_bus import STROBES, WORD_BITS
from hwgen.rtl_templates.registers.registers import RegisterMap, Registers
from hwgen.rtl_templates.registers.write_bus import WriteBus
from hwgen.rtl_templates.streams.stream_monitor import StreamMonitor

__all__ = ["Control"]

_FLIGHT_BITS = 16
"""Width of the count of frames under way: far more than any pipeline holds."""

_STORED_WORDS = 3
"""Words that a host writes: SCRATCH and both halves of LOADED_ID."""

_COUNTED_WORDS = 4
"""Counters of both ports."""


class Control(wiring.Component):
    """Serves the registers, watches both ports, and tells when a frame may begin.

    Parameters
    ----------
    shape : RegisterMap
    beats_in, beats_out : int
        Beats of a frame at either port.

    Members
    -------
    axi : ``In(AxiLite(address_bits))``
    write : ``Out(WriteBus(shape.address_bits))``
    i_valid, i_ready, o_valid, o_ready : In(1)
        Handshakes of both ports.
    busy : In(shape.stages)
        Stage by stage: it works now.
    frame_error : In(1)
    run : Out(1)
        The memories hold a network.
    open : Out(1)
        The input port may transfer: always within a frame, and before one as long as ``run``. From registers.
    """

    def __init__(self, shape: RegisterMap, beats_in: int, beats_out: int) -> None:
        self.shape = shape
        self.beats_in = beats_in
        self.beats_out = beats_out
        self.address_bits = self.byte_address_bits(shape)
        wires = {name: In(1) for name in ("i_valid", "i_ready", "o_valid", "o_ready", "frame_error")}
        super().__init__(
            {
                "axi": In(AxiLite(self.address_bits)),
                "write": Out(WriteBus(shape.address_bits)),
                **wires,
                "busy": In(shape.stages),
                "run": Out(1),
                "open": Out(1),
            }
        )

    @staticmethod
    def byte_address_bits(shape: RegisterMap) -> int:
        """Bits of an address of the port."""
        return shape.address_bits + (STROBES - 1).bit_length()

    @staticmethod
    def bill(shape: RegisterMap, beats_in: int, beats_out: int) -> Bill:
        """Give what it is made of: the registers with the choice among them, an access that is under way, and what watches the ports."""
        bill, words = Bill(), shape.stages + _STORED_WORDS + _COUNTED_WORDS
        bill.add(Part.UNIT, 3)
        groups = -(-shape.words // 8)
        bill.add(Part.REGISTER_BIT, WORD_BITS * words)
        bill.register(WORD_BITS * (words + groups + 1) + shape.stages)
        # The state of the load, the handshakes, and what an access keeps: two addresses, its own, and the word that is written and read.
        bill.register(9 + 12 + 4 * shape.address_bits + 4 + 3 * WORD_BITS + STROBES)
        bill.counter(1 << _FLIGHT_BITS)
        bill.counter(beats_in)
        bill.counter(beats_out)
        bill.add(Part.OTHER, (1 + len(shape.memories)) * shape.address_bits // 2)
        return bill

    def elaborate(self, platform: object) -> Module:
        """Connect the parts, and count the frames between both ports."""
        m = Module()
        m.submodules.slave = slave = AxiLiteSlave(self.address_bits)
        m.submodules.registers = registers = Registers(self.shape)
        m.submodules.source = source = StreamMonitor(self.beats_in)
        m.submodules.sink = sink = StreamMonitor(self.beats_out)
        wiring.connect(m, wiring.flipped(self.axi), slave.axi)
        wiring.connect(m, slave.bus, registers.bus)
        wiring.connect(m, registers.write, wiring.flipped(self.write))
        flight = Signal(_FLIGHT_BITS)
        with m.If(source.ends != sink.ends):
            m.d.sync += flight.eq(Mux(source.ends, flight + 1, flight - 1))
        m.d.comb += [
            source.valid.eq(self.i_valid),
            source.ready.eq(self.i_ready),
            sink.valid.eq(self.o_valid),
            sink.ready.eq(self.o_ready),
            source.clear.eq(registers.clear),
            sink.clear.eq(registers.clear),
            registers.busy.eq(self.busy),
            registers.status.eq(Cat(source.within | flight.any(), self.frame_error)),
            registers.frames_in.eq(source.frames),
            registers.frames_out.eq(sink.frames),
            registers.input_stalls.eq(source.stalls),
            registers.output_stalls.eq(sink.stalls),
            self.run.eq(registers.run),
            self.open.eq(registers.run | source.within),
        ]
        return m
