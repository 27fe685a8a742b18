"""`hwgen verify`, and what `hwgen compile` does with a network that is not its file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import hwgen
from hwgen.cli import main
from hwgen.streamlining import writing


@pytest.fixture
def data(dense_build: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Give frames, and the labels that the network would give them but for one."""
    x = np.random.default_rng(0).standard_normal((20, 24)).astype(np.float32)
    labels = hwgen.load(dense_build).golden(x).argmax(axis=1)
    labels[0] = (labels[0] + 1) % 5
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", labels)
    return tmp_path / "x.npy", tmp_path / "y.npy"


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main.main([str(argument) for argument in arguments])
    return code, *capsys.readouterr()


def test_verify_for_programs(capsys, dense_onnx: Path, dense_build: Path, data: tuple[Path, Path]) -> None:
    code, out, err = run(capsys, "verify", dense_onnx, dense_build, "--input", data[0], "--labels", data[1], "--json")
    facts = json.loads(out)
    assert (code, err) == (0, "")
    assert (facts["executor"], facts["frames"], facts["differing"], facts["verilog_differing"]) == ("QONNX", 20, 0, 0)
    assert facts["accuracy"] == {"file": 0.95, "golden": 0.95, "verilog": 0.95}
    assert {row["frames"] for row in facts["rows"]} == {0}
    assert np.sum(facts["confusion"]) == 20


def test_verify_for_people(capsys, dense_onnx: Path, dense_build: Path, data: tuple[Path, Path]) -> None:
    arguments = ["verify", dense_onnx, dense_build, "--input", data[0], "--labels", data[1], "--frames", 10]
    code, out, _ = run(capsys, *arguments)
    text = " ".join(out.split())
    assert code == 0
    assert "10 frames in QONNX. Golden model against the file: 0 differ by more than float32 rounding" in text
    assert "Accuracy: file 90.00%, golden 90.00%, verilog 90.00%" in text
    assert "ONNX tensor" in text
    assert "label (down), golden model (across)" in text


def test_verify_refuses_another_model(capsys, image_onnx: Path, dense_onnx: Path, image_build: Path, data) -> None:
    code, _, err = run(capsys, "verify", dense_onnx, image_build, "--input", data[0])
    assert code == 2
    assert "was not made of" in err


def test_compile_and_verify_end_with_1_where_the_network_is_not_the_file(
    capsys, dense_onnx: Path, tmp_path: Path, data: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = writing.thresholds
    monkeypatch.setattr(writing, "thresholds", lambda points, domain: right(points + 1, domain))
    code, out, err = run(capsys, "compile", dense_onnx, "-o", tmp_path / "build")
    assert (code, out) == (1, "")
    assert err.startswith(
        f"hwgen: '{tmp_path / 'build'}' is built, but marked unverified, because it is not what '{dense_onnx}' says. "
    )
    assert "in the golden model. Please report this; --no-verify does not look" in err
    code, out, _ = run(capsys, "report", tmp_path / "build")
    assert "first, tensor '" in " ".join(out.split())
    code, out, err = run(capsys, "compile", dense_onnx, "-o", tmp_path / "build", "--no-verify", "--json")
    assert (code, err, json.loads(out)["verification"]) == (0, "", None)
    code, out, _ = run(capsys, "verify", dense_onnx, tmp_path / "build", "--input", data[0], "--json")
    facts = json.loads(out)
    assert (code, facts["verilog_differing"]) == (1, 0)
    assert facts["differing"] > 0
