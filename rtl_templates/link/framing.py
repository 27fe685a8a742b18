"""Packets of bytes on a serial line: flags, escapes and a check value, so that any damage is seen and survived."""

from contextlib import AbstractContextManager

from amaranth.hdl import Module, Mux, Signal, ValueLike
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.link.crc import Crc32
from hwgen.rtl_templates.link.link_protocol import ESCAPE, ESCAPE_FLIP, FLAG

__all__ = ["Framer", "Unframer"]

_CRC_BYTES = 4


class Unframer(wiring.Component):
    """Takes packets out of line bytes; takes one byte in at most 10 cycles.

    The bytes of a packet are given one by one, the check value's four among them, and then an end token that says whether they were
    intact. So a receiver must not act on a byte before the end. Flags without a byte between them say nothing, nor do two escapes
    in a row.

    Parameters
    ----------
    None

    Members
    -------
    i : ``In(stream.Signature(8))``
    o : ``Out(stream.Signature(StructLayout))``
        ``data``: byte of the packet; ``end``: no byte, the packet is over; ``good``: at the end, its CRC-32 is right, however short it is.
    """

    def __init__(self) -> None:
        token = data.StructLayout({"data": 8, "end": 1, "good": 1})
        super().__init__({"i": In(stream.Signature(8)), "o": Out(stream.Signature(token))})

    def elaborate(self, platform: object) -> Module:
        """Undo escapes; every flag begins anew."""
        m = Module()
        m.submodules.crc = crc = Crc32()
        escaped = Signal()
        started = Signal()
        byte = Signal(8)
        take = Signal()
        m.d.comb += [
            self.i.ready.eq(crc.i.ready & ~self.o.valid),
            take.eq(self.i.valid & self.i.ready),
            byte.eq(self.i.payload ^ Mux(escaped, ESCAPE_FLIP, 0)),
            crc.i.payload.eq(byte),
        ]
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(take):
            m.d.sync += escaped.eq(0)
            with m.If(self.i.payload == FLAG):
                m.d.comb += crc.clear.eq(1)
                m.d.sync += [
                    started.eq(0),
                    self.o.valid.eq(started),
                    self.o.payload.end.eq(1),
                    self.o.payload.good.eq(crc.good),
                ]
            with m.Elif(self.i.payload == ESCAPE):
                m.d.sync += escaped.eq(~escaped)
            with m.Else():
                m.d.comb += crc.i.valid.eq(1)
                m.d.sync += [
                    started.eq(1),
                    self.o.valid.eq(1),
                    self.o.payload.data.eq(byte),
                    self.o.payload.end.eq(0),
                    self.o.payload.good.eq(0),
                ]
        return m


class Framer(wiring.Component):
    """Makes line bytes of packets: a flag, the bytes with escapes, their CRC-32, a flag.

    Parameters
    ----------
    None

    Members
    -------
    i : ``In(stream.Signature(StructLayout))``
        ``data``: byte of the packet; ``last``: it is the packet's last.
    o : ``Out(stream.Signature(8))``
    """

    def __init__(self) -> None:
        token = data.StructLayout({"data": 8, "last": 1})
        super().__init__({"i": In(stream.Signature(token)), "o": Out(stream.Signature(8))})

    def elaborate(self, platform: object) -> Module:
        """Hold one byte at a time, and send it as one or two."""
        m = Module()
        m.submodules.crc = crc = Crc32()
        byte = Signal(8, reset_less=True)
        last = Signal()
        opened = Signal()
        escaped = Signal()
        special = Signal()
        checked = Signal(range(_CRC_BYTES + 1))
        m.d.comb += [
            special.eq(((byte == FLAG) | (byte == ESCAPE)) & ~escaped),
            crc.i.payload.eq(self.i.payload.data),
        ]

        def send(value: ValueLike) -> AbstractContextManager[None]:
            m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(value)]
            return m.If(self.o.ready)

        with m.FSM():
            with m.State("TAKE"):
                m.d.comb += [self.i.ready.eq(crc.i.ready), crc.i.valid.eq(self.i.valid)]
                with m.If(self.i.valid & self.i.ready):
                    m.d.sync += [byte.eq(self.i.payload.data), last.eq(self.i.payload.last)]
                    with m.If(opened):
                        m.next = "SEND"
                    with m.Else():
                        m.next = "OPEN"
            with m.State("OPEN"), send(FLAG):
                m.d.sync += opened.eq(1)
                m.next = "SEND"
            with m.State("SEND"), send(Mux(special, ESCAPE, byte ^ Mux(escaped, ESCAPE_FLIP, 0))):
                m.d.sync += escaped.eq(special)
                with m.If(~special):
                    with m.If(last):
                        m.next = "CHECK"
                    with m.Else():
                        m.next = "TAKE"
            with m.State("CHECK"), m.If(crc.i.ready):
                m.d.sync += [byte.eq(crc.value.word_select(checked[:2], 8)), checked.eq(checked + 1)]
                with m.If(checked == _CRC_BYTES):
                    m.next = "CLOSE"
                with m.Else():
                    m.next = "SEND"
            with m.State("CLOSE"), send(FLAG):
                m.d.comb += crc.clear.eq(1)
                m.d.sync += [opened.eq(0), checked.eq(0)]
                m.next = "TAKE"
        return m
