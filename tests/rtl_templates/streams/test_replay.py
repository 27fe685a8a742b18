"""Constants as streams, against lists put together by hand."""

import pytest

from hwgen.rtl_templates.compute.number import Coding
from hwgen.rtl_templates.cost import Part
from hwgen.rtl_templates.memory import MemoryStyle
from hwgen.rtl_templates.streams.fifo import Fifo
from hwgen.rtl_templates.streams.merge import Merge, Zip
from hwgen.rtl_templates.streams.replay import Replay, Supplied
from hwgen.rtl_templates.streams.stream_check import run_ports

WORDS = {
    "one": [5],
    "equal": [3, 3, 3],
    "two": [1, 2, 1, 2],
    "five": [7, 0, 7, 7, 2],
    "eight": [0, 1, 2, 3, 4, 5, 6, 7],
}
LATENCY = Fifo.latency(2, 3)


@pytest.mark.parametrize("stall", [0.0, 0.4])
@pytest.mark.parametrize("reset_at", [None, 7])
@pytest.mark.parametrize("style", [MemoryStyle.BLOCK, MemoryStyle.DISTRIBUTED])
@pytest.mark.parametrize("words", WORDS)
def test_words_are_given_again_and_again_from_reset_on(
    words: str, style: MemoryStyle, reset_at: int | None, stall: float
) -> None:
    coding = Coding(3)
    both = Zip(lanes=[1, 1], codings=[coding] * 2, out_coding=coding, slots=2)
    unit = Supplied(both, 2, {1: Replay(WORDS[words], 3, style)})
    sent = [number % 5 for number in range(20)]
    expected = [beat | word << 3 for beat, word in zip(sent, WORDS[words] * 20, strict=False)]
    found = run_ports(unit, {"i": sent}, {"o": 20}, source_stall=stall, sink_stall=stall, reset_at=reset_at, seed=2)
    assert found.payloads["o"] == expected
    if not stall:
        assert found.taken["i"] == list(range(20))


@pytest.mark.parametrize("lead", [1, 3])
@pytest.mark.parametrize("stall", [0.0, 0.4])
def test_a_constant_in_front_waits_for_the_beat_behind_it(lead: int, stall: float) -> None:
    """The source comes late: not a word leaves before its first beat is there, which is held until its turn."""
    coding = Coding(3)
    merge = Merge(lanes=1, codings=[coding] * 2, out_coding=coding, runs=[lead, 2], group=2, slots=2, ahead=True)
    unit = Supplied(merge, 2, {0: Replay([6, 1, 4][:lead], 3)})
    frames = [[2, 7], [0, 5], [1, 1]]
    expected = [word for frame in frames for word in ([6, 1, 4][:lead] + frame)]
    sent = [beat for frame in frames for beat in frame]
    found = run_ports(unit, {"i": sent}, {"o": len(expected)}, source_stall=stall, sink_stall=stall, seed=3)
    assert found.payloads["o"] == expected
    begins = [number * (lead + 2) for number in range(3)]
    for number, begin in enumerate(begins):
        assert found.given["o"][begin] >= found.taken["i"][2 * number] + LATENCY
    if not stall:
        assert found.taken["i"] == [cycle for begin in begins for cycle in (begin, begin + lead + 1)]
        assert found.given["o"] == [cycle + LATENCY for cycle in range(len(expected))]


def test_the_bill_is_that_of_a_memory_its_address_and_the_first_word() -> None:
    bill = Replay.bill("words", [1, 2, 3, 1, 2, 3], 2, MemoryStyle.BLOCK)
    ((memory,), parts) = bill.memories, bill.parts
    assert (memory.name, memory.depth, memory.width) == ("words", 3, 2)
    assert parts[Part.FLIPFLOP] == 2 + 1
    assert not Replay.bill("words", [4, 4], 3).memories
