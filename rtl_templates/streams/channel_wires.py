"""Other channels, or other places for them, in every pixel."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.streams.fifo import Fifo

__all__ = ["ChannelWires"]


class ChannelWires(wiring.Component):
    """Gives chosen lanes of each beat: wires into a FIFO.

    A beat can leave ``Fifo.latency(slots, width of o)`` cycles after it was taken.

    Parameters
    ----------
    bits : int
        Width of a code.
    lanes : int
        Codes of an input beat.
    chosen : sequence of int
        The input lane of each output lane.
    slots : int
        Depth of the FIFO; from 2 on it takes a beat in every cycle.

    Members
    -------
    i : ``In(stream.Signature(lanes * bits))``
    o : ``Out(stream.Signature(len(chosen) * bits))``
    """

    def __init__(self, *, bits: int, lanes: int, chosen: Sequence[int], slots: int = 2) -> None:
        self.bits = bits
        self.chosen = list(chosen)
        self.slots = slots
        super().__init__(
            {
                "i": In(stream.Signature(unsigned(lanes * bits))),
                "o": Out(stream.Signature(unsigned(len(self.chosen) * bits))),
            }
        )

    @staticmethod
    def bill(name: str, *, bits: int, chosen: Sequence[int], slots: int = 2) -> Bill:
        """Give what it is made of: the FIFO."""
        return Fifo.bill(f"{name}.queue", len(chosen) * bits, slots)

    def elaborate(self, platform: object) -> Module:
        """Connect each output lane."""
        m = Module()
        m.submodules.queue = queue = Fifo(len(self.o.payload), self.slots)
        wiring.connect(m, wiring.flipped(self.o), queue.o)
        m.d.comb += [
            queue.i.valid.eq(self.i.valid),
            self.i.ready.eq(queue.i.ready),
            queue.i.payload.eq(Cat(self.i.payload.word_select(lane, self.bits) for lane in self.chosen)),
        ]
        return m
