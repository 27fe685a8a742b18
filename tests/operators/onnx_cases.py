"""Models of one operator, run by ONNX Runtime and by `hwgen.operators`; and operators called by themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from hwgen.frontend import read_onnx
from hwgen.graph import Node
from hwgen.operators import evaluate

SPECIAL = np.array([0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 1.5, 2.5, -2.5, 1e-8, -1e-8, 7.0], np.float32)

ONE = "Constant <value_float = 1.0> ()"


def parse(body, inputs="float[N,4,6,6] x", outputs="float y", opset=20):
    text = f'<ir_version: 10, opset_import: ["" : {opset}]> net ({inputs}) => ({outputs}) {{ {body} }}'
    return onnx.parser.parse_model(text)


def sample(shape, seed=0):
    rng = np.random.default_rng(seed)
    x = (rng.normal(size=shape) * 2).astype(np.float32)
    x.reshape(-1)[: SPECIAL.size] = SPECIAL
    return x


def both(model: onnx.ModelProto, x: np.ndarray, folder: Path):
    """Give the outputs of `hwgen.operators`, and those of ONNX Runtime."""
    path = folder / "net.onnx"
    onnx.save(model, path)
    graph = read_onnx(path)
    session = onnxruntime.InferenceSession(path)
    reference = session.run(None, {session.get_inputs()[0].name: x})
    values = evaluate.run(graph, {graph.inputs[0]: x})
    return [values[name] for name in graph.outputs], reference


def hold_equal(body: str, folder: Path) -> None:
    (y,), (reference,) = both(parse(body), sample((3, 4, 6, 6)), folder)
    assert (y.dtype, y.shape) == (reference.dtype, reference.shape)
    assert np.array_equal(y, reference)


def hold_close(body: str, folder: Path) -> None:
    """Hold that results agree to float32's rounding."""
    (y,), (reference,) = both(parse(body), sample((3, 4, 6, 6)), folder)
    assert (y.dtype, y.shape) == (reference.dtype, reference.shape)
    np.testing.assert_allclose(y, reference, rtol=3e-6, atol=3e-6)


def call(op, *arrays, dtype=None, **attributes):
    node = Node(op, "node", tuple("abcdef"[: len(arrays)]), ("y",), attributes)
    return evaluate.apply(node, arrays, dtype)[0]
