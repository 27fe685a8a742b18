"""PLL settings: within the makers' limits, never above the clock asked for, and those that other tools choose."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.board.pins import BoardPins
from hwgen.devices.boards import boards, find_board
from hwgen.devices.clock import Pll
from hwgen.devices.ecp5 import ECP5
from hwgen.devices.gowin import GOWIN
from hwgen.devices.ice40 import ICE40
from hwgen.devices.pll import pll
from hwgen.devices.xilinx7 import XILINX7
from hwgen.errors import OptionError
from hwgen.verilog.write import convert

ALL = [board for board in boards().values() if board.device.family in (ICE40, ECP5, GOWIN)]


def numbers(found: Pll, *names: str) -> list[int]:
    return [int(found.parameters[name]) for name in names]


def made_of(found: Pll, clock_in: float) -> tuple[float, float, float]:
    """Give the phase detector's, the oscillator's and the output's frequency, by the makers' formulas."""
    if found.cell.startswith("SB_PLL40"):
        reference, factor, divisor = numbers(found, "DIVR", "DIVF", "DIVQ")
        detector = clock_in / (reference + 1)
        return detector, detector * (factor + 1), detector * (factor + 1) / 2**divisor
    if found.cell == "EHXPLLL":
        reference, back, factor, divisor = numbers(found, "CLKI_DIV", "CLKFB_DIV", "CLKOP_DIV", "CLKOS_DIV")
        oscillator = clock_in / reference * back * factor
        return clock_in / reference, oscillator, oscillator / divisor
    reference, factor, divisor = numbers(found, "IDIV_SEL", "FBDIV_SEL", "ODIV_SEL")
    output = clock_in * (factor + 1) / (reference + 1)
    return clock_in / (reference + 1), output * divisor, output


LIMITS = {
    "SB_PLL40_PAD": (10e6, 133e6, 533e6, 1066e6),
    "SB_PLL40_CORE": (10e6, 133e6, 533e6, 1066e6),
    "EHXPLLL": (10e6, 400e6, 400e6, 800e6),
    "rPLL": (3e6, 500e6, 400e6, 1250e6),
}


@settings(max_examples=60, deadline=None)
@given(board=st.sampled_from(ALL), mhz=st.floats(20, 250))
def test_a_clock_is_near_and_not_above_and_within_the_limits(board: object, mhz: float) -> None:
    found = pll(board, mhz * 1e6)
    detector, oscillator, output = made_of(found, board.clock.hz)
    lowest_detector, highest_detector, slowest, fastest = LIMITS[found.cell]
    assert lowest_detector <= detector <= highest_detector
    assert slowest <= oscillator <= fastest
    assert output == pytest.approx(found.hz, abs=1)
    assert 0.8 * mhz * 1e6 < found.hz <= mhz * 1e6


@pytest.mark.parametrize(
    ("mhz", "setting"),
    # What icepll, of Project IceStorm, prints for 12 MHz and these.
    [(30, (0, 79, 5, 1)), (48, (0, 63, 4, 1)), (60, (0, 79, 4, 1))],
)
def test_settings_of_ice40_are_those_of_icepll(mhz: int, setting: tuple[int, ...]) -> None:
    found = pll(find_board("icebreaker"), mhz * 1e6)
    assert found.hz == mhz * 1e6
    assert tuple(numbers(found, "DIVR", "DIVF", "DIVQ", "FILTER_RANGE")) == setting


@pytest.mark.parametrize("name", ["icebreaker", "hx8k_breakout", "ulx3s_25f", "tang_nano_9k"])
def test_reset_lasts_until_the_pll_has_locked(name: str) -> None:
    board = find_board(name)
    found = pll(board, 48e6)
    text = convert(BoardPins("inner", board, found, clock_hz=found.hz), "pins").text
    assert re.search(rf"\b{found.cell} #\(", text)
    assert f".{found.clock_in}(clk)" in text
    assert f".{found.locked}(locked)" in text
    top = next(part for part in text.split("endmodule") if ".LOCK" in part or "USR_PLL_LOCKED" in part)
    driven = dict(re.findall(r"assign (\w+) = (.*);", top))
    (reset,) = set(re.findall(r"\.rst\((\w+)\)", text))
    terms = [driven.get(term.strip(), term.strip()).replace(" ", "") for term in driven[reset].split("|")]
    assert "~locked" in terms


def test_gatemate_takes_the_clock_itself() -> None:
    found = pll(find_board("gatemate_evb"), 40.9e6)
    assert (found.cell, found.hz) == ("CC_PLL", 40_000_000)
    assert (found.parameters["REF_CLK"], found.parameters["OUT_CLK"]) == ("10.0", "40.0")
    text = convert(BoardPins("inner", find_board("gatemate_evb"), found, clock_hz=found.hz), "pins").text
    assert ".CLK_REF(clk)" in text
    assert ".USR_PLL_LOCKED(locked)" in text


def test_a_clock_out_of_reach_is_refused() -> None:
    with pytest.raises(OptionError, match=r"^The PLL of board 'ulx3s_12f' makes no clock of 1 MHz or a little less"):
        pll(find_board("ulx3s_12f"), 1e6)


def test_a_family_without_a_pll_is_refused() -> None:
    board = find_board("icebreaker")
    other = replace(board, flash=None, device=replace(board.device, family=XILINX7))
    with pytest.raises(OptionError, match=r"^Board 'icebreaker' runs at the clock of its pin, 12 MHz"):
        pll(other, 30e6)
