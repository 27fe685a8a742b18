"""Networks with several inputs, from the ONNX file to the simulated board."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import hwgen
from hwgen.arrays import codec
from hwgen.cli.main import main
from hwgen.errors import DataError, ModelError, OptionError
from hwgen.host import run
from hwgen.host.virtual import virtual_link
from hwgen.pipeline.layout import lay_out

FRAMES = 12
BITS = np.array([-1, 1], dtype=np.float32)
DECLARED = {"image": "uint4", "level": "int6"}
"""The third input is signed in the graph, the fourth read by nobody."""


def fusion(path: Path) -> Path:
    """Write a network that fuses a picture, a measured vector and a map of bits: a sum, and then all side by side; and one more input that nothing reads."""
    random = np.random.default_rng(11)
    weights = {
        "w_image": random.choice(BITS, size=(4, 2, 3, 3)),
        "w_level": random.choice(BITS, size=(5, 64)),
        "w_sum": random.choice(BITS, size=(64, 6)),
        "w_mask": random.choice(BITS, size=(3, 1, 3, 3)),
        "w_head": random.choice(BITS, size=(6 + 3, 3)),
        "zero": np.float32(0),
        "one": np.float32(1),
        "minus_one": np.float32(-1),
    }

    def sign(tensor: str) -> list[onnx.NodeProto]:
        return [
            helper.make_node("GreaterOrEqual", [tensor, "zero"], [f"{tensor}_positive"], name=f"{tensor}_positive"),
            helper.make_node(
                "Where", [f"{tensor}_positive", "one", "minus_one"], [f"{tensor}_sign"], name=f"{tensor}_sign"
            ),
        ]

    nodes = [
        helper.make_node("Conv", ["image", "w_image"], ["sums"], name="trunk"),
        helper.make_node("Flatten", ["sums"], ["flat"], name="flat"),
        helper.make_node("MatMul", ["level", "w_level"], ["levels"], name="level_dense"),
        helper.make_node("Add", ["flat", "levels"], ["fused"], name="fuse"),
        *sign("fused"),
        helper.make_node("MatMul", ["fused_sign", "w_sum"], ["scores"], name="sum_dense"),
        *sign("scores"),
        *sign("mask"),
        helper.make_node("Conv", ["mask_sign", "w_mask"], ["marks"], name="mask_conv"),
        *sign("marks"),
        helper.make_node("Flatten", ["marks_sign"], ["mark_flat"], name="mark_flat"),
        helper.make_node("Concat", ["scores_sign", "mark_flat"], ["both"], name="both", axis=1),
        helper.make_node("MatMul", ["both", "w_head"], ["y"], name="head"),
    ]
    shapes = {"image": ["N", 2, 6, 6], "level": ["N", 5], "mask": ["N", 1, 3, 3], "spare": ["K", "L", 3]}
    graph = helper.make_graph(
        nodes,
        "fusion",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(model, path)
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fusion(tmp_path_factory.mktemp("fusion") / "fusion.onnx")


@pytest.fixture(scope="module")
def build(model: Path) -> hwgen.Accelerator:
    return hwgen.compile(model, model.parent / "build", target_fps=1e6, input_type=DECLARED)


@pytest.fixture(scope="module")
def x() -> dict[str, np.ndarray]:
    random = np.random.default_rng(3)
    return {
        "image": random.integers(0, 16, size=(FRAMES, 2, 6, 6)).astype(np.float32),
        "level": random.integers(-32, 32, size=(FRAMES, 5)).astype(np.float32),
        "mask": random.standard_normal((FRAMES, 1, 3, 3)).astype(np.float32),
    }


@pytest.fixture(scope="module")
def wanted(model: Path, x: dict[str, np.ndarray]) -> np.ndarray:
    """What ONNX Runtime gives."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (y,) = session.run(None, {**x, "spare": np.zeros((1, 1, 3), dtype=np.float32)})
    return np.asarray(y)


