"""Count the levels that a number reaches, a channel's own levels for each lane."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from amaranth.hdl import Cat, Module, Shape, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.compute.channel_table import ChannelAddress
from hwgen.rtl_templates.compute.level_search import LevelSearch
from hwgen.rtl_templates.memory import MemoryStyle
from hwgen.rtl_templates.registers.write_bus import Contents, write_port
from hwgen.rtl_templates.streams.elastic import ElasticPipeline, held

__all__ = ["ThresholdUnit"]


class ThresholdUnit(wiring.Component):
    """Gives ``low`` plus the number of levels that each number has reached (a falling channel: has not reached).

    A beat is taken in every cycle. Latency and slots: ``ElasticPipeline.timing(pipeline(steps), width_out, slots)``.

    Parameters
    ----------
    lanes : int
        Channels a beat; divides the channel count.
    in_shape : Shape
        Of one number.
    levels : int array, shape (classes, channels, steps)
        Rising along the last axis; at least one step.
    falling : sequence of bool
        For each channel: count the levels that are not reached.
    low : int
        Code for none.
    out_bits : int
        Width of a code.
    rows, columns : sequence of int
        Class of each row and column of the map, see `ChannelAddress`.
    style : MemoryStyle
        Memory of the levels, see `read_rom`.
    slots : int or None
        See `ElasticPipeline`.
    writable : bool
        Whether levels, and which channels fall, can be written.

    Members
    -------
    i : ``In(stream.Signature(lanes * width of in_shape))``
    o : ``Out(stream.Signature(lanes * out_bits))``
    write : ``In(write_port(memories))``
        Only if writable.
    """

    def __init__(
        self,
        *,
        lanes: int,
        in_shape: Shape,
        levels: np.ndarray,
        falling: Sequence[bool],
        low: int,
        out_bits: int,
        rows: Sequence[int] = (0,),
        columns: Sequence[int] = (0,),
        style: MemoryStyle = MemoryStyle.AUTO,
        slots: int | None = None,
        writable: bool = False,
    ) -> None:
        self.lanes = lanes
        self.in_shape = Shape.cast(in_shape)
        self.low = low
        self.out_bits = out_bits
        self.width_out = lanes * out_bits
        self.slots = slots
        self._folds = levels.shape[1] // lanes
        self._rows, self._columns = tuple(rows), tuple(columns)
        self._search = LevelSearch(
            in_shape=self.in_shape,
            **self._by_beat(levels, falling, lanes),
            style=style,
            writable=writable,
        )
        self.writable = writable
        ports = {
            "i": In(stream.Signature(unsigned(lanes * self.in_shape.width))),
            "o": Out(stream.Signature(unsigned(self.width_out))),
        }
        super().__init__(ports | ({"write": In(write_port(self.memories))} if writable else {}))

    @staticmethod
    def _by_beat(levels: np.ndarray, falling: Sequence[bool], lanes: int) -> dict[str, np.ndarray]:
        """Give the tables of the search: an address for each beat of a pixel, in each class of positions."""
        classes, channels, steps = levels.shape
        flags = np.broadcast_to(np.array(falling, dtype=bool), (classes, channels))
        return {"levels": levels.reshape(-1, lanes, steps), "falling": flags.reshape(-1, lanes)}

    @property
    def memories(self) -> Mapping[str, Contents]:
        """The levels of each stage of the search, by the names of the memories."""
        return self._search.memories

    @staticmethod
    def pipeline(steps: int) -> int:
        """Registers from a beat to its codes: one a bit of the count, and that of the codes."""
        return LevelSearch.stages_of(steps) + 1

    def memory_shapes(self) -> Iterator[tuple[int, int, int]]:
        """Give (stage, words, bits a word) of each memory that is not a constant."""
        return self._search.memory_shapes()

    @classmethod
    def bill(
        cls,
        name: str,
        *,
        lanes: int,
        in_shape: Shape,
        levels: np.ndarray,
        falling: Sequence[bool],
        out_bits: int,
        rows: Sequence[int] = (0,),
        columns: Sequence[int] = (0,),
        style: MemoryStyle = MemoryStyle.AUTO,
        slots: int | None = None,
        writable: bool = False,
    ) -> Bill:
        """Give what it is made of: the pipeline's handshakes, the registers of the codes, the search, and the address of its tables."""
        tables = cls._by_beat(levels, falling, lanes)
        addresses, _, steps = tables["levels"].shape
        stages, width = LevelSearch.stages_of(steps), lanes * out_bits
        bill = ElasticPipeline.bill(f"{name}.queue", stages + 1, width, slots)
        bill.register(width)
        search = LevelSearch.bill(name, in_shape=in_shape, style=style, writable=writable, **tables)
        bill.include(search)
        if search.memories and addresses > 1:
            bill.include(ChannelAddress.bill(rows, columns, levels.shape[1] // lanes))
            bill.register((stages - 1) * (addresses - 1).bit_length())
        return bill

    def elaborate(self, platform: object) -> Module:
        """Search, and add the lowest code to what was found."""
        m = Module()
        m.submodules.search = search = self._search
        m.submodules.pipeline = pipeline = ElasticPipeline(search.stages + 1, self.width_out, self.slots)
        wiring.connect(m, wiring.flipped(self.o), pipeline.o)
        m.d.comb += [
            pipeline.i_valid.eq(self.i.valid),
            self.i.ready.eq(pipeline.i_ready),
            search.moves.eq(pipeline.moves),
            search.numbers.eq(self.i.payload),
        ]
        if search.needs_address:
            m.submodules.position = position = ChannelAddress(self._rows, self._columns, self._folds)
            m.d.comb += [position.step.eq(self.i.valid & self.i.ready), search.address.eq(position.address)]
        codes = [Signal(self.out_bits, name=f"code_{lane}") for lane in range(self.lanes)]
        for lane, code in enumerate(codes):
            m.d.comb += code.eq(search.counts.word_select(lane, search.stages) + self.low)
        m.d.comb += pipeline.data.eq(held(m, "codes", pipeline.moves[search.stages], Cat(*codes)))
        if self.writable:
            wiring.connect(m, wiring.flipped(self.write), search.write)
        return m
