"""Folding for a board: its clock, its budget, and what all boards make of a network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import hwgen
from hwgen.cli import main
from hwgen.devices.boards import boards, find_board
from hwgen.errors import OptionError
from hwgen.estimation.budget import overdrawn
from hwgen.estimation.estimate import estimate_pipeline, estimate_total
from hwgen.fold import MemoryStyle
from hwgen.folding.for_board import board_budget, clock_choices, fits_of, fold_for_board, slower_clock
from hwgen.pipeline.layout import lay_out
from tests.small_networks import mlp

NETWORK = mlp(64, 32, 10)


def test_the_first_clock_is_the_fastest_up_to_the_device_s_goal_and_the_pin_s_is_always_there() -> None:
    for board in boards().values():
        choices = clock_choices(board)
        assert choices == sorted(choices, reverse=True)
        assert board.clock.hz / 1e6 in choices
        assert choices[0] <= max(board.device.clock_goal_mhz, board.clock.hz / 1e6)
    assert clock_choices(find_board("icebreaker")) == [30, 24, 19.5, 12]


def test_a_clock_that_was_missed_is_followed_by_one_just_below_what_was_reached() -> None:
    ulx3s, icebreaker = find_board("ulx3s_85f"), find_board("icebreaker")
    assert max(mhz for mhz in clock_choices(ulx3s) if mhz <= 70.9) == 25
    assert 0.9 * 70.9 < (slower_clock(ulx3s, 70.9) or 0) <= 0.95 * 70.9
    assert slower_clock(icebreaker, 20) == 19.5
    assert slower_clock(icebreaker, 1) is None
    assert slower_clock(find_board("crosslink_nx_evn"), 13) == 12


def test_a_plan_for_a_board_is_within_its_budget_at_its_clock() -> None:
    board = find_board("icebreaker")
    plan = fold_for_board(NETWORK, "icebreaker")
    assert (plan.board, plan.clock_hz) == ("icebreaker", 30e6)
    assert overdrawn(estimate_total(plan, board.device), board_budget(board)) == []
    assert all(fold.slots is not None for fold in plan.folds.values())
    assert fold_for_board(NETWORK, "icebreaker", clock_mhz=12).clock_hz == 12e6


@pytest.mark.parametrize("name", ["crosslink_nx_evn", "gatemate_evb"])
def test_boards_of_every_family_are_filled(name: str) -> None:
    board = find_board(name)
    plan = fold_for_board(NETWORK, name)
    usage = estimate_total(plan, board.device)
    assert overdrawn(usage, board_budget(board)) == []
    assert plan.cycles < 8 and usage.luts > 2000
    slow = fold_for_board(NETWORK, name, target_fps=100)
    assert plan.cycles < slow.cycles and estimate_total(slow, board.device).luts < usage.luts / 2


def test_what_is_written_at_run_time_and_the_registers_are_within_the_budget() -> None:
    board = find_board("icebreaker")
    limits = board_budget(board, registers=True)
    plan = fold_for_board(NETWORK, "icebreaker", writable=frozenset({"dense0"}))
    assert [plan.folds[name].writable for name in ("dense0", "dense1")] == [True, False]
    assert overdrawn(estimate_total(plan, board.device), limits) == []
    read = fold_for_board(NETWORK, "icebreaker", axi_lite=True)
    assert read.axi_lite and read.has_registers
    assert overdrawn(estimate_total(read, board.device), limits) == []
    assert estimate_pipeline(lay_out(read), board.device)["registers"].luts > 400
    assert "registers" not in estimate_pipeline(lay_out(fold_for_board(NETWORK, "icebreaker")), board.device)


def test_weights_that_fit_nowhere_else_go_to_large_rams_on_boards_with_a_flash() -> None:
    network = mlp(512, 512, 10)
    plan = fold_for_board(network, "icebreaker")
    usage = estimate_total(plan, find_board("icebreaker").device)
    assert plan.folds["dense0"].memory is MemoryStyle.SPRAM
    assert 1 <= usage.sprams <= 4
    assert overdrawn(usage, board_budget(find_board("icebreaker"), registers=True, boots=True)) == []
    with pytest.raises(OptionError, match=r"fits up5k: the nearest needs about .* block RAMs where there are 28"):
        fold_for_board(network, "upduino31")


def test_a_rate_on_a_board_is_reached_at_less_cost() -> None:
    plan, fastest = fold_for_board(NETWORK, "icebreaker", target_fps=100_000), fold_for_board(NETWORK, "icebreaker")
    assert fastest.cycles < plan.cycles <= 300
    with pytest.raises(OptionError, match="No folding of 'mlp' reaches 1 cycles a frame"):
        fold_for_board(mlp(784, 512, 10), "icebreaker", target_fps=30e6)


def test_every_board_says_what_it_makes_of_a_network() -> None:
    found = fits_of(NETWORK)
    fits = {fit.board: fit.facts() for fit in found}
    assert set(fits) == set(boards())
    assert fits["icebreaker"]["fits"] and fits["icebreaker"]["fps"] == 30e6 / fits["icebreaker"]["cycles"]
    assert all(fit["fits"] for fit in fits.values())
    assert fits["ulx3s_85f"]["cycles"] <= fits["icebreaker"]["cycles"]
    registers = {fit.board: {fold.fetch_registers for fold in fit.plan.folds.values()} for fit in found if fit.plan}
    assert (registers["ulx3s_85f"], registers["icebreaker"]) == ({1}, {0})


def test_the_command_line_compiles_for_a_board_and_shows_what_fits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = str(Path(__file__).parents[2] / "examples" / "mnist_tfc" / "model.onnx")
    declared = ["--input-type", "uint8", "--input-scale", "1/255"]
    folder = tmp_path / "build"
    assert main.main(["compile", model, "-o", str(folder), "--board", "icebreaker", *declared]) == 0
    assert "Estimate for up5k:" in capsys.readouterr().out
    accelerator = hwgen.load(folder)
    assert (accelerator.plan.board, accelerator.report["board"]) == ("icebreaker", "icebreaker")
    assert list(accelerator.report["estimates"]) == ["up5k"]
    assert accelerator.report["estimates"]["up5k"]["total"]["brams"] <= 28
    assert main.main(["boards", model, *declared, "--json"]) == 0
    fits = {fit["board"]: fit for fit in json.loads(capsys.readouterr().out)["fits"]}
    assert fits["icebreaker"]["cycles"] == accelerator.plan.cycles


def test_a_board_is_a_target_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OptionError, match="Give one target, not min_area and board"):
        hwgen.plan(NETWORK, board="icebreaker", min_area=True)
    with pytest.raises(OptionError, match="The board must be one of"):
        hwgen.plan(NETWORK, board="icebraker")
