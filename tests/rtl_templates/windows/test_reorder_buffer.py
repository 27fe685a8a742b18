"""Words come out in another order, as early as they can, from banks, by loops or by a table."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.rtl_templates.streams.stream_check import pack, run, unpack
from hwgen.rtl_templates.windows.reorder_buffer import ReorderBuffer

BITS, BLOCK = 4, 12


def at_once(order) -> np.ndarray:
    """Give the reads of whole words."""
    return np.stack([np.asarray(order), np.zeros(len(order), dtype=np.int64)], axis=1)


@pytest.mark.parametrize(
    "order",
    [
        range(12),
        range(11, -1, -1),
        np.arange(12).reshape(3, 4).T.ravel(),
        np.random.default_rng(1).permutation(12),
        [4, 4, 0, 7],
        [3],
    ],
    ids=["same", "reverse", "transpose", "random", "some", "one"],
)
@pytest.mark.parametrize("more", [0, 1, 4, 20])
def test_whole_words(order, more):
    order = list(order)
    words = np.random.default_rng(0).integers(0, 1 << BITS, (4, BLOCK))
    expected = [int(block[place]) for block in words for place in order]
    unit = {
        "bits": BITS,
        "lanes": 1,
        "chosen": (0,),
        "parts": 1,
        "banks": 1,
        "spread": 1,
        "block": BLOCK,
        "capacity": BLOCK + more,
    }
    sent = words.ravel().tolist()
    free = run(ReorderBuffer(**unit, reads=at_once(order)), sent, len(expected))
    assert free.payloads == expected
    # The first word of the order is given as soon as it has come; what is last waits for the rest of the block.
    assert free.given[0] == (order[0] if len(order) > 1 else BLOCK - 1) + ReorderBuffer.READ_LATENCY
    for seed in range(3):
        stalls = {"source_stall": 0.4, "sink_stall": 0.4, "reset_at": 17 + seed, "seed": seed}
        assert run(ReorderBuffer(**unit, reads=at_once(order)), sent, len(expected), **stalls).payloads == expected


@pytest.mark.parametrize("more", [0, 1, 2])
def test_parts_of_words_of_several_banks(more):
    """Six positions of four channels become four of six: three banks of two words each, and of each word one of two channels."""
    codes = np.random.default_rng(0).integers(0, 1 << BITS, (5, 6, 4))
    sent = [pack(word, BITS) for word in codes.reshape(-1, 2)]
    expected = codes.transpose(0, 2, 1).reshape(-1, 3).tolist()
    steps = [(group * 6 + channel // 2, channel % 2) for channel in range(4) for group in range(2)]
    unit = {
        "bits": BITS,
        "lanes": 2,
        "chosen": (0, 1),
        "parts": 2,
        "banks": 3,
        "spread": 2,
        "block": 12,
        "capacity": 12 + 6 * more,
    }
    for stall in (0.0, 0.4):
        unit_at = ReorderBuffer(**unit, reads=np.array(steps))
        found = run(unit_at, sent, len(expected), source_stall=stall, sink_stall=stall, seed=3)
        assert [unpack(beat, 3, BITS) for beat in found.payloads] == expected


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((1, 1, 12, 11), "must hold a block of 12 words, not 11"),
        ((2, 3, 12, 15), "2 banks of 3 words in turn cannot hold 12 of 15"),
        ((2, 4, 12, 16), "2 banks of 4 words in turn cannot hold 12 of 16"),
    ],
)
def test_a_memory_of_another_size_is_refused(sizes, message, refused_components):
    banks, spread, block, capacity = sizes
    with pytest.raises(ValueError, match=message):
        ReorderBuffer(
            bits=4,
            lanes=1,
            chosen=(0,),
            parts=1,
            banks=banks,
            spread=spread,
            block=block,
            capacity=capacity,
            reads=at_once(range(12)),
        )
