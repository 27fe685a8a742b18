"""A small accelerator with the ports of the real one, for the tests of writing and simulating."""

from __future__ import annotations

import numpy as np
from amaranth.hdl import ClockDomain, Module, Signal, unsigned
from amaranth.lib import memory, stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

__all__ = ["RunningSum", "ref"]


class _Adder(wiring.Component):
    """Output beat k of a frame is the sum of the frame's beats up to k, plus word k of a table."""

    def __init__(self, width: int, table: list[int]) -> None:
        self._width, self._table = width, table
        super().__init__({"i": In(stream.Signature(unsigned(width))), "o": Out(stream.Signature(unsigned(width)))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.weights = weights = memory.Memory(
            shape=unsigned(self._width), depth=len(self._table), init=self._table
        )
        word = weights.read_port()
        index = Signal(range(len(self._table)))
        following = Signal(range(len(self._table)))
        total = Signal(self._width)
        new_total = Signal(self._width)
        m.d.comb += [
            self.i.ready.eq(~self.o.valid | self.o.ready),
            new_total.eq(total + self.i.payload),
            following.eq(index),
            word.addr.eq(following),
        ]
        m.d.sync += index.eq(following)
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(self.i.valid & self.i.ready):
            last = index == len(self._table) - 1
            m.d.comb += following.eq(0)
            with m.If(~last):
                m.d.comb += following.eq(index + 1)
            m.d.sync += [
                total.eq(new_total),
                self.o.payload.eq(new_total + word.data),
                self.o.valid.eq(1),
            ]
            with m.If(last):
                m.d.sync += total.eq(0)
        return m


class RunningSum(wiring.Component):
    """Takes frames of ``len(table)`` beats of ``width`` bits; latency 3 cycles, II one cycle a beat, without a further ``queue`` at the output."""

    latency = 3

    def __init__(self, width: int, table: list[int], queue: wiring.Component | None = None) -> None:
        self._width, self._table, self._queue = width, table, queue
        padded = -(-width // 8) * 8
        super().__init__(
            {
                "aclk": In(1),
                "aresetn": In(1),
                "s_axis_tdata": In(padded),
                "s_axis_tvalid": In(1),
                "s_axis_tready": Out(1),
                "s_axis_tlast": In(1),
                "m_axis_tdata": Out(padded),
                "m_axis_tvalid": Out(1),
                "m_axis_tready": In(1),
                "m_axis_tlast": Out(1),
                "frame_error": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = domain = ClockDomain()
        m.d.comb += [domain.clk.eq(self.aclk), domain.rst.eq(~self.aresetn)]
        m.submodules.input = fifo = SyncFIFOBuffered(width=self._width, depth=4)
        m.submodules.adder = adder = _Adder(self._width, self._table)
        output = adder.o
        if self._queue is not None:
            m.submodules.queue = self._queue
            wiring.connect(m, adder.o, self._queue.i)
            output = self._queue.o
        taken = Signal(range(len(self._table)))
        given = Signal(range(len(self._table)))
        end, final = taken == len(self._table) - 1, given == len(self._table) - 1
        m.d.comb += [
            fifo.w_data.eq(self.s_axis_tdata[: self._width]),
            fifo.w_en.eq(self.s_axis_tvalid),
            self.s_axis_tready.eq(fifo.w_rdy),
            adder.i.payload.eq(fifo.r_data),
            adder.i.valid.eq(fifo.r_rdy),
            fifo.r_en.eq(adder.i.ready),
            self.m_axis_tdata.eq(output.payload),
            self.m_axis_tvalid.eq(output.valid),
            self.m_axis_tlast.eq(final),
            output.ready.eq(self.m_axis_tready),
        ]
        with m.If(self.s_axis_tvalid & self.s_axis_tready):
            m.d.sync += taken.eq(taken + 1)
            with m.If(end):
                m.d.sync += taken.eq(0)
            with m.If(self.s_axis_tlast != end):
                m.d.sync += self.frame_error.eq(1)
        with m.If(self.m_axis_tvalid & self.m_axis_tready):
            m.d.sync += given.eq(given + 1)
            with m.If(final):
                m.d.sync += given.eq(0)
        return m


def ref(frames: np.ndarray, table: list[int], width: int) -> np.ndarray:
    """Give the output words, (frames, beats) object array of ints, for the same array of input words."""
    return (np.cumsum(frames, axis=1) + np.array(table, dtype=object)) % (1 << width)
