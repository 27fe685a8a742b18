"""Where memories live: the word for it, and the one rule that FIFOs, buffers and tables follow."""

from collections.abc import Mapping
from enum import Enum

__all__ = ["MEMORY_ATTRIBUTES", "NO_COLLISION", "ROM_ATTRIBUTES", "MemoryStyle", "style_of", "suits_block_ram"]


class MemoryStyle(Enum):
    """Where a memory lives."""

    AUTO = "auto"
    """In block RAM or LUTs, as its size suits."""
    BLOCK = "block"
    DISTRIBUTED = "distributed"
    """In LUTs."""
    CONSTANT = "constant"
    """In LUTs, and never written."""
    SPRAM = "spram"
    """In a large RAM with a single port, which starts with no contents and must be loaded."""


Attributes = dict[str, int | str]

MEMORY_ATTRIBUTES: Mapping[MemoryStyle, Attributes] = {
    MemoryStyle.BLOCK: {"ram_style": "block"},
    MemoryStyle.DISTRIBUTED: {},
    MemoryStyle.SPRAM: {"ram_style": "huge"},
}
"""Tell synthesis where a memory goes; without a word the family decides, as not every one has LUT RAM. No other word gives a large RAM of a size that needs one."""

NO_COLLISION: Attributes = {"no_rw_check": 1}
"""Tell synthesis that no row is read in the cycle in which it is written, or it would build the outcome of that case around a block RAM."""

ROM_ATTRIBUTES: Mapping[MemoryStyle, Attributes] = {
    MemoryStyle.BLOCK: {"rom_style": "block"},
    MemoryStyle.DISTRIBUTED: {"rom_style": "logic"},
}
"""Tell synthesis where a constant table goes: block RAM or plain logic."""

LEAST_BLOCK_BITS = 1024
"""A quarter of the smallest block RAM (iCE40, 4 Kbit): fewer bits are cheaper as registers or LUT RAM."""

LEAST_BLOCK_DEPTH = 16
"""Rows below which a block RAM would be used for its ports alone."""

GREATEST_LUT_DEPTH = 64
"""Rows of one LUT RAM of a 6-input family; deeper ones need multiplexers."""


def suits_block_ram(depth: int, width: int) -> bool:
    """Tell whether ``depth`` rows of ``width`` bits belong in block RAM."""
    return depth > GREATEST_LUT_DEPTH or (depth >= LEAST_BLOCK_DEPTH and depth * width >= LEAST_BLOCK_BITS)


def style_of(depth: int, width: int, asked: MemoryStyle = MemoryStyle.AUTO) -> MemoryStyle:
    """Give where ``depth`` rows of ``width`` bits go: BLOCK, DISTRIBUTED or SPRAM."""
    if asked is MemoryStyle.AUTO:
        return MemoryStyle.BLOCK if suits_block_ram(depth, width) else MemoryStyle.DISTRIBUTED
    return MemoryStyle.DISTRIBUTED if asked is MemoryStyle.CONSTANT else asked
