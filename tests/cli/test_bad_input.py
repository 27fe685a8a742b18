"""Whatever a user gets wrong is one sentence that names the culprit, exit code 2, and nothing half-written."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from hwgen.cli import main
from hwgen.tools import toolchain


@pytest.fixture
def desk(tmp_path: Path, dense_onnx: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a working folder that holds a good model, good input and a good folding file."""
    shutil.copy(dense_onnx, tmp_path / "model.onnx")
    np.save(tmp_path / "x.npy", np.ones((2, 24), dtype=np.float32))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def built_desk(desk: Path, dense_build: Path) -> Path:
    """Give a working folder that also holds a build folder of its own."""
    shutil.copytree(dense_build, desk / "build")
    return desk


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command that must be refused, and give its one sentence."""
    before = tree(Path.cwd())
    assert main.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    assert err.startswith("hwgen: ")
    assert len(err.splitlines()) == 1, err
    assert tree(Path.cwd()) == before
    return err.removeprefix("hwgen: ")


def tree(folder: Path) -> dict[str, bytes]:
    """Give every file with its content; logs of tools are meant to be left."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".log"
    }


BROKEN_FILES = {
    "absent.onnx": (None, "absent.onnx"),
    "empty.onnx": (b"", "empty.onnx"),
    "text.onnx": (b"this is not a model\n", "text.onnx"),
    "zip.onnx": (b"PK\x03\x04" + bytes(100), "zip.onnx"),
    "json.onnx": (b'{"nodes": []}', "json.onnx"),
}


@pytest.mark.parametrize("name", BROKEN_FILES)
@pytest.mark.parametrize("command", ["info", "compile"])
def test_a_broken_model_file(desk: Path, capsys: pytest.CaptureFixture[str], name: str, command: str) -> None:
    content, culprit = BROKEN_FILES[name]
    if content is not None:
        (desk / name).write_bytes(content)
    options = ["-o", "out"] if command == "compile" else []
    assert culprit in refused(capsys, command, name, *options)


