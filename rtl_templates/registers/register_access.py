"""Carry out a stored request to read or write registers: address and words come byte by byte."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.registers.register_bus import STROBES, WORD_BITS, RegisterBus

__all__ = ["RegisterAccess"]

_BYTE_BITS = (STROBES - 1).bit_length()


class RegisterAccess(wiring.Component):
    """Reads one word, or writes words to addresses in a row.

    Bytes are taken from a memory whose pointer moves on with ``take``: the four of a byte address, then those of each word, lowest first.
    An address beyond the bus is an error, as is one whose access ends with an error.

    Parameters
    ----------
    address_bits : int
        Of the bus.
    count_bits : int

    Members
    -------
    start : In(1)
        High for a cycle; ``write`` and ``words`` stand from then on.
    write : In(1)
    words : In(count_bits)
        To be written, at least 1.
    take : Out(1)
        Read the memory's present byte, and move on.
    byte : In(8)
        What was read in the cycle before.
    finished : Out(1)
        The last request is over: ``value`` and ``error`` stand until the next.
    value : Out(32)
        What was read.
    error : Out(1)
    bus : ``Out(RegisterBus(address_bits))``
    """

    def __init__(self, address_bits: int, count_bits: int) -> None:
        self.address_bits = address_bits
        super().__init__(
            {
                "start": In(1),
                "write": In(1),
                "words": In(count_bits),
                "byte": In(8),
                "take": Out(1),
                "finished": Out(1),
                "value": Out(WORD_BITS),
                "error": Out(1),
                "bus": Out(RegisterBus(address_bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Gather four bytes, access, and again."""
        m = Module()
        bus = self.bus
        gathered = Signal(WORD_BITS, reset_less=True)
        place = Signal(range(STROBES))
        left = Signal.like(self.words, name="left")
        beyond = Signal()
        following, arrives = Cat(gathered[8:], self.byte), Signal()
        m.d.sync += arrives.eq(self.take)
        with m.If(arrives):
            m.d.sync += gathered.eq(following)
        m.d.comb += [bus.value.eq(gathered), bus.strobe.eq(~0), bus.write.eq(self.write)]

        def fetch(then: str) -> None:
            m.d.comb += self.take.eq(1)
            m.d.sync += place.eq(place + 1)
            with m.If(place == STROBES - 1):
                m.next = then

        def access() -> None:
            m.d.sync += bus.start.eq(1)
            m.next = "ACCESS"

        with m.FSM():
            with m.State("IDLE"), m.If(self.start):
                m.d.sync += [place.eq(0), left.eq(self.words), self.finished.eq(0), self.error.eq(0)]
                m.next = "ADDRESS"
            with m.State("ADDRESS"):
                fetch(then="ADDRESSED")
            with m.State("ADDRESSED"):
                word_address = following[_BYTE_BITS:]
                m.d.sync += [bus.address.eq(word_address), beyond.eq((word_address >> self.address_bits).any())]
                m.next = "WORD"
            with m.State("WORD"):
                with m.If(beyond):
                    m.d.sync += [self.error.eq(1), self.finished.eq(1)]
                    m.next = "IDLE"
                with m.Elif(~self.write):
                    access()
                with m.Else():
                    fetch(then="GATHERED")
            with m.State("GATHERED"):
                access()
            with m.State("ACCESS"):
                m.d.sync += bus.start.eq(0)
                with m.If(bus.done):
                    m.d.sync += [
                        self.value.eq(bus.read_value),
                        self.error.eq(self.error | bus.error),
                        left.eq(left - 1),
                    ]
                    with m.If(self.write & (left != 1)):
                        m.d.sync += Cat(bus.address, beyond).eq(bus.address + 1)
                        m.next = "WORD"
                    with m.Else():
                        m.d.sync += self.finished.eq(1)
                        m.next = "IDLE"
        return m
