"""Shapes and dtypes of every value, and the values that do not depend on the input's data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from hwgen.errors import ModelError
from hwgen.graph import UNKNOWN, Graph, Node, Value
from hwgen.operators.budget import MOST_IN_A_MAP, Budget, hold_map, too_large
from hwgen.operators.evaluate import CHANNELWISE, OPERATORS, apply, common_type, mismatch
from hwgen.operators.operands import hold_operands
from hwgen.operators.shaping import concat_shape
from hwgen.operators.window_attributes import hold_kernel, hold_window
from hwgen.operators.windows import explicit_pads, output_size

__all__ = ["Facts", "constant_values", "infer", "with_values"]

_STRUCTURAL: dict[str, tuple[int, ...]] = {
    "ConstantOfShape": (0,),
    "Expand": (1,),
    "GRU": (1, 2, 3, 4),
    "LSTM": (1, 2, 3, 4, 7),
    "Pad": (1, 3),
    "Quant": (3,),
    "RNN": (1, 2, 3, 4),
    "Range": (0, 1, 2),
    "Reshape": (1,),
    "Resize": (2, 3),
    "Slice": (1, 2, 3, 4),
    "Split": (1,),
    "Squeeze": (1,),
    "Tile": (1,),
    "TopK": (1,),
    "Trunc": (3, 4, 5),
    "Unsqueeze": (1,),
}
_KEEPS_SHAPE = frozenset(
    "BatchNormalization Cast CastLike DequantizeLinear MultiThreshold QuantizeLinear Requantize Trunc".split()
)
_LOOKS_AT = {"CastLike": 1, "Shape": 0, "Size": 0}
"""How many inputs an operator takes the data of, where it only asks for the shape or dtype of the others."""
_PRODUCTS = {"MatMul": 1, "MatMulInteger": 1, "QLinearMatMul": 3, "XnorPopcountMatMul": 1}
"""Products, and which of their inputs is the second matrix."""
_SLIDING = {"AveragePool": 0, "Conv": 1, "ConvInteger": 1, "MaxPool": 0, "QLinearConv": 3}
"""Windows, and which of their inputs are the weights (0: none are)."""
_CONVOLUTIONS = {"Conv": 1, "ConvInteger": 1, "ConvTranspose": 1, "QLinearConv": 3}
_BIASES = {"Conv": 2, "ConvTranspose": 2, "QLinearConv": 8}
_WINDOWS = frozenset(_SLIDING) | frozenset(_CONVOLUTIONS) | {"QLinearAveragePool"}
_JOINS_AXES = frozenset({"Concat", "Pad", "Resize", "Slice", "Split", "Tile"})
"""Operators that make an axis longer or shorter: that of the batch stays as it is."""
_TYPED_BY = {"QLinearConv": 7, "QLinearMatMul": 7}
"""Which input has the type of the output; other products of integers have 32 bits."""


@dataclass(frozen=True, eq=False)
class Facts:
    """What is known of a graph at one batch size.

    Parameters
    ----------
    shapes, dtypes : mapping of str to tuple of int, dtype
        Of every constant and value.
    statics : mapping of str to ndarray
        Constants, and node outputs that depend on constants and shapes only.
    """

    shapes: Mapping[str, tuple[int, ...]]
    dtypes: Mapping[str, np.dtype]
    statics: Mapping[str, np.ndarray]


def constant_values(graph: Graph) -> dict[str, np.ndarray]:
    """Evaluate every node that depends on constants only; give the constants and those results by name."""
    known, budget = dict(graph.constants), Budget(graph.constants.values())
    for node in graph.nodes:
        if node.op in OPERATORS and all(name in known for name in node.inputs if name):
            arrays = [known[name] if name else None for name in node.inputs]
            budget.spend(node, arrays)
            results = apply(node, arrays)
            known.update({name: array for name, array in zip(node.outputs, results, strict=False) if name})
    return known


def infer(graph: Graph, batch: int, known: Mapping[str, np.ndarray]) -> Facts:
    """Follow shapes, dtypes and static values through a graph.

    Parameters
    ----------
    graph : Graph
        Only the records of its inputs are read; None in their shape stands for the batch.
    batch : int
        Size of the batch.
    known : mapping of str to ndarray
        Result of `constant_values`.

    Raises
    ------
    ModelError
        If an operator does not accept its inputs' shapes, or a shape would depend on data.
    """
    statics, budget = dict(known), Budget(known.values())
    shapes = {name: array.shape for name, array in known.items()}
    dtypes = {name: array.dtype for name, array in known.items()}
    for name in graph.inputs:
        value = graph.values[name]
        shapes[name], dtypes[name] = tuple(batch if size is None else size for size in value.shape), value.dtype
    for node in graph.nodes:
        if all(name in known for name in node.outputs if name):
            continue
        static = node.op != UNKNOWN and all(name in statics for name in node.inputs[: _LOOKS_AT.get(node.op)] if name)
        arrays = [_of(node, name, statics, shapes, dtypes) if name else None for name in node.inputs]
        hold_operands(node, arrays)
        if not static:
            for place in _STRUCTURAL.get(node.op, ()):
                if place < len(node.inputs) and node.inputs[place] and node.inputs[place] not in statics:
                    raise ModelError(
                        f"Node '{node.name}' ({node.op}) takes '{node.inputs[place]}' from the data, but "
                        "hardware needs it fixed; make it a constant"
                    )
        if static:
            budget.spend(node, arrays)
        results = apply(node, arrays) if static else _results(node, arrays, batch)
        for name, array in zip(node.outputs, results, strict=False):
            if name and not static:
                _hold_size(node, name, array.shape)
            if name:
                shapes[name], dtypes[name] = array.shape, array.dtype
                if static:
                    statics[name] = array
    return Facts(shapes, dtypes, statics)


def with_values(graph: Graph) -> Graph:
    """Give the graph with a record for every value; an axis that grows with the batch has size None.

    Raises
    ------
    ModelError
        Also if a value that depends on the input has lost its batch axis.
    """
    known = constant_values(graph)
    two, three = infer(graph, 2, known), infer(graph, 3, known)
    values = {}
    for name in (*graph.inputs, *(name for node in graph.nodes for name in node.outputs if name)):
        if name not in two.shapes:
            continue  # an output beyond those that the node yields, which nothing reads
        pairs = zip(two.shapes[name], three.shapes[name], strict=True)
        values[name] = Value(name, tuple(size if size == other else None for size, other in pairs), two.dtypes[name])
    for node in graph.nodes:
        for name in node.outputs:
            if name in values and name not in two.statics and _mixes(node, name, two.shapes, three.shapes):
                raise ModelError(
                    f"Node '{node.name}' ({node.op}) mixes the frames of a batch in its output "
                    f"'{name}'; frames must be independent"
                )
    return replace(graph, values=values)


def _mixes(node: Node, name: str, two: Mapping[str, tuple[int, ...]], three: Mapping[str, tuple[int, ...]]) -> bool:
    """Tell whether an output has no batch axis any more, or more frames than there are."""
    grown = {(size, other) for size, other in zip(two[name], three[name], strict=True) if size != other}
    read = {
        (size, other)
        for source in node.inputs
        if source in two
        for size, other in zip(two[source], three[source], strict=True)
    }
    return not grown or (node.op in _JOINS_AXES and not grown <= read)


def _of(
    node: Node,
    name: str,
    statics: Mapping[str, np.ndarray],
    shapes: Mapping[str, tuple[int, ...]],
    dtypes: Mapping[str, np.dtype],
) -> np.ndarray:
    """Give what a node reads, or zeros of its shape."""
    if name in statics:
        return statics[name]
    if name not in shapes:
        raise ModelError(f"Node '{node.name}' ({node.op}) reads '{name}', an output that its maker does not have")
    return _stand_in(shapes[name], dtypes[name])


def _hold_size(node: Node, name: str, shape: tuple[int, ...]) -> None:
    """Hold that a map has a number in it, and not more than can be counted.

    Raises
    ------
    ModelError
    """
    if 0 in shape:
        raise ModelError(
            f"Node '{node.name}' ({node.op}) yields nothing: its output '{name}' has shape {shape}; leave the node out"
        )
    if math.prod(shape[1:]) > MOST_IN_A_MAP:
        raise too_large(node, math.prod(shape[1:]))


def _stand_in(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    return np.broadcast_to(np.zeros((), dtype), shape)


def _results(node: Node, arrays: list[np.ndarray | None], batch: int) -> tuple[np.ndarray, ...]:
    """Give arrays of the right shape and dtype, without the work of calculating large ones."""
    if node.op == UNKNOWN:
        return tuple(_stand_in((batch, *value.shape[1:]), value.dtype) for value in node.attributes["values"])
    present = [array for array in arrays if array is not None]
    if node.op in _CONVOLUTIONS:
        place = _BIASES.get(node.op, len(arrays))
        bias = arrays[place] if place < len(arrays) else None
        weights = _operands(arrays, _CONVOLUTIONS[node.op])[1].shape
        hold_kernel(node, weights, None if bias is None else bias.shape)
    if node.op in _WINDOWS:
        hold_window(node, present[0].ndim - 2)
    hold_map(node, arrays, batch)
    if node.op in CHANNELWISE:
        probes = [None if array is None else array[(slice(0, 1),) * array.ndim] for array in arrays]
        dtype = apply(node, probes)[0].dtype
        try:
            shape = (
                present[0].shape
                if node.op in _KEEPS_SHAPE
                else np.broadcast_shapes(*(array.shape for array in present))
            )
        except ValueError as error:
            raise mismatch(node, present) from error
    elif node.op in _PRODUCTS:
        operands = _operands(arrays, _PRODUCTS[node.op])
        shape, dtype = _product_shape(node, operands), _product_type(node, arrays, common_type(node, operands))
    elif node.op in _SLIDING and len(node.outputs) == 1:
        shape = _sliding_shape(node, _operands(arrays, _SLIDING[node.op]))
        dtype = _product_type(node, arrays, present[0].dtype)
    elif node.op == "Concat":
        shape, dtype = _concat_shape(node, present), common_type(node, present)
    else:
        return apply(node, arrays)
    return (_stand_in(shape, dtype),)


def _concat_shape(node: Node, arrays: list[np.ndarray]) -> tuple[int, ...]:
    try:
        return concat_shape([array.shape for array in arrays], node.attributes["axis"])
    except ValueError as error:
        raise mismatch(node, arrays) from error


def _operands(arrays: list[np.ndarray | None], second: int) -> list[np.ndarray]:
    """Give the data of a product or window, and its weights if it has any."""
    return [array for place in dict.fromkeys((0, second)) if (array := arrays[place]) is not None]


def _product_type(node: Node, arrays: list[np.ndarray | None], real: np.dtype) -> np.dtype:
    if node.op in ("ConvInteger", "MatMulInteger"):
        return np.dtype(np.int32)
    example = arrays[_TYPED_BY[node.op]] if node.op in _TYPED_BY else None
    return real if example is None else example.dtype


def _product_shape(node: Node, arrays: list[np.ndarray]) -> tuple[int, ...]:
    a, b = (array.shape for array in arrays)
    if not a or not b or a[-1] != b[-2 if len(b) > 1 else 0]:
        raise mismatch(node, arrays)
    rows, columns = a[-2:-1], b[-1:] if len(b) > 1 else ()
    try:
        return (*np.broadcast_shapes(a[:-2], b[:-2]), *rows, *columns)
    except ValueError as error:
        raise mismatch(node, arrays) from error


def _sliding_shape(node: Node, arrays: list[np.ndarray]) -> tuple[int, ...]:
    x = arrays[0]
    is_conv = node.op in _CONVOLUTIONS
    kernel = arrays[1].shape[2:] if is_conv else tuple(node.attributes["kernel_shape"])
    rank = len(kernel)
    if x.ndim != rank + 2 or (is_conv and x.shape[1] != arrays[1].shape[1] * node.attributes.get("group", 1)):
        raise mismatch(node, arrays)
    pads = explicit_pads(node.attributes, x.shape[2:], kernel)
    sizes = [
        output_size(
            x.shape[2 + axis],
            kernel[axis],
            (node.attributes.get("strides") or (1,) * rank)[axis],
            (node.attributes.get("dilations") or (1,) * rank)[axis],
            (pads[axis], pads[rank + axis]),
            bool(node.attributes.get("ceil_mode", 0)),
        )
        for axis in range(rank)
    ]
    if math.prod(max(size, 0) for size in sizes) == 0:
        raise ModelError(
            f"Node '{node.name}' ({node.op}) has a window {tuple(kernel)} larger than its "
            f"map {x.shape[2:]} with pads {pads}"
        )
    return (x.shape[0], arrays[1].shape[0] if is_conv else x.shape[1], *sizes)
