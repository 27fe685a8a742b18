"""The batch is symbolic, whatever size a model was exported for."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from hwgen import passes
from hwgen.errors import ModelError
from hwgen.frontend import read_onnx
from hwgen.operators import evaluate

RNG = np.random.default_rng(8)


def parse(body, inputs, constants):
    text = f'<ir_version: 10, opset_import: ["" : 20]> net ({inputs}) => (float y) {{ {body} }}'
    model = onnx.parser.parse_model(text)
    model.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in constants.items())
    return model


@pytest.fixture
def read(tmp_path):
    def read(model):
        onnx.save(model, tmp_path / "net.onnx")
        return read_onnx(tmp_path / "net.onnx")

    return read


def outputs(graph, x):
    return evaluate.run(graph, {graph.inputs[0]: x})[graph.outputs[0]]


@pytest.mark.parametrize("batch", ["N", "1", "5"])
def test_the_batch_is_symbolic_whatever_was_exported(batch, read):
    size = 1 if batch == "N" else int(batch)
    shape = np.array([-1 if batch == "N" else size, 144])
    mask = np.ones((size, 144), np.float32)
    body = "a = Reshape (x, s) b = Mul (a, m) c = MatMul (b, w) y = Reshape (c, t)"
    w = RNG.integers(-1, 2, (144, 6)).astype(np.float32)
    constants = {"s": shape, "m": mask, "w": w, "t": np.array([-1 if batch == "N" else size, 2, 3])}
    model = parse(body, f"float[{batch},4,6,6] x", constants=constants)
    graph = read(model)
    assert graph.values["x"].shape == (None, 4, 6, 6)
    assert graph.values["c"].shape == (None, 6)
    assert graph.values["y"].shape == (None, 2, 3)
    x = RNG.integers(-3, 4, (5, 4, 6, 6)).astype(np.float32)
    for folded in (graph, passes.run(graph)):
        assert np.array_equal(outputs(folded, x), (x.reshape(5, 144) @ w).reshape(5, 2, 3))
        assert outputs(folded, x[:2]).shape == (2, 2, 3)


def test_a_batch_of_one_inside_a_model_that_says_it_is_dynamic(read):
    model = parse("a = Reshape (x, s) y = Neg (a)", "float[N,4,6,6] x", constants={"s": np.array([1, 144])})
    graph = read(model)
    assert graph.values["y"].shape == (None, 144)
    assert outputs(graph, np.zeros((3, 4, 6, 6), np.float32)).shape == (3, 144)


@pytest.mark.parametrize("batch", ["1", "N"])
@pytest.mark.parametrize("axis", [0, -4])
def test_one_frame_flattened_with_its_batch(axis, batch, read):
    w = RNG.integers(-1, 2, (24, 6)).astype(np.float32)
    model = parse(f"a = Flatten <axis = {axis}> (x) y = MatMul (a, w)", f"float[{batch},4,3,2] x", constants={"w": w})
    graph = read(model)
    assert graph.values["a"].shape == (None, 24)
    x = RNG.integers(-3, 4, (5, 4, 3, 2)).astype(np.float32)
    assert np.array_equal(outputs(passes.run(graph), x), x.reshape(5, 24) @ w)


def test_a_mask_that_tells_frames_apart_is_refused(read):
    mask = np.arange(10, dtype=np.float32).reshape(5, 2)
    with pytest.raises(ModelError, match="The batch of 5 is built into the model"):
        read(parse("y = Mul (x, m)", "float[5,2] x", constants={"m": mask}))


@pytest.mark.parametrize("axes", ["", ", axes = [2, 3]"])
def test_sizes_of_a_resize_hold_the_batch_unless_axes_leave_it_out(axes, read):
    sizes = np.array([5, 4] if axes else [2, 1, 5, 4])
    body = f'y = Resize <mode = "nearest"{axes}> (x, , , s)'
    graph = read(parse(body, "float[2,1,3,2] x", {"s": sizes}))
    x = RNG.normal(size=(3, 1, 3, 2)).astype(np.float32)
    y = outputs(graph, x)
    assert y.shape == (3, 1, 5, 4)
    assert np.array_equal(y[1:2], outputs(graph, x[1:2]))
