"""The end of the network: rankings and outputs."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from hwgen.activation import Lookup
from hwgen.codes import CodeType
from hwgen.errors import ModelError, OrderError
from hwgen.graph import Graph, Node
from hwgen.layers.argmax import ArgMax
from hwgen.layers.table import Table
from hwgen.layers.topk import TopK
from hwgen.network import OutputPort
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.codes.encode import Affine, affine, encode
from hwgen.streamlining.codes.ties import settle
from hwgen.streamlining.edits import edited, pool_trends
from hwgen.streamlining.functions.domain import Floats, codes_domain
from hwgen.streamlining.functions.signal import Codes, Origin, Signal, differ, identity
from hwgen.streamlining.functions.terms import Evaluator
from hwgen.streamlining.places.arrange import arranged, default_layout
from hwgen.streamlining.places.layout import output_permutation
from hwgen.streamlining.resolve import codes_of, fixed_codes, function_of, pooled_raw
from hwgen.streamlining.writing import announce, raw_codes

__all__ = ["arg_max", "check_ranked", "output_port", "top"]

RANKS = 1 << 16
"""Different scores that a ranking table can tell apart, and entries of a channel's table."""

MOST_RANKED = 1 << 20
"""Entries of a ranking table in all classes of positions; more scores that differ from position to position are fixed point."""

FEW_LEVELS = 16
"""Levels up to which an output function becomes thresholds; beyond, the host looks values up."""


def arg_max(node: Node, signal: Signal, axis: int, *, keepdims: bool, last: bool, builder: Builder) -> Signal:
    """Rank the channels of every pixel.

    Raises
    ------
    ModelError
        If the axis is not the channels, or the scores cannot be ranked on integers.
    """
    pixels = check_ranked(node, signal, axis)
    if signal.dropped:
        builder.note(f"{_quoted(signal.dropped)} left out in front of '{node.name}': the order of scores is the same")
    codes = _scores(node, replace(signal, dropped=()), builder)
    layer = ArgMax(builder.name("argmax", node), codes.source, codes.shape, codes.type, last)
    name = builder.add(layer)
    domain = codes_domain(layer.out_type, layer.out_shape)
    origin = Origin(node.name, layer.out_shape, domain, source=name, type=layer.out_type)
    index = pixels // signal.shape[2]
    return Signal(origin, identity(), layer.out_shape, index if keepdims else np.squeeze(index, axis))


def top(node: Node, signal: Signal, k: np.ndarray, builder: Builder) -> Signal:
    """Find the best k channels of every pixel; their values have no hardware.

    Raises
    ------
    ModelError
        If the axis is not the channels, or the scores cannot be ranked on integers.
    """
    axis, count, largest = int(node.attributes["axis"]), int(np.ravel(k)[0]), bool(node.attributes["largest"])
    if count == 1 and largest:
        return arg_max(node, signal, axis, keepdims=True, last=False, builder=builder)
    pixels = check_ranked(node, signal, axis)
    if signal.dropped:
        builder.note(f"{_quoted(signal.dropped)} left out in front of '{node.name}': the order of scores is the same")
    codes = _scores(node, replace(signal, dropped=()), builder)
    layer = TopK(builder.name("topk", node), codes.source, codes.shape, codes.type, count, largest)
    name = builder.add(layer)
    domain = codes_domain(layer.out_type, layer.out_shape)
    origin = Origin(node.name, layer.out_shape, domain, source=name, type=layer.out_type)
    first = np.moveaxis(pixels, axis, -1) // signal.shape[2] * count
    return Signal(origin, identity(), layer.out_shape, np.moveaxis(first + np.arange(count), -1, axis))


def check_ranked(node: Node, signal: Signal, axis: int) -> np.ndarray:
    """Hold that an axis is the channels of a map, in their order; give the tensor at its first channel.

    Raises
    ------
    ModelError
        Naming the node.
    """
    channels = signal.shape[2]
    pixels = np.take(signal.index, [0], axis=axis)
    in_order = signal.index.shape[axis] == channels and not np.any(pixels % channels)
    if not in_order or np.any(np.moveaxis(signal.index - pixels, axis, -1) != np.arange(channels)):
        raise ModelError(
            f"Node '{node.name}' ({node.op}) ranks along axis {axis}, which does not hold the channels of a map in their order"
        )
    return pixels


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _scores(node: Node, signal: Signal, builder: Builder) -> Codes:
    """Give codes that rank as the scores do."""
    if isinstance(signal.origin.domain, Floats) or signal.origin.symbols is not None:
        return codes_of(signal, node, builder)
    function = function_of(signal)
    line = None if function.has_sign else affine(function, Evaluator())
    if line is not None and _one_line(line):
        return codes_of(signal, node, builder)
    if line is None:
        coding = encode(function, builder, signal.origin.node)
        if (
            coding is not None
            and not isinstance(coding, Affine)
            and _one_line(Affine(coding.values.scale, coding.values.offset))
        ):
            return codes_of(signal, node, builder)
    return _ranks(node, signal, builder)


def _one_line(line: Affine) -> bool:
    return bool(line.scale[0] > 0 and np.all(line.scale == line.scale[0]) and np.all(line.offset == line.offset[0]))


