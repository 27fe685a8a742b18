"""Counting ones of different significance: every small plane, registers anywhere, a bit left to the carry."""

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from hwgen.rtl_templates.compute.plane_sum import PlaneSum

SIZES = [
    [1],
    [7],
    [1, 1],
    [2, 2],
    [16, 16],
    [3, 1, 5],
    [1, 2, 1],
    [2, 4, 2],
    [4, 8, 12, 8, 4],
    [9, 2, 2, 2, 2, 2, 2, 30],
]


class WithCarry(wiring.Component):
    """A plane sum and, beside it, its carry added to its output."""

    def __init__(self, unit: PlaneSum) -> None:
        self.unit = unit
        super().__init__({"i": In(len(unit.i)), "total": Out(len(unit.o) + 1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.unit = unit = self.unit
        m.d.comb += [unit.i.eq(self.i), self.total.eq(unit.o + unit.carry)]
        return m


def ref(sizes: list[int], words: list[int]) -> list[int]:
    significance = [plane for plane, size in enumerate(sizes) for _ in range(size)]
    return [sum((word >> bit & 1) << plane for bit, plane in enumerate(significance)) for word in words]


def rtl(unit: PlaneSum, words: list[int]) -> list[int]:
    top, latency, totals = WithCarry(unit), len(unit.registers), []

    async def feed(ctx):
        for cycle, word in enumerate([*words, *[0] * latency]):
            ctx.set(top.i, word)
            if latency == 0:
                await ctx.delay(1e-7)
            if cycle >= latency:
                totals.append(ctx.get(top.total))
            if latency:
                await ctx.tick()

    simulator = Simulator(top)
    if latency:
        simulator.add_clock(1e-6)
    simulator.add_testbench(feed)
    simulator.run()
    return totals


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("spare", [False, True])
@pytest.mark.parametrize("step", [None, 1, 2, 3])
def test_ones_count_by_their_plane(sizes: list[int], spare: bool, step: int | None):
    if spare and sizes[0] == 1:
        sizes = [2, *sizes[1:]]
    levels = PlaneSum.levels(sizes, spare)
    unit = PlaneSum(sizes, spare=spare, registers=range(1, levels + 1, step) if step else ())
    bits, random = sum(sizes), np.random.default_rng(len(sizes))
    words = [0, (1 << bits) - 1, *(int.from_bytes(random.bytes(20), "little") % (1 << bits) for _ in range(20))]
    assert rtl(unit, words) == ref(sizes, words)


@pytest.mark.usefixtures("refused_components")
def test_a_bit_of_each_plane_rides_on_an_adder():
    assert [count.spare for count in PlaneSum([16, 16, 16], spare=True).counts] == [True, True, True]
    assert PlaneSum.levels([16, 16], spare=False) == 4
    assert PlaneSum.levels([16, 16], spare=True) == 3
