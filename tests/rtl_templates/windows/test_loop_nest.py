"""Nested loops and numbers that walk along with them, against the loops written out."""

import itertools

import numpy as np
import pytest
from amaranth.hdl import Module, Signal

from hwgen.rtl_templates.windows.loop_nest import LoopNest, by_index, loop_moves, loops_of
from tests.rtl_templates.playing import play

COUNTS = {"inner": 3, "single": 1, "middle": 2, "outer": 4}
WALKS = [
    ({"inner": 1, "middle": 3, "outer": 6}, 24, 0, 32),
    ({"inner": 2, "outer": 5}, 7, 3, 11),
    ({"middle": 4}, 1, 2, 5),
    ({"inner": 9, "middle": 1, "outer": 2}, 0, 0, 10),
]


@pytest.mark.parametrize(("strides", "period", "start", "modulus"), WALKS, ids=str)
def test_counters_and_walks_follow_the_loops(strides: dict[str, int], period: int, start: int, modulus: int) -> None:
    m, step = Module(), Signal()
    nest = LoopNest(m, step, COUNTS)
    position = nest.walk("position", strides, period=period, start=start, modulus=modulus)
    ends = nest.wraps["outer"]

    async def bench(ctx):
        for frame in range(3):
            for outer, middle, inner in itertools.product(range(4), range(2), range(3)):
                index = {"inner": inner, "single": 0, "middle": middle, "outer": outer}
                for moves in (0, 1):
                    ctx.set(step, moves)
                    await ctx.delay(1e-8)
                    assert {name: ctx.get(nest.index[name]) for name in COUNTS} == index
                    assert all(ctx.get(nest.is_last[name]) == (index[name] == COUNTS[name] - 1) for name in COUNTS)
                    away = start + frame * period + sum(strides.get(name, 0) * index[name] for name in COUNTS)
                    assert ctx.get(position) == away % modulus
                    last = (outer, middle, inner) == (3, 1, 2)
                    assert ctx.get(ends) == (moves and last)
                    await ctx.tick()

    play(m, bench)


@pytest.mark.usefixtures("refused_components")
def test_a_walk_round_one_place_stays_there() -> None:
    m = Module()
    nest = LoopNest(m, Signal(), {"a": 1, "b": 1})
    assert nest.walk("position", {"a": 5}, period=3, start=2, modulus=1).value == 0
    assert nest.wraps["b"] is nest.step


def test_moves_take_back_what_the_inner_loops_went() -> None:
    assert loop_moves({"a": 3, "b": 1, "c": 2}, {"a": 4, "c": 10}, 30, 100) == ({"a": 4, "c": 2}, 12)


@pytest.mark.parametrize("values", [[5, 5, 5, 5], [0, 0, 0, 0], [1, 1, 7, 1], [-3, 2, 2, -3], [4, 3, 2, 1]], ids=str)
def test_values_by_index_are_the_listed_ones(values: list[int]) -> None:
    m, index, found = Module(), Signal(2), []
    result = by_index(m, "value", index, values)

    async def bench(ctx):
        for at in range(4):
            ctx.set(index, at)
            await ctx.delay(1e-8)
            found.append(ctx.get(result))

    play(m, bench)
    assert found == values


def test_loops_are_found_where_there_are_any():
    table = np.arange(24).reshape(2, 3, 4).transpose(2, 0, 1).reshape(-1, 1)
    assert [(count, stride.tolist()) for count, stride in loops_of(table)] == [(6, [4]), (4, [1])]
    turned = np.stack([np.arange(24).reshape(2, 12)[::-1].ravel(), np.arange(24) % 3], axis=1)
    assert [(count, stride.tolist()) for count, stride in loops_of(turned)] == [(3, [1, 1]), (4, [3, 0]), (2, [-12, 0])]
    assert loops_of(np.array([[5]])) == []
    assert loops_of(np.array([[0], [1], [3], [2]])) is None
    assert loops_of(np.array([[0], [1], [2], [5], [6]])) is None
