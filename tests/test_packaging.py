"""The wheel holds everything, linked folders included, and nothing else."""

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = ("hwgen", "rtl_templates", "sim", "boards")


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Names in a wheel built from a copy of the tree, so that the build leaves nothing behind."""
    tree = tmp_path_factory.mktemp("tree")
    for folder in SOURCES:
        shutil.copytree(ROOT / folder, tree / folder, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, tree)
    program = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", program, "dist"], cwd=tree, check=True, capture_output=True)
    (wheel,) = (tree / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_every_source_file_is_in_the_wheel(wheel_names: list[str]) -> None:
    suffixes = {".py", ".cpp", ".h", ".json", ".toml", ".typed", ".v"}
    wanted = {
        f"{'' if folder == 'hwgen' else 'hwgen/'}{path.relative_to(ROOT).as_posix()}"
        for folder in SOURCES
        for path in (ROOT / folder).rglob("*")
        if path.suffix in suffixes and path.is_file()
    }
    assert wanted <= set(wheel_names)
    assert {"hwgen/sim/__init__.py", "hwgen/py.typed"} <= wanted


def test_the_wheel_puts_only_hwgen_into_site_packages(wheel_names: list[str]) -> None:
    tops = {name.split("/")[0] for name in wheel_names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"hwgen"}


def test_the_command_and_the_licence_are_in_the_wheel(wheel_names: list[str]) -> None:
    assert any(name.endswith("entry_points.txt") for name in wheel_names)
    assert any(name.endswith("licenses/LICENSE") for name in wheel_names)


def test_every_dependency_has_a_reason_and_a_lower_bound() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    project = tomllib.loads(text)["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    for requirement in (item for group in groups for item in group):
        (line,) = (line for line in text.splitlines() if line.strip().startswith(f'"{requirement}"'))
        assert ">=" in requirement
        assert len(line.split("#")[1].strip()) > 5, f"{requirement} has no reason"


def test_the_version_is_the_change_logs_newest() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    headings = [line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("## ")]
    assert headings[1].startswith(f"## {version}")
