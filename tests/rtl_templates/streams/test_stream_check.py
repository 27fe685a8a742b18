"""The harness of the component tests itself: it must see what it says it holds."""

import re

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.rtl_templates.streams.stream_check import Standstill, pack, patience_for, run, run_ports, unpack
from tests.leaky_queue import LeakyQueue


class Slot(wiring.Component):
    """Keeps a beat for a cycle at least; ``fault`` names what it does wrong."""

    def __init__(self, fault: str = "", after: int = 3) -> None:
        self.fault, self.after = fault, after
        super().__init__({"i": In(stream.Signature(8)), "o": Out(stream.Signature(8))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        full, beat, count, age = Signal(), Signal(8), Signal(8), Signal(8)
        faulty = Signal()
        m.d.comb += [
            faulty.eq(count >= self.after),
            self.i.ready.eq(~full),
            self.o.valid.eq(full),
            self.o.payload.eq(beat),
        ]
        m.d.sync += age.eq(age + 1)
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += full.eq(0)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [full.eq(1), beat.eq(self.i.payload), count.eq(count + 1), age.eq(0)]
        match self.fault:
            case "stops":
                m.d.comb += self.i.ready.eq(~full & ~faulty)
            case "drops":
                m.d.comb += self.o.valid.eq(full & ~(faulty & (age == 2)))
            case "changes":
                m.d.comb += self.o.payload.eq(beat + (faulty & (age > 2)))
            case "valid looks":
                m.d.comb += self.o.valid.eq(full & (self.o.ready | ~faulty))
            case "ready looks":
                m.d.comb += self.i.ready.eq(~full & (self.i.valid | ~faulty))
            case "one more":
                m.d.comb += self.o.valid.eq(full | (faulty & (age == 9)))
            case "babbles":
                m.d.comb += [self.o.valid.eq(full | faulty), self.i.ready.eq(~full & ~faulty)]
        return m


BEATS = list(range(7, 15))


def test_a_sound_component_passes_with_its_cycles() -> None:
    result = run(Slot(), BEATS, len(BEATS))
    assert result.payloads == BEATS
    assert result.taken == list(range(0, 16, 2))
    assert result.given == list(range(1, 17, 2))


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("drops", "o.valid dropped before o.ready"),
        ("changes", "o.payload changed before o.ready"),
        ("valid looks", "o.valid depends on o.ready"),
        ("ready looks", "i.ready depends on i.valid"),
    ],
)
def test_what_breaks_the_contract_is_told(fault: str, sentence: str) -> None:
    with pytest.raises(AssertionError, match=f"^{re.escape(sentence)}"):
        run(Slot(fault), BEATS, len(BEATS), sink_stall=0.8)


def test_bursts_fill_the_buffers_behind_a_bottleneck() -> None:
    """Only with a pause of more than a queue's depth does the queue lose beats."""
    beats = list(range(60))
    assert run(LeakyQueue(8, leaky=True), beats, len(beats)).payloads == beats
    assert run(LeakyQueue(8, leaky=False), beats, len(beats), source_stall=0.3, sink_stall=0.3).payloads == beats
    with pytest.raises(Standstill, match=r"^no transfer for 880 cycles: o waits for valid after \d+ of 60 beats$"):
        run(LeakyQueue(8, leaky=True), beats, len(beats), source_stall=0.3, sink_stall=0.3)


def test_what_follows_the_last_beat_is_seen() -> None:
    with pytest.raises(AssertionError, match=r"^9 outputs at o instead of 8"):
        run(Slot("one more", after=len(BEATS)), BEATS, len(BEATS))


@pytest.mark.parametrize("fault", ["stops", "babbles"])
def test_a_deadlock_ends_after_as_many_cycles_as_its_beats_deserve_and_says_who_waits(fault: str) -> None:
    patience = patience_for(2 * len(BEATS))
    assert patience == 464
    waiting = "i waits for ready after 3 of 8 beats" + (", o waits for valid after 3 of 8 beats" * (fault == "stops"))
    with pytest.raises(Standstill, match=f"^no transfer for {patience} cycles: {waiting}"):
        run(Slot(fault), BEATS, len(BEATS))


def test_hypothesis_looks_for_no_smaller_deadlock() -> None:
    tried = []

    @settings(derandomize=True, database=None)
    @given(st.lists(st.integers(0, 255), min_size=4))
    def deadlocks(beats: list[int]) -> None:
        tried.append(beats)
        run(Slot("stops"), beats, len(beats))

    with pytest.raises(Standstill):
        deadlocks()
    assert len(tried) == 1


def test_who_has_no_patience_says_so() -> None:
    with pytest.raises(Standstill, match=r"^no transfer for 5 cycles: i waits for ready after 3 of 8 beats"):
        run(Slot("stops"), BEATS, len(BEATS), patience=5)


def test_a_sink_that_opens_late_is_no_deadlock() -> None:
    result = run(Slot(), BEATS, len(BEATS), sink_opens_at=600)
    assert result.payloads == BEATS
    assert result.given[0] == 600


def test_a_reset_sends_everything_anew() -> None:
    result = run(Slot(), BEATS, len(BEATS), reset_at=6)
    assert result.payloads == BEATS
    assert result.taken == list(range(0, 16, 2))


def test_the_ports_of_many_are_told_by_their_names() -> None:
    result = run_ports(Slot(), {"i": BEATS}, {"o": len(BEATS)}, source_stall=0.5, sink_stall=0.5, seed=3)
    assert result.payloads == {"o": BEATS}
    assert list(result.taken) == ["i"]
    assert list(result.given) == ["o"]


def test_beats_are_packed_from_the_lowest_bits_on() -> None:
    assert pack([1, -1, 2], 4) == 0x2F1
    assert unpack(0x2F1, 3, 4) == [1, 15, 2]
