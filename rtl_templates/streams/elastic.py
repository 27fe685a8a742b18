"""A pipeline whose registers keep their beats while the output waits."""

from amaranth.hdl import Module, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.cost import Part
from hwgen.rtl_templates.streams.fifo import Fifo

__all__ = ["ElasticPipeline", "held"]

QUEUE = 2
"""Words of the FIFO behind the registers, at least: with fewer it would not take a beat in every cycle."""


def held(m: Module, name: str, moves: Value, value: Value) -> Signal:
    """Add a register that takes a value whenever ``moves``."""
    register = Signal(value.shape(), name=name, reset_less=True)
    with m.If(moves):
        m.d.sync += register.eq(value)
    return register


class ElasticPipeline(wiring.Component):
    """The handshakes of ``stages`` registers in a row, and a FIFO behind them that ends the chain of ``ready``.

    A register takes what stands before it whenever it is empty or its own beat moves on, so that beats close up while
    the output waits, and all registers together are as good as slots of the FIFO: the unit behaves as one with
    ``slots`` slots, ``stages + Fifo.latency`` cycles of latency and a credit counter, but needs neither counter nor
    FIFO words for the beats under way.

    Parameters
    ----------
    stages : int
        Registers from ``i`` to ``data``, at least 1.
    width : int
        Bits of an output beat.
    slots : int or None
        Beats that may be inside at once; None, or too few: the least, which is enough for a beat in every cycle.

    Members
    -------
    i_valid, i_ready : In(1), Out(1)
        The input handshake. ``i_ready`` depends on registers alone.
    moves : Out(stages)
        Register n takes what stands before it; register 0 takes the input.
    data : In(width)
        The output beat, made of what the last register holds.
    o : ``Out(stream.Signature(width))``
    """

    def __init__(self, stages: int, width: int, slots: int | None = None) -> None:
        self.stages = stages
        self.width = width
        _, self.slots = self.timing(stages, width, slots)
        super().__init__(
            {
                "i_valid": In(1),
                "i_ready": Out(1),
                "moves": Out(stages),
                "data": In(width),
                "o": Out(stream.Signature(unsigned(width))),
            }
        )

    @staticmethod
    def timing(stages: int, width: int, slots: int | None = None) -> tuple[int, int]:
        """Give latency, from taking a beat to the first cycle in which it can leave, and slots."""
        slots = max(slots or 0, stages + QUEUE)
        return stages + Fifo.latency(slots - stages, width), slots

    @classmethod
    def bill(cls, name: str, stages: int, width: int, slots: int | None = None) -> Bill:
        """Give what the handshakes and the FIFO are made of; the registers of the data are their unit's."""
        bill = Fifo.bill(name, width, cls.timing(stages, width, slots)[1] - stages)
        bill.register(stages)
        bill.add(Part.OTHER, stages)
        return bill

    def elaborate(self, platform: object) -> Module:
        """A register moves if it or any behind it is empty, or the FIFO takes the last one's beat."""
        m = Module()
        m.submodules.fifo = fifo = Fifo(self.width, self.slots - self.stages)
        wiring.connect(m, wiring.flipped(self.o), fifo.o)
        m.d.comb += [self.i_ready.eq(self.moves[0]), fifo.i.payload.eq(self.data)]
        valid = Signal(self.stages)
        for stage, moves in enumerate(self.moves):
            # From all registers at once, not from the next one's: the chain would be as long as the pipeline.
            m.d.comb += moves.eq(fifo.i.ready | ~valid[stage:].all())
            with m.If(moves):
                m.d.sync += valid[stage].eq(valid[stage - 1] if stage else self.i_valid)
        m.d.comb += fifo.i.valid.eq(valid[-1])
        return m
