"""RNN, GRU and LSTM against ONNX Runtime, as arrays and unrolled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

from hwgen.errors import ModelError
from hwgen.frontend import read_onnx
from hwgen.operators import evaluate
from hwgen.operators.recurrent import CELLS
from hwgen.passes import run

WITH_NUMBERS = {
    "Affine": 2, "Elu": 1, "HardSigmoid": 2, "LeakyRelu": 1, "Relu": 0, "ScaledTanh": 2, "Sigmoid": 0, "Softplus": 0, "Softsign": 0, "Tanh": 0,
    "ThresholdedRelu": 1,
}  # fmt: skip
"""Activations, and how many of alpha and beta they have."""

OUTPUTS = ("y", "y_h", "y_c")


def model(op: str, steps: int, arrays: dict[str, np.ndarray], *, layout: int = 0, opset: int = 14, **attributes):
    """Give a model of one operator whose inputs and outputs have the batch first."""
    places = ("x", "W", "R", "B", "lengths", "h", "c", "P")
    inputs = [name if name in ("x", *arrays) else "" for name in places]
    names = OUTPUTS[: 1 + CELLS[op].states]
    attributes |= {"hidden_size": arrays["R"].shape[2], **({"layout": 1} if layout else {})}
    nodes = [helper.make_node("Transpose", ["frames"], ["x"], perm=[0, 1, 2] if layout else [1, 0, 2])]
    nodes.append(helper.make_node(op, inputs[: 8 if op == "LSTM" else 6], names, name="cell", **attributes))
    for name in names:
        perm = {0: [2, 0, 1, 3] if name == "y" else [1, 0, 2], 1: [0, 1, 2, 3] if name == "y" else [0, 1, 2]}[layout]
        nodes.append(helper.make_node("Transpose", [name], [f"{name}_frames"], perm=perm))
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("frames", 1, [1, steps, arrays["W"].shape[2]])],
        [helper.make_tensor_value_info(f"{name}_frames", 1, None) for name in names],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def random_case(seed: int):
    """Give an operator with any attributes and optional inputs."""
    rng = np.random.default_rng(seed)
    op, (steps, inputs, hidden) = str(rng.choice([*CELLS])), rng.integers(1, 5, 3).tolist()
    direction = str(rng.choice(["forward", "reverse", "bidirectional"]))
    directions, rows = 1 + (direction == "bidirectional"), CELLS[op].gates * hidden
    shapes = {"W": (rows, inputs), "R": (rows, hidden), "B": (2 * rows,), "h": (1, hidden), "c": (1, hidden)}
    optional = {"B": 0.6, "h": 0.4, **({"c": 0.4, "P": 0.4} if op == "LSTM" else {})}
    shapes["P"] = (3 * hidden,)
    arrays = {
        name: rng.normal(size=(directions, *shape)).astype(np.float32)
        for name, shape in shapes.items()
        if rng.random() < optional.get(name, name in "WR")
    }
    if rng.random() < 0.3:
        arrays["lengths"] = rng.integers(1, steps + 1, 1).astype(np.int32)
    attributes = {"direction": direction}
    if rng.random() < 0.3:
        attributes["clip"] = 0.2 + float(rng.random())
    flag = {"GRU": "linear_before_reset", "LSTM": "input_forget"}.get(op)
    if flag and rng.random() < 0.4:
        attributes[flag] = 1
    if rng.random() < 0.5:
        names = [str(name) for name in rng.choice([*WITH_NUMBERS], directions * len(CELLS[op].activations))]
        attributes["activations"] = names
        for place, key in enumerate(("activation_alpha", "activation_beta")):
            numbers = rng.random(sum(WITH_NUMBERS[name] > place for name in names)).tolist()
            if numbers and rng.random() < 0.5:
                attributes[key] = numbers
    return op, steps, arrays, attributes, int(rng.choice([11, 14, 21]))


def session(file: onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(file.SerializeToString(), options)


def hold(file: onnx.ModelProto, folder: Path, x: np.ndarray, expected: list[np.ndarray]) -> None:
    """Hold the operator, and what it is unrolled to, to float32's rounding."""
    onnx.save(file, folder / "net.onnx")
    graph = read_onnx(folder / "net.onnx")
    unrolled = run(graph)
    assert not CELLS.keys() & {node.op for node in unrolled.nodes}
    for each in (graph, unrolled):
        values = evaluate.run(each, {"frames": x})
        for name, array in zip(graph.outputs, expected, strict=True):
            assert values[name].shape == array.shape
            np.testing.assert_allclose(values[name], array, atol=2e-5 * max(1, np.abs(array).max()))


