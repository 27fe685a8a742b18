"""The end of a matrix-vector unit: accumulators become codes, by the table row of the group of channels at hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.compute.adder_tree import range_shape
from hwgen.rtl_templates.compute.channel_table import ChannelAddress
from hwgen.rtl_templates.compute.compare import as_level, reaches, reaches_bill
from hwgen.rtl_templates.compute.rom import Rom
from hwgen.rtl_templates.cost import Part
from hwgen.rtl_templates.memory import MemoryStyle
from hwgen.rtl_templates.registers.write_bus import Contents, write_port

__all__ = ["Activation", "Levels", "Scores", "levels_latency"]


@dataclass(frozen=True, eq=False)
class Levels:
    """Thresholds: the code is ``low`` + the number of levels that the accumulator reaches, modulo ``2**bits``.

    ``table``, int64 (classes, channels, steps), holds the rising levels of each class and channel, all within the accumulator's range or one above it.
    """

    table: np.ndarray
    low: int
    bits: int

    @property
    def latency(self) -> int:
        """Cycles from a total to its code."""
        return levels_latency(self.table.shape[2])


def levels_latency(steps: int) -> int:
    """Cycles from a total to its code: several levels are compared first, and counted in the next cycle."""
    return int(steps > 1)


@dataclass(frozen=True, eq=False)
class Scores:
    """The number itself: the code is ``scale * accumulator + table[class, channel, 0]``, modulo ``2**bits``; scale is 1 or 2."""

    table: np.ndarray
    scale: int
    bits: int

    latency = 0


class Activation(wiring.Component):
    """Turns ``lanes`` totals into codes, group after group of channels, position after position of a map.

    Parameters
    ----------
    lanes : int
        Channels of a group.
    bounds : (int, int)
        Least and greatest total.
    output : Levels or Scores
    rows, columns : sequence of int
        Class of each row and column of the map, see `ChannelAddress`.
    style : MemoryStyle
        Of the table, see `Rom`.
    ahead : int
        Cycles by which ``step`` comes before the totals: the table's latency.
    writable : bool
        Whether the table can be written.

    Members
    -------
    step : In(1)
        The totals that come ``ahead`` cycles later are a group's.
    totals : In(lanes totals)
    codes : Out(lanes * output.bits)
        `output.latency` cycles behind the totals.
    write : ``In(write_port(memories))``
        Only if writable.
    """

    def __init__(
        self,
        *,
        lanes: int,
        bounds: tuple[int, int],
        output: Levels | Scores,
        rows: Sequence[int] = (0,),
        columns: Sequence[int] = (0,),
        style: MemoryStyle = MemoryStyle.AUTO,
        ahead: int = Rom.LATENCY,
        writable: bool = False,
    ) -> None:
        self.lanes = lanes
        self.total = range_shape(*bounds)
        self.output = output
        self.rows = rows
        self.columns = columns
        self.style = style
        self.writable = writable
        self.ahead = ahead
        self.entry = self.entry_shape(bounds, output)
        self.entries = output.table.shape[2]
        ports = {"step": In(1), "totals": In(lanes * self.total.width), "codes": Out(lanes * output.bits)}
        super().__init__(ports | ({"write": In(write_port(self.memories))} if writable else {}))

    @staticmethod
    def entry_shape(bounds: tuple[int, int], output: Levels | Scores) -> Shape:
        """Give the shape of an entry of the table."""
        return range_shape(bounds[0], bounds[1] + 1) if isinstance(output, Levels) else unsigned(output.bits)

    @classmethod
    def bill(
        cls,
        name: str,
        *,
        lanes: int,
        bounds: tuple[int, int],
        output: Levels | Scores,
        rows: Sequence[int] = (0,),
        columns: Sequence[int] = (0,),
        style: MemoryStyle = MemoryStyle.AUTO,
        ahead: int = Rom.LATENCY,
        writable: bool = False,
    ) -> Bill:
        """Give what it is made of: the table, its address, and for each lane comparisons and their count, or an adder."""
        classes, channels, entries = output.table.shape
        words = output.table.reshape(classes * channels // lanes, lanes * entries)
        bits = cls.entry_shape(bounds, output).width
        if writable:
            bill = Rom.written_bill(f"{name}.table", len(words), words.shape[1] * bits, style)
        else:
            bill = Rom.bill(f"{name}.table", words, bits, style=style, latency=ahead)
        if len(words) > 1 and bill.memories:
            bill.include(ChannelAddress.bill(rows, columns, channels // lanes))
        if isinstance(output, Scores):
            # Nothing is added below the lowest bit that any of a lane's constants has, or that the sum has.
            for constants in np.ones((lanes, 1), np.int64) if writable else words.T:
                added = int(np.bitwise_or.reduce(constants)) % (1 << bits)
                zeros = max((added & -added).bit_length(), output.scale) - 1
                bill.chain(Part.ADDER_BIT, bits - zeros if added else 0)
            return bill
        # Numbers are compared in plain order: their sign bits are inverted.
        bill.add(Part.OTHER, lanes * (bounds[0] < 0))
        bill.include(reaches_bill(np.zeros((1, words.shape[1]), np.int64) if writable else words, bits))
        if entries > 1:
            bill.register(lanes * entries + 1)
            # The code's top bit is one of them, and chooses those that are left.
            bill.add(Part.OTHER, lanes * (entries - entries.bit_length()))
        return bill

    def words(self) -> list[int]:
        """Pack the table: a word for each class and group, the first channel's first entry lowest; levels as `reaches` wants them."""
        table = self.output.table.ravel()
        entries: list[int] = (as_level(table, self.entry) if isinstance(self.output, Levels) else table).tolist()
        per_word = self.lanes * self.entries
        width, mask = self.entry.width, (1 << self.entry.width) - 1
        return [
            sum((entry & mask) << (n * width) for n, entry in enumerate(entries[first : first + per_word]))
            for first in range(0, len(entries), per_word)
        ]

    @cached_property
    def memories(self) -> Mapping[str, Contents]:
        """The table."""
        return {"table": Contents(self.words(), self.lanes * self.entries * self.entry.width)}

    def elaborate(self, platform: object) -> Module:
        """Read the table ahead, so that its row stands beside the totals."""
        m = Module()
        groups = self.output.table.shape[1] // self.lanes
        words, width = self.memories["table"].words, self.memories["table"].width
        m.submodules.table = table = Rom(words, width, style=self.style, latency=self.ahead, writable=self.writable)
        if self.writable:
            wiring.connect(m, wiring.flipped(self.write), table.write)
        if len(words) > 1:
            m.submodules.position = position = ChannelAddress(self.rows, self.columns, groups)
            m.d.comb += [position.step.eq(self.step), table.address.eq(position.address)]
        codes = []
        for lane in range(self.lanes):
            total = self.totals.word_select(lane, self.total.width)
            total = total.as_signed() if self.total.signed else total
            entries = [table.data.word_select(lane * self.entries + n, self.entry.width) for n in range(self.entries)]
            code = Signal(self.output.bits, name=f"code_{lane}")
            if isinstance(self.output, Scores):
                m.d.comb += code.eq(total * self.output.scale + entries[0])
            else:
                reached = Signal(self.entries, name=f"reached_{lane}")
                domain = "sync" if self.output.latency else "comb"
                m.d[domain] += reached.eq(Cat(reaches(total, entry, self.entry) for entry in entries))
                m.d.comb += code.eq(self._count(list(reached)) + self.output.low)
            codes.append(code)
        m.d.comb += self.codes.eq(Cat(*codes))
        return m

    @classmethod
    def _count(cls, reached: list[Value]) -> Value:
        """Count ones that all stand below the zeros: the middle one is the count's top bit and chooses the half that has the rest."""
        if len(reached) == 1:
            return reached[0]
        half = 1 << (len(reached).bit_length() - 1)
        middle, lower = reached[half - 1], reached[: half - 1]
        upper = reached[half:] + [Const(0, 1)] * (half - 1 - len(reached[half:]))
        chosen = [Mux(middle, above, below) for above, below in zip(upper, lower, strict=True)]
        return Cat(cls._count(chosen), middle)
