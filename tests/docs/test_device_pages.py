"""The pages about a new device family and a new board, done to a copy of hwgen as they say."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "contributing"

_FILE = re.compile(r"^`([\w./]+)`:\n\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
_COMMANDS = re.compile(r"^```\n(hwgen .*?)^```", re.MULTILINE | re.DOTALL)


def files(page: str) -> dict[str, str]:
    """Give the files that a page shows, by their paths."""
    return dict(_FILE.findall((PAGES / page).read_text()))


def commands(page: str) -> list[list[str]]:
    """Give the words of the commands that a page shows, without the program."""
    (block,) = _COMMANDS.findall((PAGES / page).read_text())
    return [shlex.split(line)[1:] for line in block.splitlines()]


@pytest.fixture
def desk(tmp_path: Path, dense_onnx: Path) -> Path:
    """Give a copy of hwgen with a model beside it."""
    for folder in ("hwgen", "rtl_templates", "sim", "boards"):
        shutil.copytree(ROOT / folder, tmp_path / folder, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(dense_onnx, tmp_path / "model.onnx")
    return tmp_path


def hwgen(desk: Path, *words: str) -> str:
    """Run the copy, and give what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "hwgen", *words], cwd=desk, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def add_the_family(desk: Path) -> None:
    """Do what the page says: a new file, its line, and a table."""
    shown = files("new_device_family.md")
    assert list(shown) == ["hwgen/devices/toy.py", "hwgen/devices/families.py", "boards/devices.toml"]
    (desk / "hwgen" / "devices" / "toy.py").write_text(shown["hwgen/devices/toy.py"])
    table = desk / "hwgen" / "devices" / "families.py"
    text, line = table.read_text(), shown["hwgen/devices/families.py"]
    before = line.replace(", TOY)", ")")
    assert text.count(before) == 1
    first = "from hwgen.devices.xilinx7"
    table.write_text(text.replace(before, line).replace(first, f"from hwgen.devices.toy import TOY\n{first}"))
    with (desk / "boards" / "devices.toml").open("a") as devices:
        devices.write("\n" + shown["boards/devices.toml"])


def test_a_family_is_one_file_and_its_line(desk: Path) -> None:
    add_the_family(desk)
    known = {chip["name"]: chip for chip in json.loads(hwgen(desk, "boards", "--json"))["devices"]}
    assert (known["toy-7k"]["family"], known["toy-7k"]["luts"]) == ("toy", 6864)

    compile_it, report, synth = commands("new_device_family.md")
    hwgen(desk, *compile_it)
    facts = json.loads((desk / "build" / "report.json").read_text())
    assert (facts["device"], facts["shortage"], next(iter(facts["estimates"]))) == ("toy-7k", None, "toy-7k")
    assert facts["estimates"]["toy-7k"]["family"] == "toy"
    assert "toy-7k" in hwgen(desk, *report)

    result = json.loads(hwgen(desk, *synth, "--json"))
    assert result["device"]["part"] == "TOY-7000"
    assert result["fits"]
    assert result["notes"] == [
        "no open program places and routes TOY-7000: resources only, before the maker's own optimisation"
    ]
    mapped = (desk / "build" / "synth" / "toy-7k" / "mapped.v").read_text()
    assert "CCU2D" in mapped
    exact = ("brams", "lutrams", "sprams", "dsps")
    assert {name: result["resources"][name] for name in exact} == {name: result["estimated"][name] for name in exact}
    assert result["resources"]["luts"] == pytest.approx(result["estimated"]["luts"], rel=0.25)


@pytest.mark.slow
def test_a_trained_network_fits_the_new_family(desk: Path) -> None:
    add_the_family(desk)
    model = str(ROOT / "examples" / "mnist_tfc" / "model.onnx")
    hwgen(desk, "compile", model, "-o", "tfc", "--device", "toy-7k", "--input-type", "uint8", "--input-scale", "1/255")
    result = json.loads(hwgen(desk, "synth", "tfc", "--device", "toy-7k", "--json"))
    assert result["fits"]
    assert (result["resources"]["brams"], result["resources"]["lutrams"]) == (
        result["estimated"]["brams"],
        result["estimated"]["lutrams"],
    )
    assert result["resources"]["brams"] > 10
    assert result["resources"]["luts"] == pytest.approx(result["estimated"]["luts"], rel=0.15)


def test_a_board_is_one_file(desk: Path) -> None:
    (name, text), *others = files("new_board.md").items()
    assert others == []
    (desk / name).write_text(text)
    compile_it, synth = commands("new_board.md")
    hwgen(desk, *compile_it)
    hwgen(desk, *synth, "--no-pnr")
    result = json.loads((desk / "build" / "synth" / "mine" / "result.json").read_text())
    assert (result["target"], result["device"]["name"], result["baud"]) == ("mine", "hx8k", 3_000_000)
