"""A model taken apart: its parts, run one after another by ONNX Runtime, yield what the whole yields, and the middle becomes hardware."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

import hwgen
from hwgen.cli.main import main
from hwgen.errors import NodesError, OptionError
from hwgen.frontend.cut import Cut, cut_at, cut_where_needed

OPSETS = '<ir_version: 10, opset_import: ["" : 17]>'
RNG = np.random.default_rng(5)
SIGNS = {name: RNG.choice([-1.0, 1.0], shape).astype(np.float32) for name, shape in
         {"w": (3, 3, 1, 1), "v": (4, 3, 1, 1), "u": (4, 3, 1, 1)}.items()}  # fmt: skip
FRAMES = RNG.choice([-1.0, 1.0], (5, 3, 4, 4)).astype(np.float32)

TAIL = "c = Conv (x, w) a = Sign (c) y = Conv (a, v) s = Sin (y) z = Mul (s, two)"
SKIPPED = (
    "c = Conv (x, w) a = Sign (c) y = Conv (a, v) g = GlobalAveragePool (a) h = Conv (g, u) s = Sin (y) z = Add (s, h)"
)


def saved(folder: Path, body: str, inputs: str = "float[N,3,4,4] x", outputs: str = "float[N,4,4,4] z") -> Path:
    model = onnx.parser.parse_model(f"{OPSETS} net ({inputs}) => ({outputs}) <float two = {{2.0}}> {{ {body} }}")
    model.graph.initializer.extend(
        numpy_helper.from_array(array, name) for name, array in SIGNS.items() if f" {name})" in body
    )
    onnx.save(model, folder / "net.onnx")
    return folder / "net.onnx"


def run(model: bytes, tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_outputs()]
    return dict(
        zip(names, session.run(names, {value.name: tensors[value.name] for value in session.get_inputs()}), strict=True)
    )


def equal_in_parts(path: Path, cut: Cut, frames: dict[str, np.ndarray]) -> None:
    tensors = dict(frames)
    for part in cut.files().values():
        tensors |= run(part, tensors)
    for name, expected in run(path.read_bytes(), frames).items():
        np.testing.assert_array_equal(tensors[name], expected)


def test_what_cannot_become_hardware_stays_on_the_host_with_all_behind_it(tmp_path):
    path = saved(tmp_path, TAIL)
    accelerator = hwgen.compile(path, tmp_path / "b", input_type="bipolar", cut="auto")
    whole = run(path.read_bytes(), {"x": FRAMES})["z"]
    behind = (tmp_path / "b" / "behind.onnx").read_bytes()
    np.testing.assert_array_equal(run(behind, {"y": accelerator.golden(FRAMES)})["z"], whole)
    assert accelerator.report["notes"][0] == "Behind 'y' the host runs behind.onnx: 's' (Sin), 'z' (Mul)"
    assert accelerator.report["verification"]["outcome"] == "equal"
    assert {"accelerated.onnx", "behind.onnx"} <= set(accelerator.files)
    assert not (tmp_path / "b" / "in_front.onnx").exists()


def test_the_accelerators_part_verifies_the_build(tmp_path, capsys):
    path = saved(tmp_path, TAIL)
    assert main(["compile", str(path), "-o", str(tmp_path / "b"), "--input-type", "bipolar", "--cut", "y", "-q"]) == 0
    np.save(tmp_path / "x.npy", FRAMES)
    capsys.readouterr()
    arguments = [str(tmp_path / "b" / "accelerated.onnx"), str(tmp_path / "b"), "--input", str(tmp_path / "x.npy")]
    assert main(["verify", *arguments, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [(row["tensor"], row["frames"]) for row in rows] == [("a", 0), ("y", 0)]


def test_nodes_that_need_it_stay_in_front(tmp_path):
    path = saved(
        tmp_path, f"p = Sin (x) q = Sign (p) {TAIL.replace('(x, w)', '(q, w)')}".replace("s = Sin (y)", "s = Neg (y)")
    )
    network, cut = cut_where_needed(path, lambda part: read(tmp_path, part, None))
    assert cut is not None
    assert (cut.begins, cut.place, cut.nodes_in_front) == (("p",), "p:z", ("'p' (Sin)",))
    assert [port.name for port in network.inputs] == ["p"]
    equal_in_parts(path, cut, {"x": FRAMES})


def read(folder: Path, part: onnx.ModelProto, kind: str | None = "bipolar") -> hwgen.network.Network:
    onnx.save(part, folder / "part.onnx")
    return hwgen.read(folder / "part.onnx", input_type=kind)


def test_every_tensor_that_crosses_becomes_an_output(tmp_path):
    path = saved(tmp_path, SKIPPED)
    network, cut = cut_where_needed(path, lambda part: read(tmp_path, part))
    assert cut is not None
    assert cut.ends == ("y", "h")
    assert [port.name for port in network.outputs] == ["y", "h"]
    assert cut.nodes_behind == ("'s' (Sin)", "'z' (Add)")
    equal_in_parts(path, cut, {"x": FRAMES})


def test_named_tensors_take_their_outputs_of_the_graph_along(tmp_path):
    path = saved(tmp_path, TAIL, outputs="float[N,4,4,4] z, float[N,3,4,4] a")
    cut = cut_at(path, "y")
    assert cut.ends == ("a", "y")
    assert [value.name for value in onnx.load_from_string(cut.files()["behind.onnx"]).graph.output] == ["z"]
    equal_in_parts(path, cut, {"x": FRAMES})


def test_an_input_that_only_the_host_reads(tmp_path):
    body = TAIL.replace("Mul (s, two)", "Mul (s, m)")
    path = saved(tmp_path, body, inputs="float[N,3,4,4] x, float[N,4,4,4] m")
    cut = cut_at(path, "y")
    assert cut.begins == ("x",)
    equal_in_parts(path, cut, {"x": FRAMES, "m": np.full((5, 4, 4, 4), 3, np.float32)})


def test_constants_that_are_computed_go_to_each_part_that_reads_them(tmp_path):
    body = "k = Add (two, two) x2 = Mul (x, k) c = Conv (x2, w) s = Sin (c) z = Mul (s, k)"
    path = saved(tmp_path, body, outputs="float[N,3,4,4] z")
    cut = cut_at(path, "x2:c")
    assert cut.nodes_in_front == ("'x2' (Mul)",)
    equal_in_parts(path, cut, {"x": FRAMES})


def test_names_with_colons(tmp_path):
    model = onnx.load(saved(tmp_path, TAIL))
    for node in model.graph.node:
        node.input[:] = [{"y": "y:0"}.get(name, name) for name in node.input]
        node.output[:] = [{"y": "y:0"}.get(name, name) for name in node.output]
    onnx.save(model, tmp_path / "net.onnx")
    assert cut_at(tmp_path / "net.onnx", "y:0").ends == ("y:0",)
    assert cut_at(tmp_path / "net.onnx", "a:y:0").begins == ("a",)


def test_nothing_is_cut_where_all_becomes_hardware(tmp_path):
    path = saved(tmp_path, "c = Conv (x, w) z = Sign (c)", outputs="float[N,3,4,4] z")
    accelerator = hwgen.compile(path, tmp_path / "b", input_type="bipolar", cut="auto")
    assert not [name for name in accelerator.files if name.endswith(".onnx")]


def test_a_model_without_any_hardware_is_refused(tmp_path):
    path = saved(tmp_path, "z = Sin (x)", outputs="float[N,3,4,4] z")
    with pytest.raises(NodesError, match="no hardware for this operator"):
        hwgen.compile(path, tmp_path / "b", input_type="bipolar", cut="auto")
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("nowhere", "names 'nowhere', which is no tensor of the model that depends on an input"),
        ("w", "names 'w', which is no tensor"),
        (":", "names no tensor"),
        ("z:", "leaves nothing for the accelerator"),
        ("c:", "what remains also reads 'b' across the cut"),
        ("y", "what remains also yields 'b' across the cut"),
    ],
)
def test_impossible_places_are_refused(tmp_path, place, sentence):
    path = saved(tmp_path, "b = Neg (x) c = Conv (b, w) y = Sign (c) z = Mul (y, b)", outputs="float[N,3,4,4] z")
    with pytest.raises(OptionError, match=sentence):
        cut_at(path, place)


def test_what_is_named_in_front_stays_there_though_only_the_host_reads_it(tmp_path):
    body = f"p = Sin (x) q = Cos (x) {TAIL.replace('(x, w)', '(p, w)')} r = Neg (q)"
    path = saved(tmp_path, body, outputs="float[N,4,4,4] z, float[N,3,4,4] r")
    cut = cut_at(path, "p,q:y")
    assert cut.nodes_in_front == ("'p' (Sin)", "'q' (Cos)")
    assert cut.nodes_behind == ("'s' (Sin)", "'z' (Mul)", "'r' (Neg)")
