"""The check value of a packet: CRC-32 of IEEE 802.3, a bit a cycle."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Crc32"]

POLYNOMIAL = 0xEDB88320
"""Reflected: bit 31 is the coefficient of 1."""

RESIDUE = 0xDEBB20E3
"""What the register holds after any bytes that are followed by their own check value."""


class Crc32(wiring.Component):
    """Divides bytes by the CRC-32 polynomial; a byte takes 9 cycles.

    Parameters
    ----------
    None

    Members
    -------
    i : ``In(stream.Signature(8))``
    clear : In(1)
        Begin again; no byte is taken in this cycle.
    value : Out(32)
        Check value of the bytes so far, while ``i.ready``; it is sent lowest byte first.
    good : Out(1)
        The last four bytes were the check value of all before them, while ``i.ready``.
    """

    def __init__(self) -> None:
        super().__init__({"i": In(stream.Signature(unsigned(8))), "clear": In(1), "value": Out(32), "good": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """One shift of the reflected register for each bit, lowest first."""
        m = Module()
        register = Signal(32, init=0xFFFFFFFF)
        byte = Signal(8, reset_less=True)
        left = Signal(range(9))
        m.d.comb += [
            self.i.ready.eq(left == 0),
            self.value.eq(~register),
            self.good.eq(register == RESIDUE),
        ]
        with m.If(self.clear):
            m.d.sync += [register.eq(0xFFFFFFFF), left.eq(0)]
        with m.Elif(left != 0):
            feedback = register[0] ^ byte[0]
            m.d.sync += [
                register.eq(Cat(register[1:], Const(0)) ^ Mux(feedback, POLYNOMIAL, 0)),
                byte.eq(byte >> 1),
                left.eq(left - 1),
            ]
        with m.Elif(self.i.valid):
            m.d.sync += [byte.eq(self.i.payload), left.eq(8)]
        return m
