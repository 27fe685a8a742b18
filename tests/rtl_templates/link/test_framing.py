"""Packets on a serial line: what the hardware makes of bytes, against the host's own encoder and decoder."""

import random
import zlib

import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from hwgen.host.framing import Decoder, Packet, encode
from hwgen.rtl_templates.link.framing import Framer, Unframer
from tests.rtl_templates.playing import until


def simulate(component, items, give, take, count, stall):
    """Offer items to ``i`` and collect what ``o`` gives, until ``count`` of them have come."""
    taken = []

    async def source(ctx):
        rng = random.Random(1)
        for item in items:
            while rng.random() < stall:
                await ctx.tick()
            give(ctx, item)
            ctx.set(component.i.valid, 1)
            await until(ctx, component.i.ready, "i.ready")
            ctx.set(component.i.valid, 0)

    async def sink(ctx):
        rng = random.Random(2)
        idle = 0
        while len(taken) < count:
            assert idle < 1000, f"o waits for valid after {len(taken)} of {count}"
            ready = rng.random() >= stall
            ctx.set(component.o.ready, ready)
            idle += 1
            if ready and ctx.get(component.o.valid):
                taken.append(take(ctx))
                idle = 0
            await ctx.tick()

    m = Module()
    m.domains.sync = ClockDomain()
    m.submodules.component = component
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(source)
    simulator.add_testbench(sink)
    simulator.run()
    return taken


def ref_unframe(line):
    """Give the tokens of line bytes by undoing them by hand: (byte,) or (good,) with the kind first."""
    tokens, body, escaped, decoder = [], 0, False, Decoder()
    for byte in line:
        intact = [packet is not None for packet in decoder.feed(bytes([byte]))]
        if byte == 0x7E:
            tokens += [("end", intact[0])] if body else []
            body, escaped = 0, False
        elif byte == 0x7D:
            escaped = not escaped
        else:
            tokens.append(("byte", byte ^ 0x20 if escaped else byte))
            body, escaped = body + 1, False
    return tokens


def rtl_unframe(line, stall):
    component = Unframer()

    def give(ctx, byte):
        ctx.set(component.i.payload, byte)

    def take(ctx):
        token = component.o.payload
        return ("end", bool(ctx.get(token.good))) if ctx.get(token.end) else ("byte", ctx.get(token.data))

    return simulate(component, line, give, take, len(ref_unframe(line)), stall)


def rtl_frame(bodies, count, stall):
    component = Framer()
    items = [(byte, n == len(body) - 1) for body in bodies for n, byte in enumerate(body)]

    def give(ctx, item):
        ctx.set(component.i.payload.data, item[0])
        ctx.set(component.i.payload.last, item[1])

    return bytes(simulate(component, items, give, lambda ctx: ctx.get(component.o.payload), count, stall))


def packets():
    rng = random.Random(3)
    bodies = [b"", b"\x7e\x7d\x5e\x5d", *(rng.randbytes(rng.randrange(30)) for _ in range(8))]
    # Among enough sequence numbers are some whose check value holds a flag or an escape.
    return [Packet(2, n, body) for n, body in enumerate(bodies)] + [Packet(1, n, b"") for n in range(60)]


@pytest.mark.parametrize("stall", [0.0, 0.5])
def test_packets_are_written_as_the_host_writes_them(stall):
    line = b"".join(encode(packet) for packet in packets())
    assert b"\x7d" in b"".join(encode(Packet(1, n, b""))[5:] for n in range(60))
    bodies = [bytes([1, packet.kind, *packet.sequence.to_bytes(2, "little"), *packet.payload]) for packet in packets()]
    assert rtl_frame(bodies, len(line), stall) == line


@pytest.mark.parametrize("stall", [0.0, 0.5])
def test_packets_are_read_as_the_host_reads_them(stall):
    line = b"\x7e\x7e" + b"".join(encode(packet) for packet in packets())
    assert rtl_unframe(line, stall) == ref_unframe(line)


def test_two_escapes_in_a_row_mean_nothing_wherever_they_stand():
    rng, line = random.Random(4), bytearray()
    for byte in b"".join(encode(packet) for packet in packets()[:8]):
        line += b"\x7d\x7d" * rng.choice([0, 0, 1, 2]) + bytes([byte])
    plain = line.replace(b"\x7d\x7d", b"")
    tokens = ref_unframe(plain)
    assert ("end", False) not in tokens
    assert rtl_unframe(bytes(line), 0.2) == ref_unframe(line) == tokens


def test_a_right_check_value_is_good_however_short_the_packet():
    line, tokens = b"\x7e", []
    for content in (b"", b"\x01", b"\x01\x02", b"\x01\x02\x03"):
        body = content + zlib.crc32(content).to_bytes(4, "little")
        line += body + b"\x7e" + body[1:] + b"\x7e"
        tokens += [
            *(("byte", byte) for byte in body),
            ("end", True),
            *(("byte", byte) for byte in body[1:]),
            ("end", False),
        ]
    assert rtl_unframe(line, 0.2) == tokens


@pytest.mark.parametrize("seed", range(3))
def test_damaged_lines_are_read_as_the_host_reads_them(seed):
    rng = random.Random(seed)
    line = bytearray(b"".join(encode(packet) for packet in packets()))
    for _ in range(40):
        at = rng.randrange(len(line))
        line[at : at + rng.randrange(2)] = rng.choice([b"", b"\x7e", b"\x7d", rng.randbytes(1)])
    line += encode(Packet(1, 1, b""))
    tokens = ref_unframe(line)
    assert {("end", False), ("end", True)} <= set(tokens)
    assert rtl_unframe(bytes(line), 0.2) == tokens
