"""Sums of numbers of known ranges: exact at their extremes, in as many cycles as there are registers."""

import random

import pytest

from hwgen.rtl_templates.compute.adder_tree import AdderTree, range_shape
from hwgen.rtl_templates.streams.stream_check import pack
from tests.rtl_templates.playing import play

RANGES = {
    "one": [(-3, 5)],
    "two": [(0, 1), (0, 1)],
    "five": [(-8, 7), (0, 3), (-1, 0), (4, 9), (-2, 2)],
    "seven": [(0, 15)] * 7,
}


def sums(tree: AdderTree, operands: list[list[int]], carries: list[int]) -> list[int]:
    """Give what comes out in each cycle, new operands in every one."""
    found = []

    async def bench(ctx):
        for numbers, carry in zip(operands, carries, strict=True):
            word, offset = 0, 0
            for number, bounds in zip(numbers, tree.ranges, strict=True):
                width = range_shape(*bounds).width
                word, offset = word | pack([number], width) << offset, offset + width
            ctx.set(tree.i, word)
            ctx.set(tree.carry, carry)
            await ctx.delay(1e-8)
            found.append(ctx.get(tree.o))
            await ctx.tick()

    play(tree, bench)
    return found


@pytest.mark.parametrize("ranges", RANGES.values(), ids=RANGES)
@pytest.mark.parametrize("registers", [(), (0,), (1, 3), (0, 1, 2, 3)], ids=str)
def test_sums_are_exact_and_as_late_as_the_registers(ranges: list[tuple[int, int]], registers: tuple[int, ...]) -> None:
    tree = AdderTree(ranges, registers=registers, height=3)
    rng = random.Random(1)
    operands = [[low for low, _ in ranges], [high for _, high in ranges]]
    operands += [[rng.randint(low, high) for low, high in ranges] for _ in range(20)]
    expected = [sum(numbers) for numbers in operands]
    late = len(registers)
    found = sums(tree, operands + operands[:late], [0] * (len(operands) + late))
    assert found[late:] == expected
    assert tree.bounds == (expected[0], expected[1])


@pytest.mark.parametrize("registers", [(), (1,), (0, 2)], ids=str)
def test_as_many_bits_as_adders_ride_on_their_carries(registers: tuple[int, ...]) -> None:
    tree = AdderTree([(0, 3)] * 5, carries=4, registers=registers)
    rng = random.Random(2)
    operands = [[3] * 5, *([rng.randint(0, 3) for _ in range(5)] for _ in range(20))]
    carries = [15, *(rng.getrandbits(4) for _ in range(20))]
    late = len(registers)
    found = sums(tree, operands + operands[:late], carries + carries[:late])
    assert found[late:] == [sum(n) + c.bit_count() for n, c in zip(operands, carries, strict=True)]
    assert tree.bounds == (0, 19)


def test_levels_are_those_of_a_balanced_tree() -> None:
    assert [AdderTree.levels(operands) for operands in (1, 2, 3, 4, 5, 8, 9)] == [0, 1, 2, 2, 3, 3, 4]


def test_the_narrowest_shape_holds_a_range() -> None:
    shapes = [range_shape(*bounds) for bounds in ((0, 0), (0, 1), (0, 8), (-1, 0), (-1, 1), (-9, 3))]
    assert [(shape.width, shape.signed) for shape in shapes] == [
        (1, False),
        (1, False),
        (4, False),
        (1, True),
        (2, True),
        (5, True),
    ]


@pytest.mark.usefixtures("refused_components")
def test_what_has_no_adder_to_ride_on_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^A tree of 3 operands takes at most 2 carry bits, not 3$"):
        AdderTree([(0, 1)] * 3, carries=3)
    with pytest.raises(ValueError, match=r"^A tree with carry bits needs operands that are not negative$"):
        AdderTree([(0, 1), (-1, 1)], carries=1)
