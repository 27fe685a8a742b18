"""Clock rates."""

import re

import pytest

from hwgen.devices.frequency import check_mhz
from hwgen.errors import OptionError


@pytest.mark.parametrize("value", [0.001, 12, 48.5, 2000])
def test_a_clock_rate_is_given_as_it_is(value):
    assert check_mhz(value) == value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (-12.5, "-12.5"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (1e9, "1e+09"),
        (48_000_000, "4.8e+07"),
        (2**2000, str(2**2000)[:20]),
        (True, "True"),
        ("fast", "'fast'"),
        (None, "None"),
        ([12], "[12]"),
    ],
)
def test_what_is_no_clock_rate_is_one_sentence(value, shown):
    with pytest.raises(
        OptionError,
        match=re.escape(f"'clock_mhz' must be a positive number of MHz, from 0.001 to 2000, not {shown}") + "$",
    ):
        check_mhz(value, "'clock_mhz'")
