"""One form for each operator: moves between attributes and inputs over the opsets end here.

Every rule takes a node as the file has it, the file's opset and a function that stores a constant and returns its
name, and gives the node in the newest form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from onnx import helper

from hwgen.errors import ModelError
from hwgen.frontend.narrow import dtype_of, narrow_bits
from hwgen.graph import Node

__all__ = ["NORMALISERS", "AddConstant", "normalise"]

AddConstant = Callable[[str, np.ndarray], str]
Rule = Callable[[Node, int, AddConstant], Node]


def normalise(node: Node, opset: int, add: AddConstant) -> Node:
    """Bring one node into its canonical form (the rule of its operator, if there is one)."""
    rule = NORMALISERS.get(node.op)
    return node if rule is None else rule(node, opset, add)


def _moved(node: Node, add: AddConstant, names: tuple[str, ...], dtype: type | None = np.int64, first: int = 1) -> Node:
    """Turn attributes into inputs, from input ``first`` on; an absent attribute becomes an absent input."""
    attributes = dict(node.attributes)
    inputs = list(node.inputs[:first])
    for name in names:
        value = attributes.pop(name, None)
        inputs.append("" if value is None else add(name, np.asarray(value, dtype=dtype)))
    while inputs and not inputs[-1]:
        inputs.pop()
    return replace(node, inputs=tuple(inputs), attributes=attributes)


def _axes(since: int) -> Rule:
    def rule(node: Node, opset: int, add: AddConstant) -> Node:
        return _moved(node, add, ("axes",)) if opset < since else node

    return rule


def _clip(node: Node, opset: int, add: AddConstant) -> Node:
    if opset < 11:
        limit = float(np.finfo(np.float32).max)
        kept = {name: value for name, value in node.attributes.items() if abs(value) < limit}
        node = _moved(replace(node, attributes=kept), add, ("min", "max"), np.float32)
    return replace(node, inputs=(*node.inputs, "", "")[:3])


def _pad(node: Node, opset: int, add: AddConstant) -> Node:
    if opset >= 11:
        return node
    value = node.attributes.get("value", 0.0)
    node = _moved(node, add, ("pads",))
    attributes = {name: given for name, given in node.attributes.items() if name != "value"}
    return replace(node, inputs=(*node.inputs, add("value", np.asarray(value, np.float32))), attributes=attributes)


def _slice(node: Node, opset: int, add: AddConstant) -> Node:
    return _moved(node, add, ("starts", "ends", "axes")) if opset < 10 else node


def _split(node: Node, opset: int, add: AddConstant) -> Node:
    if opset < 13:
        node = _moved(node, add, ("split",))
    return replace(node, attributes={"num_outputs": len(node.outputs), **node.attributes})


def _top_k(node: Node, opset: int, add: AddConstant) -> Node:
    if opset < 10:
        node = _moved(replace(node, attributes={**node.attributes, "k": [node.attributes["k"]]}), add, ("k",))
    return replace(node, attributes={"largest": 1, "sorted": 1, **node.attributes})


def _upsample(node: Node, opset: int, add: AddConstant) -> Node:
    """Before opset 11 the nearest element was rounded down where a map grew, and up where it shrank."""
    if opset < 9:
        node = _moved(node, add, ("scales",), np.float32)
    attributes = {
        "mode": node.attributes.get("mode", "nearest"),
        "coordinate_transformation_mode": "asymmetric",
        "nearest_mode": "simple",
    }
    return replace(node, op="Resize", inputs=(node.inputs[0], "", node.inputs[1]), attributes=attributes)


def _resize(node: Node, opset: int, add: AddConstant) -> Node:
    return _upsample(node, opset, add) if opset < 11 else node


def _dropout(node: Node, opset: int, add: AddConstant) -> Node:
    return replace(
        node, inputs=node.inputs[:1], attributes={"training_mode": node.inputs[2] if len(node.inputs) > 2 else ""}
    )


def _batch_normalization(node: Node, opset: int, add: AddConstant) -> Node:
    extra = [name for name in node.outputs[1:] if name]
    if node.attributes.get("training_mode", 0) or extra:
        raise ModelError(
            f"Node '{node.name}' (BatchNormalization) is in training mode; call model.eval() "
            "before the export, or pass training=False"
        )
    return replace(
        node, outputs=node.outputs[:1], attributes={"epsilon": float(np.float32(node.attributes["epsilon"]))}
    )


def _cast(node: Node, opset: int, add: AddConstant) -> Node:
    return replace(node, attributes={"to": np.dtype(helper.tensor_dtype_to_np_dtype(node.attributes["to"]))})


def _constant_of_shape(node: Node, opset: int, add: AddConstant) -> Node:
    return node if "value" in node.attributes else replace(node, attributes={"value": np.zeros(1, np.float32)})


def _softmax(node: Node, opset: int, add: AddConstant) -> Node:
    return replace(node, attributes={**node.attributes, "flatten": 1}) if opset < 13 else node


def _arg(node: Node, opset: int, add: AddConstant) -> Node:
    return replace(node, attributes={"select_last_index": 0, **node.attributes})


def _multi_threshold(node: Node, opset: int, add: AddConstant) -> Node:
    layout = str(node.attributes["data_layout"])
    axis = -1 if layout.endswith("C") else max(layout.find("C"), 1)
    return replace(node, attributes={**node.attributes, "channel_axis": axis})


def _quantize(node: Node, opset: int, add: AddConstant) -> Node:
    attributes: dict[str, Any] = {"axis": 1, **node.attributes}
    target = attributes.pop("output_dtype", 0)
    if target:
        attributes["output_dtype"] = dtype_of(target)
        attributes.update({"bits": narrow_bits(target)} if narrow_bits(target) else {})
    return replace(node, attributes=attributes)


def _im2col(node: Node, opset: int, add: AddConstant) -> Node:
    """Old files have one number for both axes."""
    given = node.attributes

    def several(name: str, count: int) -> tuple[int, ...]:
        value = given[name]
        return (value,) * count if isinstance(value, int) else tuple(value)

    attributes = {
        "kernel_shape": several("kernel_size", 2),
        "strides": several("stride", 2),
        "dilations": several("dilations", 2),
        "pads": several("pad_amount", 4),
        "pad_value": float(given["pad_value"]),
        "depthwise": given["depthwise"],
    }
    return replace(node, attributes=attributes)


def _pool(node: Node, opset: int, add: AddConstant) -> Node:
    return replace(node, attributes={**node.attributes, "kernel_shape": tuple(node.attributes["kernel_shape"])})


def _gemm(node: Node, opset: int, add: AddConstant) -> Node:
    return replace(node, inputs=node.inputs[:2] if len(node.inputs) > 2 and not node.inputs[2] else node.inputs)


NORMALISERS: dict[str, Rule] = {
    "ArgMax": _arg,
    "ArgMin": _arg,
    "AveragePool": _pool,
    "BatchNormalization": _batch_normalization,
    "Cast": _cast,
    "Clip": _clip,
    "ConstantOfShape": _constant_of_shape,
    "DequantizeLinear": _quantize,
    "Dropout": _dropout,
    "Gemm": _gemm,
    "Im2Col": _im2col,
    "LogSoftmax": _softmax,
    "MaxPool": _pool,
    "MultiThreshold": _multi_threshold,
    "Pad": _pad,
    "QLinearAveragePool": _pool,
    "QuantizeLinear": _quantize,
    "ReduceL1": _axes(18),
    "ReduceL2": _axes(18),
    "ReduceLogSumExp": _axes(18),
    "ReduceMax": _axes(18),
    "ReduceMean": _axes(18),
    "ReduceMin": _axes(18),
    "ReduceProd": _axes(18),
    "ReduceSum": _axes(13),
    "ReduceSumSquare": _axes(18),
    "Resize": _resize,
    "Slice": _slice,
    "Softmax": _softmax,
    "Split": _split,
    "Squeeze": _axes(13),
    "TopK": _top_k,
    "Unsqueeze": _axes(13),
    "Upsample": _upsample,
}
