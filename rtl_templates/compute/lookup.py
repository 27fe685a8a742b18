"""Look a number up in a table, a channel's own table for each lane."""

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
from amaranth.hdl import Cat, Const, Module, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.compute.channel_table import ChannelAddress, read_rom, read_rom_bill
from hwgen.rtl_templates.memory import MemoryStyle
from hwgen.rtl_templates.registers.write_bus import Contents, fan_out, write_port
from hwgen.rtl_templates.streams.elastic import ElasticPipeline, held

__all__ = ["LookupUnit"]


class LookupUnit(wiring.Component):
    """Replaces each number by the entry of its channel's table.

    Each lane has one memory, addressed by (class, channel fold, number); a lane whose channels and classes all have the
    same table keeps a
    single copy. A beat is taken in every cycle. Latency and slots: ``ElasticPipeline.timing(PIPELINE, width_out, slots)``.

    Parameters
    ----------
    lanes : int
        Channels a beat; divides the channel count.
    in_bits, out_bits : int
        Width of a number and of an entry.
    table : int array, shape (classes, channels, 2**in_bits)
        Entries as bits: each below ``2**out_bits``.
    rows, columns : sequence of int
        Class of each row and column of the map, see `ChannelAddress`.
    style : MemoryStyle
        Memory of the tables, see `read_rom`.
    slots : int or None
        See `ElasticPipeline`.
    writable : bool
        Whether the tables can be written.

    Members
    -------
    i : ``In(stream.Signature(lanes * in_bits))``
    o : ``Out(stream.Signature(lanes * out_bits))``
    write : ``In(write_port(memories))``
        Only if writable.
    """

    PIPELINE = 2
    """Registers from a beat to its entries: the read, and that of the entries."""

    def __init__(
        self,
        *,
        lanes: int,
        in_bits: int,
        out_bits: int,
        table: np.ndarray,
        rows: Sequence[int] = (0,),
        columns: Sequence[int] = (0,),
        style: MemoryStyle = MemoryStyle.AUTO,
        slots: int | None = None,
        writable: bool = False,
    ) -> None:
        self.lanes = lanes
        self.in_bits = in_bits
        self.out_bits = out_bits
        self.width_out = lanes * out_bits
        self.slots = slots
        self._table = table.reshape(-1, lanes, 1 << in_bits)
        self._folds = table.shape[1] // lanes
        self._rows, self._columns = tuple(rows), tuple(columns)
        self._style = style
        self.writable = writable
        ports = {
            "i": In(stream.Signature(unsigned(lanes * in_bits))),
            "o": Out(stream.Signature(unsigned(self.width_out))),
        }
        super().__init__(ports | ({"write": In(write_port(self.memories))} if writable else {}))

    @cached_property
    def memories(self) -> Mapping[str, Contents]:
        """The table of each lane."""
        return {
            f"table_{lane}": Contents(self._table[:, lane].ravel().tolist(), self.out_bits)
            for lane in range(self.lanes)
        }

    @classmethod
    def bill(
        cls,
        name: str,
        *,
        lanes: int,
        in_bits: int,
        out_bits: int,
        table: np.ndarray,
        rows: Sequence[int] = (0,),
        columns: Sequence[int] = (0,),
        style: MemoryStyle = MemoryStyle.AUTO,
        slots: int | None = None,
        writable: bool = False,
    ) -> Bill:
        """Give what it is made of: the pipeline's handshakes, the register of the entries, a table a lane, and their address."""
        width = lanes * out_bits
        bill = ElasticPipeline.bill(f"{name}.queue", cls.PIPELINE, width, slots)
        bill.register(width)
        by_beat = table.reshape(-1, lanes, 1 << in_bits)
        alone = True
        for lane in range(lanes):
            entries = by_beat[:, lane]
            same = cls._is_same(entries, writable=writable)
            alone &= same
            words = (entries[:1] if same else entries).reshape(-1, 1)
            bill.include(read_rom_bill(f"{name}.table_{lane}", words, out_bits, style, writable=writable))
        if not alone:
            bill.include(ChannelAddress.bill(rows, columns, table.shape[1] // lanes))
        return bill

    def elaborate(self, platform: object) -> Module:
        """Address the tables with the incoming numbers and push what they hold."""
        m = Module()
        m.submodules.pipeline = pipeline = ElasticPipeline(self.PIPELINE, self.width_out, self.slots)
        wiring.connect(m, wiring.flipped(self.o), pipeline.o)
        m.d.comb += [pipeline.i_valid.eq(self.i.valid), self.i.ready.eq(pipeline.i_ready)]

        base: Value = Const(0, 0)
        ports: list[wiring.PureInterface] | None = [] if self.writable else None
        if not all(self._same(lane) for lane in range(self.lanes)):
            m.submodules.position = position = ChannelAddress(self._rows, self._columns, self._folds)
            m.d.comb += position.step.eq(self.i.valid & self.i.ready)
            base = position.address

        def entry(lane: int) -> Value:
            number = self.i.payload.word_select(lane, self.in_bits)
            if self._same(lane):
                words, address = self._table[0, lane], number
            else:
                words, address = self._table[:, lane], Cat(number, base)
            return read_rom(
                m,
                f"table_{lane}",
                words.ravel().tolist(),
                self.out_bits,
                address,
                self._style,
                pipeline.moves[0],
                ports,
            )

        entries = Cat(entry(lane) for lane in range(self.lanes))
        m.d.comb += pipeline.data.eq(held(m, "entries", pipeline.moves[1], entries))
        if ports is not None:
            fan_out(m, self.write, ports)
        return m

    def _same(self, lane: int) -> bool:
        return self._is_same(self._table[:, lane], writable=self.writable)

    @staticmethod
    def _is_same(entries: np.ndarray, *, writable: bool) -> bool:
        """Whether all channels of a lane, in all classes, have the same table and keep it."""
        return len(entries) == 1 or (not writable and bool(np.all(entries == entries[0])))
