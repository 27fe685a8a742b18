"""The command line: what each command prints and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

import hwgen
from hwgen.cli import compile as compile_module
from hwgen.cli import main


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Run a command that must succeed, and give what it prints."""
    assert main.main([str(argument) for argument in arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


@pytest.fixture
def x_file(tmp_path: Path) -> Path:
    x = np.random.default_rng(0).standard_normal((12, 24)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    return tmp_path / "x.npy"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--version") == f"hwgen {metadata.version('hwgen')}\n"


@pytest.mark.parametrize("command", ["info", "compile", "simulate", "golden", "report", "completion"])
def test_every_command_has_the_common_options_and_help(capsys: pytest.CaptureFixture[str], command: str) -> None:
    text = run(capsys, command, "--help")
    for option in ("--json", "-v, --verbose", "-q, --quiet"):
        assert option in text


def test_info(capsys: pytest.CaptureFixture[str], dense_onnx: Path) -> None:
    facts = json.loads(run(capsys, "info", dense_onnx, "--json"))
    assert isinstance(facts, dict)
    assert run(capsys, "info", dense_onnx).strip()


def test_compile_prints_what_the_issue_of_record_asks_for(
    capsys: pytest.CaptureFixture[str], dense_onnx: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "build"
    facts = json.loads(run(capsys, "compile", dense_onnx, "-o", folder, "--json"))
    assert {"layers", "ii", "latency", "fps", "weight_bits", "build_seconds", "files"} <= set(facts)
    assert all({"name", "kind", "pe", "simd", "cycles"} <= set(layer) for layer in facts["layers"])
    assert facts["weight_bits"] == 24 * 12 + 12 * 8 + 8 * 5
    assert facts["ii"] == max(layer["cycles"] for layer in facts["layers"])
    assert all((folder / name).is_file() for name in facts["files"])


def test_compile_reaches_the_target(capsys: pytest.CaptureFixture[str], dense_onnx: Path, tmp_path: Path) -> None:
    options = ["--target-fps", "1e6", "--clock-mhz", "50", "--json"]
    facts = json.loads(run(capsys, "compile", dense_onnx, "-o", tmp_path / "build", *options))
    assert facts["clock_mhz"] == 50
    assert facts["fps"] >= 1e6


def test_an_edited_folding_is_read_back(capsys: pytest.CaptureFixture[str], dense_onnx: Path, tmp_path: Path) -> None:
    first = json.loads(run(capsys, "compile", dense_onnx, "-o", tmp_path / "a", "--min-area", "--json"))
    folding = json.loads((tmp_path / "a" / "folding.json").read_text())
    name = first["layers"][-1]["name"]
    folding["layers"][name] |= {"pe": 5, "slots": None}
    (tmp_path / "edited.json").write_text(json.dumps(folding))
    options = ["--folding", tmp_path / "edited.json", "--json"]
    second = json.loads(run(capsys, "compile", dense_onnx, "-o", tmp_path / "b", *options))
    assert second["layers"][-1]["pe"] == 5


def test_quiet_prints_nothing_and_verbose_tells_the_steps(
    capsys: pytest.CaptureFixture[str], dense_onnx: Path, tmp_path: Path
) -> None:
    assert run(capsys, "compile", dense_onnx, "-o", tmp_path / "a", "-q") == ""
    assert main.main(["compile", str(dense_onnx), "-o", str(tmp_path / "b"), "-v"]) == 0
    err = capsys.readouterr().err
    assert [step for step in ("reading", "folding", "writing Verilog") if step not in err] == []


def test_simulate_prints_what_the_issue_of_record_asks_for(
    capsys: pytest.CaptureFixture[str], dense_build: Path, x_file: Path
) -> None:
    facts = json.loads(run(capsys, "simulate", dense_build, "--input", x_file, "--json"))
    assert facts["frames"] == 12
    assert facts["mismatches"] == 0
    assert facts["beats_off_schedule"] == 0
    assert facts["ii_predicted"] == facts["ii_measured"]
    assert facts["latency_predicted"] == facts["latency_measured"]
    assert facts["cycles_total"] > 11 * facts["ii_measured"]
    assert facts["engine"] == "verilator"
    assert facts["frames_per_second_at_clock"] == pytest.approx(100e6 / facts["ii_measured"])


def test_simulate_for_people(capsys: pytest.CaptureFixture[str], dense_build: Path, x_file: Path) -> None:
    text = run(capsys, "simulate", dense_build, "--input", x_file, "--frames", "3", "--stall")
    assert "3 frames in verilator" in text


def test_expected_outputs_must_be_equal(
    capsys: pytest.CaptureFixture[str], dense_build: Path, x_file: Path, tmp_path: Path
) -> None:
    run(capsys, "golden", dense_build, "--input", x_file, "-o", tmp_path / "y.npy")
    options = ["simulate", dense_build, "--input", x_file, "--expect", tmp_path / "y.npy", "--json"]
    assert json.loads(run(capsys, *options))["expected_mismatches"] == 0
    y = np.load(tmp_path / "y.npy")
    y[3, 0] += 2
    np.save(tmp_path / "y.npy", y)
    assert main.main([str(option) for option in options]) == 1
    assert json.loads(capsys.readouterr().out)["expected_mismatches"] == 1


def test_labels_are_counted(
    capsys: pytest.CaptureFixture[str], dense_build: Path, x_file: Path, tmp_path: Path
) -> None:
    labels = hwgen.load(dense_build).golden(np.load(x_file)).argmax(axis=1)
    labels[0] = (labels[0] + 1) % 5
    np.save(tmp_path / "labels.npy", labels)
    options = ["--expect", tmp_path / "labels.npy", "--json"]
    facts = json.loads(run(capsys, "simulate", dense_build, "--input", x_file, *options))
    assert (facts["correct"], facts["accuracy"]) == (11, 11 / 12)


def test_golden_writes_the_models_outputs_or_codes(
    capsys: pytest.CaptureFixture[str], dense_build: Path, x_file: Path, tmp_path: Path
) -> None:
    run(capsys, "golden", dense_build, "--input", x_file, "-o", tmp_path / "y.npy")
    run(capsys, "golden", dense_build, "--input", x_file, "-o", tmp_path / "codes.npy", "--codes")
    y, codes = np.load(tmp_path / "y.npy"), np.load(tmp_path / "codes.npy")
    assert y.dtype == np.float32
    assert codes.dtype == np.int64
    assert np.array_equal(y, codes)


def test_report(capsys: pytest.CaptureFixture[str], dense_build: Path) -> None:
    facts = json.loads(run(capsys, "report", dense_build, "--json"))
    assert facts == json.loads((dense_build / "report.json").read_text()) | {"synthesised": {}}
    text = run(capsys, "report", dense_build)
    assert all(layer["name"] in text for layer in facts["layers"])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    assert "_HWGEN_COMPLETE" in run(capsys, "completion", shell)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("compile --board ice", ["plain,icebreaker"]),
        ("synth build --device ecp5", ["plain,ecp5-12", "plain,ecp5-25", "plain,ecp5-45", "plain,ecp5-85"]),
        ("program build --board tang_nano_9", ["plain,tang_nano_9k"]),
        ("compile --board mine/", ["file,mine/"]),
    ],
)
def test_names_of_boards_and_devices_are_completed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: str, found: list[str]
) -> None:
    monkeypatch.setenv("_HWGEN_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", f"hwgen {words}")
    monkeypatch.setenv("COMP_CWORD", str(len(words.split())))
    with pytest.raises(SystemExit):
        main.cli.main(prog_name="hwgen")
    assert capsys.readouterr().out.split() == found


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_reader_that_goes_away_is_no_error(dense_build: Path, options: list[str]) -> None:
    command = [sys.executable, "-m", "hwgen", "report", str(dense_build), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


def test_ctrl_c_is_130(
    capsys: pytest.CaptureFixture[str], dense_onnx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(compile_module, "compile_with", interrupted)
    assert main.main(["compile", str(dense_onnx), "-o", str(tmp_path / "out")]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_a_bug_is_told_apart_from_a_users_error(
    capsys: pytest.CaptureFixture[str], dense_onnx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise AssertionError("internal")

    monkeypatch.setattr(compile_module, "compile_with", broken)
    assert main.main(["compile", str(dense_onnx), "-o", str(tmp_path / "out")]) == 70
    err = capsys.readouterr().err
    assert "AssertionError: internal" in err
    assert err.splitlines()[-1].startswith("hwgen: this is a bug in hwgen")
