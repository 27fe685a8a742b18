"""Codings: every bit pattern is the number that the coding says, and stays it in another."""

import pytest

from hwgen.rtl_templates.compute.number import Coding, field, recode
from tests.rtl_templates.playing import values_of

CODINGS = [Coding(1), Coding(3), Coding(1, signed=True), Coding(4, signed=True), Coding(1, bipolar=True)]


def ref(pattern: int, coding: Coding) -> int:
    if coding.bipolar:
        return 2 * pattern - 1
    return pattern - (pattern >> coding.bits - 1 << coding.bits) * coding.signed


@pytest.mark.parametrize("coding", CODINGS, ids=str)
def test_a_field_is_the_number_of_its_lane_and_the_limits_are_reached(coding: Coding) -> None:
    numbers = [ref(pattern, coding) for pattern in range(1 << coding.bits)]
    assert (min(numbers), max(numbers)) == (coding.low, coding.high)
    beats = 1 << 2 * coding.bits
    for lane in (0, 1):
        found = values_of(lambda beat, lane=lane: field(beat, lane, coding), 2 * coding.bits)
        assert found == [numbers[beat >> lane * coding.bits & (1 << coding.bits) - 1] for beat in range(beats)]


@pytest.mark.parametrize("coding", CODINGS, ids=str)
def test_a_wider_coding_holds_the_same_numbers(coding: Coding) -> None:
    wide = Coding(5, signed=True)
    found = values_of(lambda beat: recode(beat, 2, coding, wide), 2 * coding.bits)
    mask = (1 << coding.bits) - 1
    for beat, recoded in enumerate(found):
        lanes = [ref(recoded >> 5 * lane & 31, wide) for lane in (0, 1)]
        assert lanes == [ref(beat >> coding.bits * lane & mask, coding) for lane in (0, 1)]


def test_the_same_coding_moves_no_bit() -> None:
    coding = Coding(2, signed=True)
    assert values_of(lambda beat: recode(beat, 2, coding, Coding(2, signed=True)), 4) == list(range(16))
