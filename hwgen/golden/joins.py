"""Layers that join maps, on packed bits: the part of `hwgen.golden.network` for layers with several inputs."""

from __future__ import annotations

from math import prod

import numpy as np

from hwgen.codes import CodeType
from hwgen.golden.bits import pack_bits, unpack_bits
from hwgen.golden.form import Step, integers
from hwgen.layers.combine import Combine, Operation
from hwgen.layers.concat import CHANNELS, Concat
from hwgen.layers.interleave import Interleave

__all__ = ["combine_step", "concat_step", "interleave_step"]


def combine_step(layer: Combine) -> Step:
    """A product of bits is an exclusive nor; anything else is arithmetic on integers that no partial result overflows."""
    if layer.out_type.bipolar:
        ones = pack_bits(np.ones(layer.in_shape[2], dtype=bool)) if len(layer.sources) % 2 == 0 else np.uint8(0)
        return lambda *maps: np.bitwise_xor.reduce(maps) ^ ones
    multiplies = layer.operation is Operation.MULTIPLY
    sizes = [max(-kind.low, kind.high, 1) for kind in layer.in_types]
    scaled = [int(most) * size for most, size in zip(np.abs(layer.factors).max(axis=1), sizes, strict=True)]
    largest = prod(sizes) if multiplies else sum(scaled)
    dtype = integers(CodeType(-largest, largest))
    factors = layer.factors.astype(dtype)
    unit = multiplies or bool(np.all(factors == 1))

    def step(*maps: np.ndarray) -> np.ndarray:
        total = np.full((len(maps[0]), *layer.in_shape), int(multiplies), dtype=dtype)
        for x, kind, factor in zip(maps, layer.in_types, factors, strict=True):
            codes = unpack_bits(x, layer.in_shape[2]) if kind.bipolar else x
            if multiplies:
                total *= codes
            else:
                total += codes if unit else codes * factor
        return total.astype(integers(layer.out_type), copy=False)

    return step


def concat_step(layer: Concat) -> Step:
    """Bits stay packed where whole pixels are joined, or every operand but the last fills its bytes."""
    axis, channels = layer.axis, [shape[2] for shape in layer.shapes]
    bits = layer.out_type.bipolar
    whole = bits and (axis < CHANNELS or not any(count % 8 for count in channels[:-1]))
    kinds = list(layer.in_types)
    for place in layer.places:
        kinds.insert(place, layer.out_type)
    fixed = [pack_bits(constant > 0) if bits else constant for constant in layer.constants]

    def step(*maps: np.ndarray) -> np.ndarray:
        operands = list(maps)
        for place, constant in zip(layer.places, fixed, strict=True):
            operands.insert(place, np.broadcast_to(constant, (len(maps[0]), *constant.shape)))
        if whole:
            return np.concatenate(operands, axis=1 + axis)
        entries = zip(operands, channels, kinds, strict=True)
        codes = [unpack_bits(x, count) if kind.bipolar else x for x, count, kind in entries]
        joined = np.concatenate(codes, axis=1 + axis)
        return pack_bits(joined > 0) if bits else joined.astype(integers(layer.out_type), copy=False)

    return step


def interleave_step(layer: Interleave) -> Step:
    """Only rows and columns move, packed or not."""
    rows, columns = layer.phases

    def step(*maps: np.ndarray) -> np.ndarray:
        height, width = layer.out_shape[:2]
        out = np.empty((len(maps[0]), height, width, maps[0].shape[3]), dtype=maps[0].dtype)
        for phase, x in enumerate(maps):
            out[:, phase // columns :: rows, phase % columns :: columns] = x
        return out

    return step
