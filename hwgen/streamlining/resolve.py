"""Write layers down where codes are needed: thresholds on the layer that made the integers, then pools and borders."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hwgen.activation import Positions
from hwgen.codes import CodeType
from hwgen.conversion import Announced
from hwgen.errors import ModelError
from hwgen.graph import Node
from hwgen.layers.embedding import Embedding
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.codes.coding import FEW_LEVELS
from hwgen.streamlining.codes.encode import Affine, Coded, encode
from hwgen.streamlining.codes.fixed import fixed, step_of
from hwgen.streamlining.codes.positions import aligned, offsets_apart
from hwgen.streamlining.edits import edited, pad_code, pool_trends
from hwgen.streamlining.functions.domain import Floats
from hwgen.streamlining.functions.function import Function, over_map
from hwgen.streamlining.functions.monotone import UNKNOWN
from hwgen.streamlining.functions.signal import Codes, Origin, Pool, Ring, Signal, signal_of
from hwgen.streamlining.functions.terms import Evaluator, Leaf, Term, replaced, sources_of
from hwgen.streamlining.nodes.host_quantiser import quantise_input
from hwgen.streamlining.writing import announce, coded, raw_codes, written

__all__ = ["WIDEST", "codes_apart", "codes_of", "fixed_codes", "function_of", "pooled_raw"]

WIDEST = 24
"""Bits of integers that a layer takes as they are."""

WIDEST_QUOTIENT = 32
"""The same of products with a reciprocal, whose bounds are far beyond what it reaches where it divides by a norm."""


def function_of(signal: Signal) -> Function:
    """Ask the signal's term over its origin, before any edit."""
    domain = signal.origin.domain
    if isinstance(domain, Floats):
        raise TypeError("An input of floats has no integers to tabulate")
    return over_map(signal.term, domain, signal.origin.shape)


def codes_of(signal: Signal, reader: Node, builder: Builder) -> Codes:
    """Give the map of codes behind a signal, its edits applied; writes the layers down.

    Parameters
    ----------
    signal : Signal
    reader : Node
        The node that needs codes, named in errors.
    builder : Builder

    Raises
    ------
    ModelError
        If the values are no codes.
    """
    codes = _codes_of(signal, reader, builder)
    builder.trace(signal, codes)
    return codes


def _codes_of(signal: Signal, reader: Node, builder: Builder) -> Codes:
    origin = signal.origin
    if signal.dropped:
        raise ModelError(
            f"Node '{reader.name}' ({reader.op}) reads '{signal.dropped[-1]}', which has hardware only at the end"
        )
    if isinstance(origin.domain, Floats):
        decide = builder.deciders.get(origin.node)
        found = quantise_input(signal, reader, builder) if decide is None else decide(signal, reader)
        return edited(signal, *found, builder)
    function = function_of(signal)
    borders = [edit.values for edit in signal.edits if isinstance(edit, Ring)]
    coding = encode(function, builder, origin.node, rough=origin.rounded is not None, borders=borders)
    if origin.symbols is not None:
        return looked_up(signal, coding, reader, builder)
    if coding is None or (isinstance(coding, Affine) and _wide(origin, builder)):
        return _aligned_codes(signal, function, builder) or fixed_codes(signal, reader, builder)
    if isinstance(coding, Coded) and coding.values.type.levels > FEW_LEVELS:
        aligned_codes = _aligned_codes(signal, function, builder)
        if aligned_codes is not None:
            return aligned_codes
    trends = pool_trends(signal.edits, function, coding, flips=origin.turns)
    if trends is None:
        return codes_of(pooled_raw(signal, reader, builder), reader, builder)
    if isinstance(coding, Affine):
        codes = replace(raw_codes(origin, coding, builder), held=_is_held(signal))
    else:
        codes = coded(origin, coding, function, builder)
    builder.trace_unedited(signal, codes)
    return edited(signal, codes, trends, builder)


def _is_held(signal: Signal) -> bool:
    """Whether a signal is its integers' own meaning, which float32 holds as the graph does."""
    return isinstance(signal.term, Leaf) and signal.term.noise is not None and not np.any(signal.term.noise.array)


