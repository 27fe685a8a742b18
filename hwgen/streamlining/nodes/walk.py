"""Follow the graph from its inputs to its outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hwgen.codes import CodeType
from hwgen.errors import ModelError, OrderError
from hwgen.graph import UNKNOWN, Graph, Node, Value
from hwgen.operators.evaluate import CHANNELWISE, apply
from hwgen.operators.shaping import SHAPING
from hwgen.progress import at
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.functions.signal import Codes, Signal, signal_of
from hwgen.streamlining.nodes.borders import padding
from hwgen.streamlining.nodes.concatenation import concatenation
from hwgen.streamlining.nodes.elementwise import alike, elementwise
from hwgen.streamlining.nodes.embedding import embedding
from hwgen.streamlining.nodes.heads import arg_max, check_ranked, top
from hwgen.streamlining.nodes.joins import merged
from hwgen.streamlining.nodes.products import product
from hwgen.streamlining.nodes.quotients import quotient
from hwgen.streamlining.nodes.reduce import average_pool, reduction
from hwgen.streamlining.nodes.softmax import RANKERS, RANKING, computed, softmax
from hwgen.streamlining.nodes.stepped import only_stepped
from hwgen.streamlining.nodes.stream_product import stream_product
from hwgen.streamlining.nodes.transposed import transposed_convolution
from hwgen.streamlining.nodes.windows import convolution, max_pool
from hwgen.streamlining.places.arrange import default_layout

__all__ = ["walk"]

Tensor = Signal | np.ndarray | None


def walk(graph: Graph, sources: Mapping[str, Signal], builder: Builder) -> dict[str, Signal | np.ndarray]:
    """Give every tensor of the graph; writes down all layers but the one whose integers no layer reads.

    A node that has no hardware is refused in the builder, and the walk goes on behind it as if it yielded small integers, so that all such
    nodes are found.
    """
    tensors: dict[str, Signal | np.ndarray] = {**graph.constants, **sources}
    lost, assumed = builder.lost, builder.assumed
    builder.computed, builder.stepped = computed(graph), only_stepped(graph)
    for node in graph.nodes:
        at(f"node '{node.name}'")
        if lost & set(node.inputs):
            lost |= set(node.outputs)
            continue
        if assumed & set(node.inputs):
            assumed |= set(node.outputs)
        try:
            with builder.assuming(bool(assumed & set(node.inputs))):
                results = _results(node, tensors, builder)
        except ModelError as error:
            # How the elements of what is assumed lie is a guess too.
            if not (isinstance(error, OrderError) and assumed & set(node.inputs)):
                builder.refuse(replace(node, op=node.attributes["op"]) if node.op == UNKNOWN else node, error)
            results = {name: _assumed(node, value) for name in node.outputs if (value := _map_value(graph, name))}
            lost |= set(node.outputs) - set(results)
            assumed |= set(results)
        tensors.update(results)
    return tensors


def _map_value(graph: Graph, name: str) -> Value | None:
    """Give the record of a tensor of numbers that can be a map."""
    value = graph.values.get(name)
    sizes = () if value is None else value.shape[1:]
    return value if value and value.dtype.kind in "fiub" and 0 < len(sizes) < 4 and all(sizes) else None


def _assumed(node: Node, value: Value) -> Signal:
    """Give a tensor that stands for what cannot be known: integers that no function of them minds."""
    index, shape = default_layout((1, *(size for size in value.shape[1:] if size is not None)))
    kind = CodeType(1, 127) if value.dtype.kind == "f" else CodeType(0, 1)
    return signal_of(Codes("", shape, kind, np.ones(shape[2]), np.zeros(shape[2])), node.name, index)


def _results(node: Node, tensors: dict[str, Signal | np.ndarray], builder: Builder) -> dict[str, Signal | np.ndarray]:
    """Give the outputs of one node."""
    if node.op == UNKNOWN:
        raise ModelError(f"Node '{node.name}' ({node.attributes['op']}) {node.attributes['reason']}")
    missing = next((name for name in node.inputs if name and name not in tensors), None)
    if missing is not None:
        raise ModelError(
            f"Node '{node.name}' ({node.op}) reads '{missing}', the values of a ranking; only its indices have hardware"
        )
    operands = [tensors[name] if name else None for name in node.inputs]
    if any(isinstance(operand, Signal) for operand in operands):
        return {name: _named(tensor, name, builder) for name, tensor in _visit(node, operands, builder).items()}
    arrays = [operand for operand in operands if not isinstance(operand, Signal)]
    return dict(zip(node.outputs, apply(node, arrays), strict=False))


def _visit(node: Node, operands: list[Tensor], builder: Builder) -> dict[str, Signal | np.ndarray]:
    output = node.outputs[0]
    signals = [operand for operand in operands if isinstance(operand, Signal)]
    dropped = next((signal.dropped[-1] for signal in signals if signal.dropped), None)
    if dropped is not None and node.op not in SHAPING and node.op not in RANKERS:
        raise ModelError(f"Node '{node.name}' ({node.op}) follows '{dropped}', which has hardware only at the end")
    if node.op in CHANNELWISE:
        # A product of one map with itself is a function of its integers; where it is to be exact however wide, it is one of two maps.
        apart = bool(node.attributes.get("integers", 0)) or not alike(signals)
        if apart and node.op in ("Div", "Mul") and output in builder.stepped and node.name not in builder.divided:
            ratio = quotient(node, operands, builder)
            if ratio is not None:
                return {output: ratio}
        return {output: merged(node, operands, builder) if apart else elementwise(node, operands, builder)}
    if node.op == "Concat":
        return {output: concatenation(node, [operand for operand in operands if operand is not None], builder)}
    if node.op == "Gather" and isinstance(operands[0], np.ndarray):
        return {output: embedding(node, operands[0], signals[0], builder)}
    if node.op == "MatMul" and isinstance(operands[0], np.ndarray) and isinstance(operands[1], Signal):
        turned = operands[1].moved(operands[1].index.swapaxes(-1, -2))
        result = product(node, turned, operands[0].swapaxes(-1, -2), builder)
        return {output: result.moved(result.index.swapaxes(-1, -2))}
    if node.op == "MatMul" and len(signals) > 1:
        vectors, matrices = signals
        return {output: stream_product(node, vectors, matrices, builder)}
    first, rest = operands[0], operands[1:]
    constants = [operand for operand in rest if not isinstance(operand, Signal)]
    if not isinstance(first, Signal) or len(constants) < len(rest):
        raise ModelError(
            f"Node '{node.name}' ({node.op}) has operands that both depend on the input; only sums, products, choices, comparisons, "
            "matrix products and Concat join two maps"
        )
    match node.op:
        case "MatMul" | "XnorPopcountMatMul":
            return {output: product(node, first, _given(node, constants[0]), builder)}
        case "Conv" | "ConvTranspose":
            bias = constants[1] if len(constants) > 1 else None
            convolve = convolution if node.op == "Conv" else transposed_convolution
            return {output: convolve(node, first, _given(node, constants[0]), bias, builder)}
        case "MaxPool" | "GlobalMaxPool":
            return {output: max_pool(node, first, builder)}
        case "AveragePool":
            return {output: average_pool(node, first, builder)}
        case "GlobalAveragePool":
            axes = tuple(range(2, first.index.ndim))
            return {output: reduction(replace(node, op="ReduceMean"), first, axes, keepdims=True, builder=builder)}
        case "Im2Col":
            raise ModelError(
                f"Node '{node.name}' ({node.op}) gives windows that no product with constant weights reads at once; "
                "let a MatMul with the kernels follow it"
            )
        case "Pad":
            return {output: padding(node, first, constants, builder)}
        case "ArgMax" | "ArgMin":
            if node.op == "ArgMin":
                first = elementwise(Node("Neg", node.name, (), ()), [first], builder)
            keepdims, last = bool(node.attributes["keepdims"]), bool(node.attributes["select_last_index"])
            axis = int(node.attributes["axis"])
            return {output: arg_max(node, first, axis, keepdims=keepdims, last=last, builder=builder)}
        case "TopK":
            return {node.outputs[1]: top(node, first, _given(node, constants[0]), builder)}
    if node.op.startswith("Reduce"):
        axes = tuple(map(int, np.ravel(_given(node, constants[0])))) if constants else tuple(range(1, first.index.ndim))
        keepdims = bool(node.attributes.get("keepdims", 1))
        return {output: reduction(node, first, axes, keepdims=keepdims, builder=builder)}
    if node.op in RANKING:
        axis = int(node.attributes["axis"]) % first.index.ndim
        return {
            output: softmax(node, first, axis, builder)
            if node.name in builder.computed
            else _dropped(node, first, axis, builder)
        }
    if node.op in SHAPING:
        results = apply(node, [first.index, *constants])
        return {name: first.moved(result) for name, result in zip(node.outputs, results, strict=False)}
    raise ModelError(f"Node '{node.name}' ({node.op}) has no hardware yet; remove it, or end the model before it")


def _named(tensor: Signal | np.ndarray, name: str, builder: Builder) -> Signal | np.ndarray:
    if not isinstance(tensor, Signal):
        return tensor
    return builder.named(tensor, name)


def _given(node: Node, constant: np.ndarray | None) -> np.ndarray:
    if constant is None:
        raise ModelError(f"Node '{node.name}' ({node.op}) lacks its second input")
    return constant


def _dropped(node: Node, signal: Signal, axis: int, builder: Builder) -> Signal:
    """Leave out an operator that keeps the order of scores."""
    builder.dropped[node.name] = node.op
    check_ranked(node, signal, axis)
    return Signal(signal.origin, signal.term, signal.shape, signal.index, signal.edits, (*signal.dropped, node.name))
