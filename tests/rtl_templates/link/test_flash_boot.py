"""The boot loader against a model of a flash: what it writes, and that nothing damaged ever runs."""

import zlib

import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from hwgen.rtl_templates.link.flash_boot import FlashBoot
from hwgen.rtl_templates.link.flash_reader import READ, RELEASE
from hwgen.rtl_templates.link.load_format import MAGIC, LoadState
from hwgen.rtl_templates.registers.registers import Register

NETWORK_ID = 0x0123456789ABCDEF
ADDRESS = 0x020004
ADDRESS_BITS = 6
WAIT = 20
SEGMENTS = [0x80, 3, 0xDEADBEEF, 0, 0xFFFFFFFF, 0xC0, 1, 0x55AA1234, Register.LOADED_ID * 4, 2, 0x11111111, 0x22222222]
WRITTEN = {0x20: 0xDEADBEEF, 0x21: 0, 0x22: 0xFFFFFFFF, 0x30: 0x55AA1234, 6: 0x11111111, 7: 0x22222222}


def image(words=SEGMENTS, magic=MAGIC, network_id=NETWORK_ID, count=None):
    header = [magic, network_id & 0xFFFFFFFF, network_id >> 32, len(words) if count is None else count]
    data = b"".join(word.to_bytes(4, "little") for word in [*header, *words])
    return data + zlib.crc32(data).to_bytes(4, "little")


class Flash:
    """Sees the pins once a cycle; asleep until it is released. Without contents the pin stays where its resistor pulls it."""

    def __init__(self, contents, pulled=1):
        self.contents, self.pulled = contents, pulled
        self.awake, self.sck, self.bits, self.shift, self.idle, self.out = False, 0, 0, 0, 0, pulled

    def step(self, select, sck, copi):
        if select:
            if self.bits == 8 and self.shift == RELEASE:
                self.awake = True
            self.idle = self.idle + 1 if self.bits == 0 else 0
            self.bits, self.shift, self.out = 0, 0, self.pulled
        elif sck and not self.sck:
            self.shift, self.bits = self.shift << 1 | copi, self.bits + 1
            if self.bits == 8:
                assert self.shift in (RELEASE, READ)
                assert self.shift == RELEASE or self.idle >= WAIT
            if self.bits == 32 and self.awake and self.contents is not None:
                assert self.shift >> 24 == READ
                self.start = (self.shift & 0xFFFFFF) - ADDRESS
        elif self.sck and not sck and self.bits >= 32 and self.awake and self.contents is not None:
            byte, bit = divmod(self.bits - 32, 8)
            at = self.start + byte
            value = self.contents[at] if 0 <= at < len(self.contents) else 0xFF
            self.out = value >> (7 - bit) & 1
        self.sck = sck
        return self.out


def boot(flash, half_cycles=1, delay=3, loaded=False, reset_at=None):
    """Give what was written in order, the value of ``failed``, and the cycles; an access beyond address 0x3F, or of 0x3A, is an error."""
    component = FlashBoot(
        network_id=NETWORK_ID,
        words=len(SEGMENTS),
        address_bits=ADDRESS_BITS,
        address=ADDRESS,
        wait_cycles=WAIT,
        half_cycles=half_cycles,
    )
    m = Module()
    m.domains.sync = domain = ClockDomain()
    m.submodules.component = component
    writes, end = [], []

    async def bench(ctx):
        bus, answer_in, quiet, cycle = component.bus, 0, 0, 0
        ctx.set(component.loaded, loaded)
        while quiet < 40:
            ctx.set(domain.rst, cycle == reset_at)
            ctx.set(
                component.cipo, flash.step(*(ctx.get(pin) for pin in (component.select, component.sck, component.copi)))
            )
            answer_in = max(0, answer_in - 1)
            if ctx.get(bus.start):
                assert answer_in == 0
                assert (ctx.get(bus.write), ctx.get(bus.strobe)) == (1, 0xF)
                writes.append((ctx.get(bus.address), ctx.get(bus.value)))
                answer_in = delay + 1
            ctx.set(bus.done, answer_in == 1)
            ctx.set(bus.error, answer_in == 1 and bool(writes) and writes[-1][0] == 0x3A)
            if answer_in == 1 and writes[-1][0] == Register.CONTROL:
                ctx.set(component.loaded, writes[-1][1] & 1)
            quiet = quiet + 1 if not ctx.get(component.loading) and ctx.get(component.select) else 0
            cycle += 1
            assert cycle < 20_000
            await ctx.tick()
        end.extend([ctx.get(component.failed), cycle])

    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return writes, *end


