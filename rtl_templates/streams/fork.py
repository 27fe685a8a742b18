"""Copy a stream to several readers, each behind a FIFO of its own."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.streams.fifo import Fifo

__all__ = ["Fork"]


class Fork(wiring.Component):
    """Takes a beat when every branch has room for it, and gives it to all.

    A beat taken in cycle t can leave branch k from cycle ``t + Fifo.latency(depths[k], width)`` on. ``i.ready`` is a function of registers.

    Parameters
    ----------
    width : int
        Bits of a beat.
    depths : sequence of int
        Beats that each branch's FIFO holds, at least two branches.

    Members
    -------
    i : ``In(stream.Signature(width))``
    o_0, o_1, ... : ``Out(stream.Signature(width))``

    Raises
    ------
    ValueError
        If there are fewer than two branches.
    """

    def __init__(self, width: int, depths: Sequence[int]) -> None:
        if len(depths) < 2:
            raise ValueError(f"A fork has at least 2 branches, not {len(depths)}")
        self.width = width
        self.depths = tuple(depths)
        outputs = {f"o_{k}": Out(stream.Signature(unsigned(width))) for k in range(len(depths))}
        super().__init__({"i": In(stream.Signature(unsigned(width))), **outputs})

    @staticmethod
    def bill(name: str, width: int, depths: Sequence[int]) -> Bill:
        """Give what it is made of: the FIFOs."""
        bill = Bill()
        for number, depth in enumerate(depths):
            bill.include(Fifo.bill(f"{name}.branch_{number}", width, depth))
        return bill

    def elaborate(self, platform: object) -> Module:
        """Put each beat into all FIFOs at once."""
        m = Module()
        put = Signal()
        branches = [Fifo(self.width, depth) for depth in self.depths]
        for k, branch in enumerate(branches):
            m.submodules[f"branch_{k}"] = branch
            m.d.comb += [branch.i.payload.eq(self.i.payload), branch.i.valid.eq(put)]
            wiring.connect(m, branch.o, wiring.flipped(getattr(self, f"o_{k}")))
        m.d.comb += [
            self.i.ready.eq(Cat(branch.i.ready for branch in branches).all()),
            put.eq(self.i.valid & self.i.ready),
        ]
        return m
