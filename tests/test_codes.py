from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwgen.codes import BIPOLAR, TERNARY, CodeType, signed, unsigned

intervals = st.tuples(st.integers(-(2**40), 2**40), st.integers(-(2**40), 2**40)).map(sorted)


@given(intervals)
def test_bits_are_the_fewest_that_hold_the_interval(bounds: list[int]) -> None:
    kind = CodeType(*bounds)
    holder = signed(kind.bits) if kind.signed else unsigned(kind.bits)
    assert holder.low <= kind.low <= kind.high <= holder.high
    if kind.bits > 1:
        narrower = signed(kind.bits - 1) if kind.signed else unsigned(kind.bits - 1)
        assert kind.low < narrower.low or kind.high > narrower.high


@given(intervals, st.data())
def test_codes_survive_their_encoding(bounds: list[int], data: st.DataObject) -> None:
    kind = CodeType(*bounds)
    codes = np.array(data.draw(st.lists(st.integers(*bounds), min_size=1, max_size=5)))
    bits = kind.to_bits(codes)
    assert bits.max() < 2**kind.bits
    assert np.array_equal(kind.from_bits(bits), codes)


def test_a_bipolar_code_is_one_bit_with_plus_one_as_one() -> None:
    assert list(BIPOLAR.to_bits(np.array([-1, 1]))) == [0, 1]
    assert list(BIPOLAR.from_bits(np.array([0, 1]))) == [-1, 1]
    assert (BIPOLAR.bits, BIPOLAR.levels, TERNARY.bits, TERNARY.levels) == (1, 2, 2, 3)


def test_zero_is_no_bipolar_code() -> None:
    assert not BIPOLAR.contains(np.array([1, 0]))
    assert TERNARY.contains(np.array([1, 0]))
    assert not unsigned(8).contains(np.array([256]))


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (BIPOLAR, "bipolar"),
        (TERNARY, "ternary"),
        (unsigned(8), "uint8"),
        (signed(4), "int4"),
        (CodeType(-3, 9), "int[-3,9]"),
    ],
)
def test_types_have_short_names(kind: CodeType, name: str) -> None:
    assert str(kind) == name


def test_empty_intervals_and_false_bipolar_are_refused() -> None:
    with pytest.raises(ValueError, match="low <= high, not 3 and 2"):
        CodeType(3, 2)
    with pytest.raises(ValueError, match=r"-1 or \+1, not 0\.\.1"):
        CodeType(0, 1, bipolar=True)
