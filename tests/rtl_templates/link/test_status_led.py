"""The LED: blinks in step with the clock, and stays lit for a failure."""

from itertools import groupby

from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from hwgen.rtl_templates.link.status_led import StatusLed


def rtl(half_cycles, failed, cycles):
    component, lit = StatusLed(half_cycles), []

    async def bench(ctx):
        ctx.set(component.failed, failed)
        for _ in range(cycles):
            await ctx.tick()
            lit.append(ctx.get(component.lit))

    m = Module()
    m.domains.sync = ClockDomain()
    m.submodules.component = component
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return lit


def test_it_blinks_by_the_next_power_of_two():
    assert [(value, len(list(run))) for value, run in groupby(rtl(13, 0, 64))] == [(0, 16), (1, 16), (0, 16), (1, 16)]


def test_a_failure_is_steady():
    assert rtl(13, 1, 65) == [1] * 65
