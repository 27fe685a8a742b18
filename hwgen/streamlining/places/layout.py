"""How the axes of ONNX tensors lie on maps (height, width, channels): index arrays instead of layout names.

Every tensor carries the number of the map's element at each of its places. Transpose, Reshape, Slice and the like are run
on these numbers, so that any order of them is followed.
"""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np

from hwgen.errors import ModelError
from hwgen.graph import Graph, Node
from hwgen.layers.protocol import MapShape
from hwgen.operators.evaluate import CHANNELWISE, apply
from hwgen.operators.shaping import SHAPING
from hwgen.streamlining.functions.signal import coordinates_of, differ, flat_map
from hwgen.streamlining.functions.terms import Parameter

_CHANNELS_FIRST = frozenset(
    {"AveragePool", "Concat", "Conv", "ConvTranspose", "GlobalAveragePool", "GlobalMaxPool", "MaxPool"}
)
"""Operators whose maps have the channels on axis 1."""

__all__ = ["axes_of", "conflicts", "input_map", "on_map", "output_permutation", "spread"]


def input_map(graph: Graph, name: str, onnx_shape: tuple[int, ...]) -> tuple[tuple[int, ...], MapShape, np.ndarray]:
    """Choose the map that an input is sent as: the one that its first layer reads.

    Parameters
    ----------
    graph : Graph
    name : str
        Of the input.
    onnx_shape : tuple of int
        Shape of a frame.

    Returns
    -------
    permutation : tuple of int
        Axes of the frame in the order in which they are sent.
    shape : MapShape
    index : ndarray of int64, shape (1, *onnx_shape)
        Element of the map at each place of the frame.
    """
    frame = np.arange(math.prod(onnx_shape), dtype=np.int64).reshape(1, *onnx_shape)
    read = _first_read(graph, name, frame)
    # Where a part of it is read first, or parts twice, it is sent as a whole, and moved behind the input.
    for order in (read, _along_axes_of(read, frame), _default_order(frame)):
        if order is None or order.size != frame.size or not differ(order):
            continue
        for permutation in permutations(range(len(onnx_shape))):
            if np.array_equal(frame[0].transpose(permutation).ravel(), order.ravel()):
                index = np.empty(frame.size, dtype=np.int64)
                index[order.ravel()] = np.arange(frame.size)
                height, width, channels = order.shape
                return permutation, (height, width, channels), index.reshape(frame.shape)
    raise ModelError(
        f"Input '{name}' of shape {onnx_shape} is reordered before the first layer in a way that no permutation of its "
        "axes gives; let the model take maps as (channels, height, width)"
    )


def _first_read(graph: Graph, name: str, frame: np.ndarray) -> np.ndarray:
    """Follow an input to its first layer; give the frame's elements as the map (height, width, channels) read there."""
    seen: dict[str, np.ndarray] = {name: frame}
    for node in graph.nodes:
        index = next((seen[name] for name in node.inputs if name in seen), None)
        if index is None:
            continue
        if node.op == "Gather" and node.inputs[0] in graph.constants:
            return index.reshape(*((1, -1) if index.ndim == 2 else index.shape[1:3]), 1)
        if node.op in ("MatMul", "XnorPopcountMatMul"):
            return _grouped(index) if _has_groups(node, graph) else _vectors(index)
        channels_first = node.op in _CHANNELS_FIRST or (node.op.startswith("Reduce") and index.ndim == 4)
        if index.ndim in (3, 4) and (channels_first or _pads_last(node, graph)):
            return np.transpose(index[0][:, None] if index.ndim == 3 else index[0], (1, 2, 0))
        if node.op == "Concat" and any(part in graph.constants for part in node.inputs):
            # A constant beside the frame has no place in it.
            return _default_order(frame)
        if node.op in SHAPING and node.op != "Pad" and node.inputs[0] in seen:
            inputs = [index, *(graph.constants.get(name) for name in node.inputs[1:])]
            seen.update(zip(node.outputs, _shaped(node, inputs, index), strict=False))
        elif node.op in CHANNELWISE or node.op == "Pad":
            seen[node.outputs[0]] = index
    return _default_order(frame)


def _along_axes_of(read: np.ndarray, frame: np.ndarray) -> np.ndarray | None:
    """Give a whole frame as the map whose rows, columns and channels are the axes along which those of a map change that reads parts of it."""
    coordinates = coordinates_of(read, frame.shape[1:])
    found: dict[int, int] = {}
    for number in range(3):
        changing = [axis for axis, coordinate in enumerate(coordinates) if np.any(np.diff(coordinate, axis=number))]
        if len(changing) > 1 or set(changing) & set(found.values()):
            return None
        found.update((number, axis) for axis in changing)
    spare = [axis for axis in range(frame.ndim - 1) if axis not in found.values()]
    for number in (2, 0, 1):
        if number not in found and spare:
            found[number] = spare.pop(0)
    order = frame[0].transpose([found[number] for number in range(3) if number in found])
    sizes = [frame.shape[1 + found[number]] if number in found else 1 for number in range(3)]
    return None if spare else order.reshape(sizes)


def _pads_last(node: Node, graph: Graph) -> bool:
    """Whether a node puts a border around the last axis, and so takes it for the columns of a map, and axis 1 for the channels."""
    amounts = graph.constants.get(node.inputs[1]) if node.op == "Pad" and len(node.inputs) > 1 else None
    return amounts is not None and bool(np.any(np.reshape(amounts, (2, -1))[:, -1]))


def _has_groups(node: Node, graph: Graph) -> bool:
    """Whether a product has several matrices."""
    weights = graph.constants.get(node.inputs[1])
    return weights is not None and math.prod(weights.shape[:-2]) > 1


