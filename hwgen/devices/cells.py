"""What an estimate has to know of a family's cells: memories, carry chains, multipliers."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Carry", "Memories", "MemoryCell", "Multipliers"]


@dataclass(frozen=True)
class MemoryCell:
    """A kind of memory cell, as the family's library for Yosys' ``memory_libmap`` has it.

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


@dataclass(frozen=True)
class Memories:
    """Where a family keeps words.

    Parameters
    ----------
    block, lut : tuple of MemoryCell
        Block RAMs, and LUT RAMs.
    lut_luts, lut_bits : int
        LUTs that a cell of LUT RAM takes, and bits that it counts for in a device's ``lutram_bits``.
    large_rows, large_bits : int
        Size of a large RAM; where no device has any, nothing that asks for them fits.
    lut_words : int
        Words of one bit of a constant table that a LUT holds.
    table_bit : float
        What Yosys thinks a bit of a constant table costs in logic.
    """

    block: tuple[MemoryCell, ...]
    lut: tuple[MemoryCell, ...] = ()
    lut_luts: int = 4
    lut_bits: int = 64
    large_rows: int = 1 << 14
    large_bits: int = 16
    lut_words: int = 16
    table_bit: float = 1 / 16


@dataclass(frozen=True)
class Carry:
    """How Yosys builds sums and comparisons.

    Parameters
    ----------
    least_bits : int or None
        Bits from which one is a carry chain; None: it never is.
    cell_bits : int
        Bits of a cell of the chain, which are taken together.
    beside_luts : bool
        Carry cells stand beside the LUTs: a comparison takes none, nor does a bit that only brings in a carry, or is nothing but one.
    """

    least_bits: int | None = 3
    cell_bits: int = 1
    beside_luts: bool = False


@dataclass(frozen=True)
class Multipliers:
    """When Yosys gives a product a multiplier of the device.

    Parameters
    ----------
    least_product_bits, least_factor_bits : int
        Bits of the product, and of both factors, from which it does.
    """

    least_product_bits: int = 0
    least_factor_bits: int = 2
