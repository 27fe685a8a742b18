"""Nodes that join two maps: every one becomes sums and products of integers, and functions of one integer between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hwgen.activation import Positions
from hwgen.codes import CodeType
from hwgen.errors import ModelError
from hwgen.graph import Node
from hwgen.layers.combine import Combine, Operation
from hwgen.layers.protocol import MapShape
from hwgen.layers.segments import Segments
from hwgen.operators.evaluate import apply as apply_node
from hwgen.streamlining.builder import Builder
from hwgen.streamlining.codes.decide import enumerable
from hwgen.streamlining.functions.domain import Integers
from hwgen.streamlining.functions.scales import COMMON, SMALL, common_unit
from hwgen.streamlining.functions.signal import Codes, Rounded, Signal, differ, signal_of
from hwgen.streamlining.functions.terms import Leaf, Parameter
from hwgen.streamlining.nodes.elementwise import alike, elementwise
from hwgen.streamlining.nodes.norms import kept_from_zero
from hwgen.streamlining.places.arrange import arranged, default_layout
from hwgen.streamlining.resolve import codes_apart, codes_of, fixed_codes
from hwgen.streamlining.writing import announce

__all__ = ["Summand", "layout_of", "merged", "places_of", "product_codes", "steps_off", "weighted_sum"]

Operand = Signal | np.ndarray

SHARE = 1 / 8
"""Part of a step of the result in fixed point that the rounding of a sum's factors may be off."""

SIGN_BITS = 36
"""Bits of a sum of which only the sign matters, if it is not too wide for that."""

MOST_BITS = 24
"""Bits by which a sum is at most finer than the finest of its terms."""


def merged(node: Node, operands: Sequence[Operand | None], builder: Builder) -> Signal:
    """Apply an elementwise node whose operands are functions of different integers.

    Raises
    ------
    ModelError
        If the node is no sum, product, choice or comparison of two maps.
    """
    given = [operand for operand in operands if operand is not None]

    def apply(op: str, *parts: Operand, **attributes: object) -> Operand:
        return _apply(Node(op, node.name, (), (), attributes), parts, builder)

    def result(part: Operand) -> Signal:
        if not isinstance(part, Signal):
            raise TypeError("A join of signals is a signal")
        return part

    one, zero = np.array(1.0), np.array(0.0)
    match node.op:
        case "Add" | "Sub" | "Mul":
            return _several(node, given, builder)
        case "Sum" | "Mean":
            if node.op == "Sum" and all(isinstance(part, Signal) for part in given):
                return _several(node, given, builder)
            total = given[0]
            for part in given[1:]:
                total = apply("Add", total, part)
            return result(apply("Mul", total, np.array(1 / len(given))) if node.op == "Mean" else total)
        case "Div":
            dividend, divisor = given
            if isinstance(dividend, Signal) and isinstance(divisor, Signal):
                divisor = kept_from_zero(divisor, dividend, node, builder)
            quotient = result(apply("Mul", dividend, apply("Reciprocal", divisor)))
            builder.quotients.add(quotient.origin.source)
            return quotient
        case "Max" | "Min":
            best = given[0]
            for part in given[1:]:
                ahead = ("Sub", part, best) if node.op == "Max" else ("Sub", best, part)
                lead = apply("Relu", apply(*ahead))
                best = apply("Add" if node.op == "Max" else "Sub", best, lead)
            return result(best)
        case "Clip":
            for op, bound in zip(("Max", "Min"), operands[1:], strict=False):
                given[0] = given[0] if bound is None else apply(op, given[0], bound)
            return result(given[0])
        case "Where":
            chosen = apply("Cast", given[0], to=np.dtype(np.float32))
            return result(apply("Add", given[2], apply("Mul", chosen, apply("Sub", given[1], given[2]))))
        case "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual" | "Equal":
            return result(apply(node.op, apply("Sub", *map(_number, given)), zero))
        case "And" | "Or" | "Xor":
            numbers = [
                part if not isinstance(part, Signal) else apply("Cast", part, to=np.dtype(np.float32)) for part in given
            ]
            total = apply("Add", *map(_number, numbers))
            wanted = {"And": ("Equal", 2 * one), "Or": ("GreaterOrEqual", one), "Xor": ("Equal", one)}[node.op]
            return result(apply(wanted[0], total, wanted[1]))
    raise ModelError(
        f"Node '{node.name}' ({node.op}) joins tensors that come from different layers; sums, products, choices and comparisons "
        "of two maps have hardware, this operator only with constant parameters"
    )


def _number(part: Operand) -> Operand:
    return part if isinstance(part, Signal) or part.dtype.kind == "f" else part.astype(np.float64)


def _apply(node: Node, parts: Sequence[Operand], builder: Builder) -> Operand:
    signals = [part for part in parts if isinstance(part, Signal)]
    if not signals:
        return apply_node(node, [part for part in parts if not isinstance(part, Signal)])[0]
    if len(signals) < 2 or alike(signals):
        return elementwise(node, parts, builder)
    return merged(node, parts, builder)