def codes_apart(signal: Signal, reader: Node, builder: Builder) -> tuple[Codes, np.ndarray] | None:
    """Give codes that lack a constant of each position, and that constant (height, width, channels).

    None if the values are not one line a channel but for such a constant.
    """
    origin = signal.origin
    if signal.edits or signal.dropped or origin.symbols is not None or not signal.varies or _wide(origin, builder):
        return None
    found = offsets_apart(function_of(signal))
    if found is None:
        return None
    scale, offset = found
    return raw_codes(origin, Affine(scale, 0 * scale), builder), offset


def _aligned_codes(signal: Signal, function: Function, builder: Builder) -> Codes | None:
    """Give lines that differ from position to position as integers, edits applied, if that is exact."""
    if _wide(signal.origin, builder) or function.domain.positions.count == 1:
        return None
    followed = _followed(signal, function)
    if followed is None:
        return None
    codes = aligned(written(signal.origin, builder), function, WIDEST, builder)
    rings = [edit for edit in signal.edits if isinstance(edit, Ring)]
    if codes is None or any(pad_code(ring.values, codes) is None for ring in rings):
        return None
    return edited(signal, codes, followed, builder)


def looked_up(signal: Signal, coding: Affine | Coded | None, reader: Node, builder: Builder) -> Codes:
    """Write a table of rows down, whatever follows it worked into its entries; real numbers are rounded to fixed point."""
    origin = signal.origin
    if origin.symbols is None or origin.type is None or isinstance(origin.domain, Floats):
        raise TypeError("Only symbols choose rows")
    function = function_of(signal)
    if isinstance(function.domain, Floats):
        raise TypeError("Symbols are integers")
    trends = pool_trends(signal.edits, function, coding, flips=False) if isinstance(coding, Coded) else None
    if function.domain.positions.count > 1 or (signal.edits and trends is None):
        return codes_of(_rows_apart(signal, reader, builder), reader, builder)
    symbols = np.arange(origin.type.low, origin.type.high + 1)[:, None] - function.domain.low[0]
    points = np.clip(symbols // function.domain.step[0], 0, function.domain.count[0] - 1)
    evaluator = Evaluator(function.dtype, coding.sign_at_zero if isinstance(coding, Coded) else 0)
    values = function.at(points, np.arange(origin.shape[2]), evaluator).astype(np.float64)
    if isinstance(coding, Coded):
        kind, scale, offset = coding.values.type, coding.values.scale, coding.values.offset
        table = np.rint((values - offset) / scale).astype(np.int64)
    else:
        builder.allow_rounding(reader, f"reads real numbers from the table of '{origin.node}'")
        step = step_of(float(values.min()), float(values.max()), builder.conversion.fixed_bits)
        table = np.rint(values / step).astype(np.int64)
        kind = CodeType(int(table.min()), int(table.max()))
        scale, offset = np.full(origin.shape[2], step), np.zeros(origin.shape[2])
        error = float(np.max(np.abs(table * step - values)))
        builder.note(
            f"The table of '{origin.node}' holds real numbers in steps of {step:g} ({kind}): off by at most {error:.3g}"
        )
    layer = Embedding(builder.name("embedding"), origin.source, origin.symbols, origin.type, table, kind)
    name = builder.add(layer)
    if not isinstance(coding, Coded):
        builder.announce(Announced(name, error / step))
    return edited(signal, Codes(name, origin.shape, kind, scale, offset), trends or [], builder)


def _rows_apart(signal: Signal, reader: Node, builder: Builder) -> Signal:
    """Write a table's rows down as they are; pools, borders, and what differs from position to position are functions of their codes."""
    (rows,) = sources_of(signal.term)
    codes = codes_of(replace(signal, term=rows, shape=signal.origin.shape, edits=(), tensor=""), reader, builder)
    fresh = signal_of(codes, signal.origin.node, signal.index)
    edits = tuple(
        replace(edit, before=replaced(edit.before, rows, fresh.term)) if isinstance(edit, Pool) else edit
        for edit in signal.edits
    )
    term = replaced(signal.term, rows, fresh.term)
    return replace(fresh, term=term, shape=signal.shape, edits=edits, tensor=signal.tensor)


def _wide(origin: Origin, builder: Builder) -> bool:
    """Whether a map's integers are more bits than a reader should get."""
    if isinstance(origin.domain, Floats):
        return False
    bits = CodeType(int(origin.domain.low.min()), int(origin.domain.high.max())).bits
    return origin.rounded is not None or bits > (WIDEST_QUOTIENT if origin.source in builder.quotients else WIDEST)


def fixed_codes(signal: Signal, reader: Node, builder: Builder) -> Codes:
    """Give the values of a signal as fixed point, one scale for all channels; its edits are applied.

    Raises
    ------
    ModelError
        If only exact calculation is allowed, or the values are no function of one integer for each channel.
    """
    function = function_of(signal)
    followed = _followed(signal, function)
    if followed is None:
        return fixed_codes(pooled_raw(signal, reader, builder), reader, builder)
    origin = written(signal.origin, builder)
    announce(origin.rounded, builder)
    codes = fixed(replace(signal, origin=origin), reader, builder)
    return edited(signal, codes, followed, builder, nearest=True)


def _followed(signal: Signal, function: Function) -> list[np.ndarray] | None:
    """Tell for each pool whether the signal rises or falls with what it sees; None if its nodes do not tell."""
    trends, channels = [], signal.origin.shape[2]
    for pool in signal.edits:
        if isinstance(pool, Pool):
            relation = function.direction(pool.before) * function.direction()
            if np.any(function.direction() == UNKNOWN) or np.any(function.direction(pool.before) == UNKNOWN):
                return None
            trends.append(np.where(np.any(relation.reshape(-1, channels) < 0, axis=0), -1, 1))
    return trends


def pooled_raw(signal: Signal, reader: Node, builder: Builder) -> Signal:
    """Write the integers themselves down, and the pools on them; what follows is a function of the pooled integers.

    Raises
    ------
    ModelError
        If a pool sees numbers that do not follow the integers in one direction, alike at every position.
    """
    function, channels = function_of(signal), signal.origin.shape[2]
    itself = Affine(np.ones(channels), np.zeros(channels))
    trends = pool_trends(signal.edits, function, itself, flips=False)
    rings = [edit for edit in signal.edits if isinstance(edit, Ring)]
    domain = signal.origin.domain
    if rings or trends is None or (signal.edits and function.domain.positions.count > 1) or isinstance(domain, Floats):
        edit = signal.edits[0]
        if isinstance(edit, Pool) and not isinstance(domain, Floats):
            return _pooled_codes(signal, edit, reader, builder)
        raise ModelError(
            f"Node '{edit.node.name}' ({edit.node.op}) works on real numbers that do not follow the integers of "
            f"'{signal.origin.node}' in one direction; move it behind the sign or quantiser"
        )
    codes = edited(signal, raw_codes(signal.origin, itself, builder), trends, builder)
    if signal.edits:
        domain = replace(domain.merged(), positions=Positions.uniform(*codes.shape[:2]))
    origin = Origin(signal.origin.node, codes.shape, domain, source=codes.source, type=codes.type)
    return replace(signal, origin=origin, edits=())


def _pooled_codes(signal: Signal, pool: Pool, reader: Node, builder: Builder) -> Signal:
    """Write the values that the first pool sees down as codes, and the pool on them; what follows is a function of these codes."""
    codes = codes_of(replace(signal, term=pool.before, edits=(), tensor=""), reader, builder)
    trend = np.where(codes.scale < 0, -1, 1)
    pooled = edited(replace(signal, edits=(pool,)), codes, [trend], builder)
    fresh = signal_of(pooled, signal.origin.node, signal.index)

    def behind(term: Term) -> Term:
        return replaced(term, pool.before, fresh.term)

    rest = tuple(
        replace(edit, before=behind(edit.before)) if isinstance(edit, Pool) else edit for edit in signal.edits[1:]
    )
    return replace(fresh, term=behind(signal.term), shape=signal.shape, edits=rest, tensor=signal.tensor)
