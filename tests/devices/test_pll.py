"""PLL settings: within the makers' limits, never above the clock asked for, and those that other tools choose."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache, partial
from importlib import resources
from itertools import product

import pytest
from apycula.gowin_pack import _permitted_freqs
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.board.pins import BoardPins
from hwgen.devices.boards import Board, boards, find_board, find_device
from hwgen.devices.clock import Clock, Pll
from hwgen.devices.pll import pll
from hwgen.devices.xilinx7 import XILINX7
from hwgen.errors import OptionError
from hwgen.verilog.write import convert

ALL = [
    board for board in boards().values() if board.device.name in ("up5k", "ecp5-12", "ecp5-25", "gw1nr-9", "gw2ar-18")
]


def numbers(found: Pll, *names: str) -> list[int]:
    return [int(found.parameters[name]) for name in names]


Setting = tuple[int, int, int]

CLOCKS = (9, 10, 12, 16, 25, 27, 48, 50, 100, 125, 126, 133, 134, 200, 401)
"""MHz at a pin: those of boards, and some at the edges of what a PLL takes."""


@cache
def ice40(clock: int) -> dict[Setting, Fraction]:
    """DIVR, DIVF, DIVQ -> MHz, by FPGA-TN-02052 and the data sheets: input, detector, oscillator and output have each its range."""
    return {
        (divr, divf, divq): output
        for divr, divf, divq in product(range(16), range(128), range(1, 7))
        if 10 <= clock <= 133
        and 10 <= (detector := Fraction(clock, divr + 1)) <= 133
        and 533 <= (oscillator := detector * (divf + 1)) <= 1066
        and 16 <= (output := oscillator / 2**divq) <= 275
    }


@cache
def ecp5(clock: int) -> dict[Setting, Fraction]:
    """CLKI_DIV, CLKOP_DIV, CLKOS_DIV -> MHz, by FPGA-TN-02200 and the data sheet, where CLKOP is fed back undivided."""
    return {
        (clki, clkop, clkos): output
        for clki, clkop in product(range(1, 129), range(1, 129))
        if 8 <= clock <= 400
        and 10 <= (detector := Fraction(clock, clki)) <= 400
        and 400 <= (oscillator := detector * clkop) <= 800
        for clkos in range(1, 129)
        if Fraction(25, 8) <= (output := oscillator / clkos) <= 400
    }


@cache
def gowin(clock: int, series: str) -> dict[Setting, Fraction]:
    """IDIV_SEL, FBDIV_SEL, least ODIV_SEL -> MHz, by UG286 and the limits that the packer checks."""
    fastest_in, fastest, slowest, fastest_vco, slowest_vco = _permitted_freqs[series]
    found: dict[tuple[int, int], tuple[int, Fraction]] = {}
    for idiv, fbdiv, odiv in product(range(64), range(64), (128, 112, 96, 80, 64, 48, 32, 16, 8, 4, 2)):
        output = Fraction(clock, idiv + 1) * (fbdiv + 1)
        detects = 3 <= clock <= fastest_in and Fraction(clock, idiv + 1) >= 3
        if detects and slowest <= output <= fastest and slowest_vco <= output * odiv <= fastest_vco:
            found[idiv, fbdiv] = (odiv, output)
    return {(*divisors, odiv): output for divisors, (odiv, output) in found.items()}


ORACLES: dict[str, tuple[Callable[[int], dict[Setting, Fraction]], tuple[str, str, str]]] = {
    "up5k": (ice40, ("DIVR", "DIVF", "DIVQ")),
    "ecp5-25": (ecp5, ("CLKI_DIV", "CLKOP_DIV", "CLKOS_DIV")),
    "gw1nr-9": (partial(gowin, series="GW1N-9C"), ("IDIV_SEL", "FBDIV_SEL", "ODIV_SEL")),
    "gw2ar-18": (partial(gowin, series="GW2A-18C"), ("IDIV_SEL", "FBDIV_SEL", "ODIV_SEL")),
}


def candidates(name: str, clock: int) -> list[Pll]:
    device = find_device(name)
    assert device.family.plls is not None
    return list(device.family.plls(device, Clock("1", clock * 1_000_000)))


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("name", ORACLES)
def test_every_setting_within_the_maker_s_limits_is_a_candidate_and_no_other(name: str, clock: int) -> None:
    oracle, names = ORACLES[name]
    found = {tuple(numbers(one, *names)): one.hz for one in candidates(name, clock)}
    assert found == {setting: round(mhz * 1_000_000) for setting, mhz in oracle(clock).items()}


@pytest.mark.parametrize("clock", CLOCKS)
def test_gatemate_makes_whole_mhz_of_up_to_125(clock: int) -> None:
    found = [(one.hz, one.parameters["REF_CLK"], one.parameters["OUT_CLK"]) for one in candidates("ccgm1a1", clock)]
    wanted = [(mhz * 1_000_000, f"{clock}.0", f"{mhz}.0") for mhz in range(10, 251)]
    assert found == (wanted if clock <= 125 else [])


def test_gatemate_s_reference_is_told_exactly() -> None:
    device = find_device("ccgm1a1")
    assert device.family.plls is not None
    assert next(device.family.plls(device, Clock("1", 12_288_000))).parameters["REF_CLK"] == "12.288"


@settings(max_examples=30, deadline=None)
@given(board=st.sampled_from(ALL), clock=st.sampled_from((12, 16, 25, 27, 48, 50, 100)), mhz=st.floats(17, 250))
def test_of_the_candidates_the_fastest_that_is_not_too_fast_is_taken(board: Board, clock: int, mhz: float) -> None:
    oracle, _ = ORACLES[board.device.name.replace("ecp5-12", "ecp5-25")]
    board = replace(board, clock=replace(board.clock, hz=clock * 1_000_000))
    reachable = [
        output for output in map(round, (one * 1_000_000 for one in oracle(clock).values())) if output <= mhz * 1e6
    ]
    assert pll(board, mhz * 1e6).hz == max(reachable)


def test_loop_filters_of_ice40_follow_the_detector() -> None:
    """As icepll, of Project IceStorm, chooses them."""
    found = {
        clock: {one.parameters["FILTER_RANGE"] for one in candidates("up5k", clock)}
        for clock in (12, 16, 25, 27, 48, 50)
    }
    assert found == {12: {1}, 16: {1}, 25: {1, 2}, 27: {1, 3}, 48: {1, 2, 4}, 50: {1, 2, 4}}
    (one,) = {one.parameters["FILTER_RANGE"] for one in candidates("up5k", 133) if one.parameters["DIVR"] == 0}
    assert one == 6


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


CELLS = {
    "up5k": ("ice40/cells_sim.v", {"RESETB"}),
    "ecp5-25": ("ecp5/cells_bb.v", {"PHASEDIR", "PHASESTEP", "PHASELOADREG", "PHASESEL0", "PHASESEL1"}),
    "gw1nr-9": ("gowin/cells_sim.v", set()),
    "gw2ar-18": ("gowin/cells_sim.v", set()),
    "ccgm1a1": ("gatemate/cells_bb.v", set()),
}
"""Yosys' file of the family's cells, and the inputs that are tied to 1."""


@pytest.mark.parametrize("name", CELLS)
def test_the_pins_of_a_pll_are_those_of_its_cell_and_as_wide(name: str) -> None:
    file, high = CELLS[name]
    text = (resources.files("pyosys") / "share" / file).read_text()
    one = candidates(name, 12)[0]
    (cell,) = re.findall(rf"^module {one.cell}\b.*?^endmodule", text, re.MULTILINE | re.DOTALL)
    ports = {
        port: (direction, int(last or 0) + 1)
        for direction, last, names in re.findall(r"\b(input|output)\s+(?:\[(\d+):0\]\s*)?([\w, ]+)", cell)
        for port in re.split(r"\W+", names.strip())
    }
    tied = {pin: ("input", width) for pin, (width, _) in one.constants.items()}
    assert tied == {pin: ports[pin] for pin in tied}
    assert {pin for pin, (_, value) in one.constants.items() if value} == high
    assert (ports[one.clock_in], ports[one.clock_out], ports[one.locked]) == (("input", 1), *[("output", 1)] * 2)
    assert set(one.parameters) <= set(re.findall(r"\bparameter\s+(?:\[\w+:0\]\s+)?(\w+)", cell))