def _grouped(index: np.ndarray) -> np.ndarray:
    """See the vectors of groups as one vector at each place."""
    places, columns = index.shape[-2:]
    return index.reshape(-1, places, columns).swapaxes(0, 1).reshape(1, places, -1)


def _default_order(frame: np.ndarray) -> np.ndarray:
    return np.transpose(frame[0], (1, 2, 0)) if frame.ndim == 4 else _vectors(frame)


def _shaped(node: Node, inputs: list[np.ndarray | None], index: np.ndarray) -> tuple[np.ndarray, ...]:
    """Run a node; behind a border, which is left out here, a reshape may not fit: then the order is as good as before."""
    try:
        return apply(node, inputs)
    except ModelError:
        return (index,)


def _vectors(index: np.ndarray) -> np.ndarray:
    """See a tensor as a map of vectors along its last axis."""
    last = index.shape[-1]
    if index.size == last:
        return index.reshape(1, 1, last)
    return index.reshape((index.shape[1], index.shape[2], last) if index.ndim == 4 else (1, -1, last))


def axes_of(index: np.ndarray, shape: MapShape) -> tuple[int, int, int] | None:
    """Find the tensor axes along which row, column and channel of a map change; None if it is no plain permutation.

    Axes of length one are shared out in the order channel, row, column, first to last.
    """
    if index.size != math.prod(shape) or index.shape[0] != 1:
        return None
    coordinates = coordinates_of(index, shape)
    found: dict[int, int] = {}
    for number, coordinate in enumerate(coordinates):
        for axis in range(1, index.ndim):
            first = np.take(coordinate, [0], axis=axis)
            if coordinate.shape[axis] > 1 and np.any(coordinate != first):
                if number in found:
                    return None
                found[number] = axis
    spare = [axis for axis in range(1, index.ndim) if axis not in found.values()]
    for number in (2, 0, 1):
        if number not in found and spare:
            found[number] = spare.pop(0)
    return (found[0], found[1], found[2]) if len(found) == 3 and len(set(found.values())) == 3 else None


def spread(constant: np.ndarray, node: Node, shape: tuple[int, ...]) -> np.ndarray | None:
    """Number the entries of a node's constant that meet each place of a tensor; None if it does not broadcast to it.

    A BatchNormalization's and a quantiser's per-axis parameters and a MultiThreshold's rows belong to a channel axis.
    """
    numbers: np.ndarray = np.arange(constant.size).reshape(constant.shape)
    axis = None
    if node.op == "BatchNormalization" and constant.ndim < 2:
        axis = node.attributes.get("channel_axis", 1)
    elif node.op == "MultiThreshold":
        axis, numbers = node.attributes["channel_axis"], np.arange(constant.shape[0])
    elif node.op in ("QuantizeLinear", "DequantizeLinear", "Requantize") and constant.ndim == 1 and constant.size > 1:
        axis = node.attributes["axis"]
    if axis is not None:
        column = [1] * len(shape)
        column[axis] = -1
        numbers = numbers.reshape(column)
    try:
        return np.broadcast_to(numbers, shape)
    except ValueError:
        return None


def conflicts(constant: np.ndarray, node: Node, index: np.ndarray, shape: MapShape) -> bool:
    """Whether a tensor holds an element of the map twice with different entries of a constant."""
    numbers = spread(constant, node, index.shape)
    if constant.size == 1 or numbers is None or differ(index):
        return False
    entries = np.full(math.prod(shape), -1, dtype=np.int64)
    entries[index.ravel()] = numbers.ravel()
    flat = constant.reshape(len(constant), -1) if node.op == "MultiThreshold" else constant.reshape(-1, 1)
    return bool(np.any(flat[entries[index]] != flat[numbers]))


def on_map(constant: np.ndarray, node: Node, index: np.ndarray, shape: MapShape) -> Parameter:
    """Lay a node's constant out like the map.

    Raises
    ------
    ModelError
        If it widens the tensor.
    """
    if constant.size == 1 and node.op != "MultiThreshold":
        return Parameter(constant.reshape(()))
    numbers = spread(constant, node, index.shape)
    if numbers is None:
        raise ModelError(
            f"Node '{node.name}' ({node.op}) widens a tensor of shape {index.shape} by its constant of shape {constant.shape}, "
            "which has no hardware"
        )
    entries = constant if node.op == "MultiThreshold" else constant.ravel()
    if numbers.max() == 0 and node.op == "MultiThreshold":
        return Parameter(entries[None, None])
    whole = np.full(math.prod(shape), -1, dtype=np.int64)
    whole[index.ravel()] = numbers.ravel()
    grid = whole.reshape(shape)
    if whole.min() < 0:
        # A part of the map is read: the rest gets what its channel, or any other, has.
        grid = np.where(grid < 0, np.max(grid, axis=(0, 1), keepdims=True), grid)
        grid = np.where(grid < 0, grid.max(), grid)
    picked = entries[grid]
    for axis in range(3):
        first = np.take(picked, [0], axis=axis)
        if np.all(picked == first):
            picked = first
    return Parameter(picked)


def output_permutation(index: np.ndarray, shape: MapShape) -> tuple[int, ...] | None:
    """Find how a frame is made of the map: the map is reshaped to the permuted shape and transposed; None if it cannot be.

    Parameters
    ----------
    index : ndarray of int64, shape of a frame in the ONNX model
    shape : MapShape
    """
    if index.size != math.prod(shape):
        return None
    for permutation in permutations(range(index.ndim)):
        sizes = [0] * index.ndim
        for axis, size in zip(permutation, index.shape, strict=True):
            sizes[axis] = size
        if np.array_equal(flat_map(shape).reshape(sizes).transpose(permutation), index):
            return permutation
    return None
