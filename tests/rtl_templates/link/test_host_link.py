"""The far end of the host link, byte by byte: what it answers, what it passes on, and what it never passes on."""

import random
import zlib
from dataclasses import replace

import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from hwgen.host.framing import Decoder, Packet, encode
from hwgen.rtl_templates.link.host_link import HostLink
from hwgen.rtl_templates.link.link_protocol import (
    ANSWER,
    COUNTERS,
    IDENTIFY,
    INFER,
    READ,
    REASON_CRC,
    REASON_LENGTH,
    REASON_UNKNOWN,
    REASON_UNLOADED,
    REFUSED,
    VERSION,
    WRITE,
    LinkShape,
)
from tests.rtl_templates.playing import until

SHAPES = [
    LinkShape(0x7E7D_0123_4567_89AB, beats_in=3, bytes_in=1, beats_out=1, bytes_out=6, clock_hz=12_000_000),
    LinkShape(1, beats_in=1, bytes_in=5, beats_out=3, bytes_out=1, clock_hz=1),
    LinkShape(2**64 - 1, beats_in=40, bytes_in=2, beats_out=2, bytes_out=3, clock_hz=2**32 - 1),
    LinkShape(0, beats_in=1, bytes_in=1, beats_out=1, bytes_out=1, clock_hz=2),
]


def ref_network(shape, frame):
    """Stand in for the accelerator: any function of the whole frame will do."""
    size = shape.beats_out * shape.bytes_out
    return bytes((sum(frame) * (n + 1) + frame[n % len(frame)]) & 0xFF for n in range(size))


ADDRESS_BITS = 6


def rtl(shape, lines, stall=0.0, registers=None, loaded=1, pause=0):
    """Give line bytes to the link, each piece when the one before it was answered; give the answers and the frames passed on.

    ``registers`` is a list of words that are read and written; addresses beyond it are errors. With a ``pause`` the accelerator answers to a frame's
    first beat already, and takes the others with so many cycles between.
    """
    component = HostLink(shape, ADDRESS_BITS)
    passed, decoder, answered, pending = [], Decoder(), [], []
    seen, working = bytearray(), [True]

    async def host(ctx):
        rng = random.Random(1)
        for line in lines:
            wanted = len(answered) + 1
            for byte in line:
                while rng.random() < stall:
                    await ctx.tick()
                ctx.set(component.i.valid, 1)
                ctx.set(component.i.payload, byte)
                await until(ctx, component.i.ready, "i.ready", patience=20_000)
                ctx.set(component.i.valid, 0)
            for _ in range(20_000):
                await ctx.tick()
                if len(answered) >= wanted:
                    break
            else:
                pytest.fail(f"no answer to {line.hex()}")
        for _ in range(500):
            await ctx.tick()
        working[0] = False

    async def listener(ctx):
        rng = random.Random(2)
        while working[0]:
            ready = rng.random() >= stall
            ctx.set(component.o.ready, ready)
            byte = ctx.get(component.o.payload) if ready and ctx.get(component.o.valid) else None
            await ctx.tick()
            if byte is not None:
                answered.extend(decoder.feed(bytes([byte])))

    async def network(ctx):
        rng, waits = random.Random(3), 0
        while working[0]:
            waits = max(0, waits - 1)
            ready = waits == 0 and rng.random() >= stall
            ctx.set(component.frame_o.ready, ready)
            offering = bool(pending) and (rng.random() >= stall or ctx.get(component.frame_i.valid))
            ctx.set(component.frame_i.valid, offering)
            if offering:
                ctx.set(component.frame_i.payload, pending[0])
            gives = offering and ctx.get(component.frame_i.ready)
            beat = None
            if ready and ctx.get(component.frame_o.valid):
                beat, last = ctx.get(component.frame_o.payload), ctx.get(component.frame_o_last)
            await ctx.tick()
            if gives:
                pending.pop(0)
            if beat is not None:
                seen.extend(beat.to_bytes(shape.bytes_in, "little"))
                assert last == (len(seen) == shape.beats_in * shape.bytes_in)
                waits = pause
                if len(seen) == shape.bytes_in if pause else last:
                    result, size = ref_network(shape, bytes(seen)), shape.bytes_out
                    pending.extend(int.from_bytes(result[n : n + size], "little") for n in range(0, len(result), size))
                if last:
                    passed.append(bytes(seen))
                    seen.clear()

    async def bank(ctx):
        rng = random.Random(4)
        ctx.set(component.loaded, loaded)
        while working[0]:
            *_, started = await ctx.tick().sample(component.bus.start)
            if started:
                await ctx.tick().repeat(rng.randrange(4) + 1)
                address = ctx.get(component.bus.address)
                known = address < len(registers)
                ctx.set(component.bus.error, not known)
                if known and ctx.get(component.bus.write):
                    registers[address] = ctx.get(component.bus.value)
                ctx.set(component.bus.read_value, registers[address] if known else 0)
                ctx.set(component.bus.done, 1)
                await ctx.tick()
                ctx.set(component.bus.done, 0)

    m = Module()
    m.domains.sync = ClockDomain()
    m.submodules.component = component
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    for bench in (host, listener, network, *([bank] if registers is not None else [])):
        simulator.add_testbench(bench)
    simulator.run()
    assert decoder.damaged == 0
    return answered, passed


