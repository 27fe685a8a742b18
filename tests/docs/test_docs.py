"""What the documentation shows works, and what it links to exists."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest

import hwgen
from hwgen.cli import main

ROOT = Path(__file__).parents[2]
BUILT = (ROOT / "docs" / "rooms", ROOT / "docs" / "_build")
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *(page for page in sorted((ROOT / "docs").rglob("*.md")) if not set(BUILT) & set(page.parents)),
]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def desk(tmp_path: Path, dense_onnx: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a working folder with a model and input by the names that the pages use."""
    shutil.copy(dense_onnx, tmp_path / "model.onnx")
    np.save(tmp_path / "x.npy", np.ones((3, 24), dtype=np.float32))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "docs" / "api.md"], ids=lambda page: page.name)
def test_the_python_examples_run(desk: Path, page: Path) -> None:
    (example,) = blocks(page, "python")
    if page.name == "api.md":  # its model takes 8-bit input; the one here is binarized first
        example = example.replace(', input_type="uint8", input_scale=1 / 255', "")
    exec(compile(example, str(page), "exec"), {"hwgen": hwgen, "np": np, "x": np.load("x.npy")})


def test_the_commands_of_the_readme_run(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line for block in blocks(ROOT / "README.md", "") for line in block.splitlines() if "bin/hwgen" in line]
    assert len(lines) == 6
    for line in lines:
        _, *arguments = shlex.split(line, comments=True)
        assert main.main(arguments) == 0, line


def test_every_exit_code_is_documented() -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    codes = {value for name, value in vars(main).items() if name.startswith("EXIT_")}
    assert codes == {1, 2, 70, 130}
    assert [code for code in (0, *codes) if f"\n| {code} | " not in page] == []


def test_every_option_is_documented() -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    for name, command in main.cli.commands.items():
        assert f"hwgen {name}" in page
        for parameter in command.params:
            for option in parameter.opts:
                assert not option.startswith("--") or option.removeprefix("--") in page, f"{name} {option}"


def test_every_field_of_simulate_is_documented() -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    result = hwgen.Simulation(
        *(np.zeros(1), np.zeros(1), 1, 0, {}, None, None, 1, 1, None, 1, 1, 0, hwgen.Engine.VERILATOR, 1e8)
    )
    assert [field for field in result.facts() if f"`{field}`" not in page] == []


def test_the_glossary_is_sorted() -> None:
    page = (ROOT / "docs" / "glossary.md").read_text()
    terms = re.findall(r"^(\S.*)\n: ", page, re.MULTILINE)
    assert len(terms) > 20
    assert terms == sorted(terms, key=str.lower)


def test_every_line_of_the_change_log_is_short() -> None:
    lines = (ROOT / "CHANGELOG.md").read_text().splitlines()
    assert [line for line in lines if len(line) > 160] == []


def test_the_change_log_has_each_heading_once_a_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    for version in text.split("\n## ")[1:]:
        headings = re.findall(r"^### (.*)$", version, re.MULTILINE)
        order = [kind for kind in ("Added", "Changed", "Fixed", "Removed") if kind in headings]
        assert headings == order, version.splitlines()[0]
