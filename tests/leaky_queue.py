"""A queue behind a bottleneck that loses beats once it is full: what only long pauses of a sink show."""

from __future__ import annotations

from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

__all__ = ["LeakyQueue"]

PACE, DEPTH = 4, 8


class LeakyQueue(wiring.Component):
    """Takes a beat every `PACE` cycles at most and keeps up to `DEPTH`; a ``leaky`` one takes more, and forgets them."""

    def __init__(self, width: int, *, leaky: bool) -> None:
        self.width, self.leaky = width, leaky
        super().__init__({"i": In(stream.Signature(unsigned(width))), "o": Out(stream.Signature(unsigned(width)))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.fifo = fifo = SyncFIFOBuffered(width=self.width, depth=DEPTH)
        wait = Signal(range(PACE))
        m.d.comb += [
            self.i.ready.eq((wait == 0) & (self.leaky | fifo.w_rdy)),
            fifo.w_en.eq(self.i.valid & self.i.ready),
            fifo.w_data.eq(self.i.payload),
            self.o.valid.eq(fifo.r_rdy),
            self.o.payload.eq(fifo.r_data),
            fifo.r_en.eq(self.o.ready),
        ]
        with m.If(fifo.w_en):
            m.d.sync += wait.eq(PACE - 1)
        with m.Elif(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        return m
