"""Amaranth's simulator for a component whose ports are no streams."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from amaranth.hdl import ClockDomain, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.sim import Simulator, SimulatorContext

PATIENCE = 200
"""Cycles that a port may keep a bench waiting."""


Bench = Callable[[SimulatorContext], Awaitable[None]]


def play(component: wiring.Component | Module, bench: Bench, *others: Bench) -> None:
    """Clock a component until the bench ends; the others, which answer it, need no end."""
    m = Module()
    m.domains.sync = ClockDomain()
    m.submodules.component = component
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    for other in others:
        simulator.add_testbench(other, background=True)
    simulator.run()


async def until(ctx: SimulatorContext, condition: Value, name: str, patience: int = PATIENCE) -> None:
    """Let cycles pass up to the end of the first in which the condition holds; one that keeps us waiting has failed."""
    for _ in range(patience):
        holds = ctx.get(condition)
        await ctx.tick()
        if holds:
            return
    raise AssertionError(f"{name} stayed low for {patience} cycles")


def values_of(expression: Callable[[Value], Value], bits: int) -> list[int]:
    """Give what an expression makes of each number of so many bits."""
    m, operand, found = Module(), Signal(bits), []
    value = expression(operand)
    result = Signal.like(value)
    m.d.comb += result.eq(value)

    async def bench(ctx: SimulatorContext) -> None:
        for number in range(1 << bits):
            ctx.set(operand, number)
            await ctx.delay(1e-6)
            found.append(ctx.get(result))

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()
    return found
