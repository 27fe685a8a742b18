"""What is shown of boards, devices and what fits them."""

from dataclasses import replace

from hwgen.cli.views.boards import render_boards, render_fits
from hwgen.devices.boards import find_board, find_device
from hwgen.devices.usage import Usage
from hwgen.folding.for_board import Fit
from hwgen.folding.goals import Setting, fold_for_throughput
from tests.cli.shown import rows, shown
from tests.small_networks import mlp


def test_boards_stand_above_devices() -> None:
    board = find_board("icebreaker")
    chip = replace(find_device("ecp5-25"), luts=24_288, ffs=24_000, bram_blocks=2, bram_bits=18_432, spram_blocks=0)
    chip = replace(chip, lutram_bits=3_584, dsps=0, clock_goal_mhz=62.5)
    found = rows(render_boards({"mine": board}, {"chip": chip}))
    assert found[0] == ["Boards"]
    assert found[2][:4] == ["mine", "up5k", "12", f"{board.uart.max_baud / 1e3:g}"]
    assert found[3][0] == "Devices"
    assert found[5] == ["chip", "24,288", "24,000", "36", "-", "4", "-", "62.5"]


def test_what_does_not_fit_says_why_once() -> None:
    plan = fold_for_throughput(mlp(24, 12, 5), Setting(clock_hz=24e6))
    fits = [
        Fit("large", replace(plan), Usage(luts=1234, ffs=567, brams=3, sprams=2)),
        Fit("middle", plan, Usage(luts=1234, ffs=567, brams=3)),
        Fit("small", None, None, "It needs [more]"),
        Fit("tiny", None, None, "It needs [more]"),
    ]
    found = rows(render_fits("net", fits))
    rate = [str(plan.cycles), "24", f"{24e6 / plan.cycles:,.0f}"]
    assert found[2] == ["large", *rate, "1,234", "567", "3", "+", "2", "large"]
    assert found[3] == ["middle", *rate, "1,234", "567", "3"]
    assert found[4:6] == [["small", "does", "not", "fit"], ["tiny", "does", "not", "fit"]]
    assert shown(render_fits("net", fits)).count("It needs [more]") == 1


def test_names_stand_left_and_numbers_right() -> None:
    boards = {"a": find_board("icebreaker"), "a_long_name": find_board("ulx3s_12f")}
    lines = [line.rstrip() for line in shown(render_boards(boards, {})).splitlines() if line.strip(" ─\n")]
    assert lines[1:4] == [
        "  --board       device    MHz   kbaud",
        "  a             up5k       12    3000   1BitSquared iCEBreaker 1.0",
        "  a_long_name   ecp5-12    25    3000   Radiona ULX3S 12F",
    ]
