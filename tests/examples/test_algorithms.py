"""One network for each algorithm: ONNX Runtime == golden == Verilog, or what the records say of the difference."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper

import hwgen
from examples.algorithms import oracle
from examples.algorithms.measure import (
    BEGIN,
    END,
    FOLDER,
    PAGE,
    REAL,
    agreement,
    compared,
    floats,
    frames_of,
    kept,
    names,
    read,
    small_plan,
    table,
)
from examples.training.record import hits
from hwgen.arrays import codec

FEW, SOME = 3, 40

QUICK = (
    "bibert",
    "binarynet",
    "dorefa_1w2a",
    "embedding",
    "fsmn",
    "horq",
    "pointnet",
    "pointnet_tnet",
    "reactnet",
    "segmentation",
    "xnor_net_k",
)
"""Networks whose Verilog the quick suite compiles: one for each kind of structure."""


@functools.cache
def measured(name: str) -> dict:
    return json.loads((FOLDER / name / "measured.json").read_text())


COMPILED = [name for name in names() if "refused" not in measured(name)]
INTEGER = [name for name in COMPILED if name not in REAL]
BUILT = [name for name in COMPILED if "verilog_frames" in measured(name)]


@functools.cache
def network(name: str) -> hwgen.Network:
    return read(name, kept(name)[0])


def check_golden(name: str, frames: int | None) -> None:
    made, (expected, codes, _), record = network(name), kept(name), measured(name)
    codes = codes[:frames]
    maps, reference = made.golden(codec.to_codes(made.input, codes)), floats(name, expected, codes)
    if name in REAL:
        same, error = agreement(codec.from_codes(made, maps), reference)
        assert same >= record["agreement"] - 0.02
        assert error <= 1.01 * record["largest_error"]
        return
    found = compared(name, made, codes, codec.unmap(made.output, maps), reference)
    assert found["codes_differ"] == 0
    assert found["float32_slips"] <= record["float32_slips"]
    assert found["code_distance"] < 0.1


def check_verilog(name: str, frames: int | None, folder: Path) -> None:
    expected, codes, labels = kept(name)
    labels = labels[:frames] if labels.ndim == 1 else None
    result = hwgen.build(small_plan(network(name), expected), folder / "build").simulate(
        codes[:frames], expected=labels
    )
    assert result.frames == len(codes[:frames])
    assert (result.mismatches, result.beats_off_schedule) == (0, 0)
    assert result.ii_measured == result.ii_predicted


def test_the_page_shows_the_records() -> None:
    page = PAGE.read_text()
    assert page[page.index(BEGIN) + len(BEGIN) : page.index(END)].strip() == table()


@pytest.mark.parametrize("name", names())
def test_the_kept_model_does_what_its_record_says(name: str) -> None:
    expected, codes, _ = kept(name)
    reference = np.load(FOLDER / name / "reference.npz")["y"][:FEW]
    np.testing.assert_allclose(floats(name, expected, codes[:FEW]), reference, atol=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_the_float_model_is_as_right_as_recorded(name: str) -> None:
    expected, codes, labels = kept(name)
    assert hits(floats(name, expected, codes), labels) == pytest.approx(expected["accuracy_float"], abs=0.005)


@pytest.mark.parametrize("name", COMPILED)
def test_golden_equals_onnxruntime_or_is_as_near_as_recorded(name: str) -> None:
    check_golden(name, SOME)


@pytest.mark.slow
@pytest.mark.parametrize("name", COMPILED)
def test_golden_equals_onnxruntime_on_every_kept_frame(name: str) -> None:
    check_golden(name, None)


@pytest.mark.parametrize("name", INTEGER)
def test_golden_equals_the_graph_in_float64(name: str) -> None:
    made, (expected, codes, _) = network(name), kept(name)
    golden = codec.unmap(made.output, made.golden(codec.to_codes(made.input, codes[:2])))
    outputs = oracle.float64_outputs(onnx.load(FOLDER / name / "model.onnx"), frames_of(expected, codes[:2]))
    np.testing.assert_array_equal(oracle.codes(made, outputs)[0], golden)


def test_one_weight_of_the_other_sign_is_found() -> None:
    made, (expected, codes, _) = network("xnor_net"), kept("xnor_net")
    last = made.layers[-1]
    weights = last.weights.copy()
    weights[0, np.argmax(np.abs(weights[0]))] *= -1
    broken = replace(made, layers=(*made.layers[:-1], replace(last, weights=weights)))
    golden = codec.unmap(broken.output, broken.golden(codec.to_codes(broken.input, codes[:FEW])))
    found = compared("xnor_net", made, codes[:FEW], golden, floats("xnor_net", expected, codes[:FEW]))
    assert (found["codes_differ"], found["float32_slips"]) == (FEW, 0)


def test_float64_decides_where_float32_falls_on_the_other_side() -> None:
    value = functools.partial(helper.make_tensor_value_info, elem_type=onnx.TensorProto.FLOAT, shape=["batch", 1])
    part = helper.make_tensor("part", onnx.TensorProto.FLOAT, (), [-(2.0**-26)])
    nodes = [
        helper.make_node("Constant", [], ["whole"], value=helper.make_tensor("", onnx.TensorProto.FLOAT, (), [1.0])),
        helper.make_node("Mul", ["x", "whole"], ["same"]),
        helper.make_node("Add", ["same", "part"], ["sum"]),
        helper.make_node("Cast", ["sum"], ["cast"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Floor", ["cast"], ["y"]),
    ]
    graph = helper.make_graph(nodes, "slip", [value("x")], [value("y")], [part])
    model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 20)])
    frames = np.array([[1.0], [1.5]])
    session = onnxruntime.InferenceSession(model.SerializeToString())
    np.testing.assert_array_equal(session.run(None, {"x": frames.astype(np.float32)})[0], [[1], [1]])
    found = oracle.float64_outputs(model, frames)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, [[0], [1]])


@pytest.mark.parametrize("name", [name for name in BUILT if name in QUICK])
def test_the_verilog_equals_golden_on_a_few_frames(name: str, tmp_path: Path) -> None:
    check_verilog(name, FEW, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", BUILT)
def test_the_verilog_equals_golden_on_every_kept_frame(name: str, tmp_path: Path) -> None:
    check_verilog(name, None, tmp_path)