@pytest.mark.parametrize(("half_cycles", "delay"), [(1, 3), (2, 1), (1, 150)])
def test_an_image_is_written_and_then_runs(half_cycles, delay):
    writes, failed, _ = boot(Flash(image()), half_cycles, delay)
    assert writes[0] == (Register.CONTROL, LoadState.LOADING << 8)
    assert dict(writes[1:-1]) == WRITTEN
    assert len(writes) == len(WRITTEN) + 2
    assert writes[-1] == (Register.CONTROL, LoadState.LOADED << 8 | 1)
    assert not failed


def test_a_word_takes_the_time_of_its_bytes():
    _, _, cycles = boot(Flash(image()))
    words = len(image()) // 4
    assert words * 4 * 18 < cycles < words * (4 * 18 + 10) + 250


def state_of(writes):
    """Give the state that was written last, and make sure that nothing ever let frames in."""
    controls = [value for address, value in writes if address == Register.CONTROL]
    assert controls[0] == LoadState.LOADING << 8
    assert len(controls) == 2
    assert controls[1] & 0xFF == 0
    assert writes[-1][0] == Register.CONTROL
    return controls[1] >> 8


@pytest.mark.parametrize(
    ("contents", "pulled", "state"),
    [
        (None, 1, LoadState.NO_FLASH),
        (None, 0, LoadState.NO_FLASH),
        (b"", 1, LoadState.NO_FLASH),
        (image(magic=MAGIC + 1), 1, LoadState.NO_IMAGE),
        (image(network_id=NETWORK_ID ^ 1), 1, LoadState.OTHER_NETWORK),
        (image(network_id=NETWORK_ID ^ 1 << 63), 1, LoadState.OTHER_NETWORK),
        (image(count=len(SEGMENTS) + 1), 1, LoadState.DAMAGED),
        (image([*SEGMENTS[:-4], Register.CONTROL * 4, 2, 1, 1]), 1, LoadState.DAMAGED),
        (image([*SEGMENTS[:-4], Register.CONTROL * 4 - 4, 2, 1, 1]), 1, LoadState.DAMAGED),
        (image([*SEGMENTS[:-4], Register.CONTROL * 4 + 256, 2, 1, 1]), 1, LoadState.DAMAGED),
        (image([*SEGMENTS[:-4], 0x3A * 4, 2, 1, 1]), 1, LoadState.DAMAGED),
        (image([*SEGMENTS[:-4], 0x3F * 4, 2, 1, 1]), 1, LoadState.DAMAGED),
        (image([*SEGMENTS[:-3], 3, 1, 1]), 1, LoadState.DAMAGED),
        (image([*SEGMENTS[:-3], 0, 1, 1]), 1, LoadState.DAMAGED),
        (image([*SEGMENTS[:-3], 1, 1, 1]), 1, LoadState.DAMAGED),
        (image()[:-4], 1, LoadState.DAMAGED),
    ],
)
def test_what_is_wrong_is_told_and_never_runs(contents, pulled, state):
    writes, failed, _ = boot(Flash(contents, pulled))
    assert state_of(writes) == state
    assert failed


@pytest.mark.parametrize("place", range(16, 68, 5))
def test_no_flipped_bit_runs(place):
    data = bytearray(image())
    data[place] ^= 1 << place % 8
    writes, failed, _ = boot(Flash(bytes(data)))
    assert state_of(writes) == LoadState.DAMAGED
    assert failed


def test_memories_that_are_loaded_are_left_alone():
    assert boot(Flash(image()), loaded=True)[:2] == ([], 0)


def test_a_reset_begins_anew():
    writes, failed, _ = boot(Flash(image()), reset_at=900)
    begins = [number for number, (address, _) in enumerate(writes) if address == Register.CONTROL]
    assert len(begins) == 3
    assert dict(writes[begins[1] + 1 : -1]) == WRITTEN
    assert writes[-1] == (Register.CONTROL, LoadState.LOADED << 8 | 1)
    assert not failed
