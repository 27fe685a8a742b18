"""SPI pins, clocked by a host that knows nothing of the system's clock: bytes both ways, gaps, aborts, glitches and resets."""

import random

import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from hwgen.host.framing import Decoder, Packet, encode
from hwgen.rtl_templates.link.spi import MIN_SCLK_CYCLES, SpiPeripheral

CYCLE = 1e-6
LATEST = 4.0
"""Cycles behind a rising edge after which ``miso`` is still."""


class Host:
    """The end that clocks: mode 0. Times are in cycles of the system's clock, to which it keeps no phase."""

    def __init__(self, ctx, component, period=MIN_SCLK_CYCLES, duty=0.5, jitter=0.0, seed=1):
        self.ctx, self.component, self.period, self.duty, self.jitter = ctx, component, period, duty, jitter
        self.random = random.Random(seed)

    async def wait(self, cycles):
        await self.ctx.delay(cycles * CYCLE)

    async def phase(self, share):
        await self.wait(share * self.period + self.random.uniform(-self.jitter, self.jitter))

    async def select(self):
        self.ctx.set(self.component.cs, 0)
        await self.wait(1.01)

    async def deselect(self):
        self.ctx.set(self.component.cs, 1)
        await self.wait(self.period)

    async def bits(self, byte, count=8):
        """Exchange the first bits of a byte."""
        got = 0
        for bit in range(7, 7 - count, -1):
            self.ctx.set(self.component.mosi, byte >> bit & 1)
            await self.phase(1 - self.duty)
            got = got << 1 | self.ctx.get(self.component.miso)
            self.ctx.set(self.component.sclk, 1)
            await self.phase(self.duty)
            self.ctx.set(self.component.sclk, 0)
        return got

    async def exchange(self, data, gap=0.0):
        """Exchange bytes, with a pause of up to ``gap`` cycles before each."""
        got = []
        for byte in data:
            await self.wait(self.random.uniform(0, gap))
            got.append(await self.bits(byte))
        return bytes(got)

    async def transfer(self, data, gap=0.0):
        """Exchange bytes within one selection."""
        await self.select()
        got = await self.exchange(data, gap)
        await self.deselect()
        return got


def simulate(story, to_send=(), *, stall=0.0, take=True, phase=0.0, **host):
    """Let a host play its story; give what it returns, the bytes that arrived and the number of line errors.

    The story may append to a list of bytes ``to_send``.
    """
    component, got, errors, told = SpiPeripheral(), [], 0, []
    m = Module()
    m.domains.sync = domain = ClockDomain()
    m.submodules.component = component

    async def player(ctx):
        await ctx.delay((10 + phase) * CYCLE)
        told.append(await story(Host(ctx, component, **host), domain))
        await ctx.delay(20 * CYCLE)

    async def watcher(ctx):
        nonlocal errors
        rng, sent, offer = random.Random(2), 0, False
        ctx.set(component.o.ready, take)
        while True:
            offer = offer or (sent < len(to_send) and rng.random() >= stall)
            ctx.set(component.i.valid, offer)
            ctx.set(component.i.payload, to_send[sent] if offer else rng.getrandbits(8))
            _, _, taken, valid, byte, error = await ctx.tick().sample(
                component.i.ready, component.o.valid, component.o.payload, component.line_error
            )
            if offer and taken:
                sent, offer = sent + 1, False
            if valid and take:
                got.append(byte)
            errors += error

    simulator = Simulator(m)
    simulator.add_clock(CYCLE)
    simulator.add_testbench(player)
    simulator.add_testbench(watcher, background=True)
    simulator.run()
    return told[0], bytes(got), errors


def exchanging(data, gap=0.0):
    async def story(host, domain):
        return await host.transfer(data, gap)

    return story


SOME = bytes([0, 255, 0x55, 0xAA, 0x7E, 0x7D]) + random.Random(3).randbytes(10)
LIMIT = {"period": MIN_SCLK_CYCLES, "phase": 0.31}


def test_all_bytes_pass_both_ways_back_to_back():
    sent, received = bytes(range(256)), bytes(range(255, -1, -1))
    out, got, errors = simulate(exchanging(received), sent, **LIMIT)
    assert (got, errors) == (received, 0)
    assert out == b"\x7e" + sent[:-1]


@pytest.mark.parametrize(
    ("period", "duty", "jitter"),
    [(MIN_SCLK_CYCLES, 0.5, 0.45), (MIN_SCLK_CYCLES, 0.35, 0.0), (MIN_SCLK_CYCLES, 0.65, 0.0), (6.37, 0.5, 0.1)],
)
@pytest.mark.parametrize("phase", [0.0, 0.77])
def test_the_host_s_clock_may_be_uneven_and_of_any_phase(period, duty, jitter, phase):
    out, got, errors = simulate(exchanging(SOME), SOME, period=period, duty=duty, jitter=jitter, phase=phase)
    assert (out, got, errors) == (b"\x7e" + SOME[:-1], SOME, 0)


def test_gaps_between_bytes_and_selections_change_nothing():
    async def story(host, domain):
        return b"".join([await host.transfer(SOME[at : at + 3], gap=30) for at in range(0, len(SOME), 3)])

    out, got, errors = simulate(story, SOME, **LIMIT)
    assert (out, got, errors) == (b"\x7e" + SOME[:-1], SOME, 0)


