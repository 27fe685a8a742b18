"""All nodes that cannot become hardware are named at once: operators without meaning, and what streamlining refuses before, behind and beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from hwgen import api
from hwgen.cli.info import describe
from hwgen.conversion import Conversion
from hwgen.errors import NodesError
from hwgen.streamlining.options import Options
from tests.streamlining.random_graphs import LIMITS, random_graph

WEIGHTS = {"w": (3, 2, 1, 1), "v": (3, 2, 1, 1)}
OPSETS = '<ir_version: 10, opset_import: ["" : 17, "odd" : 1]>'


def saved(folder: Path, body: str, outputs: str = "float y", **weights: np.ndarray) -> Path:
    model = onnx.parser.parse_model(f"{OPSETS} net (float[N,2,4,4] x) => ({outputs}) {{ {body} }}")
    arrays = {name: np.ones(shape, np.float32) for name, shape in WEIGHTS.items() if f" {name})" in body}
    for name, array in {**arrays, **weights}.items():
        model.graph.initializer.append(numpy_helper.from_array(array, name))
    onnx.save(model, folder / "net.onnx")
    return folder / "net.onnx"


def refused(path: Path, **refusing: bool) -> list[str]:
    options = Options("bipolar", conversion=Conversion(**refusing))
    return [entry["op"] for entry in describe(path, options)["unsupported"]]


def test_operators_without_meaning_and_refusals_before_behind_and_beside_them(tmp_path):
    body = "a = Conv (x, w) b = Conv (x, v) p = Pow (a, b) s = Sin (p) t = ReduceProd <axes = [1]> (s) y = Add (t, a) z = Mod (b, a)"
    path = saved(tmp_path, body, "float y, float z")
    assert refused(path) == ["Pow", "Sin", "ReduceProd", "Mod"]
    with pytest.raises(NodesError, match=r"4 nodes .*'Pow_2' \(Pow\): joins .*'Sin_3' \(Sin\): no hardware .*'Mod_6'"):
        api.read(path, input_type="bipolar")


def test_what_follows_an_operator_of_unknown_shape_is_left_out(tmp_path):
    body = "a = Conv (x, w) b = Conv (x, v) t = odd.Thing (a) p = Pow (t, b) y = Relu (p) z = Mod (b, a)"
    assert refused(saved(tmp_path, body, "float y, float z")) == ["odd::Thing", "Mod"]


def test_an_operator_of_unknown_shape_in_front_of_everything(tmp_path):
    assert refused(saved(tmp_path, "t = odd.Thing (x) a = Conv (t, w) y = Relu (a)")) == ["odd::Thing"]


def test_a_shape_that_the_file_records_is_enough(tmp_path):
    path = saved(tmp_path, "t = odd.Thing (x) a = Conv (t, w) y = ReduceProd <axes = [1]> (a)")
    model = onnx.load(path)
    model.graph.value_info.append(helper.make_tensor_value_info("t", onnx.TensorProto.FLOAT, [1, 2, 4, 4]))
    onnx.save(model, path)
    assert refused(path) == ["odd::Thing", "ReduceProd"]


def test_outputs_and_the_input_are_named_beside_nodes(tmp_path):
    path = saved(
        tmp_path, "a = Conv (x, w) y, i = TopK <axis = 1> (a, k) z = Sin (a)", "float y, float z", k=np.array([2])
    )
    found = describe(path, Options())["unsupported"]
    assert [(entry["node"], entry["op"]) for entry in found] == [("Conv_0", "Conv"), ("Sin_2", "Sin"), ("y", "Output")]
    assert "say what the host sends" in found[0]["reason"]
    assert found[2]["reason"].startswith("holds the values of a ranking")


def test_one_obstacle_is_told_with_its_node(tmp_path):
    (entry,) = describe(saved(tmp_path, "a = Conv (x, w) y = ReduceProd <axes = [1]> (a)"), Options("bipolar"))[
        "unsupported"
    ]
    assert (entry["node"], entry["op"]) == ("ReduceProd_1", "ReduceProd")
    assert entry["reason"].startswith("has no hardware; sums, means")


def test_a_wrong_declaration_is_told_beside_nodes(tmp_path):
    path = saved(tmp_path, "a = Conv (x, w) y = Sin (a)")
    found = describe(path, Options("bipolar", input_scale=0.0))["unsupported"]
    assert [entry["op"] for entry in found] == ["Sin", None]


def test_numbers_behind_a_refused_node_are_taken_for_harmless(tmp_path):
    """Square roots, logarithms, divisors and tables there are not refused for numbers that may never come."""
    body = "a = Conv (x, w) s = Sin (a) r = Sqrt (s) l = Log (s) d = Div (a, s) e = Add (r, l) f = Add (e, d) g = Sign (f) y = Conv (g, u)"
    path = saved(tmp_path, body, u=np.array([[[[0.1]], [[0.37]], [[0.77]]]], np.float32))
    assert refused(path) == ["Sin"]
    assert refused(path, exact=True, strict=True) == ["Sin"]


@pytest.mark.parametrize("seed", [*range(10), 23])
def test_nothing_else_is_refused_around_nodes_of_any_graph(tmp_path, seed):
    case, random = random_graph(tmp_path, seed), np.random.default_rng(seed)
    path = case.model.save()
    model = onnx.load(path)
    chosen = random.choice([node.output[0] for node in model.graph.node], size=2)
    floats = {
        entry.name for entry in model.graph.value_info if entry.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    }
    for name in sorted(floats & set(map(str, chosen))):
        place = next(number for number, node in enumerate(model.graph.node) if name in node.output)
        for node in model.graph.node:
            node.input[:] = [f"sine_of_{name}" if entry == name else entry for entry in node.input]
        sine = helper.make_node("Sin", [name], [f"sine_of_{name}"], name=f"sine_of_{name}")
        model.graph.node.insert(place + 1, sine)
    onnx.save(model, path)
    found = describe(path, Options(str(case.network.input.type)))["unsupported"]
    others = [
        entry for entry in found if entry["op"] != "Sin" and not any(limit in entry["reason"] for limit in LIMITS)
    ]
    assert others == []
    assert sum(entry["op"] == "Sin" for entry in found) == sum(node.op_type == "Sin" for node in model.graph.node)
