"""What notes say of numbers."""

import pytest

from hwgen.streamlining.codes.rounding import range_in_words


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (-1.69407e-21, 259.238, "0 to 259.238"),
        (-0.30000000000000004, -1e-17, "-0.3 to 0"),
        (-1e-9, 1, "-1e-09 to 1"),
    ],
)
def test_ranges_have_no_digits_of_noise(low: float, high: float, words: str) -> None:
    assert range_in_words(low, high, 2.0**-6 if high != 1 else 1e-3) == words
