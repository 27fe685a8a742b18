"""Pass some beats of a map on and drop the others."""

from collections.abc import Sequence

from amaranth.hdl import Const, Module, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.cost import Part
from hwgen.rtl_templates.streams.fifo import Fifo
from hwgen.rtl_templates.windows.loop_nest import LoopNest

__all__ = ["BeatFilter"]


class BeatFilter(wiring.Component):
    """Keeps the beats whose word, column and row are all kept; a beat that is not is taken at once, whatever waits.

    A beat that is kept can leave ``Fifo.latency(slots, width)`` cycles after it was taken.

    Parameters
    ----------
    width : int
        Bits of a beat.
    words, columns, rows : sequence of bool
        For each word of a pixel, each column and each row of the map: keep it.
    slots : int
        Depth of the output FIFO; from 2 on it takes a beat in every cycle.

    Members
    -------
    i, o : ``stream.Signature(width)``
    """

    def __init__(
        self, *, width: int, words: Sequence[bool], columns: Sequence[bool], rows: Sequence[bool], slots: int = 2
    ) -> None:
        self.width = width
        self.kept = {"word": list(words), "column": list(columns), "row": list(rows)}
        self.slots = slots
        super().__init__({"i": In(stream.Signature(unsigned(width))), "o": Out(stream.Signature(unsigned(width)))})

    @staticmethod
    def bill(
        name: str, *, width: int, words: Sequence[bool], columns: Sequence[bool], rows: Sequence[bool], slots: int = 2
    ) -> Bill:
        """Give what it is made of: the FIFO, and a loop and a flag for each of the three as far as something in or outside of it is dropped."""
        bill = Fifo.bill(f"{name}.queue", width, slots)
        loops = [words, columns, rows]
        while loops and all(loops[-1]):
            loops.pop()
        bill.include(LoopNest.bill([len(kept) for kept in loops]))
        for kept in loops:
            bill.register(not all(kept))
            changes = sum(one != other for one, other in zip(kept, [*kept[1:], kept[0]], strict=True))
            bill.add(Part.OTHER, changes * 4)
        return bill

    def elaborate(self, platform: object) -> Module:
        """Follow the position; its three flags tell whether the present beat goes into the FIFO."""
        m = Module()
        m.submodules.queue = queue = Fifo(self.width, self.slots)
        wiring.connect(m, wiring.flipped(self.o), queue.o)
        take, keep = Signal(), Signal()
        loops = LoopNest(m, take, {name: len(kept) for name, kept in self.kept.items()})

        def flag(name: str, step: Value) -> Value:
            """Tell whether the present word, column or row is kept: a register that changes where the next one differs."""
            kept = self.kept[name]
            if all(kept):
                return Const(1)
            is_kept = Signal(name=f"{name}_is_kept", init=kept[0])
            for place, following in enumerate(kept[1:] + kept[:1]):
                if following != kept[place]:
                    with m.If(step & (loops.index[name] == place)):
                        m.d.sync += is_kept.eq(following)
            return is_kept

        m.d.comb += [
            keep.eq(flag("word", take) & flag("column", loops.wraps["word"]) & flag("row", loops.wraps["column"])),
            self.i.ready.eq(queue.i.ready | ~keep),
            take.eq(self.i.valid & self.i.ready),
            queue.i.valid.eq(self.i.valid & keep),
            queue.i.payload.eq(self.i.payload),
        ]
        return m