def _ranks(node: Node, signal: Signal, builder: Builder) -> Codes:
    """Replace each score by its place among all scores that any class can reach; equal scores stay equal."""
    origin = signal.origin
    if origin.linear is not None or signal.edits:
        signal = pooled_raw(signal, node, builder)
        origin = signal.origin
    function, kind = function_of(signal), origin.type
    if kind is None or isinstance(function.domain, Floats):
        raise TypeError("Only integers that are written down are ranked")
    if kind.levels > RANKS or kind.levels * function.domain.positions.count > MOST_RANKED:
        return fixed_codes(signal, node, builder)
    domain = function.domain
    low, step, count = (array.ravel() for array in (domain.low, domain.step, domain.count))
    integers = np.arange(kind.low, kind.high + 1)[:, None]
    points = np.clip((integers - low) // step, 0, count - 1)
    scores = function.at(points, np.arange(len(count)), Evaluator(np.float32))
    reached = scores[(integers >= low) & (integers <= low + step * (count - 1)) & ((integers - low) % step == 0)]
    different = np.unique(reached)
    if len(different) > RANKS:
        return fixed_codes(signal, node, builder)
    announce(origin.rounded, builder)
    ranks = np.searchsorted(different, scores).T.reshape(*domain.low.shape, -1)
    out_type = CodeType(0, max(1, len(different) - 1))
    lookup = Lookup(np.ascontiguousarray(ranks), kind.low, function.domain.positions)
    name = builder.add(Table(builder.name("ranks"), origin.source, origin.shape, kind, lookup, out_type))
    builder.note(
        f"'{node.name}' compares {len(different)} ranks: the places of the classes' scores, computed in float32 as the graph does, "
        "among all that can occur; ties stay ties"
    )
    ones = np.ones(origin.shape[2])
    return Codes(name, origin.shape, out_type, ones, 0 * ones)


def output_port(graph: Graph, name: str, signal: Signal, builder: Builder) -> OutputPort:
    """Write down what the last layer yields and how the host reads it.

    Raises
    ------
    ModelError
        If the output is no function of one code for each channel.
    """
    reader = Node("Output", name, (), ())
    dropped, signal = signal.dropped, replace(signal, dropped=())
    if dropped:
        builder.note(
            f"{_quoted(dropped)} left to the host that reads output '{name}': the order of its codes is the same"
        )
    values = None
    codes = _affine_head(signal, reader, builder)
    if codes is None:
        codes, values = _other_head(signal, reader, builder)
    if signal.index.shape[0] != 1:
        raise ModelError(f"Output '{name}' mixes the frames of a batch; give every frame a place of its own on axis 0")
    codes, values, index = _cut(codes, values, signal.index, reader, builder)
    permutation = output_permutation(index[0], codes.shape)
    return OutputPort(
        name,
        codes.source,
        index.shape[1:],
        permutation or (),
        str(graph.values[name].dtype),
        codes.scale,
        codes.offset,
        values,
        dropped,
        tuple(builder.dropped[node] for node in dropped),
        index[0] if permutation is None else None,
    )


def _cut(
    codes: Codes, values: np.ndarray | None, index: np.ndarray, reader: Node, builder: Builder
) -> tuple[Codes, np.ndarray | None, np.ndarray]:
    """Let the hardware repeat what leaves several times, and drop what never leaves, where few layers do; the host does the rest.

    Gives the codes, the values of each channel and the element of their map at each place.
    """
    if index.size == math.prod(codes.shape) and differ(index):
        return codes, values, index
    # Each channel's number travels along.
    numbered = replace(codes, scale=np.arange(codes.shape[2], dtype=np.float64)) if values is not None else codes
    wanted, shape = default_layout(index.shape)
    places = np.empty(index.size, dtype=np.int64)
    places[wanted.ravel()] = index.ravel()
    try:
        found = arranged(numbered, places.reshape(shape), reader, builder, buffered=False)
    except OrderError:
        return codes, values, index
    if values is None:
        return found, None, wanted
    return replace(found, scale=np.ones(found.shape[2])), values[found.scale.astype(np.int64)], wanted


def _affine_head(signal: Signal, reader: Node, builder: Builder) -> Codes | None:
    if isinstance(signal.origin.domain, Floats) or signal.origin.symbols is not None:
        return codes_of(signal, reader, builder)
    function = function_of(signal)
    if function.has_sign:
        return None
    line = affine(function, Evaluator())
    if line is None:
        return None
    trends = pool_trends(signal.edits, function, line, flips=signal.origin.turns)
    if trends is None:
        return _affine_head(pooled_raw(signal, reader, builder), reader, builder)
    return edited(signal, raw_codes(signal.origin, line, builder, head=True), trends, builder)


def _other_head(signal: Signal, reader: Node, builder: Builder) -> tuple[Codes, np.ndarray | None]:
    """Give few levels as thresholds; otherwise the integers, and a table of what they stand for."""
    function = function_of(signal)
    evaluator, runs = settle(function, builder, signal.origin.node)
    if runs is not None and len(np.unique(runs.values[0])) <= FEW_LEVELS:
        return codes_of(signal, reader, builder), None
    if signal.origin.linear is not None or signal.edits:
        signal = pooled_raw(signal, reader, builder)
    function, kind = function_of(signal), signal.origin.type
    if kind is None or isinstance(function.domain, Floats):
        raise TypeError("Only integers that are written down leave as they are")
    if function.domain.positions.count > 1 or kind.levels > RANKS:
        return codes_of(signal, reader, builder), None
    announce(signal.origin.rounded, builder)
    low, step, count = (array[0] for array in (function.domain.low, function.domain.step, function.domain.count))
    integers = np.array([-1, 1]) if kind.bipolar else np.arange(kind.low, kind.high + 1)
    points = np.clip((integers[:, None] - low) // step, 0, count - 1)
    values = function.at(points, np.arange(len(count)), replace(evaluator, dtype=np.float64)).astype(np.float64).T
    ones = np.ones(signal.origin.shape[2])
    return Codes(signal.origin.source, signal.origin.shape, kind, ones, 0 * ones), np.ascontiguousarray(values)
