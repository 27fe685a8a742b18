"""Tables that follow a stream of map beats: which row of a table holds for the present beat, and its read-out."""

from collections.abc import Sequence

import numpy as np
from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.compute.rom import Rom
from hwgen.rtl_templates.cost import MemoryKind, MemoryShape, Part
from hwgen.rtl_templates.memory import MEMORY_ATTRIBUTES, MemoryStyle, style_of
from hwgen.rtl_templates.table_bill import table_shape

__all__ = ["ChannelAddress", "read_rom", "read_rom_bill"]


class ChannelAddress(wiring.Component):
    """Counts through a map and gives ``class * folds + fold`` of the present beat, with the class of its position.

    The class of position (y, x) is ``rows[y] * (max(columns) + 1) + columns[x]``. A map of a single class has no
    position counters, and
    the bases of rows and columns are registers that change only where a class ends.

    Parameters
    ----------
    rows, columns : sequence of int
        Class of each row and of each column of the map.
    folds : int
        Beats of one pixel.

    Members
    -------
    step : In(1)
        The present beat is taken.
    address : Out(range(classes * folds))
    """

    def __init__(self, rows: Sequence[int], columns: Sequence[int], folds: int) -> None:
        self.column_bases = [column * folds for column in columns]
        self.row_bases = [row * (max(columns) + 1) * folds for row in rows]
        self.folds = folds
        self.depth = (max(rows) + 1) * (max(columns) + 1) * folds
        super().__init__({"step": In(1), "address": Out(range(self.depth))})

    @staticmethod
    def bill(rows: Sequence[int], columns: Sequence[int], folds: int) -> Bill:
        """Give what it is made of: the counter of a pixel's beats, and for rows and columns of several classes a counter and the class's base."""
        bill = Bill()
        bill.counter(folds)
        for classes in (rows, columns):
            kinds = len(set(classes))
            if kinds > 1:
                bill.counter(len(classes))
                bill.add(Part.CASE, kinds)
                bill.counter(max(classes) * folds + 1)
        return bill

    def elaborate(self, platform: object) -> Module:
        """Chain the counters of fold, column and row; each passes a step on when it wraps."""
        m = Module()

        def counter(name: str, length: int, step: Value) -> tuple[Value, Value]:
            if length == 1:
                return Const(0), step
            count = Signal(range(length), name=name)
            wraps = Signal(name=f"{name}_wraps")
            m.d.comb += wraps.eq(step & (count == length - 1))
            with m.If(step):
                m.d.sync += count.eq(Mux(wraps, 0, count + 1))
            return count, wraps

        def base(name: str, bases: list[int], count: Value, step: Value) -> Value:
            if max(bases) == 0:
                return Const(0)
            register = Signal(range(max(bases) + 1), name=f"{name}_base", init=bases[0])
            for position, (this, following) in enumerate(zip(bases, bases[1:] + bases[:1], strict=True)):
                if this != following:
                    with m.If(step & (count == position)):
                        m.d.sync += register.eq(following)
            return register

        fold, pixel = counter("fold", self.folds, self.step)
        address = fold
        if self.depth > self.folds:
            column, line = counter("column", len(self.column_bases), pixel)
            address = address + base("column", self.column_bases, column, pixel)
            if max(self.row_bases):
                row, _ = counter("row", len(self.row_bases), line)
                address = address + base("row", self.row_bases, row, line)
        m.d.comb += self.address.eq(address)
        return m


def read_rom(
    m: Module,
    name: str,
    words: Sequence[int],
    width: int,
    address: Value,
    style: MemoryStyle,
    enable: Value,
    ports: list[wiring.PureInterface] | None = None,
) -> Value:
    """Add a read-only memory to the module itself and give the word of ``address`` one cycle later; a memory of equal words is a constant.

    Parameters
    ----------
    m : Module
        Gets the memory.
    name : str
        Of the submodule.
    words : sequence of int
    width : int
        Bits of a word.
    address : Value
    style : MemoryStyle
        Not a large RAM.
    enable : Value
        Read; without it the word stays.
    ports : list or None
        If given, the memory can be written, and its write port is appended.
    """
    if ports is not None:
        m.submodules[name] = rom = Rom(words, width, style=style, latency=1, writable=True)
        m.d.comb += [rom.address.eq(address), rom.enable.eq(enable)]
        ports.append(rom.write)
        return rom.data
    if len(set(words)) == 1:
        return Const(words[0], width)
    place = style_of(len(words), width, style)
    m.submodules[name] = memory = Memory(shape=width, depth=len(words), init=words, attrs=MEMORY_ATTRIBUTES[place])
    port = memory.read_port(domain="sync" if place is MemoryStyle.BLOCK else "comb")
    m.d.comb += port.addr.eq(address)
    if place is MemoryStyle.BLOCK:
        m.d.comb += port.en.eq(enable)
        return port.data
    word = Signal(width, name=f"{name}_word", reset_less=True)
    with m.If(enable):
        m.d.sync += word.eq(port.data)
    return word


def read_rom_bill(name: str, words: np.ndarray, bits: int, style: MemoryStyle, *, writable: bool = False) -> Bill:
    """Give what `read_rom` adds: a memory of words of fields, int64 (words, fields of a word), each of so many bits; nothing if they are equal."""
    bill = Bill()
    depth, width = len(words), words.shape[1] * bits
    if writable:
        bill.memories.append(MemoryShape(name, depth, width, style_of(depth, width, style), written=True))
    elif shape := table_shape(name, words, bits, style, MemoryKind.TABLE):
        bill.memories.append(shape)
    return bill
