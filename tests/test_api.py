"""The Python interface, from the ONNX file to the simulated Verilog."""

from __future__ import annotations

import inspect
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import hwgen
from hwgen.build_folder.manifest import MANIFEST
from hwgen.folding.target import Target
from hwgen.pipeline.fifo_depths import size_fifos
from hwgen.progress import phase


def onnx_frames(count: int, *shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, *shape)).astype(np.float32)


def test_the_interface_is_what_the_documentation_says() -> None:
    page = (Path(__file__).parent.parent / "docs" / "api.md").read_text()
    for name in ("read", "plan", "build", "load"):
        assert f"`hwgen.{name}(" in page
        for parameter in inspect.signature(getattr(hwgen, name)).parameters.values():
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY and parameter.name != "progress":
                assert parameter.name in page
    assert set(hwgen.__all__) >= {"read", "plan", "build", "compile", "load", "Accelerator", "Simulation", "HwgenError"}
    assert all(inspect.getdoc(getattr(hwgen, name)) for name in hwgen.__all__ if name != "__version__")


def test_the_function_plan_is_not_hidden_by_the_module_of_that_name() -> None:
    from hwgen.plan import Plan

    assert inspect.isfunction(hwgen.plan)
    assert Plan.__module__ == "hwgen.plan"


def test_read_plan_build_simulate(dense_onnx: Path, tmp_path: Path) -> None:
    net = hwgen.read(dense_onnx)
    plan = hwgen.plan(net, target_fps=1e6, clock_mhz=50)
    acc = hwgen.build(plan, tmp_path / "build")
    x = onnx_frames(20, 24)
    result = acc.simulate(x)
    assert result.exact
    assert np.array_equal(result.outputs, acc.golden(x))
    assert np.array_equal(result.codes, acc.golden(x, codes=True))
    assert result.ii_measured == acc.report["ii"] <= 50


def test_golden_is_the_integer_image(image_onnx: Path, image_build: Path) -> None:
    x = np.random.default_rng(0).integers(0, 256, size=(50, 2, 6, 6), dtype=np.uint8)
    model = image_onnx.read_bytes()
    plain = without_bipolar_quant(model)
    session = onnxruntime.InferenceSession(plain, providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {"x": x.astype(np.float32)})
    acc = hwgen.load(image_build)
    assert np.array_equal(acc.golden(x), expected)
    assert np.array_equal(acc.golden(x.astype(np.float32)), expected)
    assert np.array_equal(acc.golden(x[0]), expected[:1])


def without_bipolar_quant(content: bytes) -> bytes:
    """Spell x >= 0 ? 1 : -1 in operators that ONNX Runtime knows."""
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load_from_string(content)
    nodes = []
    for node in model.graph.node:
        if node.op_type != "BipolarQuant":
            nodes.append(node)
            continue
        high = f"{node.output[0]}_high"
        nodes.append(helper.make_node("GreaterOrEqual", [node.input[0], "zero"], [high]))
        nodes.append(helper.make_node("Where", [high, "one", "minus"], [node.output[0]]))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    constants = {"zero": 0, "one": 1, "minus": -1}
    model.graph.initializer.extend(numpy_helper.from_array(np.float32(v), k) for k, v in constants.items())
    del model.opset_import[1:]
    return model.SerializeToString()


def test_the_verilog_of_an_image_network_is_exact(image_build: Path) -> None:
    x = np.random.default_rng(1).integers(0, 256, size=(20, 2, 6, 6), dtype=np.uint8)
    acc = hwgen.load(image_build)
    result = acc.simulate(x, expected=acc.golden(x))
    assert result.exact
    assert (result.mismatches, result.expected_mismatches, result.beats_off_schedule) == (0, 0, 0)
    assert result.ii_measured == result.ii_predicted == acc.plan.cycles


def test_stalls_change_no_value_and_follow_a_run_without(image_build: Path) -> None:
    x = np.random.default_rng(2).integers(0, 256, size=(10, 2, 6, 6), dtype=np.uint8)
    result = hwgen.load(image_build).simulate(x, stall=True)
    assert result.exact
    assert (result.beats_off_schedule, result.ii_measured) == (0, result.ii_predicted)


def test_a_single_frame_has_no_interval(dense_build: Path) -> None:
    result = hwgen.load(dense_build).simulate(onnx_frames(1, 24)[0])
    assert result.exact
    assert (result.frames, result.ii_measured) == (1, None)
    assert result.latency_measured == result.latency_predicted


@pytest.mark.parametrize(
    "engine", [pytest.param("cocotb", marks=pytest.mark.slow), pytest.param("icarus", marks=pytest.mark.icarus)]
)
def test_the_other_engines_agree(dense_build: Path, engine: str) -> None:
    result = hwgen.load(dense_build).simulate(onnx_frames(5, 24), engine=engine)
    assert result.exact
    assert result.engine.value == engine
    assert result.beats_off_schedule == 0


