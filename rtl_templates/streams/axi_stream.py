"""AXI4-Stream at the edges: whole bytes, and frames marked by ``tlast``."""

from amaranth.hdl import Module, Mux, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.cost import Part

__all__ = ["AxiStreamInput", "AxiStreamOutput", "final_beat", "whole_bytes"]


def whole_bytes(width: int) -> int:
    """Give the bits of the fewest bytes that hold ``width`` bits."""
    return -(-width // 8) * 8


class AxiStreamInput(wiring.Component):
    """Takes frames from an AXI4-Stream master and checks their ``tlast``.

    Frames are counted in beats, so a wrong ``tlast`` does not move data; it raises ``frame_error`` until reset.

    Parameters
    ----------
    width : int
        Bits of a beat; the bits of ``tdata`` above are ignored.
    beats : int
        Beats of a frame.

    Members
    -------
    tdata : In(whole_bytes(width))
    tvalid, tlast : In(1)
    tready : Out(1)
    o : ``Out(stream.Signature(width))``
        In the same cycle as the transfer on the bus.
    frame_error : Out(1)
        A ``tlast`` was missing or early. From the cycle after that beat on.
    """

    def __init__(self, width: int, beats: int) -> None:
        self.width = width
        self.beats = beats
        super().__init__(
            {
                "tdata": In(whole_bytes(width)),
                "tvalid": In(1),
                "tready": Out(1),
                "tlast": In(1),
                "o": Out(stream.Signature(unsigned(width))),
                "frame_error": Out(1),
            }
        )

    @staticmethod
    def bill(beats: int) -> Bill:
        """Give what it is made of: the counter of beats, and the error."""
        bill = Bill()
        bill.add(Part.UNIT, 1)
        bill.counter(beats)
        return bill

    def elaborate(self, platform: object) -> Module:
        """Pass beats through and count them."""
        m = Module()
        transfer = Signal()
        m.d.comb += [
            self.o.payload.eq(self.tdata[: self.width]),
            self.o.valid.eq(self.tvalid),
            self.tready.eq(self.o.ready),
            transfer.eq(self.tvalid & self.tready),
        ]
        final = final_beat(m, self.beats, transfer)
        with m.If(transfer & (self.tlast != final)):
            m.d.sync += self.frame_error.eq(1)
        return m


class AxiStreamOutput(wiring.Component):
    """Gives frames to an AXI4-Stream slave, with ``tlast`` on the last beat of each.

    Parameters
    ----------
    width : int
        Bits of a beat; the bits of ``tdata`` above are zero.
    beats : int
        Beats of a frame.

    Members
    -------
    i : ``In(stream.Signature(width))``
        In the same cycle as the transfer on the bus.
    tdata : Out(whole_bytes(width))
    tvalid, tlast : Out(1)
    tready : In(1)
    """

    def __init__(self, width: int, beats: int) -> None:
        self.width = width
        self.beats = beats
        super().__init__(
            {
                "i": In(stream.Signature(unsigned(width))),
                "tdata": Out(whole_bytes(width)),
                "tvalid": Out(1),
                "tready": In(1),
                "tlast": Out(1),
            }
        )

    @staticmethod
    def bill(beats: int) -> Bill:
        """Give what it is made of: the counter of beats."""
        bill = Bill()
        bill.counter(beats)
        return bill

    def elaborate(self, platform: object) -> Module:
        """Pass beats through and count them."""
        m = Module()
        transfer = Signal()
        m.d.comb += [
            self.tdata.eq(self.i.payload),
            self.tvalid.eq(self.i.valid),
            self.i.ready.eq(self.tready),
            transfer.eq(self.tvalid & self.tready),
            self.tlast.eq(final_beat(m, self.beats, transfer)),
        ]
        return m


def final_beat(m: Module, beats: int, transfer: Value) -> Signal:
    """Count transfers and tell whether the present beat is the last of its frame."""
    final = Signal()
    if beats == 1:
        m.d.comb += final.eq(1)
        return final
    beat = Signal(range(beats))
    m.d.comb += final.eq(beat == beats - 1)
    with m.If(transfer):
        m.d.sync += beat.eq(Mux(final, 0, beat + 1))
    return final
