"""A graph from ONNX text, and the property every pass must have."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from hwgen.frontend import read_onnx
from hwgen.graph import check
from hwgen.operators import evaluate


@pytest.fixture
def graph_of(tmp_path):
    """Read ``body`` (ONNX text) with weights given as arrays; the input is x, the output y."""

    def graph_of(body, shape="N,3", outputs="float y", opset=20, **weights):
        text = f'<ir_version: 10, opset_import: ["" : {opset}]> net (float[{shape}] x) => ({outputs}) {{ {body} }}'
        model = onnx.parser.parse_model(text)
        model.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in weights.items())
        onnx.save(model, tmp_path / "net.onnx")
        return read_onnx(tmp_path / "net.onnx")

    return graph_of


@pytest.fixture
def applied():
    """Apply a pass; hold that outputs stay the same to the bit, and that a second time finds nothing."""

    def applied(change, graph):
        changed = change(graph)
        check(changed, after=change.__name__)
        assert change(changed) is changed
        assert changed.outputs == graph.outputs
        for batch in (1, 2, 4):
            shape = (batch, *graph.values["x"].shape[1:])
            x = np.random.default_rng(batch).integers(-4, 5, shape).astype(np.float32)
            before, after = (evaluate.run(each, {"x": x}) for each in (graph, changed))
            for name in graph.outputs:
                assert before[name].dtype == after[name].dtype
                assert np.array_equal(before[name], after[name])
                known = changed.values[name].shape
                assert len(known) == after[name].ndim
                assert all(size in (None, real) for size, real in zip(known, after[name].shape, strict=True))
        return changed

    return applied
