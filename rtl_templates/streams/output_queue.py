"""The end of every computing unit: a FIFO whose slots are reserved when work starts."""

from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.cost import Part
from hwgen.rtl_templates.streams.fifo import Fifo

__all__ = ["OutputQueue"]


class OutputQueue(wiring.Component):
    """FIFO with credits: a unit reserves a slot when it takes work, and then its pipeline never has to stall.

    ``ready`` is low while every slot is reserved, waiting or under way. A slot is free again in the cycle after its
    beat left.

    Parameters
    ----------
    width : int
        Bits of a beat.
    slots : int
        Beats that may be under way or waiting at once, at least 1.

    Members
    -------
    ready : Out(1)
        A slot is free; a function of registers.
    reserve : In(1)
        Reserve it now; only while ``ready``.
    push : In(1)
        The reserved slot's beat is here.
    data : In(width)
    o : ``Out(stream.Signature(width))``
    """

    def __init__(self, width: int, slots: int) -> None:
        self.width = width
        self.slots = slots
        super().__init__(
            {
                "ready": Out(1),
                "reserve": In(1),
                "push": In(1),
                "data": In(width),
                "o": Out(stream.Signature(unsigned(width))),
            }
        )

    @staticmethod
    def latency(width: int, slots: int) -> int:
        """Cycles from the push of a beat to the first cycle in which it can leave."""
        return Fifo.latency(slots, width)

    @classmethod
    def least_slots(cls, width: int, pipeline: int, interval: int = 1, burst: int = 1) -> int:
        """Give the fewest slots for a unit that reserves ``burst`` in a row every ``interval`` cycles and pushes ``pipeline`` cycles later."""
        slots = 1
        while slots // burst * interval + slots % burst < pipeline + cls.latency(width, slots) + 1:
            slots += 1
        return slots

    @staticmethod
    def bill(name: str, width: int, slots: int) -> Bill:
        """Give what it is made of; with a single slot all its state is one bit."""
        if slots == 1:
            bill = Bill()
            bill.add(Part.TWIN_BIT, 4)
            bill.add(Part.OTHER, 7)
            bill.register(1 + width)
            return bill
        bill = Fifo.bill(name, width, slots)
        bill.level(slots + 1)
        bill.register(1)
        bill.add(Part.OTHER, 2)
        return bill

    def elaborate(self, platform: object) -> Module:
        """Count the free slots beside the FIFO."""
        m = Module()
        m.submodules.fifo = fifo = Fifo(self.width, self.slots)
        credit = Signal(range(self.slots + 1), init=self.slots)
        leaves = Signal()

        ready = Signal(init=1)
        m.d.sync += ready.eq(leaves | (ready & ~(self.reserve & (credit == 1))))
        m.d.comb += [
            self.ready.eq(ready),
            fifo.i.valid.eq(self.push),
            fifo.i.payload.eq(self.data),
            self.o.valid.eq(fifo.o.valid),
            self.o.payload.eq(fifo.o.payload),
            fifo.o.ready.eq(self.o.ready),
            leaves.eq(self.o.valid & self.o.ready),
        ]
        # No enable: it would be one more wire behind both handshakes.
        m.d.sync += credit.eq(credit + leaves - self.reserve)
        return m
