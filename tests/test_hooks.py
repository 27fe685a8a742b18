"""What machines run: continuous integration all, git at each commit what `make lint` runs, and nothing is fetched for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CONFIGURATION = (ROOT / ".pre-commit-config.yaml").read_text()


def commands_of_lint() -> list[str]:
    recipe = (ROOT / "Makefile").read_text().split("\nlint:")[1].split("\n\n")[0]
    return [line.removeprefix("\t$(BIN)/").removesuffix(" .") for line in recipe.splitlines()[1:]]


def test_the_hooks_are_the_commands_of_make_lint() -> None:
    entries = re.findall(r"entry: \.venv/bin/(.*)$", CONFIGURATION, re.MULTILINE)
    assert [entry.removesuffix(" --force-exclude") for entry in entries] == commands_of_lint()


def test_every_hook_is_local() -> None:
    assert re.findall(r"repo: (.*)", CONFIGURATION) == ["local"]
    assert set(re.findall(r"language: (.*)", CONFIGURATION)) == {"system", "pygrep"}


@pytest.mark.parametrize(
    ("message", "refused"),
    [
        ("a" * 71 + "\n", False),
        ("a" * 72 + "\n", True),
        ("Subject\n\n" + "b" * 100 + "\n", False),
        ("Subject\nbody\n", True),
        ("Subject\n# what git writes below\n", False),
    ],
)
def test_a_long_subject_is_refused(message: str, refused: bool) -> None:
    (pattern,) = re.findall(r"entry: '(\\A.*)'$", CONFIGURATION, re.MULTILINE)
    assert bool(re.search(pattern, message, re.MULTILINE | re.DOTALL)) == refused


def test_continuous_integration_runs_make_check_whose_last_part_are_the_tests() -> None:
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == "make check"
    assert "\ncheck: lint docs test ##" in (ROOT / "Makefile").read_text()
