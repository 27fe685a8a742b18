"""A quantiser that is the first thing an input meets: the host applies it, exactly as the graph's own float32 arithmetic does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hwgen.activation import Positions
from hwgen.codes import CodeType, signed, unsigned
from hwgen.errors import ModelError
from hwgen.graph import Node
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.codes.coding import MAX_LEVELS, snap
from hwgen.streamlining.codes.encode import Coded, codes_in
from hwgen.streamlining.codes.steps import first_points
from hwgen.streamlining.codes.ties import settle
from hwgen.streamlining.functions.domain import LIMIT, Floats
from hwgen.streamlining.functions.function import RUNS, Function
from hwgen.streamlining.functions.monotone import UNKNOWN
from hwgen.streamlining.functions.signal import Codes, Pool, Signal
from hwgen.streamlining.functions.terms import Elements, Evaluator, parameters_of

__all__ = ["float_levels", "over_floats", "quantise_input", "several_quantisers"]

CHECKED_LIMIT = 1e4
"""Largest input of a quantiser whose direction has to be found by trying."""

MOST_RUNS = 1 << 22
"""Runs in all channels that are looked for."""


def quantise_input(signal: Signal, reader: Node, builder: Builder) -> tuple[Codes, list[np.ndarray]]:
    """Find the host's quantiser: the float32 numbers at which the graph's own float32 arithmetic steps.

    A maximum in front of a quantiser is the maximum, or the minimum, of the quantiser's codes.

    Returns
    -------
    Codes
    list of ndarray of int, shape (channels,)
        For each pool of the signal, whether codes rise (+1) or fall (-1) with what it sees.

    Raises
    ------
    ModelError
        If real numbers reach the reader, which then needs a declaration of what the host sends.
    """
    name, channels = signal.origin.node, signal.origin.shape[2]
    builder.wants_real.add(name)
    function = over_floats(signal)
    found = None if function is None else float_levels(function, builder, name)
    if function is None or found is None:
        raise _refusal(name, reader, builder)
    seen = [function.direction(edit.before) for edit in signal.edits if isinstance(edit, Pool)]
    if any(np.any(direction == UNKNOWN) for direction in seen):
        raise _refusal(name, reader, builder)
    values, falls = found.values, bool(np.any(found.trend == -1))
    if np.any(found.trend == UNKNOWN) or (falls and np.any(found.trend == 1)):
        raise _refusal(name, reader, builder)
    steps = _numbers(
        function, first_points(found.runs, function.count, values.type, np.full(len(function.count), falls))
    )
    if np.all(steps == steps[0]):
        steps = steps[:1]
    builder.wants_real.discard(name)
    _take_note(name, steps, falls, values.type, builder)
    scale, offset = (np.broadcast_to(part, channels).copy() for part in (values.scale, values.offset))
    builder.inputs[name] = replace(
        builder.inputs[name],
        type=values.type,
        scale=float(scale[0]),
        offset=float(offset[0]),
        steps=steps,
        direction=-1 if falls else 1,
    )
    trends = [np.broadcast_to(np.where(direction * found.trend < 0, -1, 1), channels) for direction in seen]
    return Codes(name, signal.origin.shape, values.type, scale, offset, held=found.held), trends


def several_quantisers(builder: Builder) -> dict[str, np.ndarray]:
    """Give the inputs that are read through several quantisers, and all numbers at which any of these steps: float32 (channels or 1, numbers)."""
    return {
        name: _joined([steps for steps, *_ in found]) for name, found in builder.quantisers.items() if len(found) > 1
    }


def _refusal(name: str, reader: Node, builder: Builder) -> ModelError:
    """Say what may be declared: what another node's quantiser makes of the input, if there is one, or what is common."""
    each, port = f"{name}=" if len(builder.inputs) > 1 else "", builder.inputs[name]
    instances = (
        f"--input-type {each}bipolar where it is -1 and +1, --input-type {each}uint8 --input-scale {each}1/255 where it is bytes "
        "divided by 255"
    )
    if port.steps is not None and not port.type.bipolar:
        offset = f" --input-offset {each}{port.offset!r}" if port.offset else ""
        instances = f"--input-type {each}{_least_type(port.type)} --input-scale {each}{port.scale!r}{offset} as the quantiser of another node has it, or {instances}"
    return ModelError(
        f"Node '{reader.name}' ({reader.op}) reads input '{name}' as real numbers; say what the host sends, for instance "
        f"{instances}, or give real frames with --calibrate"
    )


def _least_type(kind: CodeType) -> CodeType:
    """Give the narrowest type with a name that holds a type's codes."""
    return signed(max(kind.bits, 2)) if kind.low < 0 else unsigned(kind.bits)


def float_levels(function: Function, builder: Builder, name: str) -> Coded | None:
    """Give the codes; None if the values are no levels."""
    most = max(RUNS, min(MAX_LEVELS + 1, MOST_RUNS // len(function.count)))
    evaluator, runs = settle(function, builder, name, most)
    return None if runs is None else codes_in(function, evaluator, runs)


def over_floats(signal: Signal) -> Function | None:
    """Ask the term over all floats, once if it is the same for all channels; None if it has no steps, varies over the map, or goes up and down."""
    height, width, channels = signal.origin.shape
    if all(part.array.ndim == 0 or part.array.shape[2] == 1 for part in parameters_of(signal.term)):
        channels = 1
    zeros = np.zeros(channels, dtype=np.int64)
    elements = Elements(zeros, zeros, np.arange(channels))
    limit = signal.origin.domain.limit if isinstance(signal.origin.domain, Floats) else LIMIT
    function = Function(signal.term, Floats(limit, Positions.uniform(height, width), channels), elements)
    if signal.varies or not np.any(function.direction()):
        return None
    if np.any(function.direction() == UNKNOWN):
        function = replace(function, domain=Floats(min(limit, CHECKED_LIMIT), function.domain.positions, channels))
        k = np.linspace(0, function.count[0] - 1, 1 << 12).astype(np.int64)[:, None] + zeros
        values = snap(
            function.at(k, np.arange(channels), Evaluator(np.float32, finite=False)).astype(np.float64).ravel()
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


def _take_note(name: str, steps: np.ndarray, falls: bool, kind: CodeType, builder: Builder) -> None:
    """Remember at which numbers a quantiser steps, if none before it gives the same codes at the same ones."""
    if falls:
        # -x reaches a step up to the step's negative, and no more from the next number on.
        steps = np.where(np.isfinite(steps), np.nextafter(-steps, np.float32(np.inf)), -steps)[:, ::-1]
    found = builder.quantisers.setdefault(name, [])
    if not any(np.array_equal(steps, before) and same == [falls, kind] for before, *same in found):
        found.append((steps, falls, kind))


def _joined(quantisers: list[np.ndarray]) -> np.ndarray:
    """Give the numbers at which any quantiser steps, rising; infinity where a channel has fewer than others."""
    channels = max(map(len, quantisers))
    together = np.hstack([np.broadcast_to(steps, (channels, steps.shape[1])) for steps in quantisers])
    rows = [np.unique(row[np.isfinite(row)]) for row in together]
    longest = max(1, *map(len, rows))
    return np.array([np.pad(row, (0, longest - len(row)), constant_values=np.inf) for row in rows], dtype=np.float32)
