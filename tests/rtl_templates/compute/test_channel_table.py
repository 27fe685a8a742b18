"""Addresses that follow a map, and read-only memories."""

import itertools

import numpy as np
import pytest
from amaranth.hdl import ClockDomain, Module, Signal
from amaranth.sim import Simulator

from hwgen.activation import Positions
from hwgen.rtl_templates.compute.channel_table import ChannelAddress, read_rom
from hwgen.rtl_templates.memory import MemoryStyle


def ref(rows, columns, folds):
    """Give the address of each beat of a map."""
    return (Positions(rows, columns).classes()[..., None] * folds + np.arange(folds)).ravel().tolist()


def rtl(rows, columns, folds, beats, stall):
    """Give the address at each step, with idle cycles in between."""
    component = ChannelAddress(rows, columns, folds)
    seen = []

    async def bench(ctx):
        rng = np.random.default_rng(0)
        while len(seen) < beats:
            step = rng.random() >= stall
            ctx.set(component.step, step)
            if step:
                seen.append(ctx.get(component.address))
            await ctx.tick()

    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return seen


CLASSES = [(0,), (0, 0, 0), (0, 1, 1, 2), (0, 1, 0), (1, 0), (2, 1, 0, 0, 3)]


@pytest.mark.parametrize(("rows", "columns"), list(itertools.product(CLASSES, CLASSES)))
@pytest.mark.parametrize("folds", [2, 3])
def test_address_is_class_and_fold_of_every_beat(rows, columns, folds):
    expected = 3 * ref(rows, columns, folds)
    assert rtl(rows, columns, folds, len(expected), stall=0.3) == expected


def test_one_fold_of_many_classes():
    expected = 2 * ref((0, 1, 2), (0, 1), 1)
    assert rtl((0, 1, 2), (0, 1), 1, len(expected), stall=0.0) == expected


@pytest.mark.parametrize("style", [MemoryStyle.AUTO, MemoryStyle.BLOCK, MemoryStyle.DISTRIBUTED, MemoryStyle.CONSTANT])
@pytest.mark.parametrize("words", [[5] * 4, [1, 2, 3], list(range(100))])
def test_a_word_stands_one_cycle_after_its_address(style, words):
    m = Module()
    m.domains.sync = ClockDomain()
    address = Signal(7)
    enable = Signal(init=1)
    data = Signal(7)
    m.d.comb += data.eq(read_rom(m, "words", words, 7, address, style, enable))

    async def bench(ctx):
        for place, word in enumerate(words):
            ctx.set(address, place)
            await ctx.tick()
            assert ctx.get(data) == word
        ctx.set(enable, 0)
        ctx.set(address, 0)
        await ctx.tick()
        assert ctx.get(data) == words[-1]

    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
