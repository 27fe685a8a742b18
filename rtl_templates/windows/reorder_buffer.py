"""Give the words of a frame in another order."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill, bits_of
from hwgen.rtl_templates.compute.rom import Rom
from hwgen.rtl_templates.cost import MemoryKind, Part
from hwgen.rtl_templates.memory import MEMORY_ATTRIBUTES, NO_COLLISION, style_of
from hwgen.rtl_templates.windows.loop_nest import LoopNest, around, loops_of

__all__ = ["ReorderBuffer"]


class ReorderBuffer(wiring.Component):
    """Takes the words of a block in their order, and gives them, or parts of them, in any other.

    The words lie in a circular memory. A word can be given 2 cycles after it was taken, while later ones of its block still come in; the room of a
    block is free once the last of its steps has left. But for the waits a beat leaves in every cycle.

    Of a word the ``chosen`` codes are kept, in that order, in ``parts`` of as many codes. With several ``banks`` a beat has as many parts, of words that are ``spread`` apart: the first ``spread`` words lie in the first bank, and so on in
    turn, so that all of them are read at once.

    Where the order is one of nested loops, these count; otherwise a table holds it.

    Parameters
    ----------
    bits, lanes : int
        Bits of a code, and codes of a word that comes in.
    chosen : sequence of int
    parts : int
        One of them a step takes of each bank.
    banks, spread : int
    block : int
        Words of a block; a multiple of ``banks * spread``.
    capacity : int
        Words that the memory holds, a multiple of the same and at least a block.
    reads : ndarray of int64, shape (steps of a block, 2)
        The word of the block that the first bank gives in each step, and its part.

    Members
    -------
    i : ``In(stream.Signature(lanes * bits))``
    o : ``Out(stream.Signature(banks * len(chosen) * bits // parts))``

    Raises
    ------
    ValueError
        If a block does not fit.
    """

    READ_LATENCY = 2
    """Cycles from a word's transfer in to the first transfer out of what needs it."""

    def __init__(
        self,
        *,
        bits: int,
        lanes: int,
        chosen: Sequence[int],
        parts: int,
        banks: int,
        spread: int,
        block: int,
        capacity: int,
        reads: np.ndarray,
    ) -> None:
        if capacity < block:
            raise ValueError(f"The memory must hold a block of {block} words, not {capacity}")
        if capacity % (banks * spread) or block % (banks * spread):
            raise ValueError(f"{banks} banks of {spread} words in turn cannot hold {block} of {capacity}")
        self.bits = bits
        self.chosen = chosen
        self.width = len(chosen) * bits
        self.parts = parts
        self.banks = banks
        self.spread = spread
        self.block = block
        self.capacity = capacity
        self.reads = reads
        taken, given = lanes * bits, banks * self.width // parts
        super().__init__({"i": In(stream.Signature(unsigned(taken))), "o": Out(stream.Signature(unsigned(given)))})

    @staticmethod
    def bill(
        name: str,
        *,
        bits: int,
        chosen: Sequence[int],
        parts: int,
        banks: int,
        spread: int,
        block: int,
        capacity: int,
        reads: np.ndarray,
    ) -> Bill:
        """Give what it is made of: what tells the words, the words that have come, the room, the pointers, the memories, and the choice of a part."""
        bill, rows, depth, width = Bill(), capacity // banks, max(2, capacity // banks), len(chosen) * bits
        fields = _fields(reads, banks, spread)
        sizes = _sizes(block, banks, parts)
        loops = loops_of(fields)
        if loops is not None:
            counts = {str(number): count for number, (count, _) in enumerate(loops)}
            bill.include(LoopNest.bill(counts.values()))
            for field, size in enumerate(sizes):
                strides = {str(number): int(moved[field]) for number, (_, moved) in enumerate(loops)}
                if size > 1:
                    modulus = 1 << bits_of(size)
                    bill.include(LoopNest.walk_bill(counts, strides, period=0, modulus=modulus))
        else:
            bill.include(LoopNest.bill([len(reads)]))
            bill.chain(Part.ADDER_BIT, bits_of(len(reads)))
            bill.add(Part.OTHER, bits_of(len(reads)))
            bill.add(Part.OTHER, math.ceil(bits_of(capacity + 1) / 3))
            bill.include(Rom.bill(f"{name}.order", fields, bits_of(max(sizes)), latency=1))
        bill.add(Part.UNIT, 1)
        # The words that have come are compared with the one that is needed, and a block's end takes its words away.
        for _ in range(2):
            bill.level(capacity + 1)
            bill.add(Part.OTHER, 2)
        bill.rank(bits_of(capacity + 1), 1, signed=False)
        bill.register(2)
        if (moved := block // banks) < rows:
            # Where a block starts, and the row that is read; what is added to has zeros at its end.
            size, wraps = bits_of(rows), rows & (rows - 1) > 0
            bill.chain(Part.ADDER_BIT, size - _zeros(moved))
            bill.chain(Part.ADDER_BIT, size)
            if wraps:
                bill.chain(Part.ADDER_BIT, size + 1 - _zeros(rows - moved))
                bill.chain(Part.ADDER_BIT, size + 1 - _zeros(rows))
                bill.add(Part.WALK_BIT, 2 * size - _zeros(math.gcd(moved, rows)))
            bill.register(size - _zeros(math.gcd(moved, rows)))
        bill.include(LoopNest.bill([spread, banks, rows // spread] if banks > 1 else [rows]))
        if banks > 1:
            loops_in, strides_in = (
                {"place": spread, "bank": banks, "group": rows // spread},
                {"place": 1, "group": spread},
            )
            bill.include(LoopNest.walk_bill(loops_in, strides_in, period=0, modulus=1 << bits_of(depth)))
            bill.add(Part.OTHER, banks)
        for bank in range(banks):
            bill.memory(f"{name}.bank_{bank}", depth, width, MemoryKind.WINDOW)
        if parts > 1:
            bill.register(bits_of(parts))
            bill.add(Part.OTHER, banks * (width // parts) * math.ceil((parts - 1) * 2 / 3))
        return bill

    def elaborate(self, platform: object) -> Module:
        """Write where the pointer is; read what the order says, if it has come."""
        m = Module()
        block, rows = self.block, self.capacity // self.banks
        take, step, give, ends, frees = (Signal(name=name) for name in ("take", "step", "give", "ends", "frees"))
        come, room = Signal(range(self.capacity + 1)), Signal(range(self.capacity + 1), init=self.capacity)
        has_come, row, part, is_last = self._order(m, step, come)
        there, gives_up = Signal(), Signal()
        # What is given last takes the rest of the block along, whether it is read or not.
        whole: Value = (
            Const(1) if _reads_all(self.reads, self.banks, self.spread, block) else ~is_last | (come >= block)
        )
        m.d.comb += [
            there.eq(has_come & whole),
            self.i.ready.eq(room != 0),
            take.eq(self.i.valid & self.i.ready),
            step.eq(there & (~self.o.valid | self.o.ready)),
            give.eq(self.o.valid & self.o.ready),
            ends.eq(step & is_last),
            gives_up.eq(give & frees),
        ]
        m.d.sync += [
            come.eq(come + Mux(take, Mux(ends, Const(1 - block), Const(1)), Mux(ends, Const(-block), Const(0)))),
            room.eq(
                room + Mux(take, Mux(gives_up, Const(block - 1), Const(-1)), Mux(gives_up, Const(block), Const(0)))
            ),
        ]
        with m.If(give):
            m.d.sync += self.o.valid.eq(0)
        with m.If(step):
            m.d.sync += [self.o.valid.eq(1), frees.eq(is_last)]
        address = self._address(m, row, ends)
        stored, bank = self._pointer(m, take)
        kept = Cat(self.i.payload.word_select(lane, self.bits) for lane in self.chosen)
        held: list[Value] = []
        style = style_of(max(2, rows), self.width)
        for number in range(self.banks):
            memory = Memory(
                shape=self.width, depth=max(2, rows), init=[], attrs=MEMORY_ATTRIBUTES[style] | NO_COLLISION
            )
            m.submodules[f"bank_{number}"] = memory
            write, read = memory.write_port(), memory.read_port()
            m.d.comb += [
                write.en.eq(take & (bank == number)),
                write.addr.eq(stored),
                write.data.eq(kept),
                read.en.eq(step),
                read.addr.eq(address),
            ]
            held.append(read.data)
        m.d.comb += self.o.payload.eq(Cat(self._parts(m, held, part, step)))
        return m

    def _order(self, m: Module, step: Signal, come: Signal) -> tuple[Value, Value, Value, Value]:
        """Tell whether the last word of the block that a step needs has come, its row, and the part; and whether the step is the block's last."""
        fields = _fields(self.reads, self.banks, self.spread)
        sizes = _sizes(self.block, self.banks, self.parts)
        loops = loops_of(fields)
        if loops is None:
            return self._table(m, step, come, fields, sizes)
        nest = LoopNest(m, step, {f"loop_{number}": count for number, (count, _) in enumerate(loops)})
        walks: list[Value] = []
        for field, (name, size) in enumerate(zip(("needed", "row", "part"), sizes, strict=True)):
            strides = {f"loop_{number}": int(moved[field]) for number, (_, moved) in enumerate(loops)}
            start, modulus = int(fields[0, field]), 1 << bits_of(size)
            walks.append(nest.walk(name, strides, period=0, start=start, modulus=modulus) if size > 1 else Const(0))
        is_last: Value = Const(1)
        for last in nest.is_last.values():
            is_last = is_last & last
        needed, row, part = walks
        return come > needed, row if self.banks > 1 else needed, part, is_last

    def _table(
        self, m: Module, step: Signal, come: Signal, fields: np.ndarray, sizes: tuple[int, int, int]
    ) -> tuple[Value, Value, Value, Value]:
        """Look the step up: the table is read a cycle ahead."""
        steps, bits = len(fields), bits_of(max(sizes))
        nest = LoopNest(m, step, {"step": steps})
        following = Signal(range(steps))
        words = (fields << (bits * np.arange(3))).sum(axis=1).tolist()
        m.submodules.order = order = Rom(words, 3 * bits, latency=1)
        index, is_last = nest.index["step"], nest.is_last["step"]
        m.d.comb += [following.eq(Mux(is_last, 0, index + 1)), order.address.eq(Mux(step, following, index))]
        needed, row, part = (order.data[number * bits : (number + 1) * bits] for number in range(3))
        # The table's output has no value before the first edge, and its address must not follow from one.
        return come.any() & (come > needed), row if self.banks > 1 else needed, part, is_last

    def _address(self, m: Module, row: Value, ends: Signal) -> Value:
        """Add a row to where the block starts in the circular memory."""
        rows, moved = self.capacity // self.banks, self.block // self.banks
        if rows == moved:
            return row
        start = Signal(range(rows))
        with m.If(ends):
            m.d.sync += start.eq(around(m, "following_start", start + moved, start + (moved - rows), rows))
        address = Signal(range(2 * rows), name="address_whole")
        m.d.comb += address.eq(start + row)
        return around(m, "address", address, address - rows, rows)

    def _pointer(self, m: Module, take: Signal) -> tuple[Value, Value]:
        """Give the row and the bank of the word that comes in."""
        rows = self.capacity // self.banks
        if self.banks == 1:
            return LoopNest(m, take, {"stored": rows}).index["stored"], Const(0)
        nest = LoopNest(m, take, {"place": self.spread, "bank": self.banks, "group": rows // self.spread})
        strides = {"place": 1, "group": self.spread}
        stored = nest.walk("stored", strides, period=0, start=0, modulus=1 << bits_of(max(2, rows)))
        return stored, nest.index["bank"]

    def _parts(self, m: Module, held: list[Value], part: Value, step: Signal) -> list[Value]:
        """Choose the part of each word that was read."""
        if self.parts == 1:
            return held
        chosen, bits = Signal(range(self.parts)), self.width // self.parts
        with m.If(step):
            m.d.sync += chosen.eq(part)
        # Every value of the register chooses something, or lint complains.
        last = self.parts - 1
        return [
            Array(word.word_select(min(number, last), bits) for number in range(1 << len(chosen)))[chosen]
            for word in held
        ]


def _fields(reads: np.ndarray, banks: int, spread: int) -> np.ndarray:
    """Give for each step the last word that it needs, the row of all that it reads, and the part."""
    word, part = reads.T
    around, place = np.divmod(word, banks * spread)
    return np.stack([word + (banks - 1) * spread, (around * spread + place) * (banks > 1), part], axis=1)


def _sizes(block: int, banks: int, parts: int) -> tuple[int, int, int]:
    """Give how many values each of the fields may have."""
    return block, block // banks if banks > 1 else 1, parts


def _zeros(number: int) -> int:
    """Give the zeros at the end of a positive number."""
    return (number & -number).bit_length() - 1


def _reads_all(reads: np.ndarray, banks: int, spread: int, block: int) -> bool:
    """Tell whether the last word of a block is read, so that all have come when the last step is done."""
    return bool(reads[:, 0].max() + (banks - 1) * spread == block - 1)
