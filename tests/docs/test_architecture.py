"""The table of rooms shows the law of the rooms, from above to below."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.test_imports import ROOMS

PAGE = Path(__file__).parents[2] / "docs" / "architecture.md"
ROWS = dict(re.findall(r"^\| `(\w+)/` \| .* \| (.*?) ?\|$", PAGE.read_text(), re.MULTILINE))
UNTOLD = {"errors", "progress"}


def test_every_room_has_a_row_above_those_that_it_knows() -> None:
    assert list(ROWS) == list(reversed(ROOMS))


@pytest.mark.parametrize("room", ROOMS)
def test_a_row_tells_what_its_room_may_know(room: str) -> None:
    assert ROWS[room] == ", ".join(sorted(set(ROOMS[room].split()) - UNTOLD))
