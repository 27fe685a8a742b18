"""Pipelined memory of a table: read only, or written through a second port at run time."""

from collections.abc import Mapping, Sequence

import numpy as np
from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill, bits_of
from hwgen.rtl_templates.cost import MemoryKind, MemoryShape
from hwgen.rtl_templates.memory import MEMORY_ATTRIBUTES, NO_COLLISION, ROM_ATTRIBUTES, MemoryStyle, style_of
from hwgen.rtl_templates.registers.write_bus import PART_BITS, Contents, write_port
from hwgen.rtl_templates.table_bill import table_shape

__all__ = ["Rom"]


class Rom(wiring.Component):
    """Gives the word at ``address`` ``latency`` cycles later; a memory of equal words that cannot be written is a constant.

    The outputs of block RAMs are slow (2 ns on iCE40, 6 ns on ECP5), so a register follows them; a table in LUTs has that register in front.
    A word that is written while it is read comes out as anything. A single word that can be written is a register, which gives it at once.

    Parameters
    ----------
    words : sequence of int
    width : int
        Bits of a word.
    style : MemoryStyle
        A large RAM has a single port: it must be writable, and reads nothing in a cycle in which it is written.
    latency : int
        `LATENCY`, or 1 where there is no time for the second register.
    writable : bool
        Whether there is a port ``write``.

    Members
    -------
    address : In(range(len(words)))
    enable : In(1)
        Read, which is the initial state; without it the word of latency 1 stays.
    data : Out(width)
    write : ``In(write_port(memories))``
        Only if writable.

    Raises
    ------
    ValueError
        If a memory that is never written shall be in a large RAM.
    """

    LATENCY = 2

    def __init__(
        self,
        words: Sequence[int],
        width: int,
        *,
        style: MemoryStyle = MemoryStyle.AUTO,
        latency: int = LATENCY,
        writable: bool = False,
    ) -> None:
        if style is MemoryStyle.SPRAM and not writable:
            raise ValueError("A memory in a large RAM starts with no contents, so it must be writable")
        self.words = words
        self.latency = latency
        self.writable = writable
        self.style = style_of(len(words), width, style)
        ports = {"address": In(range(len(words))), "enable": In(1, init=1), "data": Out(width)}
        super().__init__(ports | ({"write": In(write_port(self.memories_for(width)))} if writable else {}))

    def memories_for(self, width: int) -> Mapping[str, Contents]:
        """Give the one memory, as its port ``write`` shows it."""
        return {"words": Contents(self.words, width, initial=self.style is not MemoryStyle.SPRAM)}

    @property
    def memories(self) -> Mapping[str, Contents]:
        """The one memory."""
        return self.memories_for(len(self.data))

    @staticmethod
    def bill(
        name: str, words: np.ndarray, bits: int, *, style: MemoryStyle = MemoryStyle.AUTO, latency: int = LATENCY
    ) -> Bill:
        """Give what a constant memory is made of: its cells, and the registers around them.

        Parameters
        ----------
        name : str
        words : ndarray of int64, shape (words, fields of a word)
        bits : int
            Of a field, the lowest ones of its two's complement.
        style, latency
            See the unit.
        """
        bill = Bill()
        shape = table_shape(name, words, bits, style, MemoryKind.ROM)
        if shape is None:
            return bill
        bill.memories.append(shape)
        if shape.style is MemoryStyle.BLOCK:
            bill.register(shape.width * (latency - 1))
        else:
            bill.register(shape.logic.columns if shape.logic else shape.width)
            bill.register(bits_of(shape.depth) * (latency - 1))
        return bill

    @staticmethod
    def written_bill(name: str, depth: int, width: int, style: MemoryStyle = MemoryStyle.AUTO) -> Bill:
        """Give what a memory that can be written is made of: its cells and the register behind them; of a single word the register alone."""
        bill = Bill()
        bill.register(width)
        if depth > 1:
            bill.memories.append(MemoryShape(name, depth, width, style_of(depth, width, style), written=True))
        return bill

    def elaborate(self, platform: object) -> Module:
        """Place the registers around the memory as its kind needs them."""
        m = Module()
        if self.writable and len(self.words) == 1:
            self._register(m)
            return m
        if not self.writable and self.words.count(self.words[0]) == len(self.words):
            m.d.comb += self.data.eq(Const(self.words[0], len(self.data)))
            return m
        two, luts = self.latency > 1, self.style is MemoryStyle.DISTRIBUTED
        address = Signal.like(self.address, name="address_register", reset_less=True)
        word = Signal(len(self.data), name="word", reset_less=True)
        m.submodules.words = memory = self._memory()
        read = memory.read_port(domain="comb" if luts else "sync")
        m.d.comb += read.addr.eq(address if two and luts else self.address)
        if self.writable:
            self._write(m, memory, read)
        m.d.sync += address.eq(self.address)
        with m.If(self.enable):
            m.d.sync += word.eq(read.data)
        if not (luts or self.style is MemoryStyle.SPRAM):
            m.d.comb += read.en.eq(self.enable)
        m.d.comb += self.data.eq(word if two or luts else read.data)
        return m

    def _memory(self) -> Memory:
        width, init = len(self.data), self.words
        if not self.writable:
            return Memory(shape=width, depth=len(init), init=init, attrs=ROM_ATTRIBUTES[self.style])
        # Whole parts: the bits beyond the width are never read, so no tool keeps them.
        (contents,) = self.memories.values()
        shape = contents.parts * PART_BITS if contents.parts > 1 else width
        attributes = MEMORY_ATTRIBUTES[self.style]
        if self.style is MemoryStyle.SPRAM:
            return Memory(shape=shape, depth=len(init), init=[], attrs=attributes)
        return Memory(shape=shape, depth=len(init), init=init, attrs=attributes | NO_COLLISION)

    def _write(self, m: Module, memory: Memory, read: wiring.PureInterface) -> None:
        """Write by parts; the one port of a large RAM turns to the written word meanwhile."""
        (contents,) = self.memories.values()
        write = memory.write_port(granularity=PART_BITS if contents.parts > 1 else None)
        row = self.write.address[contents.part_address_bits :]
        m.d.comb += [write.en.eq(self.write.enable), write.addr.eq(row)]
        for part in range(contents.parts):
            m.d.comb += write.data[part * PART_BITS : (part + 1) * PART_BITS].eq(self.write.data)
        if self.style is MemoryStyle.SPRAM:
            address = Signal.like(self.address, name="port_address")
            writing = self.write.enable.any()
            m.d.comb += [
                address.eq(Mux(writing, row, self.address)),
                read.addr.eq(address),
                write.addr.eq(address),
                read.en.eq(~writing),
            ]

    def _register(self, m: Module) -> None:
        register = Signal(len(self.data), name="word", init=self.words[0], reset_less=True)
        for part, enable in enumerate(self.write.enable):
            with m.If(enable):
                m.d.sync += register[part * PART_BITS : (part + 1) * PART_BITS].eq(self.write.data)
        m.d.comb += self.data.eq(register)
