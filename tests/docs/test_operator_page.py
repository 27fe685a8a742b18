"""The table of operators says what the code does."""

from __future__ import annotations

from docs.operator_page import PAGE, page


def test_the_page_is_current():
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m docs.operator_page"
