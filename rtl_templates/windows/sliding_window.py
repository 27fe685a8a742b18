"""Sliding window unit that reads one tap after the other from one circular memory."""

from collections.abc import Sequence

import numpy as np
from amaranth.hdl import Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill, gates_of
from hwgen.rtl_templates.cost import MemoryKind, Part
from hwgen.rtl_templates.memory import MEMORY_ATTRIBUTES, NO_COLLISION, style_of
from hwgen.rtl_templates.streams.elastic import held
from hwgen.rtl_templates.windows.loop_nest import LoopNest, by_index
from hwgen.rtl_templates.windows.window_axis import (
    Axis,
    Moves,
    moves_ahead,
    moves_behind,
    pixels_held,
    pixels_needed,
)

__all__ = ["SlidingWindow"]


class SlidingWindow(wiring.Component):
    """Takes a map in raster order and gives every window of it, one word a step.

    The pixels' words fall into ``parts``. Steps of a window: for each part, each replay, each kernel row, each kernel
    column, each word of the part. A tap in the padding yields a
    constant word; padding is neither stored nor waited for, and its address is never looked at.

    The first word of a window is on offer `read_latency` cycles after its last real word came in; a window that taps only padding
    waits for its frame's first word. The transfer of a window's last word gives up the room of all words before the
    first one that a later window taps. But for these waits a word leaves in every cycle, across windows, rows, frames.

    Parameters
    ----------
    width : int
        Bits of a word.
    rows, columns : Axis
        The windows in both directions.
    words : int
        Words of a pixel.
    capacity : int
        Words that the memory holds, at least `least_capacity`.
    replays : int
        How many times each part of a window is given.
    parts : int
        Groups of neighbouring words; each one's taps are given before the next one's.
    pad_words : sequence of int
        What a padded tap yields, in each part, or one for all.
    output_register : bool
        Whether a second register is behind the memory, in front of the choice between word and padding: a block RAM's own where it has one.

    Members
    -------
    i : ``In(stream.Signature(width))``
        The map, without padding.
    o : ``Out(stream.Signature(width))``
        The windows.

    Raises
    ------
    ValueError
        If the memory cannot hold what a window needs, or parameters contradict each other.
    """

    def __init__(
        self,
        *,
        width: int,
        rows: Axis,
        columns: Axis,
        words: int = 1,
        capacity: int,
        replays: int = 1,
        parts: int = 1,
        pad_words: Sequence[int] = (0,),
        output_register: bool = False,
    ) -> None:
        least = self.least_capacity(rows, columns, words)
        if capacity < least:
            raise ValueError(f"The window needs a capacity of at least {least} words, not {capacity}")
        if words % parts:
            raise ValueError(f"The {words} words of a pixel cannot be in {parts} equal parts")
        if len(pad_words) not in (1, parts):
            raise ValueError(f"Padding needs a word for each of the {parts} parts of a pixel, not {len(pad_words)}")
        self.width = width
        self.rows = rows
        self.columns = columns
        self.words = words
        self.capacity = capacity
        self.pad_words = list(pad_words)
        self.output_register = output_register
        self.part_words = words // parts
        self.loop_counts = self.counts(rows, columns, self.part_words, replays, parts)
        super().__init__({"i": In(stream.Signature(unsigned(width))), "o": Out(stream.Signature(unsigned(width)))})

    @staticmethod
    def read_latency(output_register: bool) -> int:
        """Cycles from a word's transfer in to the first cycle in which it can leave."""
        return 3 if output_register else 2

    @staticmethod
    def least_capacity(rows: Axis, columns: Axis, words: int) -> int:
        """Give the words that must fit so that every window can be completed."""
        return words * pixels_held(rows, columns)

    @staticmethod
    def counts(rows: Axis, columns: Axis, part_words: int, replays: int, parts: int) -> dict[str, int]:
        """Give the rounds of each loop over the steps of a frame, innermost first."""
        taps = {"tap_column": columns.kernel, "tap_row": rows.kernel}
        window = {"word": part_words, **taps, "replay": replays, "part": parts}
        return {**window, "column": columns.windows, "row": rows.windows}

    @staticmethod
    def strides(rows: Axis, columns: Axis, words: int, part_words: int) -> dict[str, int]:
        """Give how far a round of each loop moves through the memory."""
        row_words = columns.size * words
        return {
            "word": 1,
            "tap_column": columns.dilation * words,
            "tap_row": rows.dilation * row_words,
            "part": part_words,
            "column": columns.stride * words,
            "row": rows.stride * row_words,
        }

    @classmethod
    def bill(
        cls,
        name: str,
        *,
        width: int,
        rows: Axis,
        columns: Axis,
        words: int = 1,
        capacity: int,
        replays: int = 1,
        parts: int = 1,
        pad_words: Sequence[int] = (0,),
        output_register: bool = False,
    ) -> Bill:
        """Give what it is made of: the loops, the count of stored words and that of the room, the walks through the memory, padding, and the memory."""
        counts = cls.counts(rows, columns, words // parts, replays, parts)
        bill = LoopNest.bill([*counts.values(), capacity])
        bill.add(Part.UNIT, 1)
        reach = capacity + 2 * rows.size * columns.size * words
        # Neither count goes further than the memory: the bits above are its sign.
        bill.chain(Part.ADDER_BIT, capacity.bit_length() + 1, 2)
        bill.add(Part.TWIN_BIT, 2 * (reach.bit_length() - capacity.bit_length()))
        bill.register(2 * (capacity.bit_length() + 1) + 2)
        for moves in (moves_ahead(rows, columns, words), moves_behind(rows, columns, words)):
            bill.add(Part.CASE, sum(len(set(values)) - 1 for values in moves))
            moved = np.bitwise_or.reduce([*moves.steps, *moves.turns])
            bill.add(Part.ROOM_BIT, int(moved).bit_count())
        bill.register(int(moved).bit_count())
        strides = cls.strides(rows, columns, words, words // parts)
        period = rows.size * columns.size * words
        bill.include(LoopNest.walk_bill(counts, strides, period=period, modulus=capacity))
        for direction, axis in (("row", rows), ("column", columns)):
            if axis.is_padded:
                steps = {f"tap_{direction}": axis.dilation, direction: axis.stride}
                bits = axis.padded.bit_length()
                bill.include(LoopNest.walk_bill(counts, steps, period=0, modulus=1 << bits))
                bill.add(Part.OTHER, gates_of(bits))
        beside = 0
        if rows.is_padded or columns.is_padded:
            beside = 1 + (width if len(set(pad_words)) > 1 else 0)
            bill.add(Part.PADDING_BIT, width)
        bill.register(beside)
        bill.memory(name, max(2, capacity), width, MemoryKind.WINDOW)
        if output_register:
            # Of the word as well, where it is not the block RAM's own, and of the room that it gives back.
            bill.register(width + beside + 2)
        return bill

    def elaborate(self, platform: object) -> Module:
        """Walk the memory with the loops; count the stored words ahead of the window, and the room."""
        m = Module()
        rows, columns, words = self.rows, self.columns, self.words
        row_words = columns.size * words
        m.submodules.memory = memory = self._memory()
        write, read = memory.write_port(), memory.read_port()
        take, step, give = Signal(), Signal(), Signal()
        loops = LoopNest(m, step, self.loop_counts)
        window_ends = loops.wraps["part"]

        # Words stored beyond those that the present window needs, and room beyond the next word; negative means wait.
        reach = self.capacity + 2 * rows.size * row_words
        ahead = Signal(range(-reach, reach + 1), init=-words * pixels_needed(rows, columns, 0, 0))
        room = Signal(range(-1, reach + 1), init=self.capacity - 1)
        given = {"frees_with_transfer": window_ends, "freed": self._frees(m, loops), **self._padding(m, loops)}
        word = self._read(m, (ahead >= 0), step, read.data, given)
        m.d.comb += [
            self.i.ready.eq(room >= 0),
            take.eq(self.i.valid & self.i.ready),
            give.eq(self.o.valid & self.o.ready),
        ]
        m.d.sync += [
            ahead.eq(ahead + take - Mux(window_ends, self._needs(m, loops), 0)),
            room.eq(room - take + Mux(give & given["frees_with_transfer"], given["freed"], 0)),
        ]

        write_loop = LoopNest(m, take, {"stored": self.capacity})
        strides = self.strides(rows, columns, words, self.part_words)
        address = loops.walk(
            "address",
            strides,
            period=rows.size * row_words,
            start=-rows.before * row_words - columns.before * words,
            modulus=self.capacity,
        )
        m.d.comb += [
            write.en.eq(take),
            write.addr.eq(write_loop.index["stored"]),
            write.data.eq(self.i.payload),
            read.en.eq(step),
            read.addr.eq(address),
            self.o.payload.eq(Mux(given["is_padding"], given["pad_word"], word) if "is_padding" in given else word),
        ]
        return m

    def _read(self, m: Module, may: Value, step: Signal, word: Value, given: dict[str, Value]) -> Value:
        """Step whenever the word read before moves on, and carry what is ``given`` beside each word along to the output."""
        moves = ~self.o.valid | self.o.ready
        if self.output_register:
            valid, leaves = Signal(name="read_valid"), Signal(name="leaves")
            m.d.comb += leaves.eq(moves)
            with m.If(leaves):
                m.d.sync += self.o.valid.eq(valid)
            moves = ~valid | leaves
        else:
            valid = self.o.valid
        m.d.comb += step.eq(may & moves)
        with m.If(moves):
            m.d.sync += valid.eq(may)
        for name, value in given.items():
            given[name] = held(m, name, step, value)
            if self.output_register:
                given[name] = held(m, f"{name}_out", leaves, given[name])
        return held(m, "word", leaves, word) if self.output_register else word

    def _memory(self) -> Memory:
        # A word is read no sooner than the cycle after it came in; what padding reads is never looked at.
        attributes = MEMORY_ATTRIBUTES[style_of(self.capacity, self.width)] | NO_COLLISION
        return Memory(shape=self.width, depth=max(2, self.capacity), init=[], attrs=attributes)

    def _needs(self, m: Module, loops: LoopNest) -> Value:
        """Give the words by which the next window reaches further than the present one."""
        return self._by_position(m, "needs", loops, moves_ahead(self.rows, self.columns, self.words))

    def _frees(self, m: Module, loops: LoopNest) -> Value:
        """Give the words by which the next window begins later than the present one."""
        frees = Signal(range(self.rows.size * self.columns.size * self.words + 1))
        m.d.comb += frees.eq(self._by_position(m, "frees", loops, moves_behind(self.rows, self.columns, self.words)))
        return frees

    @staticmethod
    def _by_position(m: Module, name: str, loops: LoopNest, moves: Moves) -> Value:
        """Give, in chosen rows, the column's step, and at a row's end the row's turn."""
        row, column = loops.index["row"], loops.index["column"]
        chosen, step = by_index(m, f"{name}_steps", row, moves.chosen), by_index(m, f"{name}_step", column, moves.steps)
        return Mux(loops.is_last["column"], by_index(m, f"{name}_turn", row, moves.turns), Mux(chosen, step, 0))

    def _padding(self, m: Module, loops: LoopNest) -> dict[str, Value]:
        """Give whether the present tap lies in the padding, and what it then yields; nothing if there is no padding."""
        outside: Value = Const(0)
        for name, axis in (("row", self.rows), ("column", self.columns)):
            if axis.is_padded:
                modulus = 1 << axis.padded.bit_length()
                strides = {f"tap_{name}": axis.dilation, name: axis.stride}
                position = loops.walk(f"{name}_position", strides, period=0, start=-axis.before, modulus=modulus)
                outside = outside | (position >= axis.size)
        if not (self.rows.is_padded or self.columns.is_padded):
            return {}
        pad_word = by_index(m, "word_padding", loops.index["part"], self.pad_words)
        return {"is_padding": outside, "pad_word": pad_word}
