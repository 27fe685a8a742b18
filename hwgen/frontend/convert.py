"""ModelProto -> Graph of canonical nodes, in topological order; shapes of inner values are not known yet."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from hwgen.errors import ModelError
from hwgen.frontend.channels_last import spelled_out
from hwgen.frontend.domains import ONNX_DOMAINS, canonical_name, defaults_of
from hwgen.frontend.exotic import fold_exotic
from hwgen.frontend.load import opset_of
from hwgen.frontend.narrow import array_of, dtype_of, narrow_bits, number_type_of
from hwgen.frontend.normalise import normalise
from hwgen.frontend.runtime_operators import in_onnx
from hwgen.frontend.signatures import hold_signature, schema_of
from hwgen.graph import Graph, Node, Value
from hwgen.operators.budget import MOST_IN_A_MAP

__all__ = ["convert", "model_inputs", "sorted_nodes"]


@dataclass
class _Draft:
    """Constants, their bits where NumPy has no such integers, and names while a model is converted."""

    constants: dict[str, np.ndarray]
    taken: set[str]
    bits: dict[str, int] = field(default_factory=dict)

    def fresh(self, wish: str) -> str:
        """Give a name that nothing has yet: the wish, or the wish with a number."""
        name, number = wish, 1
        while name in self.taken:
            number += 1
            name = f"{wish}_{number}"
        self.taken.add(name)
        return name


def convert(model: onnx.ModelProto) -> Graph:
    """Convert a model with all its weights loaded.

    Raises
    ------
    ModelError
        If the graph has a cycle, undefined tensors, no inputs, dynamic sizes besides the batch, or trains.
    """
    opset, proto = opset_of(model), model.graph
    tensors = [*proto.initializer, *(sparse.values for sparse in proto.sparse_initializer)]
    twice = [name for name, count in Counter(tensor.name for tensor in tensors).items() if count > 1]
    if twice:
        raise ModelError(f"The model has two constants named '{twice[0]}'; export it again")
    used = {name for node in proto.node for name in (*node.input, *node.output)} | {value.name for value in proto.input}
    draft = _Draft(
        {tensor.name: array_of(tensor) for tensor in proto.initializer},
        used | {tensor.name for tensor in tensors},
        {tensor.name: bits for tensor in proto.initializer if (bits := narrow_bits(tensor.data_type))},
    )
    draft.constants.update({sparse.values.name: _dense(sparse) for sparse in proto.sparse_initializer})
    outputs = tuple(value.name for value in proto.output)
    if not outputs:
        raise ModelError("The graph has no output; mark what the hardware shall compute as an output and export again")
    nodes, protos, names = [], {}, _Draft({}, set())
    readers = Counter(name for node in proto.node for name in node.input) + Counter(outputs)
    for index, entry in enumerate(sorted_nodes(proto, draft.constants)):
        name = names.fresh(entry.name or f"{entry.op_type}_{index}")
        hold_signature(entry, name, opset)
        if not any(entry.output):
            continue
        if entry.op_type == "Constant" and entry.domain in ONNX_DOMAINS:
            draft.constants[entry.output[0]] = _constant(entry)
            bits = narrow_bits(entry.attribute[0].t.data_type)
            draft.bits.update({entry.output[0]: bits} if bits else {})
            continue
        for node in _nodes(entry, name, opset, draft):
            protos[node.name] = entry
            nodes.append(_without_dropout(node, draft.constants, readers))
    nodes, constants = fold_exotic(nodes, draft.constants, protos, opset)
    inputs = model_inputs(proto, constants, {name for node in nodes for name in node.inputs})
    annotations = {
        entry.tensor_name: pair.value
        for entry in proto.quantization_annotation
        for pair in entry.quant_parameter_tensor_names
        if pair.key == "finn_datatype"
    }
    for entry in proto.input:
        if bits := narrow_bits(entry.type.tensor_type.elem_type):
            sign = "" if dtype_of(entry.type.tensor_type.elem_type).kind == "i" else "U"
            annotations[entry.name] = f"{sign}INT{bits}"
    values = {value.name: value for value in inputs}
    return Graph(proto.name or "network", tuple(nodes), constants, values, tuple(values), outputs, annotations)


def _dense(sparse: onnx.SparseTensorProto) -> np.ndarray:
    values, indices = numpy_helper.to_array(sparse.values), numpy_helper.to_array(sparse.indices)
    result = np.zeros(tuple(sparse.dims), dtype=values.dtype)
    result[np.unravel_index(indices, result.shape) if indices.ndim == 1 else tuple(indices.T)] = values
    return result


def _constant(node: onnx.NodeProto) -> np.ndarray:
    """Give the array of a Constant node in any of its spellings."""
    if len(node.attribute) != 1:
        raise ModelError(
            f"The Constant '{node.output[0]}' must hold one value, not {len(node.attribute)}; export the model again"
        )
    attribute = node.attribute[0]
    value = helper.get_attribute_value(attribute)
    match attribute.name:
        case "value":
            return array_of(value, node.output[0])
        case "sparse_value":
            return _dense(value)
        case "value_float" | "value_floats":
            return np.asarray(value, dtype=np.float32)
        case "value_int" | "value_ints":
            return np.asarray(value, dtype=np.int64)
    raise ModelError(f"The Constant '{node.output[0]}' holds text, which no hardware computes with")


def sorted_nodes(graph: onnx.GraphProto, constants: Collection[str]) -> list[onnx.NodeProto]:
    """Give a graph's nodes so that each comes behind those that it reads, in the file's order where that will do.

    Raises
    ------
    ModelError
        If there is a cycle, or something is read that nothing defines.
    """
    maker = {name: index for index, node in enumerate(graph.node) for name in node.output if name}
    known = set(constants) | {value.name for value in graph.input} | {""}
    for node in graph.node:
        for name in node.input:
            if name not in known and name not in maker:
                raise ModelError(
                    f"Node '{node.name or node.output[0]}' ({node.op_type}) reads '{name}', which nothing defines"
                )
    for value in graph.output:
        if value.name not in known and value.name not in maker:
            raise ModelError(f"The graph's output '{value.name}' is not defined by any node")
    needs = {index: {maker[name] for name in node.input if name in maker} for index, node in enumerate(graph.node)}
    try:
        order = list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        circle = " -> ".join(
            f"'{graph.node[index].name or graph.node[index].output[0]}'" for index in reversed(error.args[1])
        )
        raise ModelError(f"The graph has a cycle: {circle}") from error
    in_file_order = all(max(before, default=-1) < index for index, before in needs.items())
    return [graph.node[index] for index in (range(len(order)) if in_file_order else order)]


def _attributes(node: onnx.NodeProto, opset: int) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    schema = schema_of(node.domain, node.op_type, opset)
    if schema is not None:
        for name, attribute in schema.attributes.items():
            if attribute.default_value.type:
                attributes[name] = helper.get_attribute_value(attribute.default_value)
    else:
        attributes.update(defaults_of(node.op_type))
    given = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    attributes.update({name: value for name, value in given.items() if not isinstance(value, onnx.GraphProto)})
    return {name: _plain(value) for name, value in attributes.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, onnx.TensorProto):
        return array_of(value)
    return tuple(_plain(part) for part in value) if isinstance(value, list) else value


def _nodes(entry: onnx.NodeProto, name: str, opset: int, draft: _Draft) -> Sequence[Node]:
    op = canonical_name(entry.domain, entry.op_type)
    node = Node(op, name, tuple(entry.input), tuple(entry.output), _attributes(entry, opset))
    if op == "QuantizeLinear" and len(entry.input) > 2 and entry.input[2] in draft.bits:
        node = replace(node, attributes={**node.attributes, "bits": draft.bits[entry.input[2]]})

    def add(suffix: str, array: np.ndarray) -> str:
        place = draft.fresh(f"{name}.{suffix}")
        draft.constants[place] = array
        return place

    try:
        *before, node = in_onnx(normalise(node, opset, add), draft.fresh)
        shapes = {name: array.shape for name, array in draft.constants.items() if name in node.inputs}
        return (*before, *spelled_out(node, entry.domain, entry.op_type, shapes, add, draft.fresh))
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ModelError(
            f"Node '{name}' ({op}) has inputs or attributes that make no sense in opset {opset}; export the model again"
        ) from error


def _without_dropout(node: Node, constants: Mapping[str, np.ndarray], readers: Mapping[str, int]) -> Node:
    """Turn a Dropout that does nothing into an Identity; one that drops is an error."""
    if node.op != "Dropout":
        return node
    flag = node.attributes["training_mode"]
    if flag and bool(np.any(constants.get(flag, False))):
        raise ModelError(
            f"Node '{node.name}' (Dropout) is in training mode; call model.eval() before "
            "the export, or pass training=False"
        )
    if (flag and flag not in constants) or any(readers[name] for name in node.outputs[1:]):
        return node
    return replace(node, op="Identity", outputs=node.outputs[:1], attributes={})


def model_inputs(graph: onnx.GraphProto, constants: Mapping[str, np.ndarray], read: Set[str]) -> list[Value]:
    """Give the inputs that are no constants; ``read`` are the tensors that nodes read.

    Raises
    ------
    ModelError
        If there are none, or one that is read has no shape that hardware can take.
    """
    real = [value for value in graph.input if value.name not in constants]
    if not real:
        raise ModelError("The graph has no input besides its weights; hardware needs one")
    wanted = read | {value.name for value in graph.output}
    # What nothing reads need have no shape that hardware could take; it is left out later, and said to be.
    return [
        _input(value) if value.name in wanted else Value(value.name, (None,), np.dtype(np.float32)) for value in real
    ]


def _input(entry: onnx.ValueInfoProto) -> Value:
    if not entry.type.HasField("tensor_type") or not entry.type.tensor_type.HasField("shape"):
        raise ModelError(f"Input '{entry.name}' has no known shape; export again with an example input")
    dims = entry.type.tensor_type.shape.dim
    shape = tuple(dim.dim_value if dim.HasField("dim_value") and dim.dim_value > 0 else None for dim in dims)
    for axis, size in enumerate(shape):
        if size is None and axis > 0:
            label = f" '{dims[axis].dim_param}'" if dims[axis].dim_param else ""
            raise ModelError(
                f"Axis {axis}{label} of input '{entry.name}' has a dynamic size, but only the batch (axis 0) may vary; "
                "fix it with 'python -m onnxruntime.tools.make_dynamic_shape_fixed' or export again with a fixed size"
            )
    if len(shape) < 2:
        raise ModelError(
            f"Input '{entry.name}' has shape {list(shape)}, but a batch axis and at least one "
            "more are needed; export it as [1, ...]"
        )
    if math.prod(size or 1 for size in shape) > MOST_IN_A_MAP:
        raise ModelError(
            f"Input '{entry.name}' has shape {list(shape)}; the largest that is handled has {MOST_IN_A_MAP:,} numbers a frame"
        )
    return Value(entry.name, shape, number_type_of(entry.type.tensor_type.elem_type, f"Input '{entry.name}'"))
