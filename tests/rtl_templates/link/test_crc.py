"""The check value against Python's own."""

import random
import zlib

import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from hwgen.rtl_templates.link.crc import Crc32
from tests.rtl_templates.playing import until


def rtl(messages, stall=0.0):
    """Give (check value, good) after each message, with a clear between them."""
    component, found = Crc32(), []

    async def bench(ctx):
        rng = random.Random(1)
        for message in messages:
            for byte in message:
                while rng.random() < stall:
                    await ctx.tick()
                ctx.set(component.i.payload, byte)
                ctx.set(component.i.valid, 1)
                await until(ctx, component.i.ready, "i.ready")
                ctx.set(component.i.valid, 0)
            if not ctx.get(component.i.ready):
                await until(ctx, component.i.ready, "i.ready")
            found.append((ctx.get(component.value), bool(ctx.get(component.good))))
            ctx.set(component.clear, 1)
            await ctx.tick()
            ctx.set(component.clear, 0)

    m = Module()
    m.domains.sync = ClockDomain()
    m.submodules.component = component
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return found


def ref(message):
    body, tail = message[:-4], message[-4:]
    return zlib.crc32(message), len(tail) == 4 and tail == zlib.crc32(body).to_bytes(4, "little")


def cases():
    rng = random.Random(6)
    bodies = [b"", b"\x00", b"\xff" * 5, b"123456789", rng.randbytes(40)]
    sealed = [body + zlib.crc32(body).to_bytes(4, "little") for body in bodies[1:]]
    flipped = [bytes([*message[:-1], message[-1] ^ 0x10]) for message in sealed]
    return bodies + sealed + flipped


@pytest.mark.parametrize("stall", [0.0, 0.5])
def test_value_and_residue_are_those_of_zlib(stall):
    assert rtl(cases(), stall) == [ref(message) for message in cases()]
