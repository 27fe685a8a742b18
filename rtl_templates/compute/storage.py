"""Where a small memory should live: the one rule that FIFOs, buffers and read-only memories follow."""

from enum import Enum

__all__ = ["HUGE", "MEMORY_ATTRIBUTES", "NO_COLLISION", "ROM_ATTRIBUTES", "Storage", "suits_block_ram"]


class Storage(Enum):
    """Where a table lives."""

    AUTO = "auto"
    """In block RAM or LUTs, as its size suits."""
    BLOCK = "block"
    LUTS = "luts"
    HUGE = "huge"
    """In a large RAM with a single port, which starts with no contents: SPRAM on iCE40 UP5K."""


Attributes = dict[str, int | str]

MEMORY_ATTRIBUTES: dict[bool, Attributes] = {True: {"ram_style": "block"}, False: {}}
"""Tell synthesis whether a memory is in block RAM; without it the family decides, as not every one has LUT RAM."""

NO_COLLISION: Attributes = {"no_rw_check": 1}
"""Tell synthesis that no row is read in the cycle in which it is written, or it would build the outcome of that case around a block RAM."""

ROM_ATTRIBUTES: dict[bool, Attributes] = {True: {"rom_style": "block"}, False: {"rom_style": "logic"}}
"""Tell synthesis where a constant table goes: block RAM or plain logic."""

HUGE: Attributes = {"ram_style": "huge"}
"""Ask synthesis for a large RAM with a single port; there is no other way to build a memory of a size that needs one."""

LEAST_BLOCK_BITS = 1024
"""A quarter of the smallest block RAM (iCE40, 4 Kbit): fewer bits are cheaper as registers or LUT RAM."""

LEAST_BLOCK_DEPTH = 16
"""Rows below which a block RAM would be used for its ports alone."""

GREATEST_LUT_DEPTH = 64
"""Rows of one LUT RAM of a 6-input family; deeper ones need multiplexers."""


def suits_block_ram(depth: int, width: int) -> bool:
    """Tell whether ``depth`` rows of ``width`` bits belong in block RAM."""
    return depth > GREATEST_LUT_DEPTH or (depth >= LEAST_BLOCK_DEPTH and depth * width >= LEAST_BLOCK_BITS)