def random_frames(shape, count, seed=1):
    rng = random.Random(seed)
    return [rng.choice([rng.randbytes, lambda n: b"\x7e" * n])(shape.beats_in * shape.bytes_in) for _ in range(count)]


def words(*values):
    return b"".join(value.to_bytes(4, "little") for value in values)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("stall", [0.0, 0.5])
def test_each_frame_is_passed_on_whole_and_answered(shape, stall):
    frames = random_frames(shape, 5)
    answered, passed = rtl(shape, [encode(Packet(INFER, n, frame)) for n, frame in enumerate(frames, 65533 - 2)], stall)
    assert passed == frames
    assert answered == [Packet(INFER | ANSWER, n, ref_network(shape, f)) for n, f in enumerate(frames, 65533 - 2)]


@pytest.mark.parametrize("shape", SHAPES)
def test_identity(shape):
    answered, passed = rtl(shape, [encode(Packet(IDENTIFY, 0x7E7D, b""))])
    widths = shape.bytes_in | shape.bytes_out << 16
    low, high = shape.network_id & 0xFFFFFFFF, shape.network_id >> 32
    payload = words(low, high, shape.beats_in, shape.beats_out, widths, shape.clock_hz, 1)
    assert (answered, passed) == ([Packet(IDENTIFY | ANSWER, 0x7E7D, payload)], [])


def damaged_lines(shape, frame):
    """Give a request's line bytes with a byte lost, added or flipped at each place but the flags, and then an idle line."""
    line = encode(Packet(INFER, 9, frame))
    rng = random.Random(7)
    for at in range(1, len(line) - 1):
        damage = [b"", bytes([line[at] ^ 0x55, line[at]]), bytes([line[at] ^ 1 << rng.randrange(8)])][at % 3]
        damaged = line[:at] + damage + line[at + 1 :]
        assert set(Decoder().feed(damaged)) == {None}
        yield damaged + b"\x7e" * 150


