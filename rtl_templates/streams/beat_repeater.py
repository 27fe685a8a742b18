"""One code, again and again."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.cost import Part
from hwgen.rtl_templates.streams.fifo import Fifo

__all__ = ["BeatRepeater"]


class BeatRepeater(wiring.Component):
    """Gives each code in all lanes of ``repeats`` beats.

    A code is taken with its first beat, which can leave ``Fifo.latency(slots, bits)`` cycles later.

    Parameters
    ----------
    bits : int
        Width of a code.
    lanes : int
        Copies in a beat.
    repeats : int
        Beats of a code, at least 2.
    slots : int
        Depth of the FIFO, which holds codes; from 2 on there is a beat in every cycle.

    Members
    -------
    i : ``In(stream.Signature(bits))``
    o : ``Out(stream.Signature(lanes * bits))``
    """

    def __init__(self, *, bits: int, lanes: int, repeats: int, slots: int) -> None:
        self.bits = bits
        self.lanes = lanes
        self.repeats = repeats
        self.slots = slots
        super().__init__(
            {"i": In(stream.Signature(unsigned(bits))), "o": Out(stream.Signature(unsigned(lanes * bits)))}
        )

    @staticmethod
    def bill(name: str, *, bits: int, repeats: int, slots: int) -> Bill:
        """Give what it is made of: the FIFO, the count of beats, the code that is kept, and the choice between it and the next."""
        bill = Fifo.bill(f"{name}.queue", bits, slots)
        bill.counter(repeats)
        bill.register(bits + 1)
        bill.add(Part.OTHER, bits + 3)
        return bill

    def elaborate(self, platform: object) -> Module:
        """Let the first beat pass, and keep its code for those that follow."""
        m = Module()
        m.submodules.queue = queue = Fifo(self.bits, self.slots)
        code = Signal(self.bits, reset_less=True)
        beat, first, moves = Signal(range(self.repeats)), Signal(init=1), Signal()
        last = beat == self.repeats - 1
        m.d.comb += [
            queue.i.valid.eq(self.i.valid | ~first),
            queue.i.payload.eq(Mux(first, self.i.payload, code)),
            self.i.ready.eq(first & queue.i.ready),
            moves.eq(queue.i.valid & queue.i.ready),
            self.o.valid.eq(queue.o.valid),
            self.o.payload.eq(queue.o.payload.replicate(self.lanes)),
            queue.o.ready.eq(self.o.ready),
        ]
        with m.If(moves):
            m.d.sync += [beat.eq(Mux(last, 0, beat + 1)), first.eq(last), code.eq(queue.i.payload)]
        return m
