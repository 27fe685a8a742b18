"""Bytes of an SPI NOR flash, one after another from an address on."""

from amaranth.hdl import Cat, Module, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["READ", "RELEASE", "FlashReader"]

RELEASE, READ = 0xAB, 0x03
"""Commands: release from power-down; read from a 24-bit address on."""

_BYTE_BITS, _COMMAND_BITS = 8, 32


class FlashReader(wiring.Component):
    """Wakes the flash, waits, and reads; SPI in mode 0, highest bit first.

    The flash shifts at a falling edge, and its bit is taken at the next one, a whole period later. The clock rests while a byte is not taken.

    Parameters
    ----------
    address : int
        Of the first byte, 24 bits.
    wait_cycles : int
        From the command that wakes the flash to the next.
    half_cycles : int
        Cycles of half a period of the flash's clock.

    Members
    -------
    enable : In(1)
        While low, the flash is deselected once the byte under way is complete, and reading begins anew.
    sck, copi : Out(1)
    select : Out(1)
        Active low.
    cipo : In(1)
    o : ``Out(stream.Signature(8))``
        A byte takes ``16 * half_cycles`` cycles and two more.
    """

    def __init__(self, *, address: int, wait_cycles: int, half_cycles: int) -> None:
        self.address = address
        self.wait_cycles = wait_cycles
        self.half_cycles = half_cycles
        super().__init__(
            {
                "enable": In(1),
                "sck": Out(1),
                "copi": Out(1),
                "select": Out(1, init=1),
                "cipo": In(1),
                "o": Out(stream.Signature(unsigned(_BYTE_BITS))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Shift one exchange after another: the first command, the second with its address, then bytes."""
        m = Module()
        left = Signal(range(_COMMAND_BITS + 1))
        half = Signal(range(max(2, self.half_cycles)))
        sending = Signal(_COMMAND_BITS, reset_less=True)
        received = Signal(_BYTE_BITS, reset_less=True)
        wait = Signal(range(self.wait_cycles + 1), reset_less=True)
        m.d.comb += [self.copi.eq(sending[-1]), self.o.payload.eq(received)]
        with m.If(left != 0):
            m.d.sync += half.eq(half - 1)
            with m.If(half == 0):
                m.d.sync += [half.eq(self.half_cycles - 1), self.sck.eq(~self.sck)]
                with m.If(self.sck):
                    m.d.sync += [left.eq(left - 1), sending.eq(sending << 1), received.eq(Cat(self.cipo, received))]

        def exchange(word: int, bits: int) -> None:
            m.d.sync += [
                self.select.eq(0),
                sending.eq(word << (_COMMAND_BITS - bits)),
                left.eq(bits),
                half.eq(self.half_cycles - 1),
            ]

        with m.FSM():
            with m.State("IDLE"), m.If(self.enable):
                exchange(RELEASE, _BYTE_BITS)
                m.next = "RELEASE"
            with m.State("RELEASE"), m.If(left == 0):
                m.d.sync += [self.select.eq(1), wait.eq(self.wait_cycles)]
                m.next = "WAIT"
            with m.State("WAIT"):
                m.d.sync += wait.eq(wait - 1)
                with m.If(wait == 0):
                    exchange(READ << 24 | self.address, _COMMAND_BITS)
                    m.next = "READ"
            with m.State("READ"), m.If(left == 0):
                exchange(0, _BYTE_BITS)
                m.next = "BYTE"
            with m.State("BYTE"), m.If(left == 0):
                m.d.sync += self.o.valid.eq(1)
                m.next = "GIVE"
            with m.State("GIVE"):
                with m.If(~self.enable):
                    m.d.sync += [self.o.valid.eq(0), self.select.eq(1)]
                    m.next = "IDLE"
                with m.Elif(self.o.ready):
                    m.d.sync += self.o.valid.eq(0)
                    exchange(0, _BYTE_BITS)
                    m.next = "BYTE"
        return m
