"""Networks with several outputs, from the ONNX file to the simulated board."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import hwgen
from hwgen.cli.main import main
from hwgen.errors import DataError
from hwgen.host import run
from hwgen.host.virtual import virtual_link

RANDOM = np.random.default_rng(11)
CLASSES, BOXES = 3, 5


def heads(path: Path) -> Path:
    """Write a detector in small: a trunk, a head of scores (a map) and one of whole numbers (a vector), and the same vector's best class."""
    bits = np.array([-1, 1], dtype=np.float32)
    weights = {
        "w_trunk": RANDOM.choice(bits, size=(4, 2, 3, 3)),
        "w_box": RANDOM.choice(bits, size=(BOXES, 4, 3, 3)),
        "w_class": RANDOM.choice(bits, size=(4 * 4 * 4, CLASSES)),
        "zero": np.float32(0),
        "one": np.float32(1),
        "minus_one": np.float32(-1),
        "half": np.float32(0.5),
    }
    nodes = [
        helper.make_node("GreaterOrEqual", ["x", "zero"], ["x_positive"], name="x_positive"),
        helper.make_node("Where", ["x_positive", "one", "minus_one"], ["x_sign"], name="x_sign"),
        helper.make_node("Conv", ["x_sign", "w_trunk"], ["sums"], name="trunk"),
        helper.make_node("GreaterOrEqual", ["sums", "zero"], ["positive"], name="positive"),
        helper.make_node("Where", ["positive", "one", "minus_one"], ["features"], name="features"),
        helper.make_node("Conv", ["features", "w_box"], ["box_sums"], name="box_head"),
        helper.make_node("Mul", ["box_sums", "half"], ["boxes"], name="box_scale"),
        helper.make_node("Flatten", ["features"], ["flat"], name="flat"),
        helper.make_node("MatMul", ["flat", "w_class"], ["scores"], name="class_head"),
        helper.make_node("ArgMax", ["scores"], ["label"], name="label_head", axis=1, keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "detector",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2, 6, 6])],
        [
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, ["N", BOXES, 2, 2]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", CLASSES]),
            helper.make_tensor_value_info("label", TensorProto.INT64, ["N"]),
        ],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(onnx.shape_inference.infer_shapes(model), path)
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return heads(tmp_path_factory.mktemp("heads") / "heads.onnx")


@pytest.fixture(scope="module")
def build(model: Path) -> hwgen.Accelerator:
    return hwgen.compile(model, model.parent / "build", target_fps=1e6)


@pytest.fixture(scope="module")
def x() -> np.ndarray:
    return np.random.default_rng(3).standard_normal((12, 2, 6, 6)).astype(np.float32)


@pytest.fixture(scope="module")
def wanted(model: Path, x: np.ndarray) -> dict[str, np.ndarray]:
    """What ONNX Runtime gives."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, session.run(names, {"x": x}), strict=True))


def test_golden_gives_every_output_by_its_name(
    build: hwgen.Accelerator, x: np.ndarray, wanted: dict[str, np.ndarray]
) -> None:
    found = build.golden(x)
    assert isinstance(found, dict)
    assert list(found) == ["boxes", "scores", "label"] == [port["name"] for port in build.report["network"]["outputs"]]
    for name, array in wanted.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)
    codes = build.golden(x, codes=True)
    assert np.array_equal(codes["boxes"], 2 * wanted["boxes"])


def test_the_verilog_gives_them_one_after_the_other_on_the_predicted_cycles(
    build: hwgen.Accelerator, x: np.ndarray, wanted: dict[str, np.ndarray]
) -> None:
    result = build.simulate(x, expected=wanted, stall=True)
    assert result.exact
    assert result.mismatches_by_output == {"boxes": 0, "scores": 0, "label": 0}
    assert result.expected_mismatches == 0
    assert all(np.array_equal(result.outputs[name], array) for name, array in wanted.items())
    assert (result.beats_off_schedule, result.ii_measured) == (0, build.report["ii"])
    sink = build.pipeline.sink
    assert (sink.count, sink.bits) == (sum(part.count for part in sink.parts), max(part.bits for part in sink.parts))


def test_an_output_that_is_not_as_expected_counts_once_a_frame(
    build: hwgen.Accelerator, x: np.ndarray, wanted: dict[str, np.ndarray]
) -> None:
    off = {"scores": wanted["scores"].copy(), "label": wanted["label"].copy()}
    off["scores"][2] += 2
    off["label"][[2, 7]] += 1
    result = build.simulate(x, expected=off)
    assert (result.mismatches, result.expected_mismatches) == (0, 2)


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        ({"score": np.zeros((12, 3))}, "name 'score', but the network has 'boxes', 'scores', 'label'"),
        (np.zeros((12, 3)), "has the outputs 'boxes', 'scores', 'label': name what is expected of each"),
        ({"scores": np.zeros((12, 4))}, r"must have shape \(12, 3\)"),
        ({"scores": np.zeros(12, dtype=int)}, "Labels need a network of one output"),
    ],
)
def test_expectations_without_meaning_are_refused(
    build: hwgen.Accelerator, x: np.ndarray, expected: object, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        build.simulate(x, expected=expected)


def test_the_command_line_writes_an_archive(
    build: hwgen.Accelerator,
    x: np.ndarray,
    wanted: dict[str, np.ndarray],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    np.save(tmp_path / "x.npy", x)
    arguments = ["golden", str(build.folder), "--input", str(tmp_path / "x.npy"), "-o"]
    assert main([*arguments, str(tmp_path / "y.npz")]) == 0
    with np.load(tmp_path / "y.npz") as archive:
        assert list(archive) == list(wanted)
        assert all(np.array_equal(archive[name], array) for name, array in wanted.items())
    capsys.readouterr()
    assert main([*arguments, str(tmp_path / "y.npy")]) == 2
    assert "The outputs 'boxes', 'scores', 'label' need a .npz file" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.npy", "y.npz"]


def test_a_board_sends_all_of_them(build: hwgen.Accelerator, x: np.ndarray, wanted: dict[str, np.ndarray]) -> None:
    with virtual_link(build, frames=3) as link:
        result = run.run(build, link, x[:3], check=True)
    assert result.mismatches == 0
    assert all(np.array_equal(result.outputs[name], array[:3]) for name, array in wanted.items())
