"""Deal the beats of one stream out to several, a run to each in turn."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.cost import Part
from hwgen.rtl_templates.streams.fifo import Fifo

__all__ = ["Split"]


class Split(wiring.Component):
    """Gives a run of beats to each stream in turn, each behind a FIFO of its own; after the last stream the first has its turn again.

    A beat taken in cycle t can leave stream k from cycle ``t + Fifo.latency(depths[k], widths[k])`` on. ``i.ready`` is a function of registers: whether
    the FIFO whose turn it is has room.

    Parameters
    ----------
    widths : sequence of int
        Bits of a beat of each stream, at least two streams; the lowest bits of what enters.
    runs : sequence of int
        Beats that each stream gets when it has its turn.
    depths : sequence of int
        Beats that each stream's FIFO holds.

    Members
    -------
    i : ``In(stream.Signature(max(widths)))``
    o_0, o_1, ... : ``Out(stream.Signature(widths[k]))``

    Raises
    ------
    ValueError
        If there are fewer than two streams, or they are not as many everywhere.
    """

    def __init__(self, *, widths: Sequence[int], runs: Sequence[int], depths: Sequence[int]) -> None:
        if len(widths) < 2 or not len(widths) == len(runs) == len(depths):
            raise ValueError(
                f"A split has at least 2 streams, each with a width, a run and a depth, not {len(widths)}, {len(runs)} and {len(depths)}"
            )
        self.widths = tuple(widths)
        self.runs = tuple(runs)
        self.depths = tuple(depths)
        outputs = {f"o_{k}": Out(stream.Signature(unsigned(width))) for k, width in enumerate(widths)}
        super().__init__({"i": In(stream.Signature(unsigned(max(widths)))), **outputs})

    @staticmethod
    def bill(name: str, *, widths: Sequence[int], runs: Sequence[int], depths: Sequence[int]) -> Bill:
        """Give what it is made of: the FIFOs, the counters, and the choice of the FIFO that is ready."""
        bill = Bill()
        for number, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            bill.include(Fifo.bill(f"{name}.queue_{number}", width, depth))
        bill.add(Part.OTHER, 2 * len(widths))
        bill.counter(len(widths))
        bill.counter(max(runs))
        return bill

    def elaborate(self, platform: object) -> Module:
        """Count the beats of a run, and the turns."""
        m = Module()
        turn = Signal(range(len(self.widths)))
        beat = Signal(range(max(self.runs)))
        moves = Signal()
        run_ends = Signal()
        queues = [Fifo(width, depth) for width, depth in zip(self.widths, self.depths, strict=True)]
        m.d.comb += moves.eq(self.i.valid & self.i.ready)
        for k, queue in enumerate(queues):
            m.submodules[f"queue_{k}"] = queue
            wiring.connect(m, queue.o, wiring.flipped(getattr(self, f"o_{k}")))
            m.d.comb += queue.i.payload.eq(self.i.payload)
            with m.If(turn == k):
                m.d.comb += [queue.i.valid.eq(self.i.valid), self.i.ready.eq(queue.i.ready)]
        m.d.comb += run_ends.eq(Cat((turn == k) & (beat == run - 1) for k, run in enumerate(self.runs)).any())
        with m.If(moves):
            m.d.sync += beat.eq(Mux(run_ends, 0, beat + 1))
            with m.If(run_ends):
                m.d.sync += turn.eq(Mux(turn == len(self.widths) - 1, 0, turn + 1))
        return m