@pytest.mark.parametrize("first", range(0, 150, 25))
def test_any_attributes_as_onnx_runtime(first: int, tmp_path: Path) -> None:
    for seed in range(first, first + 25):
        op, steps, arrays, attributes, opset = random_case(seed)
        file = model(op, steps, arrays, opset=opset, **attributes)
        x = np.random.default_rng(seed).normal(size=(1, steps, arrays["W"].shape[2])).astype(np.float32)
        hold(file, tmp_path, x, session(file).run(None, {"frames": x}))


@pytest.mark.parametrize("op", CELLS)
def test_batch_first_in_the_operator_itself(op: str, tmp_path: Path) -> None:
    """ONNX Runtime has no layout 1: it is that of layout 0 between transpositions."""
    rng = np.random.default_rng(3)
    rows = CELLS[op].gates * 3
    arrays = {"W": rng.normal(size=(2, rows, 4)), "R": rng.normal(size=(2, rows, 3)), "h": rng.normal(size=(2, 1, 3))}
    arrays = {name: array.astype(np.float32) for name, array in arrays.items()}
    x = rng.normal(size=(1, 3, 4)).astype(np.float32)
    expected = session(model(op, 3, arrays, direction="bidirectional")).run(None, {"frames": x})
    arrays["h"] = arrays["h"].swapaxes(0, 1)
    hold(model(op, 3, arrays, layout=1, direction="bidirectional"), tmp_path, x, expected)


def test_an_initial_state_for_every_frame_of_a_fixed_batch(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    arrays = {
        "W": rng.normal(size=(1, 3, 4)),
        "R": rng.normal(size=(1, 3, 3)),
        "h": np.tile(rng.normal(size=3), (1, 2, 1)),
    }
    file = model("RNN", 3, {name: array.astype(np.float32) for name, array in arrays.items()})
    file.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 2
    x = rng.normal(size=(2, 3, 4)).astype(np.float32)
    hold(file, tmp_path, x, session(file).run(None, {"frames": x}))


ARRAYS = {"W": np.ones((1, 3, 4), np.float32), "R": np.ones((1, 3, 3), np.float32)}


@pytest.mark.parametrize(
    ("changed", "attributes", "sentence"),
    [
        ({}, {"activations": ["Cosine"]}, r"activation 'Cosine' is not known; known are Affine, Elu"),
        ({}, {"direction": "sideways"}, r"direction 'sideways' does not fit 1 matrices"),
        ({}, {"direction": "bidirectional"}, r"direction 'bidirectional' does not fit 1 matrices"),
        ({"lengths": np.array([4], np.int32)}, {}, r"sequence_lens must be one number from 1 to 3 for all frames"),
        ({"R": np.ones((1, 3, 2), np.float32)}, {}, r"its weights do not fit 4 inputs and a state of 2"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(changed: dict, attributes: dict, sentence: str, tmp_path: Path) -> None:
    onnx.save(model("RNN", 3, {**ARRAYS, **changed}, **attributes), tmp_path / "net.onnx")
    with pytest.raises(ModelError, match=rf"Node 'cell' \(RNN\) .*{sentence}"):
        read_onnx(tmp_path / "net.onnx")


def test_steps_in_front_of_the_batch_are_refused(tmp_path: Path) -> None:
    file = model("RNN", 3, ARRAYS)
    file.graph.node[1].input[0] = "frames"
    del file.graph.node[0]
    onnx.save(file, tmp_path / "net.onnx")
    with pytest.raises(ModelError, match=r"Input 'frames' has the steps of node 'cell' \(RNN\) on axis 0.*batch_first"):
        read_onnx(tmp_path / "net.onnx")
