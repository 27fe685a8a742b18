"""Addresses of words in two banks, as fields of one count and as a walk, against the loops written out."""

from __future__ import annotations

import itertools

import pytest
from amaranth.hdl import Module, Signal

from hwgen.rtl_templates.windows.address_loops import AddressLoops
from tests.rtl_templates.playing import play

CASES = {
    "rows": ({"column": 4, "group": 2, "place": 2, "fold": 2}, {"column": 1, "group": 8, "fold": 4}, 16, True),
    "columns": ({"fold": 2, "one": 1, "place": 4, "column": 2}, {"fold": 2, "one": 9, "column": 1}, 4, True),
    "repeated": ({"word": 8, "repeat": 2}, {"word": 1}, 8, True),
    "one word": ({"word": 1, "repeat": 2}, {"word": 1}, 1, True),
    "one step": ({"word": 1, "repeat": 1}, {"word": 1}, 1, True),
    "odd rounds": ({"word": 3, "repeat": 2}, {"word": 1}, 3, False),
    "repeated three times": ({"word": 4, "repeat": 3}, {"word": 1}, 4, False),
    "with a gap": ({"fold": 2, "column": 2}, {"fold": 4, "column": 1}, 8, False),
}


@pytest.mark.parametrize(("counts", "strides", "length", "fields"), CASES.values(), ids=CASES)
def test_addresses_follow_the_loops(counts: dict[str, int], strides: dict[str, int], length: int, fields: bool) -> None:
    assert AddressLoops.are_fields(counts, strides, length) == fields
    m, step = Module(), Signal()
    loops = AddressLoops(m, "address", step, counts, strides, length)
    rounds = [range(count) for count in reversed(counts.values())]

    async def bench(ctx):
        for bank in (0, 1, 0):
            turns = list(itertools.product(*rounds))
            for turn in turns:
                index = dict(zip(reversed(counts), turn, strict=True))
                for moves in (0, 1):
                    ctx.set(step, moves)
                    await ctx.delay(1e-8)
                    away = sum(strides.get(loop, 0) * at for loop, at in index.items())
                    assert ctx.get(loops.address) == bank * length + away
                    assert ctx.get(loops.ends) == (moves and turn == turns[-1])
                    assert all(ctx.get(loops.index[loop]) == at for loop, at in index.items() if counts[loop] > 1)
                    await ctx.tick()

    play(m, bench)
