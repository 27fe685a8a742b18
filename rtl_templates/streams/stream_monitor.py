"""Watch a stream: whole frames, and cycles in which a beat waits."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.registers.register_bus import WORD_BITS
from hwgen.rtl_templates.streams.axi_stream import final_beat

__all__ = ["StreamMonitor"]


class StreamMonitor(wiring.Component):
    """Counts frames and stalls of a stream by its handshake.

    Parameters
    ----------
    beats : int
        Beats of a frame.

    Members
    -------
    valid, ready : In(1)
    clear : In(1)
        Counters start from 0 with the next cycle.
    frames, stalls : Out(32)
        Frames whose last beat was transferred; cycles with ``valid`` and without ``ready``. Both wrap.
    within : Out(1)
        A frame has begun and not ended.
    ends : Out(1)
        Now a frame's last beat is transferred.
    """

    def __init__(self, beats: int) -> None:
        self.beats = beats
        super().__init__(
            {
                "valid": In(1),
                "ready": In(1),
                "clear": In(1),
                "frames": Out(WORD_BITS),
                "stalls": Out(WORD_BITS),
                "within": Out(1),
                "ends": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Count."""
        m = Module()
        transfer = Signal()
        m.d.comb += transfer.eq(self.valid & self.ready)
        final = final_beat(m, self.beats, transfer)
        m.d.comb += self.ends.eq(transfer & final)
        with m.If(transfer):
            m.d.sync += self.within.eq(~final)
        with m.If(self.ends):
            m.d.sync += self.frames.eq(self.frames + 1)
        with m.If(self.valid & ~self.ready):
            m.d.sync += self.stalls.eq(self.stalls + 1)
        with m.If(self.clear):
            m.d.sync += [self.frames.eq(0), self.stalls.eq(0)]
        return m
