from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from hwgen.errors import ToolError
from hwgen.verification import executor
from hwgen.verification.executor import executor_of
from tests.streamlining.conftest import Model, bipolar

QONNX = "qonnx.custom_op.general"


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(3)


def doubled(path: Path, batch: int | str, shape: list[int], *, output: list[int | str]) -> Path:
    """Write a file that reshapes its input to a batch of one and doubles it."""
    x, y = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, dims)
        for name, dims in (("x", [batch, *shape]), ("y", output))
    )
    sizes = onnx.numpy_helper.from_array(np.array(output if isinstance(output[0], int) else [-1, *output[1:]]), "sizes")
    two = onnx.numpy_helper.from_array(np.float32(2), "two")
    nodes = [helper.make_node("Reshape", ["x", "sizes"], ["r"]), helper.make_node("Mul", ["r", "two"], ["y"])]
    graph = helper.make_graph(nodes, "g", [x], [y], [sizes, two])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10), path)
    return path


def test_onnx_runtime_runs_onnx_and_gives_tensors_between_the_nodes(model, random) -> None:
    x = random.standard_normal((5, 3)).astype(np.float32)
    found = executor_of(model(3).add("Mul", np.float32(3)).sign().save())
    assert (found.name, found.independent) == ("ONNX Runtime", True)
    values = found.run({"x": x}, ["v0", "v2"])
    assert np.array_equal(values["v0"], 3 * x)
    assert np.array_equal(values["v2"], np.where(x >= 0, 1, -1))


def test_qonnx_runs_its_own_operators(model, random) -> None:
    built = model(4).add("BipolarQuant", np.float32(0.5), domain=QONNX).add("MatMul", bipolar(random, 4, 2))
    x = random.standard_normal((6, 4)).astype(np.float32)
    found = executor_of(built.save())
    assert (found.name, found.independent) == ("QONNX", True)
    assert np.array_equal(found.run({"x": x}, ["v0"])["v0"], np.where(x >= 0, 0.5, -0.5))
    assert np.array_equal(found.run({"x": x}, [built.value])[built.value], built.reference(x))


def test_without_qonnx_the_quantisers_are_ours_and_that_is_said(model, random, monkeypatch) -> None:
    built = model(4).add("BipolarQuant", np.float32(0.5), domain=QONNX).add("MatMul", bipolar(random, 4, 2))
    path, x = built.save(), random.standard_normal((6, 4)).astype(np.float32)
    theirs = executor_of(path).run({"x": x}, [built.value])
    monkeypatch.setitem(sys.modules, "qonnx.custom_op.registry", None)
    found = executor_of(path)
    assert (found.name, found.independent) == ("ONNX Runtime with hwgen's quantisers", False)
    assert np.array_equal(found.run({"x": x}, [built.value])[built.value], theirs[built.value])


def test_the_domains_of_finn_are_qonnxs(model) -> None:
    thresholds = np.array([[0.5, 1.5], [-1.0, 2.0]], dtype=np.float32)
    built = model(2).add("MultiThreshold", thresholds, domain=QONNX, out_dtype="UINT2")
    path = built.save()
    file = onnx.load(path)
    del file.opset_import[1:]
    file.graph.node[0].domain = "finn.custom_op.general"
    onnx.save(file, path)
    found = executor_of(path)
    x = np.array([[0.5, -1.0], [1.5, 2.5], [0.0, -2.0]], dtype=np.float32)
    assert found.independent
    assert found.run({"x": x}, [built.value])[built.value].tolist() == [[1, 1], [2, 2], [0, 0]]


def test_annotated_integers_are_not_rounded(model) -> None:
    built = model(2).add("BipolarQuant", np.float32(0.3), domain=QONNX)
    path = built.save()
    file = onnx.load(path)
    pair = onnx.StringStringEntryProto(key="finn_datatype", value="INT2")
    file.graph.quantization_annotation.append(
        onnx.TensorAnnotation(tensor_name=built.value, quant_parameter_tensor_names=[pair])
    )
    onnx.save(file, path)
    found = executor_of(path).run({"x": np.array([[1, -1]], dtype=np.float32)}, [built.value])
    assert np.array_equal(found[built.value], np.array([[0.3, -0.3]], dtype=np.float32))


@pytest.mark.parametrize("batch", ["N", 1, 3])
def test_any_batch_of_the_file_takes_any_number_of_frames(tmp_path: Path, batch: int | str, random) -> None:
    path = doubled(tmp_path / "net.onnx", batch, [2, 3], output=[batch, 6])
    x = random.standard_normal((7, 2, 3)).astype(np.float32)
    assert np.array_equal(executor_of(path).run({"x": x}, ["y"])["y"], 2 * x.reshape(7, 6))


