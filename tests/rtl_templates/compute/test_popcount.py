"""Popcount and adder tree: exact sums, exact widths, stated latencies."""

import random

import numpy as np
import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.sim import Simulator, SimulatorContext

from hwgen.rtl_templates.compute.adder_tree import AdderTree, range_shape
from hwgen.rtl_templates.compute.popcount import Popcount
from hwgen.rtl_templates.streams.stream_check import pack


def rtl(
    component: wiring.Component, inputs: list[dict[str, int]], outputs: tuple[str, ...], latency: int
) -> list[tuple[int, ...]]:
    """Put a set of inputs on the ports in every cycle; give the outputs ``latency`` cycles later."""
    top = Module()
    top.submodules.unit = component
    results = []

    async def bench(ctx: SimulatorContext) -> None:
        for cycle in range(len(inputs) + latency):
            for name, value in inputs[min(cycle, len(inputs) - 1)].items():
                ctx.set(getattr(component, name), value)
            if cycle >= latency:
                results.append(tuple(ctx.get(getattr(component, name)) for name in outputs))
            await ctx.tick()

    cycles = Signal(16)
    top.d.sync += cycles.eq(cycles + 1)  # a clock, even around a tree without registers
    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return results


@pytest.mark.parametrize("lanes", [*range(1, 34), 63, 64, 65, 255, 512])
@pytest.mark.parametrize("registers", [(), (1, 3)], ids=str)
@pytest.mark.parametrize("spare", [False, True])
def test_popcount_counts_every_lane(lanes, registers, spare):
    if spare and lanes == 1:
        spare = False
    rng = random.Random(lanes)
    words = [
        0,
        (1 << lanes) - 1,
        *(1 << n for n in range(min(lanes, 64))),
        *(rng.getrandbits(lanes) for _ in range(20)),
    ]
    registers = [level for level in registers if level <= Popcount.levels(lanes, spare)]
    unit = Popcount(lanes, spare=spare, registers=registers)
    counts = rtl(unit, [{"i": word} for word in words], ("o", "carry"), len(registers))
    assert [ones + carry for ones, carry in counts] == [word.bit_count() for word in words]


@pytest.mark.parametrize("spare", [False, True])
def test_a_popcount_of_nothing_is_refused(spare, refused_components):
    with pytest.raises(ValueError, match="has no bit to"):
        Popcount(int(spare), spare=spare)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13])
@pytest.mark.parametrize("bounds", [(0, 1), (0, 9), (-1, 1), (-128, 127), (-3, 0), (2, 5)], ids=str)
@pytest.mark.parametrize("registers", [(), (0, 2)], ids=str)
def test_a_tree_adds_exactly(count, bounds, registers):
    rng = np.random.default_rng(count)
    low, high = bounds
    carries = count - 1 if low >= 0 else 0
    registers = [level for level in registers if level <= AdderTree.levels(count)]
    tree = AdderTree([bounds] * count, carries=carries, registers=registers)
    rows = [[low] * count, [high] * count, *rng.integers(low, high + 1, (20, count)).tolist()]
    bits = [0, (1 << carries) - 1, *(int(word) for word in rng.integers(0, 1 << carries, 20))]
    inputs = [
        {"i": pack(row, range_shape(low, high).width), "carry": word} for row, word in zip(rows, bits, strict=True)
    ]
    expected = [(sum(row) + word.bit_count(),) for row, word in zip(rows, bits, strict=True)]
    assert rtl(tree, inputs, ("o",), len(registers)) == expected
    assert tree.bounds == (low * count, high * count + carries)


def test_operands_of_different_ranges_have_their_own_widths():
    tree = AdderTree([(0, 1), (-8, 7), (0, 200)])
    assert len(tree.i) == 1 + 4 + 8
    packed = 1 | (0b1000 << 1) | (200 << 5)
    assert rtl(tree, [{"i": packed}], ("o",), 0) == [(193,)]


def test_more_carries_than_adders_are_refused(refused_components):
    with pytest.raises(ValueError, match="A tree of 3 operands takes at most 2 carry bits, not 3"):
        AdderTree([(0, 1)] * 3, carries=3)


def test_carries_beside_negative_operands_are_refused(refused_components):
    with pytest.raises(ValueError, match="not negative"):
        AdderTree([(-1, 1)] * 3, carries=1)
