"""SPI pins: bytes in both directions at once, at the fastest clock and slower, cut short and begun anew."""

import random

import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from hwgen.rtl_templates.spi import MIN_CLOCK_RATIO, SpiDevice

IDLE = 0x7E


def exchange(transfers, answers, *, high, low, ready=1.0):
    """Clock transfers, each (bytes, bits to leave out at its end); give what host and device got, and the errors."""
    component, host, device, errors = SpiDevice(IDLE), [], [], 0
    pending, rng = list(answers), random.Random(1)

    async def cycles(ctx, count):
        nonlocal errors
        for _ in range(count):
            ctx.set(component.o.ready, rng.random() < ready)
            ctx.set(component.i.valid, bool(pending))
            ctx.set(component.i.payload, pending[0] if pending else 0)
            sent = pending and ctx.get(component.i.ready)
            if ctx.get(component.o.valid) and ctx.get(component.o.ready):
                device.append(ctx.get(component.o.payload))
            errors += ctx.get(component.line_error)
            await ctx.tick()
            if sent:
                pending.pop(0)

    async def bench(ctx):
        ctx.set(component.select, 1)
        await cycles(ctx, 10)
        for data, missing in transfers:
            bits = [byte >> place & 1 for byte in data for place in reversed(range(8))]
            bits, got = bits[: len(bits) - missing], []
            ctx.set(component.select, 0)
            await cycles(ctx, MIN_CLOCK_RATIO)
            for bit in bits:
                ctx.set(component.mosi, bit)
                await cycles(ctx, low)
                got.append(ctx.get(component.miso))  # as the host does, at the rising edge
                ctx.set(component.sck, 1)
                await cycles(ctx, high)
                ctx.set(component.sck, 0)
            await cycles(ctx, low)
            ctx.set(component.select, 1)
            await cycles(ctx, MIN_CLOCK_RATIO)
            host.extend(int("".join(map(str, got[at : at + 8])), 2) for at in range(0, len(got) - 7, 8))
        await cycles(ctx, 10)

    m = Module()
    m.domains.sync = ClockDomain()
    m.submodules.component = component
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return bytes(host), bytes(device), errors


@pytest.mark.parametrize(("high", "low"), [(4, 4), (7, 5), (20, 31)])
def test_bytes_pass_in_both_directions(high, low):
    data, answers = random.Random(2).randbytes(12), random.Random(3).randbytes(7)
    host, device, errors = exchange([(data, 0)], answers, high=high, low=low)
    assert device == data
    assert host == answers + bytes([IDLE] * 5)
    assert errors == 0


def test_each_selection_begins_a_byte():
    host, device, errors = exchange([(b"\x12\x34", 0), (b"\x56", 0)], b"\xa5\xc3\x81", high=4, low=4)
    assert (device, host, errors) == (b"\x12\x34\x56", b"\xa5\xc3\x81", 0)


def test_a_byte_cut_short_is_dropped_and_counted():
    host, device, errors = exchange([(b"\xff\x00", 3), (b"\x99", 0)], b"", high=4, low=4)
    assert (device, errors) == (b"\xff\x99", 1)
    assert host == bytes([IDLE, IDLE])


def test_a_byte_that_is_not_taken_in_time_hides_the_next_one():
    _, device, errors = exchange([(bytes(range(4)), 0)], b"", high=4, low=4, ready=0.0)
    assert (device, errors) == (b"", 3)