def test_each_input_has_its_own_type_and_layout_and_one_that_nothing_reads_is_left_out(
    build: hwgen.Accelerator, x: dict[str, np.ndarray], wanted: np.ndarray
) -> None:
    network = build.network
    assert [(port.name, str(port.type), port.shape) for port in network.inputs] == [
        ("image", "uint4", (6, 6, 2)),
        ("level", "int6", (1, 1, 5)),
        ("mask", "bipolar", (3, 3, 1)),
    ]
    assert "Input 'spare' is left out: no output depends on it" in network.notes
    assert np.array_equal(build.golden(x), wanted)
    assert np.array_equal(network.golden(*codec.input_codes(network, x)).reshape(FRAMES, 3), wanted)
    assert [port["name"] for port in build.report["network"]["inputs"]] == ["image", "level", "mask"]
    with pytest.raises(ValueError, match="too many values"):
        _ = network.input


def test_the_verilog_takes_them_one_after_the_other_on_the_predicted_cycles(
    build: hwgen.Accelerator, x: dict[str, np.ndarray], wanted: np.ndarray
) -> None:
    result = build.simulate(x, expected=wanted, stall=True)
    assert result.exact
    assert (result.mismatches, result.expected_mismatches) == (0, 0)
    assert np.array_equal(result.outputs, wanted)
    assert (result.beats_off_schedule, result.ii_measured) == (0, build.report["ii"])
    source = build.pipeline.source
    assert (source.count, source.bits) == (
        sum(part.count for part in source.parts),
        max(part.bits for part in source.parts),
    )
    assert source.count <= build.plan.cycles


def test_a_build_folder_keeps_the_inputs_and_the_depths_of_their_fifos(
    build: hwgen.Accelerator, x: dict[str, np.ndarray], wanted: np.ndarray
) -> None:
    loaded = hwgen.load(build.folder)
    assert loaded.plan.depths == build.plan.depths
    assert [name for name, reader in loaded.plan.depths if reader is None] == ["image", "level", "mask"]
    assert [fifo["depth"] for fifo in build.report["input_fifos"]] == [
        build.plan.depths[name, None] for name in ("image", "level", "mask")
    ]
    assert np.array_equal(loaded.golden(x), wanted)
    manifest = json.loads((build.folder / "manifest.json").read_text())
    assert list(manifest["ports"]["s_axis"]["inputs"]) == ["image", "level", "mask"]
    header = (build.folder / "rtl" / "fusion.v").read_text().partition("\nmodule")[0]
    assert "the inputs in turn, tlast with the last of all" in header
    assert "input 2: 9 beats a frame (map 3 x 3 x 1, channels last), zero-extended." in header


@pytest.mark.slow
def test_the_bench_of_the_build_folder_takes_them_in_turn(build: hwgen.Accelerator) -> None:
    x = {port.name: np.zeros((2, *port.onnx_shape)) for port in build.network.inputs}
    x["image"][1] = 15
    assert build.simulate(x, engine="cocotb").exact


def test_a_board_takes_all_of_them_as_one_frame(
    build: hwgen.Accelerator, x: dict[str, np.ndarray], wanted: np.ndarray
) -> None:
    with virtual_link(build, frames=3) as link:
        shape = link.identify()
        assert (shape.beats_in, shape.bytes_in) == (build.pipeline.source.count, build.pipeline.source.bytes)
        result = run.run(build, link, x, frames=3, check=True)
    assert (result.frames, result.mismatches) == (3, 0)
    assert np.array_equal(result.outputs, wanted[:3])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x["image"], "The network has the inputs 'image', 'level', 'mask': name the frames of each"),
        (lambda x: {**x, "spare": x["level"]}, "There is no input 'spare': the network has 'image', 'level', 'mask'"),
        (lambda x: {"image": x["image"], "mask": x["mask"]}, "Input 'level' has no frames: the network has the inputs"),
        (
            lambda x: {**x, "mask": x["mask"][:5]},
            "Input 'image' has 12 frames and input 'mask' 5; give as many of each",
        ),
        (lambda x: {**x, "level": x["level"] + 0.5}, r"Input 'level': value \S+ at \(0, 0\) lies between two codes"),
        (lambda x: {**x, "level": x["image"]}, r"Input 'level' must have shape \(frames, 5\)"),
    ],
)
def test_frames_without_meaning_are_refused(
    build: hwgen.Accelerator, x: dict[str, np.ndarray], change: object, message: str
) -> None:
    for use in (build.golden, build.simulate):
        with pytest.raises(DataError, match=message):
            use(change(x))


