"""The pages of boards are those that their TOML files and measurements give."""

from __future__ import annotations

from docs.board_pages import FOLDER, pages


def test_the_pages_are_current() -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    assert written == pages(), "run: python -m docs.board_pages"