def test_a_batch_of_one_built_into_a_dynamic_file(tmp_path: Path, random) -> None:
    path = doubled(tmp_path / "net.onnx", "N", [2, 3], output=[1, 6])
    x = random.standard_normal((4, 2, 3)).astype(np.float32)
    assert np.array_equal(executor_of(path).run({"x": x}, ["y"])["y"], 2 * x.reshape(4, 6))


def test_an_output_without_a_batch_axis_gets_one(tmp_path: Path, random) -> None:
    path = doubled(tmp_path / "net.onnx", 1, [6], output=[2, 3])
    x = random.standard_normal((4, 6)).astype(np.float32)
    assert np.array_equal(executor_of(path).run({"x": x}, ["y"])["y"], 2 * x.reshape(4, 2, 3))


def test_an_input_without_frames_gets_zeros(model) -> None:
    built = model(2).add("Mul", np.float32(2))
    path = built.save()
    file = onnx.load(path)
    file.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, ["N", 2]))
    file.graph.node.append(helper.make_node("Add", [built.value, "more"], ["sum"], name="sum"))
    file.graph.output[0].name = "sum"
    onnx.save(file, path)
    found = executor_of(path).run({"x": np.ones((3, 2), dtype=np.float32)}, ["sum"])
    assert np.array_equal(found["sum"], np.full((3, 2), 2))


def test_a_newer_file_format_is_no_hindrance(model) -> None:
    path = model(2).add("Mul", np.float32(2)).save()
    file = onnx.load(path)
    file.ir_version = onnx.IR_VERSION + 5
    onnx.save(file, path)
    assert executor_of(path).name == "ONNX Runtime"


def refusing(*arguments: object) -> object:
    raise RuntimeError("no kernel\nfor this")


def test_where_onnx_runtime_cannot_onnxs_reference_does(model, monkeypatch) -> None:
    path = model(2).add("Mul", np.float32(2)).save()
    monkeypatch.setattr(executor, "_session", refusing)
    found = executor_of(path)
    assert (found.name, found.independent) == ("onnx's reference evaluator", True)
    assert np.array_equal(found.run({"x": np.ones((3, 2), np.float32)}, ["v0"])["v0"], np.full((3, 2), 2))


def test_at_last_hwgens_operators_and_that_is_said(model, monkeypatch) -> None:
    path = model(2).add("Mul", np.float32(2)).save()
    monkeypatch.setattr(executor, "_session", refusing)
    monkeypatch.setattr(executor.Executable, "reference", refusing)
    found = executor_of(path)
    assert (found.name, found.independent) == ("hwgen's operators", False)
    assert np.array_equal(found.run({"x": np.ones((3, 2), np.float32)}, ["v0"])["v0"], np.full((3, 2), 2))


def test_nobody_can_run_it(model: type[Model], monkeypatch) -> None:
    path = model(2).add("Mul", np.float32(2)).save()
    monkeypatch.setattr(executor, "_session", refusing)
    monkeypatch.setattr(executor.Executable, "reference", refusing)
    monkeypatch.setattr(executor, "_Own", refusing)
    with pytest.raises(
        ToolError,
        match=r"Nobody can run '.*' to hold the build to it \(ONNX Runtime: no kernel; .*compile with --no-verify",
    ):
        executor_of(path)


def test_qonnxs_operators_that_ask_for_shapes_and_annotations(model, random) -> None:
    """A pool over a map of channels last, and windows of it as rows."""
    built = model(4, 4, 2).add("BipolarQuant", np.float32(1), domain=QONNX)
    pool = {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [0, 0, 0, 0]}
    built.add("MaxPoolNHWC", domain=QONNX, **pool)
    windows = {"kernel_size": [2, 2], "stride": [2, 2], "input_shape": "(1,2,2,2)", "pad_amount": [0, 0, 0, 0]}
    built.add("Im2Col", domain=QONNX, **windows)
    path = built.save()
    x = random.standard_normal((3, 4, 4, 2)).astype(np.float32)
    found = executor_of(path)
    assert (found.name, found.independent) == ("QONNX", True)
    signs = np.where(x >= 0, 1, -1).reshape(3, 2, 2, 2, 2, 2).max(axis=(2, 4))
    assert np.array_equal(found.run({"x": x}, [built.value])[built.value], signs.reshape(3, 1, 1, 8))


def test_our_own_meaning_of_an_operator_that_becomes_several_nodes(model, random, monkeypatch) -> None:
    built = model(4, 4, 2).add("BipolarQuant", np.float32(1), domain=QONNX)
    built.add("MaxPoolNHWC", domain=QONNX, kernel_shape=[2, 2], strides=[2, 2], pads=[0, 0, 0, 0])
    path, x = built.save(), random.standard_normal((3, 4, 4, 2)).astype(np.float32)
    theirs = executor_of(path).run({"x": x}, [built.value])[built.value]
    monkeypatch.setitem(sys.modules, "qonnx.custom_op.registry", None)
    found = executor_of(path)
    assert not found.independent
    assert np.array_equal(found.run({"x": x}, [built.value])[built.value], theirs)
