"""Change the width of a stream by a whole ratio."""

from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.cost import Part

__all__ = ["DownConverter", "UpConverter"]


class UpConverter(wiring.Component):
    """Gathers ``ratio`` beats into one, the first in the lowest bits.

    Takes a beat in every cycle as long as the gathered beats leave: one gathered beat waits at the output while the
    parts of the
    next but the last come in. A gathered beat can leave in the cycle after its last part came.

    Parameters
    ----------
    width : int
        Bits of an input beat.
    ratio : int
        Input beats in an output beat, at least 2.

    Members
    -------
    i : ``In(stream.Signature(width))``
    o : ``Out(stream.Signature(width * ratio))``

    Raises
    ------
    ValueError
        If the ratio is less than 2.
    """

    def __init__(self, width: int, ratio: int) -> None:
        if ratio < 2:
            raise ValueError(f"A width converter gathers at least 2 beats, not {ratio}")
        self.width = width
        self.ratio = ratio
        super().__init__(
            {"i": In(stream.Signature(unsigned(width))), "o": Out(stream.Signature(unsigned(width * ratio)))}
        )

    @staticmethod
    def bill(width: int, ratio: int) -> Bill:
        """Give what it is made of: the parts and the gathered beat, ready, valid, the last part, and when beat and parts move."""
        bill = Bill()
        bill.counter(ratio)
        bill.add(Part.OTHER, 5)
        bill.register(width * (2 * ratio - 1) + 2)
        return bill

    def elaborate(self, platform: object) -> Module:
        """Shift parts in from the top, so that the first has come down to the bottom when the last arrives."""
        m = Module()
        parts = Signal(self.width * (self.ratio - 1), reset_less=True)
        count = Signal(range(self.ratio))
        last = Signal()

        m.d.comb += self.i.ready.eq(~last | ~self.o.valid | self.o.ready)
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [count.eq(Mux(last, 0, count + 1)), last.eq(count == self.ratio - 2)]
            with m.If(last):
                m.d.sync += [self.o.valid.eq(1), self.o.payload.eq(Cat(parts, self.i.payload))]
            with m.Else():
                m.d.sync += parts.eq(Cat(parts, self.i.payload)[self.width :])
        return m


class DownConverter(wiring.Component):
    """Hands a beat on in ``ratio`` parts, the lowest bits first.

    The next beat is taken while the last part leaves, so parts follow one another in every cycle. A beat's first part
    can leave in
    the cycle after the beat came.

    Parameters
    ----------
    width : int
        Bits of an output beat.
    ratio : int
        Output beats in an input beat, at least 2.

    Members
    -------
    i : ``In(stream.Signature(width * ratio))``
    o : ``Out(stream.Signature(width))``

    Raises
    ------
    ValueError
        If the ratio is less than 2.
    """

    def __init__(self, width: int, ratio: int) -> None:
        if ratio < 2:
            raise ValueError(f"A width converter splits a beat in at least 2 parts, not {ratio}")
        self.width = width
        self.ratio = ratio
        super().__init__(
            {"i": In(stream.Signature(unsigned(width * ratio))), "o": Out(stream.Signature(unsigned(width)))}
        )

    @staticmethod
    def bill(width: int, ratio: int) -> Bill:
        """Give what it is made of: parts that take those behind them or a new beat's, and how many are left."""
        bill = Bill()
        bill.counter(ratio + 1)
        bill.add(Part.OTHER, 6)
        bill.add(Part.SHIFT_BIT, width * (ratio - 1))
        bill.register(width * ratio + 2)
        return bill

    def elaborate(self, platform: object) -> Module:
        """Shift the beat down by a part at each transfer."""
        m = Module()
        parts = Signal(self.width * self.ratio, reset_less=True)
        left = Signal(range(self.ratio + 1))
        holds, last = Signal(), Signal()

        m.d.comb += [
            self.o.valid.eq(holds),
            self.o.payload.eq(parts[: self.width]),
            self.i.ready.eq(~holds | (last & self.o.ready)),
        ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [parts.eq(self.i.payload), left.eq(self.ratio), holds.eq(1), last.eq(0)]
        with m.Elif(self.o.valid & self.o.ready):
            m.d.sync += [parts.eq(parts[self.width :]), left.eq(left - 1), holds.eq(~last), last.eq(left == 2)]
        return m