def _several(node: Node, operands: Sequence[Operand], builder: Builder) -> Signal:
    """Add, subtract or multiply signals."""
    signals = [operand for operand in operands if isinstance(operand, Signal)]
    shape = np.broadcast_shapes(*(signal.index.shape for signal in signals))
    index, map_shape = layout_of(signals, shape)
    places = [places_of(signal, index, map_shape) for signal in signals]
    if node.op == "Mul":
        maps = [
            arranged(codes_of(signal, node, builder), where, node, builder)
            for signal, where in zip(signals, places, strict=True)
        ]
        return signal_of(product_codes(node, maps, index, builder), node.name, index)
    terms = [
        _summand(signal, where, -1 if node.op == "Sub" and number else 1, node, builder)
        for number, (signal, where) in enumerate(zip(signals, places, strict=True))
    ]
    return weighted_sum(node, terms, index, builder)


def layout_of(signals: Sequence[Signal], shape: tuple[int, ...]) -> tuple[np.ndarray, MapShape]:
    """Choose the map of the result: that of an operand which is a whole map, else channels on axis 1."""
    for signal in signals:
        size = signal.index.size
        if signal.index.shape == shape and size == math.prod(signal.shape) and differ(signal.index):
            return signal.index, signal.shape
    return default_layout(shape)


def places_of(signal: Signal, index: np.ndarray, shape: MapShape) -> np.ndarray:
    """Number the signal's element at each place of the result's map."""
    wanted = np.broadcast_to(signal.index, index.shape)
    places = np.empty(math.prod(shape), dtype=np.int64)
    places[index.ravel()] = wanted.ravel()
    return places.reshape(shape)


@dataclass(frozen=True, eq=False)
class Summand:
    """A term of a sum: codes, what each is worth in each channel, and a constant (height or 1, width or 1, channels)."""

    codes: Codes
    scale: np.ndarray
    offset: np.ndarray


def _summand(signal: Signal, places: np.ndarray, sign: int, node: Node, builder: Builder) -> Summand:
    """Give a signal as codes on the map of the result; what only positions add to it is a constant and needs no layer."""
    apart = codes_apart(signal, node, builder)
    codes = arranged(codes_of(signal, node, builder) if apart is None else apart[0], places, node, builder)
    offset = codes.offset[None, None] if apart is None else codes.offset + apart[1].ravel()[places]
    return Summand(codes, sign * codes.scale, sign * offset)


def weighted_sum(node: Node, terms: Sequence[Summand], index: np.ndarray, builder: Builder) -> Signal:
    """Add terms up, in steps of a common measure or, if there is none, in fine ones."""
    maps = [term.codes for term in terms]
    scales = np.stack([term.scale for term in terms])
    offset = sum((term.offset for term in terms), np.zeros((1, 1, 1)))
    unit = common_unit(scales)
    exact = unit is not None
    if unit is None:
        unit = _fine(scales, maps, SIGN_BITS if node.attributes.get("sign", 0) else builder.conversion.fixed_bits)
    factors = np.rint(scales / unit).astype(np.int64)
    rounded = None if exact else _rounded(node, maps, scales, unit, factors, offset)
    domain = _sums([codes.numbers for codes in maps], factors)
    codes = _combined(node, maps, Operation.ADD, factors, domain, builder)
    rounded = None if rounded is None else replace(rounded, layer=codes.source)
    if rounded is not None and not enumerable(rounded):
        announce(rounded, builder)
    signal = signal_of(replace(codes, scale=unit), node.name, index, rounded=rounded)
    return replace(signal, term=Leaf(Parameter(unit[None, None]), Parameter(offset)))


def _rounded(
    node: Node, maps: Sequence[Codes], scales: np.ndarray, unit: np.ndarray, factors: np.ndarray, offset: np.ndarray
) -> Rounded:
    numbers = tuple(codes.numbers for codes in maps)
    sizes = np.stack([np.maximum(abs(domain.low[0]), abs(domain.high[0])) for domain in numbers])
    each = np.sum(np.abs(scales - factors * unit) * sizes, axis=0)
    error = float(np.max(each))
    extent = float(np.max(np.sum(np.abs(scales) * sizes, axis=0)))
    note = f"'{node.name}' adds numbers of different scales in steps of {unit.max():.3g}: off by at most {error:.3g} of {extent:.3g}"
    return Rounded(node, numbers, scales, factors, offset, note, float(np.max(each / unit)))


def _fine(scales: np.ndarray, maps: Sequence[Codes], bits: int) -> np.ndarray:
    """Choose steps in which the rounding of the factors does not matter at so many bits of the result.

    They are a power of two finer than the scale of the widest map, whose factor is a power of two then.
    """
    sizes = np.stack([np.maximum(abs(codes.numbers.low[0]), abs(codes.numbers.high[0])) for codes in maps])
    extent = float(np.max(np.sum(np.abs(scales) * sizes, axis=0))) or 1.0
    widest = int(np.argmax(sizes.max(axis=1)))
    unit = np.abs(scales[widest])
    unit = np.where(unit > 0, unit, np.max(np.abs(scales), axis=0))
    unit = np.where(unit > 0, unit, 1.0)
    for _ in range(MOST_BITS):
        off = np.sum(np.abs(scales - np.rint(scales / unit) * unit) * sizes, axis=0)
        if off.max() <= SHARE * extent / 2**bits:
            break
        unit = unit / 2
    return unit


