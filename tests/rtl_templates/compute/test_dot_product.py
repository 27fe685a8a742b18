"""One row of a matrix-vector unit: what each kind of lane means, and when the sum is there."""

import random

import pytest
from amaranth.hdl import Shape, signed, unsigned

from hwgen.rtl_templates.compute.dot_product import DotProduct, Lanes
from hwgen.rtl_templates.streams.stream_check import pack
from tests.rtl_templates.playing import play


def number(pattern: int, shape: Shape) -> int:
    return pattern - (pattern >> shape.width - 1 << shape.width) * shape.signed


def lane(lanes: Lanes, x: int, w: int, in_shape: Shape, weight_shape: Shape) -> int:
    """Give what a lane counts, by the definitions in `Lanes`, from the patterns of input and weight."""
    lifted = number(x, in_shape) + (1 << in_shape.width - 1) * in_shape.signed
    top = (1 << in_shape.width) - 1
    match lanes:
        case Lanes.MULTIPLY:
            return number(x, in_shape) * number(w, weight_shape)
        case Lanes.XNOR | Lanes.ADD_SUB:
            return sum(lifted if w >> bit & 1 else top - lifted for bit in range(weight_shape.width))
        case Lanes.TERNARY_XNOR | Lanes.TERNARY_ADD_SUB:
            return (lifted if w & 1 else top - lifted) * (w >> 1)
        case Lanes.MASKED_XNOR:
            return x & 1 & ~(x >> 1 ^ ~w)
        case Lanes.AND:
            total = 0
            for bit in range(weight_shape.width):
                both, sign = lifted * (w >> bit & 1), weight_shape.signed and bit == weight_shape.width - 1
                total += (top - both if sign else both) << bit
            return total
        case Lanes.PRODUCT:
            return number(x, in_shape) * number(w, weight_shape) - excess(lanes, in_shape, weight_shape)
        case Lanes.SIGNED_BY_WEIGHT:
            return number(x, in_shape) * (2 * w - 1) - excess(lanes, in_shape, weight_shape)
        case Lanes.SIGNED_BY_INPUT:
            return (2 * x - 1) * number(w, weight_shape) - excess(lanes, in_shape, weight_shape)
    raise AssertionError(lanes)


def excess(lanes: Lanes, in_shape: Shape, weight_shape: Shape) -> int:
    """Give what lanes of two numbers lack: they count no less than nothing, and nothing at the numbers at which all their bits are 0."""
    x = [1 << bit for bit in range(in_shape.width)]
    w = [1 << bit for bit in range(weight_shape.width)]
    if lanes is Lanes.SIGNED_BY_WEIGHT:
        return -sum(x) - x[-1] * in_shape.signed
    if lanes is Lanes.SIGNED_BY_INPUT:
        return -w[-1] if weight_shape.signed else -2 * w[-1]
    signs = [(i == x[-1] and in_shape.signed) != (j == w[-1] and weight_shape.signed) for i in x for j in w]
    return -sum(i * j for (i, j), sign in zip(((i, j) for i in x for j in w), signs, strict=True) if sign)


CASES = [
    (Lanes.XNOR, unsigned(1), unsigned(1)),
    (Lanes.XNOR, signed(3), unsigned(1)),
    (Lanes.TERNARY_XNOR, unsigned(2), unsigned(2)),
    (Lanes.MASKED_XNOR, signed(2), unsigned(1)),
    (Lanes.AND, unsigned(2), unsigned(3)),
    (Lanes.AND, signed(2), signed(3)),
    (Lanes.ADD_SUB, unsigned(8), unsigned(1)),
    (Lanes.ADD_SUB, signed(4), unsigned(1)),
    (Lanes.TERNARY_ADD_SUB, signed(4), unsigned(2)),
    (Lanes.MULTIPLY, unsigned(4), signed(3)),
    (Lanes.MULTIPLY, signed(4), unsigned(2)),
    (Lanes.PRODUCT, unsigned(2), unsigned(3)),
    (Lanes.PRODUCT, signed(3), signed(2)),
    (Lanes.PRODUCT, signed(1), unsigned(2)),
    (Lanes.SIGNED_BY_WEIGHT, unsigned(1), unsigned(1)),
    (Lanes.SIGNED_BY_WEIGHT, signed(3), unsigned(1)),
    (Lanes.SIGNED_BY_INPUT, unsigned(1), unsigned(2)),
    (Lanes.SIGNED_BY_INPUT, unsigned(1), signed(3)),
    (Lanes.SIGNED_BY_INPUT, unsigned(1), signed(1)),
]


@pytest.mark.parametrize("accumulates", [False, True])
@pytest.mark.parametrize("simd", [1, 2, 7])
@pytest.mark.parametrize(("lanes", "in_shape", "weight_shape"), CASES, ids=str)
def test_the_sum_of_the_lanes_comes_at_the_stated_latency(
    lanes: Lanes, in_shape: Shape, weight_shape: Shape, simd: int, accumulates: bool
) -> None:
    unit = DotProduct(lanes, simd, in_shape, weight_shape, accumulates=accumulates)
    late = DotProduct.latency(lanes, simd, in_shape, weight_shape, accumulates)
    rng, rows, found = random.Random(simd), [], []
    for _ in range(24):
        x = [rng.choice([0, (1 << in_shape.width) - 1, rng.getrandbits(in_shape.width)]) for _ in range(simd)]
        rows.append((x, [rng.getrandbits(weight_shape.width) for _ in range(simd)]))

    async def bench(ctx):
        for x, w in rows + rows[:late]:
            ctx.set(unit.row_inputs, pack(x, in_shape.width))
            ctx.set(unit.row_weights, pack(w, weight_shape.width))
            await ctx.delay(1e-8)
            found.append(ctx.get(unit.o) + ctx.get(unit.carry))
            await ctx.tick()

    play(unit, bench)
    expected = [sum(lane(lanes, a, b, in_shape, weight_shape) for a, b in zip(x, w, strict=True)) for x, w in rows]
    assert found[late:] == expected


@pytest.mark.parametrize(("simd", "latencies"), [(1, (1, 0)), (4, (2, 1)), (16, (3, 2))])
def test_two_additions_follow_one_another_at_most_and_a_product_counts_as_two(
    simd: int, latencies: tuple[int, int]
) -> None:
    kinds = ((Lanes.MULTIPLY, signed(4)), (Lanes.ADD_SUB, unsigned(1)))
    assert latencies == tuple(DotProduct.latency(lanes, simd, signed(4), weights, True) for lanes, weights in kinds)
