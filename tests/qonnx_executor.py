"""What QONNX's own executor answers: the oracle for operators that ONNX Runtime does not know."""

from __future__ import annotations

import numpy as np
import onnx
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes


def run_in_qonnx(model: onnx.ModelProto, inputs: np.ndarray) -> np.ndarray:
    """Return the outputs of a model with QONNX or FINN operators, frame by frame."""
    _prune(model)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    wrapper = ModelWrapper(model).transform(InferShapes())
    source, target = model.graph.input[0].name, model.graph.output[0].name
    return np.concatenate([execute_onnx(wrapper, {source: x[None]})[target] for x in inputs])


def _prune(model: onnx.ModelProto) -> None:
    """Leave out what confuses its shape inference: nodes that no output needs, and shapes that are known already."""
    del model.graph.value_info[:]
    needed = {output.name for output in model.graph.output}
    for node in reversed(model.graph.node):
        if needed & set(node.output):
            needed |= set(node.input)
    kept = [node for node in model.graph.node if needed & set(node.output)]
    del model.graph.node[:]
    model.graph.node.extend(kept)
