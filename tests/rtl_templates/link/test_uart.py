"""Serial pins: the bytes that a pin's waveform means, glitches, breaks and wrong rates included."""

import random

import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from hwgen.rtl_templates.link.uart import MIN_DIVISOR, UartReceiver, UartTransmitter

DIVISORS = [MIN_DIVISOR, 7, 16]


def ref_wave(data, divisor, idle=0):
    """Give the pin's level in each cycle; ``divisor`` may be a fraction."""
    levels = [level for byte in data for level in [0, *(byte >> n & 1 for n in range(8)), 1, *[1] * idle]]
    return [levels[int(cycle / divisor)] for cycle in range(int(len(levels) * divisor))]


def simulate(component, *benches):
    m = Module()
    m.domains.sync = ClockDomain()
    m.submodules.component = component
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    for bench in benches:
        simulator.add_testbench(bench)
    simulator.run()


def rtl_receive(wave, divisor):
    """Give the bytes taken at once, and the number of line errors."""
    component, got, errors = UartReceiver(divisor), [], 0

    async def bench(ctx):
        nonlocal errors
        ctx.set(component.o.ready, 1)
        for level in [1] * 5 + list(wave) + [1] * 12 * divisor:
            ctx.set(component.pin, level)
            await ctx.tick()
            errors += ctx.get(component.line_error)
            if ctx.get(component.o.valid):
                got.append(ctx.get(component.o.payload))

    simulate(component, bench)
    return bytes(got), errors


def rtl_send(data, divisor, stall=0.0):
    """Give the pin's level in each cycle from the first start bit on, with idle cycles taken out where ``stall`` is 0."""
    component, wave = UartTransmitter(divisor), []

    async def bench(ctx):
        rng = random.Random(1)
        pending, quiet = list(data), 0
        while quiet <= 11 * divisor:
            assert len(wave) < 40 * divisor * (len(data) + 2), f"i waits for ready before {len(pending)} bytes"
            offer = bool(pending) and rng.random() >= stall
            ctx.set(component.i.valid, offer)
            ctx.set(component.i.payload, pending[0] if offer else rng.getrandbits(8))
            taken = offer and ctx.get(component.i.ready)
            await ctx.tick()
            if taken:
                pending.pop(0)
            wave.append(ctx.get(component.pin))
            quiet = 0 if pending or not wave[-1] else quiet + 1

    simulate(component, bench)
    return wave


@pytest.mark.parametrize(("divisor", "percent"), [(4, 1), (7, 2), (16, 3)])
@pytest.mark.parametrize("sign", [-1, 0, 1])
def test_bytes_are_received_at_slightly_wrong_rates(divisor, percent, sign):
    data = bytes([0, 255, 0x55, 0xAA, 0x7E]) + random.Random(2).randbytes(20)
    assert rtl_receive(ref_wave(data, divisor * (1 + sign * percent / 100)), divisor) == (data, 0)


@pytest.mark.parametrize("divisor", DIVISORS)
def test_a_glitch_of_one_cycle_is_not_seen(divisor):
    data = random.Random(3).randbytes(20)
    wave = ref_wave(data, divisor, idle=3)
    for cycle in range(divisor // 2, len(wave), 5 * divisor):
        wave[cycle] ^= 1
    assert rtl_receive(wave, divisor) == (data, 0)


def test_a_byte_without_stop_bit_is_discarded_and_counted_and_the_next_is_received():
    broken = [*ref_wave(b"\xa5", 8)[:-8], *[0] * 30, *[1] * 8]
    assert rtl_receive([*broken, *ref_wave(b"\x11\x22", 8)], 8) == (b"\x11\x22", 1)


def test_a_byte_that_finds_the_one_before_it_still_waiting_is_counted_as_lost():
    component, errors = UartReceiver(4), 0

    async def bench(ctx):
        nonlocal errors
        for level in [1] * 5 + ref_wave(b"\x31\x32\x33", 4) + [1] * 20:
            ctx.set(component.pin, level)
            await ctx.tick()
            errors += ctx.get(component.line_error)
        assert ctx.get(component.o.valid)
        assert ctx.get(component.o.payload) == 0x31

    simulate(component, bench)
    assert errors == 2


@pytest.mark.parametrize("divisor", DIVISORS)
def test_bytes_are_sent_with_one_cycle_between_them(divisor):
    data = bytes([0, 255, 0x55]) + random.Random(4).randbytes(5)
    expected = [level for byte in data for level in [*ref_wave([byte], divisor), 1]]
    wave = rtl_send(data, divisor)
    assert wave[wave.index(0) :][: len(expected)] == expected


@pytest.mark.parametrize("stall", [0.0, 0.9])
def test_what_is_sent_is_received(stall):
    data = random.Random(5).randbytes(30)
    assert rtl_receive(rtl_send(data, 5, stall), 5) == (data, 0)


@pytest.mark.usefixtures("refused_components")
@pytest.mark.parametrize("unit", [UartReceiver, UartTransmitter])
def test_a_bit_of_three_cycles_is_refused(unit):
    with pytest.raises(ValueError, match=r"A bit takes at least 4 cycles, not 3"):
        unit(3)