@pytest.mark.parametrize("shape", SHAPES[:2])
def test_no_damaged_request_reaches_the_accelerator_and_each_intact_one_between_does(shape):
    frame = random_frames(shape, 1, seed=5)[0]
    settled = encode(Packet(INFER, 10, frame[::-1]))
    lines = [line for damaged in damaged_lines(shape, frame) for line in (damaged, settled)]
    answered, passed = rtl(shape, lines)
    assert passed == [frame[::-1]] * (len(lines) // 2)
    result = Packet(INFER | ANSWER, 10, ref_network(shape, frame[::-1]))
    refused = [found for found in answered if found.kind == REFUSED]
    assert answered.count(result) + len(refused) == len(answered)
    assert answered.count(result) == len(lines) // 2
    assert {found.payload for found in refused} == {words(REASON_CRC)}


def test_requests_that_make_no_sense_are_refused_with_the_reason():
    shape = SHAPES[0]
    lines = [
        encode(Packet(INFER, 1, b"ab")),
        encode(Packet(INFER, 2, b"abcd")),
        encode(Packet(INFER, 3, bytes(300))),
        encode(Packet(IDENTIFY, 4, b"a")),
        encode(Packet(77, 5, b"")),
    ]
    answered, passed = rtl(shape, lines)
    reasons = [REASON_LENGTH] * 4 + [REASON_UNKNOWN]
    assert answered == [Packet(REFUSED, n, words(reason)) for n, reason in enumerate(reasons, 1)]
    assert passed == []


def test_a_request_that_comes_too_early_is_dropped_and_leaves_the_one_served_alone():
    shape = SHAPES[2]
    first, second, third = random_frames(shape, 3, seed=4)
    both = encode(Packet(INFER, 1, first)) + encode(Packet(INFER, 2, second))
    answered, passed = rtl(shape, [both, encode(Packet(INFER, 3, third)), encode(Packet(COUNTERS, 4, b""))], stall=0.3)
    assert passed == [first, third]
    assert [packet.sequence for packet in answered] == [1, 3, 4]
    assert answered[0].payload == ref_network(shape, first)
    assert answered[2].payload[:12] == words(2, 0, 1)


def test_a_request_that_comes_while_the_accelerator_still_takes_the_one_it_has_answered_is_dropped():
    shape = LinkShape(3, beats_in=8, bytes_in=2, beats_out=1, bytes_out=2, clock_hz=1)
    first, second, third = random_frames(shape, 3, seed=4)
    idle = b"\x7e" * 1000
    lines = [
        encode(Packet(INFER, 1, first)),
        encode(Packet(INFER, 2, second)) + idle + encode(Packet(INFER, 3, third)),
        idle + encode(Packet(COUNTERS, 4, b"")),
    ]
    answered, passed = rtl(shape, lines, pause=100)
    assert passed == [first, third]
    assert answered[:2] == [
        Packet(INFER | ANSWER, n, ref_network(shape, frame[:2])) for n, frame in ((1, first), (3, third))
    ]
    assert (answered[2].sequence, answered[2].payload[:12]) == (4, words(2, 0, 1))


@pytest.mark.parametrize("registers", [None, [5]])
@pytest.mark.parametrize(("length", "reason"), list(enumerate([REASON_UNKNOWN] * 2 + [REASON_LENGTH] * 2)))
def test_a_packet_without_a_whole_header_is_refused_though_its_check_value_is_right(registers, length, reason):
    shape = replace(SHAPES[0], registers=registers is not None)
    for command in (INFER, COUNTERS, *([WRITE, READ] if registers else [])):
        content = bytes([VERSION, command, 9])[:length]
        body = content + zlib.crc32(content).to_bytes(4, "little")
        assert not set(body) & {0x7E, 0x7D}
        answered, passed = rtl(shape, [b"\x7e" + body + b"\x7e", encode(Packet(COUNTERS, 2, b""))], registers=registers)
        assert answered[0] == Packet(REFUSED, int.from_bytes(body[2:4], "little"), words(reason))
        assert answered[1].payload[:12] == words(0, 1 << 16, 0)
        assert (passed, registers) == ([], [5] if registers else None)


def test_counters():
    shape = SHAPES[0]
    good = encode(Packet(INFER, 1, b"abc"))
    bad = good[:5] + bytes([good[5] ^ 1]) + good[6:]
    lines = [good, bad, good, bad, bad, encode(Packet(9, 1, b"")), encode(Packet(COUNTERS, 2, b""))]
    answered, _ = rtl(shape, lines)
    payload = answered[-1].payload
    assert answered[-1].kind == COUNTERS | ANSWER
    assert payload[:12] == words(2, 3 | 1 << 16, 0)
    assert 0 < int.from_bytes(payload[12:20], "little") < 1000
    assert payload[20:] == words(0)


@pytest.mark.parametrize("shape", [SHAPES[0], SHAPES[2]])
@pytest.mark.parametrize("stall", [0.0, 0.4])
def test_registers_are_written_in_a_row_and_read_one_by_one(shape, stall):
    shape, bank = replace(shape, registers=True), list(range(20))
    most = shape.write_words
    frame = random_frames(shape, 1)[0]
    lines = [
        encode(Packet(WRITE, 1, words(4, 0x7E7D7E7D, 2, 3))),
        encode(Packet(READ, 2, words(4))),
        encode(Packet(INFER, 3, frame)),
        encode(Packet(WRITE, 4, words(0, *range(100, 100 + most)))),
        encode(Packet(READ, 5, words(4 * 19))),
        encode(Packet(READ, 6, words(4 * 20))),
        encode(Packet(WRITE, 7, words(4 * 19, 7, 8))),
        encode(Packet(READ, 8, words(4 << ADDRESS_BITS))),
        encode(Packet(WRITE, 9, words(1 << 31, 5))),
        encode(Packet(WRITE, 10, words(4 * 63, 5, 6))),
        encode(Packet(READ, 11, words(8))),
    ]
    expected = bank.copy()
    expected[1:4] = [0x7E7D7E7D, 2, 3]
    expected[:most] = range(100, 100 + most)
    last = expected[19] if most < 20 else 119
    expected[19] = 7
    answered, passed = rtl(shape, lines, stall, bank)
    assert passed == [frame]
    assert bank == expected[:20]
    assert [found.sequence for found in answered] == list(range(1, 12))
    payloads = [found.payload for found in answered]
    assert payloads[:2] == [words(0), words(0x7E7D7E7D, 0)]
    assert payloads[2] == ref_network(shape, frame)
    assert payloads[3:5] == [words(int(most > 20)), words(last, 0)]
    assert [payload[-4:] for payload in payloads[5:10]] == [words(1)] * 5
    assert payloads[10] == words(102, 0)


def test_writes_and_reads_of_a_wrong_length_are_refused_and_without_a_network_no_frame_is_taken():
    shape = replace(SHAPES[0], registers=True)
    most = shape.write_words
    frame = random_frames(shape, 1)[0]
    lines = [
        encode(Packet(READ, 1, b"")),
        encode(Packet(READ, 2, words(0, 0))),
        encode(Packet(WRITE, 3, words(0))),
        encode(Packet(WRITE, 4, words(0, 1) + b"1")),
        encode(Packet(WRITE, 5, words(*range(most + 2)))),
        encode(Packet(WRITE, 6, b"")),
        encode(Packet(INFER, 7, frame)),
        encode(Packet(READ, 8, words(0))),
    ]
    answered, passed = rtl(shape, lines, registers=[5], loaded=0)
    assert passed == []
    reasons = [REASON_LENGTH] * 6 + [REASON_UNLOADED]
    assert answered[:7] == [Packet(REFUSED, n, words(reason)) for n, reason in enumerate(reasons, 1)]
    assert answered[7] == Packet(READ | ANSWER, 8, words(5, 0))


def test_without_registers_their_requests_are_unknown():
    answered, _ = rtl(SHAPES[0], [encode(Packet(READ, 1, words(0))), encode(Packet(WRITE, 2, words(0, 0)))])
    assert [found.payload for found in answered] == [words(REASON_UNKNOWN)] * 2


@pytest.mark.parametrize(
    ("beats_in", "bytes_in", "words", "payload"),
    [(10, 1, 16, 68), (17, 4, 16, 68), (18, 4, 17, 72), (25, 40, 249, 1000)],
)
def test_a_request_to_write_is_no_longer_than_one_to_infer_but_for_small_frames(
    beats_in: int, bytes_in: int, words: int, payload: int
) -> None:
    """An address and the words."""
    shape = LinkShape(1, beats_in, bytes_in, beats_out=1, bytes_out=1, clock_hz=1, registers=True)
    assert (shape.write_words, shape.payload_bytes) == (words, payload)
    assert replace(shape, registers=False).payload_bytes == beats_in * bytes_in
