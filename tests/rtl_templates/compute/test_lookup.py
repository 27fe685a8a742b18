"""The lookup unit in its own terms: bits in, table entries out."""

import numpy as np
import pytest

from hwgen.rtl_templates.compute.lookup import LookupUnit
from hwgen.rtl_templates.memory import MemoryStyle
from hwgen.rtl_templates.streams.stream_check import pack, run, unpack


@pytest.mark.parametrize("lanes", [1, 2, 4])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("style", [MemoryStyle.BLOCK, MemoryStyle.CONSTANT])
def test_every_entry_is_found_at_the_stated_latency(lanes, shared, style):
    random = np.random.default_rng(lanes)
    table = random.integers(0, 8, (1, 4, 32))
    if shared:
        table = np.broadcast_to(table[:, :1], table.shape)
    unit = LookupUnit(lanes=lanes, in_bits=5, out_bits=3, table=table, style=style)
    numbers = random.permuted(np.repeat(np.arange(32)[:, None], 4, axis=1), axis=0)
    result = run(unit, [pack(beat, 5) for beat in numbers.reshape(-1, lanes)], 128 // lanes)
    entries = np.reshape([unpack(beat, lanes, 3) for beat in result.payloads], (-1, 4))
    assert np.array_equal(entries, table[0, np.arange(4), numbers])
    assert result.given == [LookupUnit.PIPELINE + 1 + beat for beat in range(len(result.payloads))]
