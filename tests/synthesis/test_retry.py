"""Backing off where a board is too small or too slow."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import hwgen
from hwgen.cli import boards, main
from hwgen.devices.boards import find_device
from hwgen.errors import OptionError
from hwgen.estimation.estimate import estimate_total
from hwgen.synthesis import retry
from hwgen.synthesis.flow import NotPlaced, TooLarge
from hwgen.synthesis.retry import synthesise_on_board
from tests.small_networks import mlp

ROOT = Path(__file__).parents[2]
UP5K = find_device("up5k")

Outcome = Exception | float
"""What a try comes to: an error, or the highest clock in MHz."""


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let the next tries come to these outcomes; the list keeps cycles a frame and clock of each."""
    seen: list[tuple[int, int, float | None]] = []

    def expect(*outcomes: Outcome) -> list[tuple[int, int, float | None]]:
        coming = list(outcomes)

        def synthesise(folder: Path, *, clock_mhz: float | None, **_: Any) -> dict[str, Any]:
            plan = hwgen.load(folder).plan
            seen.append((estimate_total(plan, UP5K).luts, plan.cycles, clock_mhz))
            outcome = coming.pop(0)
            if isinstance(outcome, Exception):
                raise outcome
            goal = clock_mhz or 12
            return {"clock_met": outcome >= goal, "fmax_mhz": outcome, "clock_goal_mhz": goal, "notes": ["too slow"]}

        monkeypatch.setattr(retry, "synthesise", synthesise)
        return seen

    return expect


@pytest.fixture
def build(tmp_path: Path) -> Path:
    folder = tmp_path / "build"
    hwgen.build(hwgen.plan(mlp(64, 32, 10), board="icebreaker"), folder)
    return folder


def test_what_does_not_fit_is_folded_again_until_it_does(tries: Any, build: Path) -> None:
    seen = tries(
        TooLarge("'mlp' needs 9,000 LUTs; compile smaller"),
        NotPlaced("nextpnr-ice40 failed:\n  ERROR: Unable to place cell 'a'.\n  log"),
        31.0,
    )
    facts = synthesise_on_board(build, "icebreaker")
    (luts, first, _), (fewer, second, _), (fewest, third, _) = seen
    assert luts > fewer > fewest
    assert first <= second <= third
    assert facts["attempts"] == [
        f"'mlp' needs 9,000 LUTs; folding again with less logic: a frame every {second:,} cycles instead of {first:,}",
        f"it cannot be placed and routed (Unable to place cell 'a'); folding again with less logic: a frame every {third:,} cycles instead of {second:,}",
    ]
    assert hwgen.load(build).plan.cycles == third


def test_a_missed_clock_is_lowered_to_what_the_design_reaches(tries: Any, build: Path) -> None:
    seen = tries(20.0, 20.0)
    facts = synthesise_on_board(build, "icebreaker")
    assert [clock for _, _, clock in seen] == [30, 19.5]
    assert seen[0][:2] == seen[1][:2]
    assert facts["attempts"] == ["20.0 MHz do not reach 30 MHz; the clock is now 19.5 MHz"]
    assert hwgen.load(build).report["clock_mhz"] == 19.5


def test_a_clock_that_was_asked_for_stays_and_the_network_is_folded_again(tries: Any, build: Path) -> None:
    seen = tries(20.0, 25.0)
    synthesise_on_board(build, "icebreaker", clock_mhz=24)
    assert [clock for _, _, clock in seen] == [24, 24]
    assert seen[1][0] < seen[0][0]


def test_there_is_an_end_to_it(tries: Any, build: Path) -> None:
    seen = tries(TooLarge("large; x"), TooLarge("large; x"), TooLarge("still large"))
    with pytest.raises(TooLarge, match="still large"):
        synthesise_on_board(build, "icebreaker", retries=2)
    assert len(seen) == 3


def test_a_build_for_no_board_is_tried_once_unless_more_is_asked_for(tries: Any, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    hwgen.build(hwgen.plan(mlp(64, 32, 10), max_throughput=True), folder)
    seen = tries(11.0, TooLarge("large"), 13.0)
    assert synthesise_on_board(folder, "icebreaker")["clock_met"] is False
    assert synthesise_on_board(folder, "icebreaker", retries=1)["clock_met"] is True
    assert [clock for _, _, clock in seen] == [None, None, None]
    assert seen[2][0] < seen[1][0]


def test_writable_layers_stay_writable(tries: Any, tmp_path: Path) -> None:
    hwgen.build(hwgen.plan(mlp(64, 32, 10), board="icebreaker", writable="all"), tmp_path / "build")
    tries(TooLarge("large"), 31.0)
    synthesise_on_board(tmp_path / "build", "icebreaker")
    assert all(fold.writable for fold in hwgen.load(tmp_path / "build").plan.folds.values())


def test_nothing_smaller_is_said(tries: Any, tmp_path: Path) -> None:
    folder = tmp_path / "small"
    hwgen.build(hwgen.plan(mlp(4, 2), min_area=True), folder)
    tries(*[TooLarge("large")] * 30)
    with pytest.raises(OptionError, match="No smaller folding is left to try"):
        synthesise_on_board(folder, "icebreaker", retries=29)


def test_the_command_line_says_each_step(
    tries: Any, build: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(boards, "render_synthesis", lambda facts: "")
    tries(11.0)
    assert main.main(["synth", str(build), "--board", "icebreaker", "--no-retry", "--json"]) == 1
    tries(TooLarge("large"))
    assert main.main(["synth", str(build), "--board", "icebreaker", "--no-retry"]) == 2
    tries(TooLarge("large"), 31.0)
    assert main.main(["synth", str(build), "--board", "icebreaker", "--json"]) == 0
    assert "hwgen: large; folding again with less logic: a frame every" in capsys.readouterr().err
    assert main.main(["synth", str(build), "--device", "up5k", "--retry", "2"]) == 2
    assert "--retry is for --board, which is not given" in capsys.readouterr().err


@pytest.mark.slow
def test_what_cannot_be_placed_ends_with_a_bitstream_of_a_smaller_folding(tmp_path: Path) -> None:
    folder = tmp_path / "build"
    hwgen.build(hwgen.plan(mlp(64, 48, 10), max_throughput=True), folder)
    facts = synthesise_on_board(folder, "icebreaker", retries=6, seeds=[1])
    assert facts["attempts"]
    for attempt in facts["attempts"]:
        assert re.match(
            r"it cannot be placed and routed.*; folding again with less logic: a frame every \d+ cycles", attempt
        )
    assert hwgen.load(folder).plan.cycles > 1
    assert (folder / "synth" / "icebreaker" / facts["bitstream"]).exists()


@pytest.mark.slow
def test_a_pin_s_clock_that_is_too_fast_ends_with_a_bitstream_at_a_slower_one(tmp_path: Path) -> None:
    board = tmp_path / "fast_pin.toml"
    board.write_text((ROOT / "boards" / "icebreaker.toml").read_text().replace("12_000_000", "60_000_000"))
    hwgen.build(hwgen.plan(mlp(64, 32, 10), board=str(board)), tmp_path / "build")
    facts = synthesise_on_board(tmp_path / "build", str(board), seeds=[1])
    assert len(facts["attempts"]) == 1
    assert re.fullmatch(r"[\d.]+ MHz do not reach 60 MHz; the clock is now 3[\d.]+ MHz", facts["attempts"][0])
    assert (30 <= facts["clock_goal_mhz"] < 40, facts["clock_met"]) == (True, True)
    assert (tmp_path / "build" / "synth" / "fast_pin" / facts["bitstream"]).exists()
