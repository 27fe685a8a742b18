"""Whatever file or name of this project a page or a docstring mentions is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("hwgen", "rtl_templates", "sim", "benchmarks", "examples", "docs")
TOY = re.compile(r"\btoy\b|toy_")
"""What the pages on contributing write before they mention it."""

WRITTEN = ("rooms", "_build")
"""Folders of the documentation that its build writes."""

PATH = re.compile(r"(?<![\w/.-])(?:hwgen|rtl_templates|sim|tests|benchmarks|examples|docs|boards)/[\w/.-]*\w")
FILE = re.compile(r"(?<![\w/.*{}-])\w+\.py\b")
NAME = re.compile(r"(?<![\w./-])hwgen(?:\.[A-Za-z_]\w*)+")
INVENTED = {
    "boards/x.toml",  # any board's
    "docs/figures",
    "docs/_build",  # what the build of the documentation writes
    "docs/rooms",
    "hwgen.md",  # a page that the build of the documentation writes
    "run_tests.py",  # of a build folder
}


def texts() -> list[Path]:
    inside = (path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*")))
    wanted = [path for path in inside if path.suffix in (".py", ".md", ".cpp", ".h")]
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "Makefile", ROOT / ".ci" / "run"]
    return pages + [path for path in wanted if not set(WRITTEN) & set(path.relative_to(ROOT).parts)]


def resolves(name: str) -> bool:
    """Tell whether the words of a dotted name behind the module that it leads to, or the room, occur there."""
    parts = name.split(".")
    places = {count: ROOT.joinpath(*parts[:count]) for count in range(len(parts), 0, -1)}
    modules = {n: place / "__init__.py" if place.is_dir() else place.with_suffix(".py") for n, place in places.items()}
    count, module = next((count, module) for count, module in modules.items() if module.exists())
    return set(parts[count:]) <= set(re.findall(r"\w+", module.read_text()))


@pytest.fixture(scope="module")
def mentioned() -> list[tuple[Path, str]]:
    return [(path, path.read_text()) for path in texts()]


def test_every_path_is_there(mentioned: list[tuple[Path, str]]) -> None:
    wrong = [
        (page.relative_to(ROOT).as_posix(), path)
        for page, text in mentioned
        for path in sorted(set(PATH.findall(text)) - INVENTED)
        if not TOY.search(path)
        and not any((folder / name).exists() for folder in (ROOT, page.parent) for name in (path, f"{path}.md"))
    ]
    assert wrong == []


def test_every_file_that_is_named_alone_is_somewhere(mentioned: list[tuple[Path, str]]) -> None:
    known = {path.name for folder in (*FOLDERS, "tests") for path in (ROOT / folder).rglob("*.py")} | INVENTED
    wrong = [
        (page.relative_to(ROOT).as_posix(), name)
        for page, text in mentioned
        for name in sorted(set(FILE.findall(text)) - known)
    ]
    assert wrong == []


def test_every_dotted_name_leads_somewhere(mentioned: list[tuple[Path, str]]) -> None:
    wrong = [
        (page.relative_to(ROOT).as_posix(), name)
        for page, text in mentioned
        for name in sorted(set(NAME.findall(text)) - INVENTED)
        if not TOY.search(name) and not resolves(name)
    ]
    assert wrong == []


def test_a_name_that_is_gone_is_found() -> None:
    assert resolves("hwgen.timing.schedule.Schedule.steps")
    assert not resolves("hwgen.schedule")
    assert not resolves("hwgen.timing.schedule.Timetable")
