"""The two ends of AXI4-Lite against one another, through channels that come in any order and wait."""

import random

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring

from hwgen.rtl_templates.registers.axi_lite import OKAY, SLVERR, AxiLiteMaster, AxiLiteSlave
from tests.rtl_templates.playing import play, until

ERRORS = {5}
"""Addresses at which there is nothing."""


class Memory:
    """Answers the accesses of a bus."""

    def __init__(self, bus, delay: int) -> None:
        self.bus, self.delay, self.words, self.seen = bus, delay, {}, []

    async def serve(self, ctx) -> None:
        bus = self.bus
        while True:
            _, _, start, write, at, value, strobe = await ctx.tick().sample(
                bus.start, bus.write, bus.address, bus.value, bus.strobe
            )
            if start:
                self.seen.append((write, at))
                if write:
                    mask = sum(255 << 8 * byte for byte in range(4) if strobe >> byte & 1)
                    self.words[at] = self.words.get(at, 0) & ~mask | value & mask
                await ctx.tick().repeat(self.delay)
                ctx.set(bus.done, 1)
                ctx.set(bus.error, at in ERRORS)
                ctx.set(bus.read_value, self.words.get(at, 0))
                await ctx.tick()
                ctx.set(bus.done, 0)


@pytest.mark.parametrize("delay", [1, 4])
def test_master_and_slave_pass_every_access_on(delay: int) -> None:
    m = Module()
    m.submodules.master = master = AxiLiteMaster(6)
    m.submodules.slave = slave = AxiLiteSlave(6)
    wiring.connect(m, master.axi, slave.axi)
    memory, rng, told, expected = Memory(slave.bus, delay), random.Random(3), [], []
    accesses = [(rng.getrandbits(1), rng.randrange(8), rng.getrandbits(32), rng.choice([15, 1, 12])) for _ in range(40)]
    accesses += [(write, address, 77, 15) for address in (5, 6) for write in (1, 0)]

    async def bench(ctx):
        for write, address, value, strobe in accesses:
            for signal, what in ((master.bus.write, write), (master.bus.address, address)):
                ctx.set(signal, what)
            ctx.set(master.bus.value, value)
            ctx.set(master.bus.strobe, strobe)
            ctx.set(master.bus.start, 1)
            await ctx.tick()
            ctx.set(master.bus.start, 0)
            for _ in range(40):
                if ctx.get(master.bus.done):
                    break
                await ctx.tick()
            assert ctx.get(master.bus.done)
            told.append((ctx.get(master.bus.error), None if write else ctx.get(master.bus.read_value)))
            await ctx.tick()

    play(m, bench, memory.serve)
    words = {}
    for write, address, value, strobe in accesses:
        if write:
            mask = sum(255 << 8 * byte for byte in range(4) if strobe >> byte & 1)
            words[address] = words.get(address, 0) & ~mask | value & mask
        expected.append((address in ERRORS, None if write else words.get(address, 0)))
    assert told == expected
    assert memory.seen == [(write, address) for write, address, *_ in accesses]


@pytest.mark.parametrize("order", [("aw", "w"), ("w", "aw")])
@pytest.mark.parametrize("address", [3, 5])
def test_address_and_data_of_a_write_may_come_apart_and_its_answer_waits(order: tuple[str, str], address: int) -> None:
    slave = AxiLiteSlave(6)
    axi, memory = slave.axi, Memory(slave.bus, 2)
    answers = []

    brings = {"aw": (axi.awaddr, 4 * address + 1), "w": (axi.wdata, 0xABCD)}  # The lowest two bits do not count.

    async def bench(ctx):
        ctx.set(axi.wstrb, 15)
        for channel in order:
            valid, ready = getattr(axi, f"{channel}valid"), getattr(axi, f"{channel}ready")
            signal, value = brings[channel]
            ctx.set(signal, value)
            ctx.set(valid, 1)
            await until(ctx, ready, f"{channel}ready")
            ctx.set(valid, 0)
            ctx.set(signal, 0)
            assert ctx.get(ready) == 0
            if channel == order[0]:
                await ctx.tick().repeat(5)
                assert memory.seen == []
        await ctx.tick().repeat(8)
        for _ in range(4):
            assert ctx.get(axi.bvalid)
            answers.append(ctx.get(axi.bresp))
            await ctx.tick()
        ctx.set(axi.bready, 1)
        await ctx.tick()
        assert ctx.get(axi.bvalid) == 0
        assert (ctx.get(axi.awready), ctx.get(axi.wready)) == (1, 1)

    play(slave, bench, memory.serve)
    assert memory.seen == [(1, address)]
    assert memory.words == {address: 0xABCD}
    assert answers == [SLVERR if address in ERRORS else OKAY] * 4


def test_a_write_goes_before_a_read_that_came_with_it() -> None:
    slave = AxiLiteSlave(6)
    axi, memory, read = slave.axi, Memory(slave.bus, 1), []

    async def bench(ctx):
        for channel in ("aw", "w", "ar"):
            ctx.set(getattr(axi, f"{channel}valid"), 1)
        ctx.set(axi.awaddr, 8)
        ctx.set(axi.araddr, 8)
        ctx.set(axi.wdata, 99)
        ctx.set(axi.wstrb, 15)
        ctx.set(axi.bready, 1)
        ctx.set(axi.rready, 1)
        await ctx.tick()
        for channel in ("aw", "w", "ar"):
            ctx.set(getattr(axi, f"{channel}valid"), 0)
        for _ in range(40):
            if ctx.get(axi.rvalid):
                read.append(ctx.get(axi.rdata))
            await ctx.tick()

    play(slave, bench, memory.serve)
    assert memory.seen == [(1, 2), (0, 2)]
    assert read == [99]
