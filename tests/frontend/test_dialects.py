"""The project's own corpus of exports: read, and after all passes, each file gives what its exporter's runtime gave."""

from pathlib import Path

import numpy as np
import pytest

from hwgen import passes
from hwgen.frontend import read_onnx
from hwgen.operators import evaluate
from hwgen.operators.evaluate import CHANNELWISE

FOLDER = Path(__file__).parent.parent / "fixtures" / "dialects"
FILES = sorted(FOLDER.glob("*/*.onnx"))
LEFT = CHANNELWISE | {"Conv", "MatMul", "MaxPool", "Pad", "Reshape", "Softmax", "Transpose", "XnorPopcountMatMul"}
LINEAR = {"Conv", "MatMul", "XnorPopcountMatMul"}
GONE = {"CastLike", "Identity"}


def test_there_is_a_corpus():
    assert len(FILES) >= 90


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_dialect_keeps_its_outputs(path):
    arrays = np.load(path.parent / "io.npz")
    graph = read_onnx(path)
    folded = passes.run(graph)
    shape = graph.values[graph.inputs[0]].shape
    assert shape[0] is None
    x = arrays["x"] if shape[1:] == arrays["x"].shape[1:] else arrays["x"].transpose(0, 2, 3, 1)
    for each in (graph, folded):
        y = evaluate.run(each, {each.inputs[0]: x})[each.outputs[0]]
        assert y.dtype == np.float32
        np.testing.assert_allclose(y, arrays[f"y_{path.stem}"], rtol=1e-5, atol=1e-5)
    assert {node.op for node in folded.nodes} <= LEFT - GONE
    assert all(node.inputs[1] in folded.constants for node in folded.nodes if node.op in LINEAR)
