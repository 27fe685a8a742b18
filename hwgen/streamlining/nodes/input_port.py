"""The network's inputs: what the host sends, and how it makes it of the model's own inputs."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from hwgen.activation import Positions
from hwgen.codes import BIPOLAR, TERNARY, CodeType, signed, unsigned
from hwgen.errors import ModelError, OptionError
from hwgen.graph import Graph, Node
from hwgen.network import InputPort
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.codes.coding import assign, snap, trend
from hwgen.streamlining.codes.encode import settle
from hwgen.streamlining.codes.fixed import step_of
from hwgen.streamlining.codes.steps import first_points
from hwgen.streamlining.declaration import Declaration
from hwgen.streamlining.functions.domain import Floats, codes_domain
from hwgen.streamlining.functions.function import Function
from hwgen.streamlining.functions.monotone import UNKNOWN
from hwgen.streamlining.functions.signal import Codes, Origin, Pool, Signal, identity
from hwgen.streamlining.functions.terms import Elements, Evaluator
from hwgen.streamlining.places.layout import input_map

__all__ = ["code_type", "declare_input", "quantise_input"]

LIMIT = 1e30
"""Largest input of a quantiser that is monotone node by node."""

CHECKED_LIMIT = 1e4
"""Largest input of a quantiser whose direction has to be found by trying."""

_INTEGERS = {"u1": unsigned(8), "i1": signed(8), "u2": unsigned(16), "i2": signed(16), "b1": unsigned(1)}


def code_type(name: str) -> CodeType | None:
    """Read the name of a type: bipolar, ternary, binary, uint1 .. uint16, int2 .. int16; None if it is none of these."""
    known = {"bipolar": BIPOLAR, "ternary": TERNARY, "binary": unsigned(1)}
    match = re.fullmatch(r"(u?)int(\d+)", name.lower())
    if match is None:
        return known.get(name.lower())
    bits = int(match[2])
    if not (1 if match[1] else 2) <= bits <= 16:
        return None
    return unsigned(bits) if match[1] else signed(bits)


def declare_input(graph: Graph, name: str, declared: Declaration, builder: Builder) -> Signal:
    """Make the signal of one of the graph's inputs.

    Raises
    ------
    OptionError
        If the declaration has no meaning.
    ModelError
        If the input's shape is unknown.
    """
    kind, scale, offset = declared.type, declared.scale, declared.offset
    value = graph.values[name]
    if any(size is None for size in value.shape[1:]):
        raise ModelError(
            f"Input '{name}' has axes of unknown size; export the model with fixed shapes (only the batch may vary)"
        )
    if isinstance(kind, str):
        found = code_type(kind)
        if found is None:
            raise OptionError(
                f"Input type '{kind}' is not known; use bipolar, ternary, uint1 to uint16 or int2 to int16"
            )
        kind = found
    if kind is None and (scale is not None or offset is not None):
        raise OptionError(
            f"An input scale or offset needs an input type, such as --input-type uint8; input '{name}' has none"
        )
    if scale == 0 or not np.isfinite([number for number in (scale, offset) if number is not None]).all():
        raise OptionError(f"Input scale and offset must be finite, and the scale not 0, not {scale} and {offset}")
    onnx_shape = tuple(int(size or 1) for size in value.shape[1:])
    permutation, shape, index = input_map(graph, name, onnx_shape)
    builder.reserve(name)
    kind = (
        kind or code_type(graph.annotations.get(name, "")) or _INTEGERS.get(f"{value.dtype.kind}{value.dtype.itemsize}")
    )
    port = InputPort(name, onnx_shape, permutation, shape, kind or BIPOLAR, scale or 1.0, offset or 0.0)
    builder.inputs[name] = port
    told = builder.conversion.range_of(name) if name in builder.real_inputs else None
    if kind is None and told is not None:
        low, high = told
        step = step_of(low, high, builder.conversion.fixed_bits)
        port = replace(port, type=CodeType(round(low / step), round(high / step)), scale=step, rounds=True)
        builder.inputs[name] = port
        builder.note(
            f"Input '{name}' is sent in steps of {step:g} ({port.type}, {low:g} to {high:g}), rounded by the host: off by at most "
            f"{step / 2:.3g}"
        )
        origin = Origin(name, shape, codes_domain(port.type, shape), source=name, type=port.type)
        return Signal(origin, identity(step), shape, index, tensor=name)
    if kind is None:
        domain = Floats(LIMIT, Positions.uniform(*shape[:2]), shape[2])
        return Signal(Origin(name, shape, domain), identity(), shape, index)
    origin = Origin(name, shape, codes_domain(kind, shape), source=name, type=kind)
    return Signal(origin, identity(port.scale, port.offset), shape, index)


def quantise_input(signal: Signal, reader: Node, builder: Builder) -> Codes:
    """Find the host's quantiser: the float32 numbers at which the graph's own float32 arithmetic steps.

    Raises
    ------
    ModelError
        If real numbers reach the reader, which then needs a declaration of what the host sends, or if another reader has another quantiser.
    """
    name, function = signal.origin.node, _over_floats(signal)
    each = f"{name}=" if len(builder.inputs) > 1 else ""
    refusal = ModelError(
        f"Node '{reader.name}' ({reader.op}) reads input '{name}' as real numbers; say what the host sends, "
        f"for instance --input-type {each}uint8 --input-scale {each}1/255, or give real frames with --calibrate"
    )
    builder.wants_real.add(name)
    if function is None or any(isinstance(edit, Pool) for edit in signal.edits):
        raise refusal
    _, runs = settle(function, builder, name)
    channels = signal.origin.shape[2]
    if runs is None:
        raise refusal
    runs = runs.with_values(snap(runs.values[0]))
    values = assign(runs.values[0], runs.element % channels, channels)
    if values is None:
        raise refusal
    coded = runs.with_values(values.codes)
    trends = trend(coded, channels)
    falls = trends == -1
    if np.any(trends == UNKNOWN) or (np.any(falls) and np.any(trends == 1)):
        raise refusal
    turned = np.full(channels, bool(np.any(falls)))
    points = first_points(coded, function.count, values.type, turned)
    steps = _numbers(function, points)
    if np.all(steps == steps[0]):
        steps = steps[:1]
    builder.wants_real.discard(name)
    before = builder.inputs[name]
    port = replace(
        before,
        type=values.type,
        scale=float(values.scale[0]),
        offset=float(values.offset[0]),
        steps=steps,
        direction=-1 if turned[0] else 1,
    )
    if before.steps is not None and not (
        np.array_equal(before.steps, steps) and (before.type, before.direction) == (port.type, port.direction)
    ):
        raise ModelError(
            f"Node '{reader.name}' ({reader.op}) reads input '{name}' through another quantiser than a node before it, and the host "
            f"applies only one; quantise it once, or say what the host sends, for instance --input-type {each}uint8"
        )
    builder.inputs[name] = port
    return Codes(name, signal.origin.shape, values.type, values.scale, values.offset)


def _over_floats(signal: Signal) -> Function | None:
    """Ask the term over all floats; None if it has no steps, varies over the map, or goes up and down."""
    height, width, channels = signal.origin.shape
    zeros = np.zeros(channels, dtype=np.int64)
    elements = Elements(zeros, zeros, np.arange(channels))
    function = Function(signal.term, Floats(LIMIT, Positions.uniform(height, width), channels), elements)
    if signal.varies or not np.any(function.direction()):
        return None
    if np.any(function.direction() == UNKNOWN):
        function = replace(function, domain=Floats(CHECKED_LIMIT, function.domain.positions, channels))
        k = np.linspace(0, function.count[0] - 1, 1 << 12).astype(np.int64)[:, None] + zeros
        values = snap(
            function.at(k, np.arange(channels), Evaluator(np.float32, False, False)).astype(np.float64).ravel()
        )
        change = np.diff(values.reshape(k.shape), axis=0)
        if np.any(np.any(change > 0, axis=0) & np.any(change < 0, axis=0)):
            return None
    return function


def _numbers(function: Function, points: np.ndarray) -> np.ndarray:
    """Give the float32 number at each point; below all of them for 0, above for the end."""
    element = np.arange(len(points))
    last = function.count[:, None] - 1
    numbers = function.domain.values(np.minimum(points, last).T, element).T.astype(np.float32)
    numbers = np.where(points == 0, np.float32(-np.inf), numbers)
    return np.where(points > last, np.float32(np.inf), numbers)
