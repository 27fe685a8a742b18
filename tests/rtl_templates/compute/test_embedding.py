"""The embedding unit on its own: words in order, the stream without a gap, stalls and reset."""

import numpy as np
import pytest

from hwgen.rtl_templates.compute.embedding import EmbeddingUnit
from hwgen.rtl_templates.cost import Part
from hwgen.rtl_templates.memory import MemoryStyle
from hwgen.rtl_templates.registers.write_bus import Contents
from hwgen.rtl_templates.streams.stream_check import Run, run

WIDTH = 7
SYMBOLS = [0, 4, 4, 1, 3, 2, 0, 4]


def words(parts: int) -> list[int]:
    return [(11 * number + 5) % (1 << WIDTH) for number in range(5 * parts)]


def ref(parts: int) -> list[int]:
    return [words(parts)[part * 5 + symbol] for symbol in SYMBOLS for part in range(parts)]


def rtl(
    parts: int, *, slots: int | None = None, style: MemoryStyle = MemoryStyle.AUTO, **stalls: float
) -> tuple[Run, int]:
    unit = EmbeddingUnit(in_bits=3, entries=5, words=words(parts), width=WIDTH, style=style, slots=slots)
    return run(unit, SYMBOLS, len(SYMBOLS) * parts, **stalls), unit.latency


@pytest.mark.parametrize("parts", [1, 2, 3, 4])
@pytest.mark.parametrize("style", [MemoryStyle.AUTO, MemoryStyle.BLOCK, MemoryStyle.DISTRIBUTED])
def test_a_word_leaves_in_every_cycle(parts: int, style: MemoryStyle):
    result, latency = rtl(parts, style=style)
    assert result.payloads == ref(parts)
    assert result.taken == [number * parts for number in range(len(SYMBOLS))]
    assert result.given == [cycle + latency for cycle in range(len(SYMBOLS) * parts)]


@pytest.mark.parametrize("parts", [1, 2, 3])
@pytest.mark.parametrize("slots", [None, 1, 3])
def test_stalls_and_reset_do_not_change_the_data(parts: int, slots: int | None):
    result, _ = rtl(parts, slots=slots, source_stall=0.3, sink_stall=0.4, reset_at=9)
    assert result.payloads == ref(parts)


@pytest.mark.parametrize("style", [MemoryStyle.BLOCK, MemoryStyle.DISTRIBUTED])
def test_a_table_that_is_written_has_the_same_cycles(style: MemoryStyle):
    unit = EmbeddingUnit(in_bits=3, entries=5, words=[0] * 10, width=WIDTH, style=style, writable=True)
    result = run(unit, SYMBOLS, len(SYMBOLS) * 2, writes={"table": Contents(words(2), WIDTH)})
    assert result.payloads == ref(2)
    assert result.given == [cycle + unit.latency for cycle in range(len(SYMBOLS) * 2)]


@pytest.mark.parametrize(
    ("entries", "parts", "in_bits", "adders"),
    [(8, 9, 3, {4: 1}), (8, 9, 4, {4: 2}), (5, 8, 3, {6: 2}), (12, 6, 4, {5: 2}), (4, 10, 2, {4: 1})],
)
def test_a_bill_adds_the_symbol_only_where_the_base_has_bits_beside_it(entries, parts, in_bits, adders):
    """What begins at a multiple of eight entries needs no adder for a symbol of three bits, only one for the next multiple."""
    words = np.arange(parts * entries)[:, None]
    bill = EmbeddingUnit.bill("words", in_bits=in_bits, entries=entries, words=words, bits=7)
    assert {chain.bits: number for chain, number in bill.chains.items() if chain.part is Part.ADDER_BIT} == adders
