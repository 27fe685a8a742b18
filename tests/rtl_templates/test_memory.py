"""Where a memory goes by its size, and what a memory is asked for by name."""

from __future__ import annotations

import pytest

from hwgen.rtl_templates.memory import MemoryStyle, style_of


@pytest.mark.parametrize(
    ("depth", "width", "found"),
    [
        (64, 15, MemoryStyle.DISTRIBUTED),
        (64, 16, MemoryStyle.BLOCK),
        (65, 1, MemoryStyle.BLOCK),
        (15, 1000, MemoryStyle.DISTRIBUTED),
        (16, 64, MemoryStyle.BLOCK),
        (16, 63, MemoryStyle.DISTRIBUTED),
    ],
)
def test_a_memory_that_may_be_anywhere_goes_where_its_size_suits(depth: int, width: int, found: MemoryStyle) -> None:
    assert style_of(depth, width) is found
    assert style_of(depth, width, MemoryStyle.AUTO) is found


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (MemoryStyle.BLOCK, MemoryStyle.BLOCK),
        (MemoryStyle.DISTRIBUTED, MemoryStyle.DISTRIBUTED),
        (MemoryStyle.CONSTANT, MemoryStyle.DISTRIBUTED),
        (MemoryStyle.SPRAM, MemoryStyle.SPRAM),
    ],
)
def test_a_memory_that_is_asked_to_be_somewhere_is_there(asked: MemoryStyle, found: MemoryStyle) -> None:
    assert {style_of(depth, 8, asked) for depth in (1, 8, 1024)} == {found}