def test_an_unknown_engine_is_refused(dense_build: Path) -> None:
    with pytest.raises(hwgen.OptionError, match="one of verilator, cocotb, icarus, not 'vcs'"):
        hwgen.load(dense_build).simulate(onnx_frames(1, 24), engine="vcs")


def test_waves_are_written(dense_build: Path, tmp_path: Path) -> None:
    hwgen.load(dense_build).simulate(onnx_frames(2, 24), waves=tmp_path / "out.fst")
    assert (tmp_path / "out.fst").stat().st_size > 100


def test_the_build_folder_is_complete(dense_build: Path, tmp_path: Path) -> None:
    """It works elsewhere, from its files alone."""
    shutil.copytree(dense_build, tmp_path / "moved")
    acc, original = hwgen.load(tmp_path / "moved"), hwgen.load(dense_build)
    x = onnx_frames(7, 24)
    assert np.array_equal(acc.golden(x), original.golden(x))
    assert acc.simulate(x).exact


def test_the_same_input_gives_the_same_bytes(dense_onnx: Path, dense_build: Path, tmp_path: Path) -> None:
    hwgen.build(hwgen.plan(hwgen.read(dense_onnx), min_area=True), tmp_path / "again")
    first, second = (
        {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (dense_build, tmp_path / "again")
    )
    written = [*json.loads(first[MANIFEST])["files"], MANIFEST]
    assert {name: first[name] for name in written} == second


def test_no_file_tells_where_it_was_made(dense_build: Path) -> None:
    for name in hwgen.load(dense_build).files:
        content = (dense_build / name).read_bytes()
        assert str(dense_build.parent).encode() not in content
        assert str(Path.home()).encode() + b"/" not in content


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"min_area": True, "target_fps": 3}, "Give one target, not target_fps and min_area"),
        ({"target_fps": 0}, "positive number of frames a second, not 0"),
        ({"clock_mhz": float("nan")}, "positive number of MHz, from 0.001 to 2000, not nan"),
        ({"folding_file": "f.json", "clock_mhz": 3}, "has its own clock_mhz"),
        ({"folding_file": "absent.json"}, "Cannot read 'absent.json': no such file"),
    ],
)
def test_a_plan_has_one_legal_target(dense_onnx: Path, arguments: dict, message: str) -> None:
    with pytest.raises(hwgen.OptionError, match=message):
        hwgen.plan(hwgen.read(dense_onnx), **arguments)


def test_progress_tells_each_step(dense_onnx: Path, tmp_path: Path) -> None:
    steps: list[str] = []
    net = hwgen.read(dense_onnx, progress=steps.append)
    hwgen.build(hwgen.plan(net), tmp_path / "build", progress=steps.append)
    phases = [
        "reading",
        "streamlining",
        "sizing FIFOs",
        "designing hardware",
        "writing Verilog",
        "writing the build folder",
    ]
    assert [step for step in steps if ": " not in step] == phases
    assert "streamlining: node 'matmul1'" in steps
    assert any(step.startswith("writing Verilog: module '") for step in steps)


def test_places_are_told_only_within_a_phase(dense_onnx: Path) -> None:
    steps: list[str] = []
    net = hwgen.read(dense_onnx)
    with phase(steps.append, "folding"):
        plan = Target(target_fps=1000.0).fold(net)
    assert steps == ["folding", *(f"folding: layer '{layer.name}'" for layer in net.layers)]
    open_plan = replace(plan, folds={name: replace(fold, slots=None) for name, fold in plan.folds.items()})
    with phase(steps.append, "sizing"):
        size_fifos(open_plan)
    assert steps[-1] == f"sizing: layer '{net.layers[0].name}'"
    told = list(steps)
    size_fifos(open_plan)
    assert steps == told


def test_compile_is_the_four_in_one(dense_onnx: Path, dense_build: Path, tmp_path: Path) -> None:
    acc = hwgen.compile(dense_onnx, tmp_path / "build", min_area=True)
    held = hwgen.verify(dense_onnx, hwgen.read(dense_onnx))
    assert acc.report == hwgen.load(dense_build).report | {"verification": held.facts()}


def test_the_module_takes_the_name_that_was_asked_for(dense_onnx: Path, tmp_path: Path) -> None:
    acc = hwgen.compile(dense_onnx, tmp_path / "build", name="earbud")
    assert "module earbud(" in (tmp_path / "build" / "rtl" / "earbud.v").read_text()
    assert acc.network.name == "earbud"


def test_compile_looks_at_options_and_folder_first(tmp_path: Path) -> None:
    with pytest.raises(hwgen.OptionError, match="Give one target"):
        hwgen.compile("absent.onnx", tmp_path / "build", min_area=True, max_throughput=True)
    (tmp_path / "mine").touch()
    with pytest.raises(hwgen.OptionError, match="not hwgen's"):
        hwgen.compile("absent.onnx", tmp_path)
