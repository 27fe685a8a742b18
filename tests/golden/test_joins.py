"""Joins on packed bits, at the edges of their number formats."""

import numpy as np
import pytest

from hwgen.codes import BIPOLAR, CodeType
from hwgen.golden.bits import pack_bits
from hwgen.golden.joins import combine_step, concat_step, interleave_step
from hwgen.layers.combine import Combine, Operation
from hwgen.layers.concat import Concat
from hwgen.layers.interleave import Interleave

SHAPE = (1, 2, 3)


def extremes(kind, channels=3):
    """Give maps of the lowest code, of the highest, and of both in turn."""
    low, high = np.full((1, 2, channels), kind.low), np.full((1, 2, channels), kind.high)
    return np.stack([low, high, np.where(np.arange(channels) % 2, low, high)])


def packed(codes, kind):
    return pack_bits(codes > 0) if kind.bipolar else codes


@pytest.mark.parametrize("count", [2, 3])
def test_a_product_of_bits_is_an_exclusive_nor(count):
    kinds = (BIPOLAR,) * count
    layer = Combine("p", tuple("abc"[:count]), SHAPE, kinds, Operation.MULTIPLY, np.ones((count, 3), int), BIPOLAR)
    maps = [np.random.default_rng(number).choice([-1, 1], (9, *SHAPE)) for number in range(count)]
    found = combine_step(layer)(*(packed(codes, BIPOLAR) for codes in maps))
    assert found.tolist() == pack_bits(np.prod(maps, axis=0) > 0).tolist()


@pytest.mark.parametrize(
    ("operation", "kinds", "factors"),
    [
        (Operation.ADD, (CodeType(-128, 127), BIPOLAR), [[1, 1, 1], [1, 1, 1]]),
        (Operation.ADD, (CodeType(0, 200), CodeType(0, 200)), [[20_000_000, 1, -3], [20_000_000, 1, 2]]),
        (Operation.ADD, (CodeType(-1, 0), BIPOLAR), [[1, 30000, 1], [-30000, 1, 5]]),
        (Operation.MULTIPLY, (CodeType(-128, 127), CodeType(-200, 3)), [[1, 1, 1], [1, 1, 1]]),
        (Operation.MULTIPLY, (CodeType(0, 0), CodeType(-128, 127)), [[1, 1, 1], [1, 1, 1]]),
    ],
)
def test_no_partial_result_overflows(operation, kinds, factors):
    layer = Combine("c", ("a", "b"), SHAPE, kinds, operation, np.array(factors), CodeType(-(2**40), 2**40))
    for a in extremes(kinds[0]):
        for b in extremes(kinds[1]):
            found = combine_step(layer)(*(packed(codes[None], kind) for codes, kind in zip((a, b), kinds, strict=True)))
            assert found.tolist() == layer.golden(a[None], b[None]).tolist()


@pytest.mark.parametrize("channels", [(8, 3), (3, 8), (16, 8, 1)])
def test_bits_side_by_side(channels):
    shapes = tuple((1, 2, count) for count in channels)
    layer = Concat("c", tuple("abc"[: len(channels)]), shapes, (BIPOLAR,) * len(channels), BIPOLAR)
    maps = [np.random.default_rng(count).choice([-1, 1], (4, 1, 2, count)) for count in channels]
    assert (
        concat_step(layer)(*(pack_bits(codes > 0) for codes in maps)).tolist()
        == pack_bits(layer.golden(*maps) > 0).tolist()
    )


@pytest.mark.parametrize("channels", [8, 3])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("kind", [BIPOLAR, CodeType(-300, 2)])
def test_constants_in_front_and_behind_along_any_axis(axis, channels, kind):
    random = np.random.default_rng(axis)
    shape = (2, 3, channels)
    ends = np.array([kind.low, kind.high])
    constants = (random.choice(ends, shape), random.choice(ends, shape))
    layer = Concat("c", ("a", "b"), (shape, shape), (BIPOLAR, kind), kind, axis, constants, (0, 2))
    layer.check()
    maps = [random.choice([-1, 1], (4, *shape)), random.choice(ends, (4, *shape))]
    found = concat_step(layer)(packed(maps[0], BIPOLAR), packed(maps[1], kind))
    assert found.tolist() == packed(layer.golden(*maps), kind).tolist()


def test_bits_beside_numbers():
    layer = Concat("c", ("a", "b"), ((1, 2, 8), (1, 2, 3)), (BIPOLAR, CodeType(-300, 2)), CodeType(-300, 2))
    a, b = extremes(BIPOLAR, 8), extremes(CodeType(-300, 2))
    assert concat_step(layer)(pack_bits(a > 0), b).tolist() == layer.golden(a, b).tolist()


def test_rows_and_columns_are_woven():
    layer = Interleave("i", tuple("abcdef"), (2, 1, 3), CodeType(0, 99), (2, 3))
    maps = [np.arange(12).reshape(2, 2, 1, 3) + 12 * number for number in range(6)]
    assert interleave_step(layer)(*maps).tolist() == layer.golden(*maps).tolist()
