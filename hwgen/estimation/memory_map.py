"""Where Yosys puts a memory on each family: block RAMs counted from their geometry, LUT RAMs, or flip-flops and logic.

The rule is that of its pass ``memory_libmap``: of all cells that a memory's style allows, and all widths that a cell can have,
the cheapest; without a style, plain logic is a candidate as well. `benchmarks/resources.py` holds the counts to what Yosys maps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from hwgen.devices.boards import Family
from hwgen.fold import MemoryStyle
from hwgen.layers.costs import MemoryKind, MemoryShape

__all__ = ["Placement", "place"]

MUX_COST = 0.5
"""Price of a bit of the multiplexers behind stacked cells, and of a write enable in front of them."""

EMULATION_COST = 2
"""Price of a port that is not quite what the cell offers."""


SPRAM_ROWS, SPRAM_BITS = 1 << 14, 16
"""Size of a large RAM of iCE40."""


@dataclass(frozen=True)
class _Cell:
    """A kind of memory cell.

    Parameters
    ----------
    address_bits : int
        At the narrowest width.
    widths : tuple of int
        Each halves the rows of the one before.
    cost : float
    blocks : float
        Block RAMs that it counts for.
    lutrams : int
        Cells of LUT RAM that it counts for.
    write_width : int
        The only width of its write port; 0: any.
    scaled : bool
        Its price is for used bits, not for whole cells.
    byte : int
        Bits that share a write enable; 0: all.
    old_word : bool
        It gives a row's old contents while the row is written.
    """

    address_bits: int
    widths: tuple[int, ...]
    cost: float
    blocks: float = 0
    lutrams: int = 0
    write_width: int = 0
    scaled: bool = False
    byte: int = 0
    old_word: bool = False


_NARROW = (1, 2, 4, 9, 18)

_BLOCK: Mapping[Family, tuple[_Cell, ...]] = {
    Family.ICE40: (
        _Cell(11, (2, 4, 8, 16), 64, blocks=1, byte=1, write_width=16),
        _Cell(11, (2, 4, 8), 64, blocks=1),
    ),
    Family.ECP5: (
        _Cell(14, _NARROW, 128, blocks=1, byte=9),
        _Cell(14, (*_NARROW, 36), 128, blocks=1, byte=9, write_width=36),
    ),
    Family.GOWIN: (_Cell(14, (*_NARROW, 36), 128, blocks=1, byte=9),),
    Family.NEXUS: (_Cell(14, (*_NARROW, 36), 128, blocks=1, byte=9, old_word=True),),
    Family.GATEMATE: (
        _Cell(14, (1, 2, 5, 10, 20, 40), 129, blocks=0.5, byte=1),
        _Cell(15, (1, 2, 5, 10, 20, 40, 80), 257, blocks=1, byte=1),
        _Cell(16, (1,), 513, blocks=2, byte=1),
    ),
    Family.XILINX7: (
        _Cell(14, (*_NARROW, 36), 129, blocks=0.5, byte=9),
        _Cell(15, (*_NARROW, 36, 72), 257, blocks=1, byte=9),
    ),
}

_LUT: Mapping[Family, tuple[_Cell, ...]] = {
    Family.ICE40: (),
    Family.ECP5: (_Cell(4, (4,), 4, lutrams=1),),
    Family.GOWIN: (_Cell(4, (4,), 4, lutrams=1, scaled=True),),
    Family.NEXUS: (_Cell(4, (4,), 4, lutrams=1),),
    Family.GATEMATE: (),
    Family.XILINX7: (_Cell(5, (6,), 8, lutrams=1), _Cell(6, (3,), 8, lutrams=1)),
}

_ROM_BIT = {Family.XILINX7: 1 / 64}
"""Price of a bit of a constant table in logic."""


@dataclass(frozen=True)
class Placement:
    """What a memory becomes.

    Parameters
    ----------
    blocks : float
        Block RAMs; halves on 7-series and GateMate.
    lutrams : int
        Cells of LUT RAM.
    mux_bits : int
        Bits of two-way multiplexers behind stacked cells.
    in_logic : bool
        None of them: flip-flops and multiplexers, or LUTs that hold a constant table.
    sprams : int
        Large RAMs.
    old_word : bool
        Logic around the cell keeps the old contents of a row that is read while it is written.
    """

    blocks: float = 0
    lutrams: int = 0
    mux_bits: int = 0
    in_logic: bool = False
    sprams: int = 0
    old_word: bool = False


@lru_cache(maxsize=1 << 16)
def _place(family: Family, depth: int, width: int, kind: MemoryKind, style: MemoryStyle) -> Placement:
    cells: tuple[_Cell, ...] = ()
    logic: float | None = None
    rom = kind.constant
    if style is MemoryStyle.BLOCK:
        cells = _BLOCK[family]
    elif kind is MemoryKind.ROM:
        logic = 0
    else:
        logic = depth * width * (_ROM_BIT.get(family, 1 / 16) if rom else 1)
        cells = () if kind is MemoryKind.QUEUE else _BLOCK[family]
        cells = (*cells, *(() if rom else _LUT[family]))
    best, cost = Placement(in_logic=True), float("inf") if logic is None else int(logic)
    for cell in cells:
        old_word = kind is MemoryKind.WINDOW and cell.blocks > 0 and not cell.old_word
        emulated = int(kind is not MemoryKind.ROM and cell.blocks > 0) + 3 * old_word
        for price, placement in _geometries(cell, depth, width, rom):
            total = price + EMULATION_COST * emulated
            if total < cost:
                best, cost = replace(placement, old_word=old_word), int(total)
    return best


def _geometries(cell: _Cell, depth: int, width: int, rom: bool) -> Iterator[tuple[float, Placement]]:
    """Give price and placement of a memory at every width of a cell."""
    for index, unit in enumerate(cell.widths):
        if cell.write_width and not rom and unit < min(cell.write_width, cell.byte):
            continue
        stacked = -(-depth // (1 << (cell.address_bits - index)))
        group = 1 if rom else min(cell.byte or unit, unit)
        padded = -(-width // group) * group
        number = -(-stacked * padded // unit)
        mux_bits = (stacked - 1) * width
        price = cell.cost * (stacked * width / unit if cell.scaled else number)
        price += MUX_COST * (mux_bits + (stacked if stacked > 1 and not rom else 0))
        yield price, Placement(cell.blocks * number, cell.lutrams * number, mux_bits)


def place(family: Family, memory: MemoryShape) -> Placement:
    """Give what Yosys makes of a memory."""
    if memory.depth < 2 or memory.width == 0 or memory.style is MemoryStyle.CONSTANT:
        return Placement(in_logic=True)
    if memory.style is MemoryStyle.SPRAM:
        return Placement(sprams=-(-memory.depth // SPRAM_ROWS) * -(-memory.width // SPRAM_BITS))
    return _place(family, memory.depth, memory.width, memory.kind, memory.style)
