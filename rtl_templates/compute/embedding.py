"""Replace a symbol by its vector: one word of a table a step."""

from collections.abc import Mapping, Sequence

import numpy as np
from amaranth.hdl import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill, bits_of, gates_of
from hwgen.rtl_templates.compute.rom import Rom
from hwgen.rtl_templates.cost import Part
from hwgen.rtl_templates.memory import MemoryStyle
from hwgen.rtl_templates.registers.write_bus import Contents, write_port
from hwgen.rtl_templates.streams.fifo import wrapping
from hwgen.rtl_templates.streams.output_queue import OutputQueue

__all__ = ["EmbeddingUnit"]


class EmbeddingUnit(wiring.Component):
    """Gives ``len(words) // entries`` words for each symbol, one a cycle; the next symbol is taken without a gap.

    A word can leave `latency` cycles after its step; the first step of a symbol is its transfer.

    Parameters
    ----------
    in_bits : int
        Bits of a symbol, a plain number below ``entries``.
    entries : int
        Symbols that the table knows.
    words : sequence of int
        Word ``part * entries + symbol`` is the symbol's part-th word.
    width : int
        Bits of a word.
    style : MemoryStyle
        Of the table.
    slots : int or None
        Depth of the output FIFO in words; None: the least for a word in every cycle.
    writable : bool
        Whether the table can be written.

    Members
    -------
    i : ``In(stream.Signature(in_bits))``
    o : ``Out(stream.Signature(width))``
    busy : Out(1)
        A step is taken.
    write : ``In(write_port(memories))``
        Only if writable.
    """

    PIPELINE = 1 + Rom.LATENCY
    """Cycles from a step to its word at the output FIFO: the address, and the table."""

    def __init__(
        self,
        *,
        in_bits: int,
        entries: int,
        words: Sequence[int],
        width: int,
        style: MemoryStyle = MemoryStyle.AUTO,
        slots: int | None = None,
        writable: bool = False,
    ) -> None:
        self.entries = entries
        self.words = words
        self.width = width
        self.parts = len(words) // entries
        self.style = style
        self.writable = writable
        self.slots = OutputQueue.least_slots(width, self.PIPELINE) if slots is None else slots
        self.latency = self.PIPELINE + OutputQueue.latency(width, self.slots)
        ports = {
            "i": In(stream.Signature(unsigned(in_bits))),
            "o": Out(stream.Signature(unsigned(width))),
            "busy": Out(1),
        }
        super().__init__(ports | ({"write": In(write_port(self.memories))} if writable else {}))

    @property
    def memories(self) -> Mapping[str, Contents]:
        """The table."""
        return {"table": Contents(self.words, self.width)}

    @classmethod
    def bill(
        cls,
        name: str,
        *,
        in_bits: int,
        entries: int,
        words: np.ndarray,
        bits: int,
        style: MemoryStyle = MemoryStyle.AUTO,
        slots: int | None = None,
        writable: bool = False,
    ) -> Bill:
        """Give what it is made of: the output queue, the table, its address, and for several words a symbol their count and the symbol that is kept.

        Parameters
        ----------
        name : str
        words : ndarray of int64, shape (words, fields of a word)
            What the words hold, ``bits`` of each field.
        in_bits, entries, style, slots, writable
            See the unit.
        """
        depth, width = len(words), words.shape[1] * bits
        address, parts = bits_of(depth), depth // entries
        slots = OutputQueue.least_slots(width, cls.PIPELINE) if slots is None else slots
        bill = OutputQueue.bill(f"{name}.queue", width, slots)
        if writable:
            bill.include(Rom.written_bill(f"{name}.table", depth, width, style))
        else:
            bill.include(Rom.bill(f"{name}.table", words, bits, style=style))
        bill.register(address + cls.PIPELINE)
        # Whether a step is taken.
        bill.add(Part.OTHER, 1)
        if parts > 1:
            # The lowest bits of a multiple of the entries may be none.
            zeros = (entries & -entries).bit_length() - 1
            base = address - zeros
            bill.pointer(parts)
            bill.register(base + in_bits)
            bill.chain(Part.ADDER_BIT, base, 2 if in_bits > zeros else 1)
            bill.add(Part.SHIFT_BIT, in_bits)
            # Of the base that begins again; the first step, and that the input may come with it.
            bill.chain(Part.CLEARED_BIT, base)
            bill.add(Part.OTHER, gates_of(bits_of(parts)) + 2)
        return bill

    def elaborate(self, platform: object) -> Module:
        """Take a symbol with its first step, keep it for the others; the words come out of the table in order."""
        m = Module()
        m.submodules.queue = queue = OutputQueue(self.width, self.slots)
        m.submodules.table = table = Rom(self.words, self.width, style=self.style, writable=self.writable)
        if self.writable:
            wiring.connect(m, wiring.flipped(self.write), table.write)
        wiring.connect(m, wiring.flipped(self.o), queue.o)
        step = Signal()
        symbol, base = self._count_parts(m, step, queue.ready)
        address = Signal(range(len(self.words)), reset_less=True)
        m.d.sync += address.eq(symbol + base)
        m.d.comb += [table.address.eq(address), queue.reserve.eq(step), queue.data.eq(table.data)]
        done: Value = step
        for cycle in range(self.PIPELINE):
            stage = Signal(name=f"read_{cycle}")
            m.d.sync += stage.eq(done)
            done = stage
        m.d.comb += [queue.push.eq(done), self.busy.eq(step)]
        return m

    def _count_parts(self, m: Module, step: Signal, room: Value) -> tuple[Value, Value]:
        """Step through the parts of a symbol; give the symbol, and the address of the part's first word."""
        if self.parts == 1:
            m.d.comb += [self.i.ready.eq(room), step.eq(room & self.i.valid)]
            return self.i.payload, Cat()
        part = Signal(range(self.parts))
        base = Signal(range(len(self.words)))
        kept = Signal(len(self.i.payload), reset_less=True)
        first, following = Signal(), wrapping(part, self.parts)
        m.d.comb += [
            first.eq(part == 0),
            self.i.ready.eq(room & first),
            step.eq(room & (self.i.valid | ~first)),
        ]
        with m.If(step):
            m.d.sync += [part.eq(following), base.eq(Mux(following == 0, 0, base + self.entries))]
        symbol = Mux(first, self.i.payload, kept)
        m.d.sync += kept.eq(symbol)
        return symbol, base
