"""What a folded layer costs, before it is priced for a device: parts of logic, memories, multipliers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from hwgen.fold import MemoryStyle

__all__ = ["THUMB", "MemoryKind", "MemoryShape", "Part", "Product", "Resources"]


class MemoryKind(Enum):
    """How a memory is written and read: what a cell must be able to do to hold it."""

    ROM = "rom"
    """Constant words with registers around them; in block RAM or in logic, as its style says."""
    TABLE = "table"
    """Constant words, read into a register; where the style leaves it open, synthesis chooses."""
    BUFFER = "buffer"
    """Read into a register; what a row gives in the cycle in which it is written does not matter."""
    WINDOW = "window"
    """Read into a register; a row gives its old contents in the cycle in which it is written."""
    QUEUE = "queue"
    """Read without a register: never a block RAM."""

    @property
    def constant(self) -> bool:
        """Whether the memory is never written."""
        return self in (MemoryKind.ROM, MemoryKind.TABLE)


@dataclass(frozen=True)
class MemoryShape:
    """One memory of a layer.

    Parameters
    ----------
    name : str
    depth, width : int
        Words, and bits of a word; of a constant table only the bits that are not the same in all words.
    style : MemoryStyle
        Where it is asked to be: block RAM, LUTs, or constants.
    kind : MemoryKind
    columns : int or None
        Of a constant table in logic: how many of its bits differ from one another. None: all.
    written : bool
        Whether it can be written at run time.
    """

    name: str
    depth: int
    width: int
    style: MemoryStyle
    kind: MemoryKind = MemoryKind.BUFFER
    columns: int | None = None
    written: bool = False


class Part(Enum):
    """What a unit's logic is made of; a family prices each in LUTs."""

    UNIT = "unit"
    """The handshake and state of one unit."""
    FLIPFLOP = "flip-flop"
    COUNTER_BIT = "counter bit"
    SHIFT_BIT = "shift bit"
    """A register that takes one of two words."""
    XNOR = "xnor"
    """A lane with a weight from memory."""
    GROUP = "group"
    """Three lanes, counted."""
    PAIR = "pair"
    """Two lanes, counted."""
    ADDER_BIT = "adder bit"
    SHARED_SUM_BIT = "shared sum bit"
    """A bit of an adder tree of rows whose weights do not change: rows share sums."""
    ADD_SUB_BIT = "add-sub bit"
    """A bit of a lane that adds or subtracts its input."""
    PRODUCT_BIT = "product bit"
    """A partial product of a multiplier built of logic."""
    ACCUMULATOR_BIT = "accumulator bit"
    LEVEL_BIT = "level bit"
    """Comparison with a threshold from memory."""
    CONSTANT_LEVEL_BIT = "constant level bit"
    COUNT = "count"
    """One of several thresholds, counted."""
    SCORE_BIT = "score bit"
    """Addition of a constant of the row."""
    RANK_BIT = "rank bit"
    """Comparison of two numbers."""
    LOOP_BIT = "loop bit"
    """A counter of nested loops."""
    ROOM_BIT = "room bit"
    """A count of words, changed by amounts that depend on the position."""
    WALK_BIT = "walk bit"
    """An address that moves with nested loops."""
    CASE = "case"
    """A position of a map that is treated in a way of its own."""
    PADDING_BIT = "padding bit"
    """A bit that padding replaces."""
    OLD_WORD_BIT = "old word bit"
    """A bit of a window memory's word, in a cell that does not give old contents while it is written."""
    STACK_BIT = "stack bit"
    """A choice between two memory cells stacked on one another."""
    REGISTER_BIT = "register bit"
    """A bit of a register that a host reads, counted and chosen among others."""
    STORED_BIT = "stored bit"
    """A bit of a memory that is built of flip-flops."""
    TABLE_LUT = "table LUT"
    """As many words of one bit of a constant table as a LUT holds."""
    OTHER = "other"
    """A LUT by a layer's own rule of thumb."""
    TABLE_STACK = "table stack"
    """Another LUT behind the first, for a bit of a deeper table."""


@dataclass(frozen=True)
class Product:
    """Multipliers of one size: how many, the bits of both factors and of the product."""

    number: int
    left: int
    right: int
    bits: int


@dataclass(frozen=True)
class Resources:
    """Cost of a folded layer before it is priced for a device.

    Parameters
    ----------
    luts : int
        Four-input LUTs of the logic by a rule of thumb, memories excluded.
    flipflops : int
        Flip-flops by a rule of thumb.
    memories : tuple of MemoryShape
    parts : mapping of Part to float
        What the logic is made of, for a family's prices; empty: only the rules of thumb are known.
    products : tuple of Product
        Multipliers.
    """

    luts: int
    flipflops: int
    memories: tuple[MemoryShape, ...] = ()
    parts: Mapping[Part, float] = field(default_factory=dict)
    products: tuple[Product, ...] = ()

    @classmethod
    def of_parts(
        cls, parts: Mapping[Part, float], memories: tuple[MemoryShape, ...], products: tuple[Product, ...] = ()
    ) -> Resources:
        """Give the cost of parts; the rules of thumb are a LUT for each of them, two for those that hold two functions."""
        luts = sum(number * THUMB.get(part, 1) for part, number in parts.items())
        luts += sum(product.number * product.left * product.right for product in products)
        return cls(round(luts), round(parts.get(Part.FLIPFLOP, 0)), memories, parts, products)


THUMB = {
    Part.UNIT: 10,
    Part.FLIPFLOP: 0,
    Part.GROUP: 2,
    Part.PAIR: 2,
    Part.SHARED_SUM_BIT: 0.7,
    Part.LEVEL_BIT: 0.5,
    Part.ROOM_BIT: 2,
    Part.WALK_BIT: 2,
    Part.CASE: 5,
}
"""LUTs that a part takes by a rule of thumb; 1 where it is not named."""