def test_a_truncated_model_file(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = (desk / "model.onnx").read_bytes()
    (desk / "model.onnx").write_bytes(content[: len(content) // 2])
    assert "model.onnx" in refused(capsys, "compile", "model.onnx", "-o", "out")


def test_a_folder_in_place_of_the_model(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (desk / "models").mkdir()
    assert "models" in refused(capsys, "compile", "models", "-o", "out")


def model(*nodes: onnx.NodeProto, shape: tuple[object, ...] = ("N", 4), **constants: np.ndarray) -> onnx.ModelProto:
    """Give a model from "x" to "y" with that input shape."""
    graph = helper.make_graph(
        list(nodes),
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


SIGNS = np.where(np.arange(16).reshape(4, 4) % 3, 1, -1).astype(np.float32)

ILLEGAL_MODELS: dict[str, tuple[Callable[[], onnx.ModelProto], str]] = {
    "unknown operator": (lambda: model(helper.make_node("Frobnicate", ["x"], ["y"], name="odd")), "Frobnicate"),
    "an input of real numbers": (
        lambda: model(
            helper.make_node("Sign", ["x"], ["s"]), helper.make_node("Mul", ["s", "x"], ["y"], name="product")
        ),
        "input 'x' as real numbers",
    ),
    "no nodes": (lambda: model(), "bad.onnx"),
    "undefined tensor": (lambda: model(helper.make_node("MatMul", ["x", "nothing"], ["y"], name="mm")), "nothing"),
    "wrong inner size": (
        lambda: model(
            helper.make_node("Sign", ["x"], ["s"]),
            helper.make_node("MatMul", ["s", "w"], ["y"], name="mm"),
            shape=("N", 5),
            w=SIGNS,
        ),
        "mm",
    ),
    "NaN weight": (
        lambda: model(
            helper.make_node("Sign", ["x"], ["s"]),
            helper.make_node("MatMul", ["s", "w"], ["y"], name="mm"),
            w=SIGNS * np.float32("nan"),
        ),
        "mm",
    ),
    "infinite variance": (
        lambda: model(
            helper.make_node("Sign", ["x"], ["s"]),
            helper.make_node("MatMul", ["s", "w"], ["a"], name="mm"),
            helper.make_node("BatchNormalization", ["a", "g", "g", "g", "v"], ["b"], name="norm"),
            helper.make_node("Sign", ["b"], ["y"]),
            w=SIGNS,
            g=np.ones(4, dtype=np.float32),
            v=np.full(4, np.nan, dtype=np.float32),
        ),
        "norm",
    ),
    "two dynamic axes": (
        lambda: model(helper.make_node("Sign", ["x"], ["y"]), shape=("N", "M")),
        "x",
    ),
}


@pytest.mark.parametrize("case", ILLEGAL_MODELS)
def test_an_illegal_model(desk: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    make, culprit = ILLEGAL_MODELS[case]
    onnx.save(make(), desk / "bad.onnx")
    assert culprit in refused(capsys, "compile", "bad.onnx", "-o", "out")


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_info_of_a_model_that_cannot_be_built(
    desk: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    onnx.save(ILLEGAL_MODELS["unknown operator"][0](), desk / "bad.onnx")
    assert main.main(["info", "bad.onnx", *options]) == 2
    assert "Frobnicate" in capsys.readouterr().out
    assert main.main(["info", "model.onnx", *options]) == 0


COMPILE_OPTIONS = {
    "no output": ([], "--output"),
    "unknown option": (["-o", "out", "--target-fsp", "3"], "--target-fsp"),
    "two targets": (["-o", "out", "--min-area", "--max-throughput"], "max_throughput and min_area"),
    "rate and area": (["-o", "out", "--min-area", "--target-fps", "3"], "target_fps and min_area"),
    "no number": (["-o", "out", "--target-fps", "fast"], "'fast' is not a number"),
    "zero rate": (["-o", "out", "--target-fps", "0"], "positive number of frames a second, not 0"),
    "negative rate": (["-o", "out", "--target-fps", "-3"], "not -3"),
    "infinite rate": (["-o", "out", "--target-fps", "inf"], "'inf'"),
    "out of reach": (["-o", "out", "--target-fps", "1e12"], "cycles a frame"),
    "zero clock": (["-o", "out", "--clock-mhz", "0"], "positive number of MHz, from 0.001 to 2000, not 0"),
    "hertz": (["-o", "out", "--clock-mhz", "1e9"], "from 0.001 to 2000, not 1e+09"),
    "infinite clock": (["-o", "out", "--clock-mhz", "inf"], "'inf' is not a finite number"),
    "no clock": (["-o", "out", "--clock-mhz", "nan"], "'nan' is not a finite number"),
    "hardly a rate": (["-o", "out", "--target-fps", "1e-320"], "positive number of frames a second"),
    "misspelt board": (["-o", "out", "--board", "iCE-Breaker"], "did you mean icebreaker?"),
    "misspelt device": (["-o", "out", "--device", "ecp5_25"], "did you mean ecp5-25?"),
    "division by zero": (["-o", "out", "--input-scale", "1/0"], "'1/0' is not a number"),
    "zero scale": (["-o", "out", "--input-type", "uint8", "--input-scale", "0"], "0"),
    "endless scale": (["-o", "out", "--input-type", "uint8", "--input-scale", "1e308"], "finite numbers up to 1e+30"),
    "hardly a scale": (["-o", "out", "--input-type", "uint8", "--input-scale", "1e-320"], "finite numbers up to 1e+30"),
    "unknown type": (["-o", "out", "--input-type", "uint7x"], "uint7x"),
    "too many arguments": (["-o", "out", "other.onnx"], "other.onnx"),
    "clock beside folding": (["-o", "out", "--folding", "folding.json", "--clock-mhz", "3"], "clock_mhz"),
    "illegal name": (["-o", "out", "--name", "my net"], "'my net' is not an identifier"),
    "reserved name": (["-o", "out", "--name", "module"], "'module' is not an identifier"),
    "no folding file": (["-o", "out", "--folding", "folding.json"], "folding.json"),
}


@pytest.mark.parametrize("case", COMPILE_OPTIONS)
def test_a_wrong_option_of_compile(desk: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    options, culprit = COMPILE_OPTIONS[case]
    assert culprit in refused(capsys, "compile", "model.onnx", *options)


FOLDINGS: dict[str, tuple[Callable[[dict], object], str]] = {
    "misspelt layer": (lambda f: {**f, "layers": {name + "x": e for name, e in f["layers"].items()}}, "did you mean"),
    "misspelt key": (lambda f: _every(f, lambda e: {**e, "smid": 2}), "did you mean 'simd'"),
    "misspelt section": (lambda f: {**f, "layer": {}}, "did you mean 'layers'"),
    "missing layer": (lambda f: {**f, "layers": dict(list(f["layers"].items())[1:])}, "says nothing of layer"),
    "missing pe": (lambda f: _every(f, lambda e: {k: v for k, v in e.items() if k != "pe"}), "'pe'"),
    "illegal pe": (lambda f: _every(f, lambda e: {**e, "pe": 7}), "7"),
    "fraction": (lambda f: _every(f, lambda e: {**e, "simd": 1.5}), "whole number, not 1.5"),
    "negative": (lambda f: _every(f, lambda e: {**e, "simd": -1}), "not -1"),
    "unknown memory": (lambda f: _every(f, lambda e: {**e, "memory": "sram"}), "'sram'"),
    "no clock": (lambda f: {**f, "clock_mhz": "fast"}, "'clock_mhz'"),
    "infinite clock": (lambda f: {**f, "clock_mhz": float("inf")}, "the number Infinity, which is out of range"),
    "hertz": (
        lambda f: {**f, "clock_mhz": 48e6},
        "'clock_mhz' of 'my.json' must be a positive number of MHz, from 0.001",
    ),
    "truth": (lambda f: _every(f, lambda e: {**e, "pe": True}), "whole number, not True"),
    "endless FIFO": (lambda f: _every(f, lambda e: {**e, "slots": 2**70}), "must be at most 1,048,576 beats"),
    "endless buffer": (lambda f: _every(f, lambda e: {**e, "buffer_beats": 2**21}), "must be at most 1,048,576 beats"),
    "endless number": (lambda f: _every(f, lambda e: {**e, "simd": 10**40}), "which is out of range"),
    "huge weights": (
        lambda f: _every(f, lambda e: {**e, "writable": True, "weights": [-(2**70), 7]}),
        "of at most 16 bits, not [-1180591620717411303424, 7]",
    ),
    "parallel window": (
        lambda f: _every(f, lambda e: {**e, "window": "parallel", "fetch_registers": 1}),
        "has no window to hand over in parallel",
    ),
    "list": (lambda f: [], "must be an object"),
}


def _every(folding: dict, change: Callable[[dict], dict]) -> dict:
    return {**folding, "layers": {name: change(entry) for name, entry in folding["layers"].items()}}


@pytest.mark.parametrize("case", FOLDINGS)
def test_a_wrong_folding_file(desk: Path, dense_build: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    change, culprit = FOLDINGS[case]
    folding = json.loads((dense_build / "folding.json").read_text())
    (desk / "my.json").write_text(json.dumps(change(folding)))
    assert culprit in refused(capsys, "compile", "model.onnx", "-o", "out", "--folding", "my.json")


@pytest.mark.parametrize("content", [b"{,}", b"\xff\xfe\x00", b"", b"[" * 100_000])
def test_a_folding_file_that_is_no_json(desk: Path, capsys: pytest.CaptureFixture[str], content: bytes) -> None:
    (desk / "my.json").write_bytes(content)
    assert "my.json" in refused(capsys, "compile", "model.onnx", "-o", "out", "--folding", "my.json")


def test_an_output_folder_of_other_files(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (desk / "thesis").mkdir()
    (desk / "thesis" / "chapter1.tex").write_text("mine")
    assert "holds files that are not hwgen's" in refused(capsys, "compile", "model.onnx", "-o", "thesis")


def test_a_file_in_place_of_the_output_folder(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "x.npy' is a file" in refused(capsys, "compile", "model.onnx", "-o", "x.npy")
    assert "Cannot create folder" in refused(capsys, "compile", "model.onnx", "-o", "x.npy/out")


def test_a_place_where_nobody_may_write(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Cannot create folder '/proc/out'" in refused(capsys, "compile", "model.onnx", "-o", "/proc/out")


def test_a_full_disk(desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hwgen.build_folder.network_file.save_network", full)
    assert "no space left on device; nothing was kept" in refused(capsys, "compile", "model.onnx", "-o", "out")


def test_too_little_memory(desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("hwgen.cli.compile.compile_with", full)
    assert "more memory than there is" in refused(capsys, "compile", "model.onnx", "-o", "out")


INPUTS: dict[str, tuple[np.ndarray | bytes, str]] = {
    "wrong size": (np.ones((2, 23)), r"(frames, 24)"),
    "wrong rank": (np.ones((2, 4, 6)), "reshape it to (2, 24)"),
    "no frame": (np.ones((0, 24)), "no frame"),
    "NaN": (np.full((2, 24), np.nan), "nan at (0, 0)"),
    "not a code": (np.full((2, 24), 3), "code 3 at (0, 0)"),
    "strings": (np.full((2, 24), "a"), "<U1"),
    "booleans": (np.ones((2, 24), dtype=bool), "bool"),
    "not an array": (b"hello", "bad.npy"),
    "empty": (b"", "bad.npy"),
}


@pytest.mark.parametrize("case", INPUTS)
@pytest.mark.parametrize("command", ["simulate", "golden"])
def test_a_wrong_input_array(built_desk: Path, capsys: pytest.CaptureFixture[str], command: str, case: str) -> None:
    content, culprit = INPUTS[case]
    if isinstance(content, bytes):
        (built_desk / "bad.npy").write_bytes(content)
    else:
        np.save(built_desk / "bad.npy", content)
    options = ["-o", "y.npy"] if command == "golden" else []
    assert culprit in refused(capsys, command, "build", "--input", "bad.npy", *options)


SIMULATE_OPTIONS = {
    "absent input": (["--input", "absent.npy"], "absent.npy"),
    "endless frames": (["--frames", "9" * 23], "At most 100,000 frames are chosen"),
    "unknown engine": (["--input", "x.npy", "--engine", "vcs"], "'vcs'"),
    "no frames": (["--input", "x.npy", "--frames", "0"], "--frames"),
    "fraction of frames": (["--input", "x.npy", "--frames", "1.5"], "1.5"),
    "absent expectation": (["--input", "x.npy", "--expect", "absent.npy"], "absent.npy"),
    "wrong expectation": (["--input", "x.npy", "--expect", "x.npy"], "Expected outputs must have shape (2, 5)"),
    "unknown waves": (["--input", "x.npy", "--waves", "out.png"], "out.png"),
}


@pytest.mark.parametrize("case", SIMULATE_OPTIONS)
def test_a_wrong_option_of_simulate(built_desk: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    options, culprit = SIMULATE_OPTIONS[case]
    assert culprit in refused(capsys, "simulate", "build", *options)


def test_an_output_file_that_cannot_be_written(built_desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sentence = refused(capsys, "golden", "build", "--input", "x.npy", "-o", "x.npy/y.npy")
    assert "Cannot write 'x.npy/y.npy'" in sentence


def test_an_output_file_of_another_kind(built_desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("y.txt", "y.npz", "y"):
        sentence = refused(capsys, "golden", "build", "--input", "x.npy", "-o", name)
        assert f"is written as a .npy file, not as '{name}'; name it y.npy" in sentence


@pytest.mark.parametrize("part", ["xc7", "xc7a35t", "xc7a35t-1", "xc7a35tcpg236", "10M08"])
def test_a_part_without_package_or_speed_grade(built_desk: Path, capsys: pytest.CaptureFixture[str], part: str) -> None:
    sentence = refused(capsys, "vivado", "build", "--part", part, "-o", "out")
    assert f"with package and speed grade, like xc7a35tcpg236-1, not '{part}'" in sentence


@pytest.mark.parametrize(
    "command", [["synth", "build", "--device", "up5k"], ["vivado", "build", "--part", "xc7z020clg400-1"]]
)
def test_a_clock_in_hertz(built_desk: Path, capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    assert "to 2000, not 1e+09" in refused(
        capsys, *command, "--clock-mhz", "1e9", *(["-o", "out"] * (command[0] == "vivado"))
    )


@pytest.mark.parametrize("name", ["manifest.json", "network.json", "folding.json", "report.json"])
@pytest.mark.parametrize(
    "content", ["[" * 100_000, "[1e400", '{"record": "Network", "fields": {"name": []}}', "9" * 5000]
)
def test_a_build_folder_whose_json_is_broken_under_its_own_hash(
    built_desk: Path, capsys: pytest.CaptureFixture[str], name: str, content: str
) -> None:
    folder = built_desk / "build"
    (folder / name).write_text(content)
    if name != "manifest.json":
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["files"][name] = hashlib.sha256(content.encode()).hexdigest()
        (folder / "manifest.json").write_text(json.dumps(manifest))
    if content.startswith("{") and name == "report.json":
        return  # a report is shown as it is
    assert "compile" in refused(capsys, "simulate", "build", "--input", "x.npy")


@pytest.mark.parametrize("command", ["simulate", "golden", "report"])
@pytest.mark.parametrize(
    ("folder", "culprit"), [("nowhere", "does not exist"), ("x.npy", "is a file"), (".", "has no manifest.json")]
)
def test_something_else_in_place_of_the_build_folder(
    desk: Path, capsys: pytest.CaptureFixture[str], command: str, folder: str, culprit: str
) -> None:
    options = {"simulate": ["--input", "x.npy"], "golden": ["--input", "x.npy", "-o", "y.npy"], "report": []}
    assert culprit in refused(capsys, command, folder, *options[command])


@pytest.mark.parametrize("name", ["report.json", "folding.json", "network.json", "network.npz"])
@pytest.mark.parametrize("harm", ["missing", "changed"])
def test_a_build_folder_changed_by_hand(
    built_desk: Path, capsys: pytest.CaptureFixture[str], name: str, harm: str
) -> None:
    path = built_desk / "build" / name
    if harm == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes() + b"\n")
    sentence = refused(capsys, "simulate", "build", "--input", "x.npy")
    assert name in sentence
    assert harm in sentence


def test_changed_verilog(built_desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (verilog,) = (path for path in (built_desk / "build" / "rtl").glob("*.v") if not path.stem.endswith("_inst"))
    verilog.write_text(verilog.read_text().replace("1'h0", "1'h1", 1) + "// edited\n")
    assert f"{verilog.name}' was changed" in refused(capsys, "simulate", "build", "--input", "x.npy")


@pytest.mark.parametrize(("engine", "program"), [("verilator", "g++"), ("icarus", "iverilog")])
def test_a_missing_tool(
    built_desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, engine: str, program: str
) -> None:
    monkeypatch.setenv("PATH", str(built_desk / "empty"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(built_desk.parent / "cache"))
    sentence = refused(capsys, "simulate", "build", "--input", "x.npy", "--engine", engine)
    assert program in sentence
    assert "install" in sentence


def test_yosys_that_is_not_installed(
    desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toolchain.importlib.util, "find_spec", lambda name: None)
    assert "pip install pyosys" in refused(capsys, "compile", "model.onnx", "-o", "out")


@pytest.mark.parametrize("arguments", [["frobnicate"], ["report"], ["completion", "tcsh"], ["--frobnicate"]])
def test_a_wrong_command_line(desk: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    refused(capsys, *arguments)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_compile_leaves_nothing(desk: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "hwgen", "compile", "model.onnx", "-o", "out", "-v"]
    environment = {**os.environ, "PYTHONPATH": str(Path(main.__file__).parents[2])}

    def hear_ctrl_c() -> None:
        """Undo what a shell does to programs that it starts in the background, as a CI runner may have started us."""
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=environment, preexec_fn=hear_ctrl_c
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "writing Verilog" in line:
                break
        time.sleep(0.05)
        process.send_signal(number)
        err = process.stderr.read()
    assert process.returncode == 130
    assert err.splitlines()[-1] == "hwgen: interrupted; nothing half-written was kept"
    assert sorted(path.name for path in desk.iterdir()) == ["model.onnx", "x.npy"]
