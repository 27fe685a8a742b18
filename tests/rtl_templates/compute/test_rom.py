"""Memories of tables: where they cannot be."""

import pytest

from hwgen.rtl_templates.compute.rom import Rom
from hwgen.rtl_templates.memory import MemoryStyle


def test_a_memory_that_is_never_written_cannot_start_empty(refused_components):
    with pytest.raises(ValueError, match="A memory in a large RAM starts with no contents, so it must be writable"):
        Rom([1, 2], 4, style=MemoryStyle.SPRAM)