def _sums(domains: Sequence[Integers], factors: np.ndarray) -> Integers:
    """Give the integers that a sum can reach."""
    low, high, step = np.zeros_like(factors[0]), np.zeros_like(factors[0]), np.zeros_like(factors[0])
    for domain, factor in zip(domains, factors, strict=True):
        ends = np.stack([domain.low[0] * factor, domain.high[0] * factor])
        low, high = low + ends.min(axis=0), high + ends.max(axis=0)
        step = np.gcd(step, np.where(domain.count[0] > 1, domain.step[0] * np.abs(factor), 0))
    step = np.maximum(step, 1)
    return Integers(low[None], step[None], ((high - low) // step + 1)[None], domains[0].positions)


def product_codes(node: Node, maps: Sequence[Codes], index: np.ndarray, builder: Builder) -> Codes:
    """Multiply codes and give those of the product, whose scale need not be that of the factors: theirs may have been halved."""
    first, second = (_pure(codes, node, index, builder) for codes in maps)
    low, high = ([getattr(codes.numbers, end)[0] for codes in (first, second)] for end in ("low", "high"))
    bounds = [np.stack([bottom, top]) for bottom, top in zip(low, high, strict=True)]
    corners = (bounds[0][:, None] * bounds[1][None]).reshape(4, -1)
    bottom, top = corners.min(axis=0), corners.max(axis=0)
    if first.source == second.source:
        bottom = np.where(low[0] * high[0] > 0, bottom, 0)  # a square
    ones = np.ones_like(bottom)
    domain = Integers(bottom[None], ones[None], (top - bottom + 1)[None], first.numbers.positions)
    factors = np.ones((2, len(bottom)), dtype=np.int64)
    codes = _combined(node, (first, second), Operation.MULTIPLY, factors, domain, builder)
    scale = first.scale * second.scale
    return replace(codes, scale=scale, offset=0 * scale)


def steps_off(codes: Codes) -> np.ndarray | None:
    """Give the offsets in steps of the scales, where these are small integers."""
    ratio = np.divide(codes.offset, codes.scale, out=np.full_like(codes.scale, 0.5), where=codes.scale != 0)
    whole = np.rint(ratio).astype(np.int64)
    small = np.abs(ratio - whole) <= COMMON * np.maximum(1, np.abs(ratio))
    return whole if np.all(small) and np.abs(whole).max() <= SMALL else None


def _pure(codes: Codes, node: Node, index: np.ndarray, builder: Builder) -> Codes:
    """Give codes without an offset: the number 0 is the code 0."""
    if not np.any(codes.offset):
        return codes
    whole = steps_off(codes)
    if whole is not None:
        # -1 and +1 that stand for 0 and v become 0 and 1: nothing is rounded.
        numbers = codes.numbers
        low = numbers.low + whole
        apart = np.where(numbers.count > 1, numbers.step, 0)
        shift = int(not np.any(low % 2) and not np.any(apart % 2))
        kind = CodeType((codes.type.low + int(whole.min())) >> shift, (codes.type.high + int(whole.max())) >> shift)
        one, none = np.ones((1, len(whole), 1), dtype=np.int64), np.zeros((1, len(whole), 0), dtype=np.int64)
        name, where = builder.name("shifted"), Positions.uniform(*codes.shape[:2])
        offsets = whole[None, :, None]
        layer = Segments(name, codes.source, codes.shape, codes.type, none, one, offsets, shift, kind, where)
        reach = replace(numbers, low=low >> shift, step=np.maximum(numbers.step >> shift, 1))
        source, scale = builder.add(layer), codes.scale * (1 << shift)
        return replace(codes, source=source, type=kind, scale=scale, offset=0 * codes.offset, reach=reach)
    return fixed_codes(signal_of(codes, codes.source, index), node, builder)


def _combined(
    node: Node, maps: Sequence[Codes], operation: Operation, factors: np.ndarray, domain: Integers, builder: Builder
) -> Codes:
    types = tuple(codes.type for codes in maps)
    sources, shape = tuple(codes.source for codes in maps), maps[0].shape
    bipolar = operation is Operation.MULTIPLY and all(kind.bipolar for kind in types)
    wide = Combine("", sources, shape, types, operation, factors, types[0])
    low, high = wide.result_range()
    kind = CodeType(-1, 1, bipolar=True) if bipolar else CodeType(int(low.min()), int(high.max()))
    name = builder.add(replace(wide, name=builder.name(operation.value, node), out_type=kind))
    ones = np.ones(shape[2])
    return Codes(name, shape, kind, ones, 0 * ones, None if bipolar else domain)
