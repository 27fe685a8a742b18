"""Where Yosys puts a memory on each family: block RAMs counted from their geometry, LUT RAMs, or flip-flops and logic.

The rule is that of its pass ``memory_libmap``: of all cells that a memory's style allows, and all widths that a cell can have,
the cheapest; without a style, plain logic is a candidate as well. `benchmarks/resources.py` holds the counts to what Yosys maps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from hwgen.devices.cells import Memories, MemoryCell
from hwgen.rtl_templates.cost import MemoryKind, MemoryShape
from hwgen.rtl_templates.memory import MemoryStyle

__all__ = ["MappedMemory", "place"]

MUX_COST = 0.5
"""Price of a bit of the multiplexers behind stacked cells, and of a write enable in front of them."""

EMULATION_COST = 2
"""Price of a port that is not quite what the cell offers."""


@dataclass(frozen=True)
class MappedMemory:
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
def _place(family: Memories, depth: int, width: int, piece: int, kind: MemoryKind, style: MemoryStyle) -> MappedMemory:
    cells: tuple[MemoryCell, ...] = ()
    logic: float | None = None
    rom = kind.constant
    if style is MemoryStyle.BLOCK:
        cells = family.block
    elif kind is MemoryKind.ROM:
        logic = 0
    else:
        logic = depth * width * (family.table_bit if rom else 1)
        cells = () if kind is MemoryKind.QUEUE else family.block
        cells = (*cells, *(() if rom else family.lut))
    best, cost = MappedMemory(in_logic=True), float("inf") if logic is None else int(logic)
    for cell in cells:
        old_word = kind is MemoryKind.WINDOW and cell.blocks > 0 and not cell.old_word
        emulated = int(kind is not MemoryKind.ROM and cell.blocks > 0) + 3 * old_word
        for price, mapped in _geometries(cell, depth, width, piece, rom):
            total = price + EMULATION_COST * emulated
            if total < cost:
                best, cost = replace(mapped, old_word=old_word), int(total)
    return best


def _geometries(
    cell: MemoryCell, depth: int, width: int, piece: int, rom: bool
) -> Iterator[tuple[float, MappedMemory]]:
    """Give price and cells of a memory at every width of a cell."""
    for index, unit in enumerate(cell.widths):
        if cell.write_width and not rom and unit < min(cell.write_width, cell.byte):
            continue
        stacked = -(-depth // (1 << (cell.address_bits - index)))
        group = 1 if rom else min(cell.byte or unit, unit)
        padded = width // piece * (-(-piece // group) * group)
        number = -(-stacked * padded // unit)
        mux_bits = (stacked - 1) * width
        price = cell.cost * (stacked * width / unit if cell.scaled else number)
        price += MUX_COST * (mux_bits + (stacked if stacked > 1 and not rom else 0))
        yield price, MappedMemory(cell.blocks * number, cell.lutrams * number, mux_bits)


def place(family: Memories, memory: MemoryShape) -> MappedMemory:
    """Give what Yosys makes of a memory with the cells of a family."""
    if memory.depth < 2 or memory.width == 0 or memory.style is MemoryStyle.CONSTANT:
        return MappedMemory(in_logic=True)
    if memory.style is MemoryStyle.SPRAM:
        return MappedMemory(sprams=-(-memory.depth // family.large_rows) * -(-memory.width // family.large_bits))
    return _place(family, memory.depth, memory.width, memory.piece or memory.width, memory.kind, memory.style)
