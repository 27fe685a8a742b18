"""The network's inputs: what the host sends, and how it makes it of the model's own inputs."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from hwgen.activation import Positions
from hwgen.codes import BIPOLAR, TERNARY, CodeType, signed, unsigned
from hwgen.conversion import Announced
from hwgen.errors import ModelError, OptionError
from hwgen.graph import Graph
from hwgen.network import InputPort
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.codes.fixed import step_of
from hwgen.streamlining.codes.rounding import holds, range_in_words
from hwgen.streamlining.declaration import Declaration
from hwgen.streamlining.functions.domain import LIMIT, Floats, codes_domain
from hwgen.streamlining.functions.signal import Origin, Signal, identity
from hwgen.streamlining.functions.terms import Parameter, Rows
from hwgen.streamlining.places.layout import input_map

__all__ = ["code_type", "declare_input"]

LARGEST, LEAST_SCALE = 1e30, 1e-30
"""Within these float32 holds what an input code is worth."""

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
    if (scale is not None and not LEAST_SCALE <= abs(scale) <= LARGEST) or not abs(offset or 0) <= LARGEST:
        raise OptionError(
            f"Input scale and offset must be finite numbers up to {LARGEST:g}, and the scale not 0, not {scale} and {offset}"
        )
    onnx_shape = tuple(int(size or 1) for size in value.shape[1:])
    permutation, shape, index = input_map(graph, name, onnx_shape)
    builder.reserve(name)
    kind = (
        kind or code_type(graph.annotations.get(name, "")) or _INTEGERS.get(f"{value.dtype.kind}{value.dtype.itemsize}")
    )
    rows = _rows(graph, name)
    if rows is not None and (scale or 1, offset or 0) == (1, 0):
        # A table has no other rows, however many bits an index has.
        if kind is None and value.dtype.kind in "iu":
            kind = CodeType(0, rows - 1)
        elif kind is not None and kind.low >= 0 and not kind.bipolar:
            kind = CodeType(kind.low, min(kind.high, rows - 1))
    port = InputPort(name, onnx_shape, permutation, shape, kind or BIPOLAR, scale or 1.0, offset or 0.0)
    builder.inputs[name] = port
    told = builder.conversion.range_of(name) if name in builder.real_inputs else None
    if kind is None and told is not None:
        low, high = told
        step = step_of(low, high, builder.conversion.fixed_bits)
        port = replace(port, type=CodeType(round(low / step), round(high / step)), scale=step, rounds=True)
        builder.inputs[name] = port
        builder.announce(Announced(name, 0.5))
        builder.note(
            f"Input '{name}' is sent in steps of {step:g} ({port.type}, {range_in_words(low, high, step)}), rounded by the host: off by at most "
            f"{step / 2:.3g}"
        )
        origin = Origin(name, shape, codes_domain(port.type, shape), source=name, type=port.type)
        return Signal(origin, identity(step), shape, index, tensor=name)
    if kind is None and name in builder.bounds:
        return _common_codes(port, builder.bounds[name], index, builder)
    if kind is None:
        domain = Floats(LIMIT, Positions.uniform(*shape[:2]), shape[2])
        return Signal(Origin(name, shape, domain), identity(), shape, index)
    origin = Origin(name, shape, codes_domain(kind, shape), source=name, type=kind)
    # What the host gives a file of float32 is rounded to it, and the file decides by that.
    held = value.dtype == np.float32 or holds(port.scale, port.offset, kind)
    return Signal(origin, identity(port.scale, port.offset, held=held), shape, index)


def _rows(graph: Graph, name: str) -> int | None:
    """Give the fewest rows of the tables whose rows an input chooses; None if it chooses none."""
    tables = (
        graph.constants.get(node.inputs[0]) for node in graph.nodes if node.op == "Gather" and node.inputs[1] == name
    )
    return min((len(table) for table in tables if table is not None and table.ndim), default=None)


def _common_codes(port: InputPort, bounds: np.ndarray, index: np.ndarray, builder: Builder) -> Signal:
    """Let the host tell apart all that any of several quantisers tells apart: each is a function of that code.

    A code stands for every number from one of the ``bounds`` to the next, and each quantiser gives the same for all of them.
    """
    kind = CodeType(0, bounds.shape[1])
    first = bounds[:, :1]
    # A bound that is never reached stands for no other number than the last before it.
    rest = np.maximum.accumulate(np.where(np.isfinite(bounds), bounds, np.float32(-np.inf)), axis=1)
    table = np.concatenate([np.nextafter(first, np.float32(-np.inf)), rest], axis=1)
    builder.inputs[port.name] = replace(port, type=kind, steps=bounds)
    builder.note(
        f"Input '{port.name}' is read through several quantisers: the host tells {kind.levels} stretches of numbers apart, and each "
        "quantiser is a function of the stretch"
    )
    origin = Origin(port.name, port.shape, codes_domain(kind, port.shape), source=port.name, type=kind)
    return Signal(origin, Rows(Parameter(table[None, None]), 0), port.shape, index)
