"""The commands about boards: which function is called, and with what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hwgen.board.line import Line
from hwgen.cli import boards
from hwgen.errors import OptionError
from hwgen.synthesis.flow import DEFAULT_SEEDS


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[object, ...], dict[str, Any]]]:
    """Put functions that only keep their arguments in the place of synthesis."""
    found: list[tuple[str, tuple[object, ...], dict[str, Any]]] = []
    for name in ("synthesise", "synthesise_on_board"):

        def keep(*arguments: object, called: str = name, **options: object) -> dict[str, Any]:
            found.append((called, arguments, {k: v for k, v in options.items() if k != "progress"}))
            return {"clock_met": None, "notes": []}

        monkeypatch.setattr(boards, name, keep)
    monkeypatch.setattr(boards, "render_synthesis", lambda facts: "")
    return found


def synth(*arguments: str) -> object:
    return boards.synth.main(["b", *arguments, "--json"], standalone_mode=False)


DEFAULTS = {"place_and_route": True, "seeds": DEFAULT_SEEDS, "jobs": None, "clock_mhz": None, "line": Line.UART}


def test_a_board_is_tried_again_and_a_device_once(calls: list[Any]) -> None:
    synth("--board", "ulx3s")
    synth("--board", "ulx3s", "--no-retry")
    synth("--board", "ulx3s", "--retry", "3", "--link", "spi", "--seed", "5", "--seed", "7", "--jobs", "2")
    synth("--device", "up5k", "--no-pnr", "--clock-mhz", "1/2")
    more = {**DEFAULTS, "seeds": (5, 7), "jobs": 2, "line": Line.SPI}
    assert calls == [
        ("synthesise_on_board", (Path("b"), "ulx3s"), {**DEFAULTS, "retries": None}),
        ("synthesise_on_board", (Path("b"), "ulx3s"), {**DEFAULTS, "retries": 0}),
        ("synthesise_on_board", (Path("b"), "ulx3s"), {**more, "retries": 3}),
        (
            "synthesise",
            (Path("b"),),
            {**DEFAULTS, "board": None, "device": "up5k", "place_and_route": False, "clock_mhz": 0.5},
        ),
    ]


def test_a_board_beside_a_device_is_for_synthesis_to_refuse(calls: list[Any]) -> None:
    synth("--device", "up5k", "--board", "ulx3s")
    assert calls == [("synthesise", (Path("b"),), {**DEFAULTS, "board": "ulx3s", "device": "up5k"})]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--device", "up5k", "--retry", "1"), "--retry is for --board, which is not given; leave it out"),
        (
            ("--board", "ulx3s", "--retry", "1", "--no-retry"),
            "--retry is for --board, not with --no-retry; leave it out",
        ),
    ],
)
def test_retries_are_for_boards(calls: list[Any], arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        synth(*arguments)
    assert calls == []