def test_codes_of_different_numbers_of_frames_are_refused(build: hwgen.Accelerator, x: dict[str, np.ndarray]) -> None:
    codes = codec.input_codes(build.network, x)
    with pytest.raises(DataError, match="Input 'image' has 12 frames and input 'level' 11"):
        build.network.golden(codes[0], codes[1][:-1], codes[2])


def test_the_command_line_takes_a_file_for_each_or_one_archive(
    build: hwgen.Accelerator,
    x: dict[str, np.ndarray],
    wanted: np.ndarray,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, array in x.items():
        np.save(tmp_path / f"{name}=1.npy", array)
    np.savez(tmp_path / "all.npz", **x)
    np.save(tmp_path / "image.npy", x["image"])
    each = [word for name in x for word in ("--input", f"{name}={tmp_path / name}=1.npy")]
    y = tmp_path / "y.npy"
    for inputs in (each, ["--input", str(tmp_path / "all.npz")]):
        assert main(["golden", str(build.folder), *inputs, "-o", str(y)]) == 0
        assert np.array_equal(np.load(y), wanted)
        y.unlink()
    refusals = {
        "name the frames of each": ["--input", str(tmp_path / "image.npy")],
        "Input 'level' has no frames": each[:2],
        "There is no input 'imag'": [*each, "--input", f"imag={tmp_path / 'image.npy'}"],
        "give either one file for all inputs, or NAME=FILE for each": [*each, "--input", str(tmp_path / "image.npy")],
        "it says something twice of the same input": [*each, *each[:2]],
    }
    for message, inputs in refusals.items():
        capsys.readouterr()
        assert main(["golden", str(build.folder), *inputs, "-o", str(y)]) == 2
        assert message in capsys.readouterr().err
        assert not y.exists()


def test_the_command_line_declares_all_inputs_or_each(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def kinds(*options: str) -> list[tuple[str, float, float]]:
        assert main(["info", str(model), "--json", *options]) == 0
        facts = json.loads(capsys.readouterr().out)
        return [(port["type"], port["scale"], port["offset"]) for port in facts["inputs"]]

    assert kinds("--input-type", "image=uint4", "--input-type", "level=int6") == [
        ("uint4", 1, 0),
        ("int6", 1, 0),
        ("bipolar", 1, 0),
    ]
    assert kinds("--input-type", "int4") == [("int4", 1, 0)] * 3
    mixed = ("--input-type", "uint3", "--input-type", "mask=bipolar", "--input-scale", "mask=1")
    assert kinds(*mixed, "--input-scale", "2") == [("uint3", 2, 0), ("uint3", 2, 0), ("bipolar", 1, 0)]


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (
            {"input_type": {"picture": "uint4"}},
            "There is no input 'picture' to declare: the model has 'image', 'level'",
        ),
        ({"input_type": {"image": "uint4"}, "input_scale": 0.5}, "needs an input type, .* input 'level' has none"),
    ],
)
def test_declarations_without_meaning_are_refused(model: Path, declared: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        hwgen.read(model, **declared)


def test_an_input_that_the_graph_does_not_quantise_is_named(model: Path) -> None:
    with pytest.raises(ModelError, match=r"reads input 'level' as real numbers; .* --input-type level=uint8"):
        hwgen.read(model, input_type={"image": "uint4"})


def test_calibration_gives_each_input_its_range(model: Path, x: dict[str, np.ndarray]) -> None:
    scales = {"image": 0.1, "level": 10}
    real = {**x, **{name: (scale * x[name]).astype(np.float32) for name, scale in scales.items()}}
    network = hwgen.read(model, calibrate=real, fixed_bits=10)
    image, level, mask = network.inputs
    assert (image.rounds, level.rounds, mask.rounds) == (True, True, False)
    assert level.scale > 50 * image.scale
    assert any(note.startswith("Calibrated on 12 frames") for note in network.notes)
    assert dict((name, high) for name, _, high in network.conversion.ranges)["level"] == real["level"].max()
    with pytest.raises(DataError, match="Input 'image' has 12 frames and input 'level' 3"):
        hwgen.read(model, calibrate={**real, "level": real["level"][:3]})
    with pytest.raises(DataError, match="name the frames of each"):
        hwgen.read(model, calibrate=real["image"])


def test_maps_in_turn_take_no_longer_than_the_slowest_layer(model: Path) -> None:
    """Where a beat of the layers' own lanes would, the port is wider."""
    network = hwgen.read(model, input_type=DECLARED)
    for options in ({"max_throughput": True}, {"min_area": True}, {"target_fps": 2e6}):
        plan = hwgen.plan(network, **options)
        source = lay_out(plan).source
        assert source.count <= plan.cycles or all(part.count == 1 for part in source.parts)
        assert lay_out(plan).stages[0].lanes == tuple(part.lanes for part in source.parts)


def twins(*nodes: onnx.NodeProto, batches: tuple[object, object]) -> onnx.ModelProto:
    """Give a model of two inputs whose batches are as given."""
    shapes = {name: [batch, 4] for name, batch in zip("ab", batches, strict=True)}
    graph = helper.make_graph(
        list(nodes),
        "twins",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)


ADD = helper.make_node("Add", ["a", "b"], ["y"], name="sum")


def test_batches_of_different_sizes_are_refused(tmp_path: Path) -> None:
    onnx.save(twins(ADD, batches=(4, 2)), tmp_path / "twins.onnx")
    message = "batches of different sizes .4 frames of 'a', 2 frames of 'b'.; export the model with the same for all"
    with pytest.raises(ModelError, match=message):
        hwgen.read(tmp_path / "twins.onnx", input_type="int4")


@pytest.mark.parametrize("batches", [(4, 4), ("N", 4), ("N", "M")])
def test_inputs_that_join_at_once_share_the_batch(tmp_path: Path, batches: tuple[object, object]) -> None:
    onnx.save(twins(ADD, batches=batches), tmp_path / "twins.onnx")
    network = hwgen.read(tmp_path / "twins.onnx", input_type={"a": "int4", None: "uint2"})
    codes = [np.array([[[[-8, 0, 3, 7]]]]), np.array([[[[0, 1, 2, 3]]]])]
    assert network.golden(*codes).tolist() == [[[[-8, 1, 5, 10]]]]


def test_an_input_may_also_leave_as_it_came(tmp_path: Path) -> None:
    copy = helper.make_node("Identity", ["b"], ["copy"], name="copy")
    proto = twins(ADD, copy, batches=("N", "N"))
    proto.graph.output.append(helper.make_tensor_value_info("copy", TensorProto.FLOAT, ["N", 4]))
    onnx.save(proto, tmp_path / "twins.onnx")
    build = hwgen.compile(tmp_path / "twins.onnx", tmp_path / "build", input_type="int4")
    x = {name: np.random.default_rng(n).integers(-8, 8, (3, 4)).astype(np.float32) for n, name in enumerate("ab")}
    result = build.simulate(x, expected={"y": x["a"] + x["b"], "copy": x["b"]})
    assert result.exact
