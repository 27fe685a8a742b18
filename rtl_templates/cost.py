"""What a unit costs, before it is priced for a device: parts of logic, carry chains, memories, multipliers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from hwgen.rtl_templates.memory import MemoryStyle

__all__ = ["CarryChain", "MemoryKind", "MemoryShape", "Part", "Product", "Resources", "TableLogic"]


class TableLogic(NamedTuple):
    """A constant table in logic, its equal parts counted once.

    Parameters
    ----------
    columns : int
        Bits of a word that differ from one another, and are not the same in all words.
    leaves : int
        Functions of four address bits.
    stacks : int
        Choices between two functions of one address bit less.
    """

    columns: int
    leaves: int
    stacks: int


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
    """One memory of a unit.

    Parameters
    ----------
    name : str
    depth, width : int
        Words, and bits of a word; of a constant table only the bits that are not the same in all words.
    style : MemoryStyle
        Where it is asked to be: block RAM, LUTs, or constants.
    kind : MemoryKind
    logic : TableLogic or None
        Of a constant table in logic: what its contents leave of it. None: all.
    written : bool
        Whether it can be written at run time.
    piece : int
        Bits that are written at once; 0: a word.
    """

    name: str
    depth: int
    width: int
    style: MemoryStyle
    kind: MemoryKind = MemoryKind.BUFFER
    logic: TableLogic | None = None
    written: bool = False
    piece: int = 0


class Part(Enum):
    """What a unit's logic is made of; a family prices each in LUTs."""

    # Members are single objects: no need to hash their names at each look-up, of which estimating has more than of anything else.
    __hash__ = object.__hash__

    UNIT = "unit"
    """The handshake and state of one unit."""
    FLIPFLOP = "flip-flop"
    COUNTER_BIT = "counter bit"
    CLEARED_BIT = "cleared bit"
    """A bit of a counter that begins again before all of its bits are ones, and is too wide to be a LUT a bit."""
    TWIN_BIT = "twin bit"
    """A bit of a register that is always equal to another one, its flip-flop included: synthesis finds it on iCE40 alone."""
    SHIFT_BIT = "shift bit"
    """A register that takes one of two words."""
    XNOR = "xnor"
    """A lane with a weight from memory that is not counted together with others."""
    GROUP = "group"
    """A LUT that counts two or three lanes."""
    ADDER_BIT = "adder bit"
    ADD_SUB_BIT = "add-sub bit"
    """A bit of a lane that adds or subtracts its input."""
    PRODUCT_BIT = "product bit"
    """A partial product of a multiplier built of logic."""
    ACCUMULATOR_BIT = "accumulator bit"
    """A bit that is cleared behind its adder."""
    LEVEL_BIT = "level bit"
    """Comparison with a threshold."""
    RANK_BIT = "rank bit"
    """Comparison of two numbers."""
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
    """A LUT, counted by hand."""
    TABLE_STACK = "table stack"
    """Another LUT behind the first, for a bit of a deeper table."""


@dataclass(frozen=True)
class Product:
    """Multipliers of one size: how many, the bits of both factors and of the product."""

    number: int
    left: int
    right: int
    bits: int


class CarryChain(NamedTuple):
    """A carry chain.

    Parameters
    ----------
    part : Part
        What each of its bits is.
    bits : int
    carries_in : bool
        Whether its lowest bit only brings in a carry.
    carries_out : bool
        Whether its highest bit is nothing but a carry.
    """

    part: Part
    bits: int
    carries_in: bool = False
    carries_out: bool = False


@dataclass(frozen=True)
class Resources:
    """Cost of a unit, or of several, before it is priced for a device.

    Parameters
    ----------
    parts : mapping of Part to float
        What the logic is made of, for a family's prices.
    memories : tuple of MemoryShape
    products : tuple of Product
        Multipliers.
    chains : mapping of CarryChain to float
        Carry chains, whose bits are not among the parts.
    """

    parts: Mapping[Part, float] = field(default_factory=dict)
    memories: tuple[MemoryShape, ...] = ()
    products: tuple[Product, ...] = ()
    chains: Mapping[CarryChain, float] = field(default_factory=dict)
