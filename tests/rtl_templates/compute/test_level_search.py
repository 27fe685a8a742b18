"""Binary search among rising levels: the count that a plain comparison with each of them gives."""

import numpy as np
import pytest
from amaranth.hdl import Shape, signed, unsigned

from hwgen.rtl_templates.compute.level_search import LevelSearch, SearchTables
from hwgen.rtl_templates.streams.stream_check import pack, unpack
from tests.rtl_templates.playing import play

ADDRESSES, LANES = 3, 2


def case(in_shape: Shape, steps: int, *, falls: bool) -> tuple[np.ndarray, np.ndarray]:
    """Give levels, some beyond all numbers and some equal, and which channels fall."""
    random = np.random.default_rng(steps)
    low = -(1 << in_shape.width - 1) if in_shape.signed else 0
    levels = np.sort(random.integers(low - 2, low + (1 << in_shape.width) + 3, (ADDRESSES, LANES, steps)))
    return levels, random.integers(0, 2, (ADDRESSES, LANES)).astype(bool) & falls


def search(unit: LevelSearch, numbers: list[list[int]], addresses: list[int]) -> tuple[list[list[int]], list[int]]:
    """Give the counts and the numbers beside them of each cycle."""
    counts, beside = [], []

    async def bench(ctx):
        ctx.set(unit.moves, ~0)
        for row, address in zip(numbers, addresses, strict=True):
            ctx.set(unit.numbers, pack(row, unit.in_shape.width))
            ctx.set(unit.address, address)
            counts.append(unpack(ctx.get(unit.counts), LANES, unit.stages))
            beside.append(ctx.get(unit.beside))
            await ctx.tick()

    play(unit, bench)
    return counts, beside


@pytest.mark.parametrize("falls", [False, True])
@pytest.mark.parametrize("steps", [1, 2, 3, 5])
@pytest.mark.parametrize("in_shape", [unsigned(3), signed(4)], ids=str)
def test_every_number_gets_its_count_behind_as_many_registers_as_the_count_has_bits(
    in_shape: Shape, steps: int, falls: bool
) -> None:
    levels, falling = case(in_shape, steps, falls=falls)
    unit = LevelSearch(in_shape=in_shape, levels=levels, falling=falling)
    low = -(1 << in_shape.width - 1) if in_shape.signed else 0
    codes = range(low, low + (1 << in_shape.width))
    inputs = [([code, codes[-1 - at]], address) for address in range(ADDRESSES) for at, code in enumerate(codes)]
    late = unit.stages
    assert late == steps.bit_length()
    padded = inputs + inputs[:late]
    counts, beside = search(unit, [row for row, _ in padded], [address for _, address in padded])
    for (row, address), found, numbers in zip(inputs, counts[late:], beside[late:], strict=True):
        for lane, number in enumerate(row):
            reached = int(np.sum(number >= levels[address, lane]))
            assert found[lane] == (steps - reached if falling[address, lane] else reached)
        assert numbers == pack(row, in_shape.width)


def test_levels_that_nothing_reaches_need_no_memory_and_no_address() -> None:
    levels = np.full((ADDRESSES, LANES, 1), 99)
    unit = LevelSearch(in_shape=unsigned(3), levels=levels, falling=np.zeros((ADDRESSES, LANES), bool))
    assert not unit.needs_address
    counts, _ = search(unit, [[7, 0]] * 3, [0, 1, 2])
    assert counts == [[0, 0]] * 3


def test_only_the_first_stage_has_one_memory_for_all_lanes() -> None:
    levels, falling = case(unsigned(3), 5, falls=False)
    tables = SearchTables(unsigned(3), levels, falling)
    assert [len(tables.memories(stage)) for stage in range(tables.stages)] == [1, LANES, LANES]
    assert [len(tables.memories(stage)[0][0]) for stage in range(tables.stages)] == [
        ADDRESSES << stage for stage in range(3)
    ]
    assert SearchTables(unsigned(3), levels, falling, writable=True).word_width == 5
