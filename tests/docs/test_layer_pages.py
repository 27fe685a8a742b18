"""The pages about a new layer kind and a new operator, done to a copy of hwgen as they say."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnx.reference
import pytest

from tests.docs.test_device_pages import ROOT, commands, files, hwgen


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Give a copy of hwgen, with what its tests of layers need."""
    for folder in ("hwgen", "rtl_templates", "sim", "boards"):
        shutil.copytree(ROOT / folder, tmp_path / folder, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tests" / "layers").mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "layers" / "channelwise_cases.py", tmp_path / "tests" / "layers")
    return tmp_path


def follow(desk: Path, page: str) -> list[str]:
    """Write the files that a page shows, and change those of which it shows the differing lines; give their paths."""
    shown = files(page)
    for name, text in shown.items():
        path = desk / name
        if not path.exists():
            path.write_text(text)
            continue
        for hunk in text.split("@@\n"):
            lines = hunk.splitlines(keepends=True)
            before = "".join(line[1:] for line in lines if line[0] == " ")
            assert path.read_text().count(before) == 1, (name, before)
            path.write_text(path.read_text().replace(before, "".join(line[1:] for line in lines)))
    return list(shown)


def write_model(path: Path, text: str) -> None:
    model = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> {text}')
    onnx.checker.check_model(model)
    onnx.save(model, path)


def check(desk: Path, page: str, x: np.ndarray, expected: np.ndarray) -> None:
    """Run the page's commands; `hwgen simulate` fails unless values are golden's, and cycles those of the schedules."""
    np.save(desk / "x.npy", x)
    np.save(desk / "expected.npy", expected)
    *before, simulate = commands(page)
    for words in before:
        hwgen(desk, *words)
    found = json.loads(hwgen(desk, *simulate, "--expect", "expected.npy", "--json"))
    found = [found[name] for name in ("frames", "mismatches", "expected_mismatches", "beats_off_schedule")]
    assert found == [len(x), 0, 0, 0]


def test_a_layer_kind_is_three_files_and_its_lines(desk: Path) -> None:
    changed = follow(desk, "new_layer.md")
    assert [name for name in changed if (ROOT / name).exists()] == [
        "hwgen/layers/kinds.py",
        "hwgen/streamlining/nodes/walk.py",
        "hwgen/operators/reductions.py",
    ]
    assert len(changed) == 7
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/layers/test_toy_sum.py"]
    done = subprocess.run(tests, cwd=desk, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "10 passed" in done.stdout

    write_model(
        desk / "model.onnx",
        "sums (float[1, 6, 4, 4] x) => (float[1, 6, 4, 4] y) <int64 axis = {1}, float half = {20.5}> "
        "{ s = CumSum (x, axis)  c = Sub (s, half)  y = Sign (c) }",
    )
    x = np.random.default_rng(0).integers(0, 16, (5, 6, 4, 4)).astype(np.float32)
    reference = onnx.reference.ReferenceEvaluator(str(desk / "model.onnx"))
    expected = [reference.run(None, {"x": frame[None]})[0][0] for frame in x]
    check(desk, "new_layer.md", x, np.array(expected))
    report = json.loads((desk / "build" / "report.json").read_text())
    assert report["layers"][0]["kind"] == "CumulativeSum"


def test_an_operator_that_treats_elements_alike_is_a_line(desk: Path) -> None:
    assert follow(desk, "new_operator.md") == ["hwgen/operators/elementwise.py"]
    write_model(
        desk / "model.onnx",
        "bent (float[1, 4] x) => (float[1, 4] y) <float steep = {0.25}, float half = {0.7}> "
        "{ s = Mul (x, steep)  a = Atan (s)  c = Sub (a, half)  y = Sign (c) }",
    )
    x = np.arange(16, dtype=np.float32).reshape(4, 4)
    expected = np.sign(np.arctan(x * np.float32(0.25)) - np.float32(0.7))
    check(desk, "new_operator.md", x, expected)
