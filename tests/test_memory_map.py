"""Where memories go, held to what Yosys made of the sampled layers."""

import pytest

from hwgen.board import Family
from hwgen.fold import MemoryStyle
from hwgen.layers.costs import MemoryKind, MemoryShape
from hwgen.memory_map import place


def blocks(family: Family, depth: int, width: int, kind: MemoryKind = MemoryKind.ROM) -> float:
    return place(family, MemoryShape("m", depth, width, MemoryStyle.BLOCK, kind)).blocks


@pytest.mark.parametrize(
    ("depth", "width", "number"),
    [(256, 16, 1), (256, 17, 2), (512, 8, 1), (512, 9, 2), (1024, 4, 1), (2048, 2, 1), (257, 16, 2), (3136, 64, 52)],
)
def test_a_block_ram_of_ice40_is_16_bits_wide_or_deeper_and_narrower(depth: int, width: int, number: int) -> None:
    assert blocks(Family.ICE40, depth, width) == number


@pytest.mark.parametrize(("family", "number"), [(Family.ECP5, 1), (Family.GOWIN, 1), (Family.XILINX7, 0.5)])
def test_one_of_18_kbit_is_36_bits_wide(family: Family, number: float) -> None:
    assert blocks(family, 512, 36) == number
    assert blocks(family, 512, 37) == 2 * number
    assert blocks(family, 2048, 9) == number


def test_small_buffers_go_to_lut_ram_where_there_is_one_and_to_block_ram_where_there_is_none() -> None:
    buffer = MemoryShape("b", 16, 8, MemoryStyle.DISTRIBUTED)
    assert place(Family.ECP5, buffer).lutrams == 2
    assert place(Family.GOWIN, buffer).lutrams == 2
    assert place(Family.ICE40, buffer).blocks == 1
    assert place(Family.ICE40, MemoryShape("b", 4, 8, MemoryStyle.DISTRIBUTED)).in_logic


def test_a_queue_is_never_block_ram() -> None:
    queue = MemoryShape("q", 60, 8, MemoryStyle.DISTRIBUTED, MemoryKind.QUEUE)
    assert place(Family.ICE40, queue).in_logic
    assert place(Family.ECP5, queue).lutrams == 8


def test_large_rams_are_16_bits_by_16_k_and_one_word_is_no_memory() -> None:
    assert place(Family.ICE40, MemoryShape("w", 16385, 17, MemoryStyle.SPRAM)).sprams == 4
    assert place(Family.ICE40, MemoryShape("w", 1, 17, MemoryStyle.BLOCK)).in_logic
