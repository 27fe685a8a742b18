"""Replay matrices: the buffer that holds one operand of a product of two streams while the other one's vectors pass."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from amaranth.hdl import Cat, Module, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hwgen.rtl_templates.bill import Bill
from hwgen.rtl_templates.cost import MemoryShape, Part
from hwgen.rtl_templates.memory import MEMORY_ATTRIBUTES, NO_COLLISION, style_of
from hwgen.rtl_templates.windows.address_loops import AddressLoops

__all__ = ["ArrivalLoop", "MatrixBuffer"]


class ArrivalLoop(NamedTuple):
    """A loop over the pieces of a matrix as they come."""

    name: str
    rounds: int
    stride: int
    """Words between a piece and that of the next round."""
    is_place: bool = False
    """Its index is the piece's place in the word."""


class MatrixBuffer(wiring.Component):
    """Takes a matrix piece by piece, in any nested order, and hands its words on in theirs, all of them ``repeats`` times, while the next one comes.

    There are two banks. A bank is handed over once its matrix is complete: the first word follows the last piece by `read_latency` cycles. It takes
    pieces again in the cycle after the last word left for the last time. So no word is late where a matrix has no more pieces than are handed on of it
    (for one of a single word: fewer). The output is a register, so that whoever reads may decide late.

    Parameters
    ----------
    width : int
        Bits of a piece.
    loops : sequence of ArrivalLoop
        Innermost first. At most one is over the places of a word, which has as many pieces as it has rounds, the first in the lowest bits.
    repeats : int
        How often each matrix is handed on.

    Members
    -------
    i : ``In(stream.Signature(width))``
    o : ``Out(stream.Signature(pieces * width))``
    """

    def __init__(self, width: int, loops: list[ArrivalLoop], repeats: int) -> None:
        self.width = width
        self.loops = loops
        self.repeats = repeats
        self.pieces, self.length = self.sizes(loops)
        ports = {
            "i": In(stream.Signature(unsigned(width))),
            "o": Out(stream.Signature(unsigned(self.pieces * width))),
        }
        super().__init__(ports)

    @staticmethod
    def sizes(loops: list[ArrivalLoop]) -> tuple[int, int]:
        """Give the pieces of a word, and the words of a matrix."""
        pieces = prod(loop.rounds for loop in loops if loop.is_place)
        return pieces, prod(loop.rounds for loop in loops) // pieces

    @staticmethod
    def read_latency(length: int) -> int:
        """Cycles from the last piece of a matrix of so many words to its first word: one, unless that piece is part of the word."""
        return 1 if length > 1 else 2

    @classmethod
    def bill(cls, name: str, width: int, loops: list[ArrivalLoop], repeats: int) -> Bill:
        """Give what it is made of: loops and an address on either side, the banks in use and those to be read, and the memory with its register."""
        pieces, length = cls.sizes(loops)
        bill = AddressLoops.bill(*_parts(loops), length)
        bill.include(AddressLoops.bill({"word": length, "repeat": repeats}, {"word": 1}, length))
        bill.add(Part.UNIT, 1)
        bill.register(2 * 2 + 4)
        bill.add(Part.OTHER, 10)
        if pieces > 1:
            bill.add(Part.OTHER, pieces)
        style = style_of(2 * length, pieces * width)
        bill.memories.append(MemoryShape(name, 2 * length, pieces * width, style, piece=width))
        return bill

    def elaborate(self, platform: object) -> Module:
        """Two sides on one memory, each with loops of its own; whole banks pass between them."""
        m = Module()
        word_width, depth = self.pieces * self.width, 2 * self.length
        attributes = MEMORY_ATTRIBUTES[style_of(depth, word_width)] | NO_COLLISION
        m.submodules.banks = memory = Memory(shape=unsigned(word_width), depth=depth, init=[], attrs=attributes)
        write = memory.write_port(granularity=self.width if self.pieces > 1 else None)
        read = memory.read_port(domain="comb")  # with the register `word` it is a block RAM's read port, too
        word = Signal(word_width, reset_less=True)
        # Banks that are complete and not given back yet, and those whose words are still to be fetched.
        held, full = Signal(range(3)), Signal()
        complete, may_read = Signal(range(3)), Signal()
        valid, final = Signal(), Signal()
        put, fetch, completes, fetches_last, frees = (
            Signal(name=name) for name in ("put", "fetch", "completes", "fetches_last", "frees")
        )

        arrival = AddressLoops(m, "write_address", put, *_parts(self.loops), self.length)
        reads = {"word": self.length, "repeat": self.repeats}
        departure = AddressLoops(m, "read_address", fetch, reads, {"word": 1}, self.length)
        place = next((arrival.index[loop.name] for loop in self.loops if loop.is_place), None)
        enables = put if place is None or self.pieces == 1 else Cat(put & (place == n) for n in range(self.pieces))
        m.d.comb += [
            self.i.ready.eq(~full),
            put.eq(self.i.valid & self.i.ready),
            write.en.eq(enables),
            write.addr.eq(arrival.address),
            write.data.eq(self.i.payload.replicate(self.pieces)),
            read.addr.eq(departure.address),
            completes.eq(arrival.ends),
            fetch.eq((~valid | self.o.ready) & (may_read | completes if self.length > 1 else may_read)),
            fetches_last.eq(departure.ends),
            frees.eq(valid & self.o.ready & final),
            self.o.valid.eq(valid),
            self.o.payload.eq(word),
        ]
        with m.If(fetch):
            m.d.sync += [word.eq(read.data), final.eq(fetches_last)]
        with m.If(~valid | self.o.ready):
            m.d.sync += valid.eq(fetch)
        m.d.sync += [
            held.eq(held + completes - frees),
            full.eq(~frees & (full | (completes & (held == 1)))),
            complete.eq(complete + completes - fetches_last),
            may_read.eq(completes | (may_read & ~(fetches_last & (complete == 1)))),
        ]
        return m


def _parts(loops: list[ArrivalLoop]) -> tuple[dict[str, int], dict[str, int]]:
    """Give the rounds and the strides of loops."""
    return {loop.name: loop.rounds for loop in loops}, {loop.name: loop.stride for loop in loops}