@pytest.mark.parametrize("phase", [n / 8 for n in range(8)])
def test_miso_changes_three_to_four_cycles_behind_a_rising_edge(phase):
    async def story(host, domain):
        levels = []
        await host.select()
        for _ in range(40):
            await host.wait(host.period / 2)
            host.ctx.set(host.component.sclk, 1)
            samples = []
            for pause in (2.99, LATEST - 2.99 + 0.001, host.period / 2 - LATEST + host.period / 2 - 0.002):
                await host.wait(pause)
                samples.append(host.ctx.get(host.component.miso))
                host.ctx.set(host.component.sclk, 0)
            levels.append(samples)
            await host.wait(0.001)
        return levels

    levels, _, errors = simulate(story, b"\x5a" * 5, period=10, phase=phase)
    assert errors == 0
    flag, ones = f"{0x7E:08b}", f"{0x5A:08b}" * 4
    bits = [int(bit) for bit in flag + ones + "0"]
    assert [before for before, _, _ in levels] == bits[:40]
    assert [(still, later) for _, still, later in levels] == [(bit, bit) for bit in bits[1:41]]


@pytest.mark.parametrize("bits", range(1, 8))
def test_a_byte_that_is_broken_off_is_discarded_and_counted_and_the_next_is_whole(bits):
    async def story(host, domain):
        first = await host.transfer(b"\x31")
        await host.select()
        await host.bits(0xA5, bits)
        await host.deselect()
        return first + await host.transfer(b"\x32\x33")

    out, got, errors = simulate(story, b"\x11\x12\x13", **LIMIT)
    assert (got, errors) == (b"\x31\x32\x33", 1)
    assert out == b"\x7e\x12\x13"  # 0x11 was broken off


def test_nothing_counts_while_the_board_is_not_selected():
    async def story(host, domain):
        await host.exchange(b"\x55\xaa")
        return await host.transfer(b"\x31")

    assert simulate(story, **LIMIT) == (b"\x7e", b"\x31", 0)


def test_a_byte_that_finds_the_one_before_it_still_waiting_is_counted_as_lost():
    _, got, errors = simulate(exchanging(b"\x31\x32\x33"), take=False, **LIMIT)
    assert (got, errors) == (b"", 2)


def test_there_are_flags_between_packets_and_pairs_of_escapes_within():
    line = b"\x7eAB\x7d\x5eC\x7e"

    async def story(host, domain):
        out = await host.transfer(b"\x7e" * 4)
        for byte in line:
            given.append(byte)
            out += await host.transfer(b"\x7e" * 4)
        return out

    given: list[int] = []
    out, got, errors = simulate(story, given, **LIMIT)
    # Four bytes for each that is given: it comes second, or third behind the other half of a pair.
    assert (got, errors) == (b"\x7e" * 32, 0)
    assert out == bytes.fromhex("7e7e7e7e 7e7e7e7e 7e417d7d 7d7d427d 7d7d7d7d 7d7d5e7d 7d437d7d 7d7d7e7e")


@pytest.mark.parametrize("stall", [0.0, 0.98])
def test_packets_pass_whatever_pauses_their_sender_makes(stall):
    packets = [Packet(n, 5 * n, SOME[: n * n]) for n in range(4)]
    line = b"".join(encode(packet) for packet in packets)

    async def story(host, domain):
        decoder, found = Decoder(), []
        while len(found) < len(packets):
            found += list(decoder.feed(await host.transfer(b"\x7e" * 5)))
        return found

    assert simulate(story, line, stall=stall, **LIMIT)[0] == packets


@pytest.mark.parametrize("pin", ["sclk", "mosi", "cs"])
def test_a_glitch_of_one_cycle_is_not_seen(pin):
    async def story(host, domain):
        line, phases, out = getattr(host.component, pin), 0, []

        async def phase():
            """Hold the levels for 5 cycles, with a glitch in every third phase."""
            nonlocal phases
            pause, level = host.random.uniform(0.05, 4), host.ctx.get(line)
            await host.wait(pause)
            host.ctx.set(line, level ^ (phases % 3 == 0))
            await host.wait(0.95)
            host.ctx.set(line, level)
            await host.wait(5 - 0.95 - pause)
            phases += 1

        await host.select()
        for bit in (byte >> n & 1 for byte in SOME for n in range(7, -1, -1)):
            host.ctx.set(host.component.mosi, bit)
            await phase()
            out.append(host.ctx.get(host.component.miso))
            host.ctx.set(host.component.sclk, 1)
            await phase()
            host.ctx.set(host.component.sclk, 0)
        await host.wait(5)
        await host.deselect()
        return out

    expected = [byte >> n & 1 for byte in b"\x7e" + SOME[:-1] for n in range(7, -1, -1)]
    assert simulate(story, SOME, period=10, phase=0.4) == (expected, SOME, 0)


@pytest.mark.parametrize("bits", [0, 3, 7])
def test_after_a_reset_nothing_counts_until_the_host_selects_anew(bits):
    async def story(host, domain):
        await host.select()
        await host.exchange(b"\x31")
        await host.bits(0xFF, bits)
        await host.wait(5)
        host.ctx.set(domain.rst, 1)
        await host.wait(3)
        host.ctx.set(domain.rst, 0)
        await host.exchange(b"\x55\xaa")
        await host.deselect()
        return await host.transfer(b"\x32\x33")

    assert simulate(story, **LIMIT) == (b"\x7e\x7e", b"\x31\x32\x33", 0)
