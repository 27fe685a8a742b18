"""The table of rooms is the tree's: every room is in it, and each knows the rooms that it names and no others."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = re.findall(r"^\| `(\w+)/` \| .* \| (.*?) ?\|$", (ROOT / "docs" / "architecture.md").read_text(), re.MULTILINE)
KNOWS = {room: set(named.split(", ")) - {""} for room, named in ROWS}
EVERYBODY = {"errors", "progress"}


def folder(room: str) -> Path:
    return (ROOT / "hwgen" / room).resolve()


def known_by(room: str) -> set[str]:
    """Names the rooms, and the files of `hwgen` itself, that modules of a room import."""
    found = set()
    for path in sorted(folder(room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name.split(".")[1] for name in names if name.startswith("hwgen.")}
    return {name for name in found if (ROOT / "hwgen" / name).exists() or (ROOT / "hwgen" / f"{name}.py").exists()}


def test_every_room_has_a_row() -> None:
    rooms = {path.name for path in (ROOT / "hwgen").iterdir() if (path / "__init__.py").exists()}
    assert sorted(KNOWS) == sorted(rooms - {"boards"})  # records only, told below the table


@pytest.mark.parametrize("room", KNOWS)
def test_a_room_knows_what_its_row_says(room: str) -> None:
    assert sorted(known_by(room) - EVERYBODY - {room}) == sorted(KNOWS[room])
