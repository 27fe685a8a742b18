"""Tables with registers around them: the latency, what stays without enable, what is written, what is no memory at all."""

import numpy as np
import pytest

from hwgen.rtl_templates.compute.rom import Rom
from hwgen.rtl_templates.cost import Part
from hwgen.rtl_templates.memory import MemoryStyle
from tests.rtl_templates.playing import play

WORDS = [(37 * n * n + 11) % 512 for n in range(20)]
ORDER = [3, 0, 19, 7, 7, 12, 1, 18]


def read(
    rom: Rom, addresses: list[int], *, writes: list[tuple[int, int]] = (), pause_at: int | None = None
) -> list[int]:
    """Give what the rom shows in each cycle, an address a cycle; ``enable`` is low in one of them."""
    found = []

    async def bench(ctx):
        for address, data in writes:
            ctx.set(rom.write.enable, 1)
            ctx.set(rom.write.address, address)
            ctx.set(rom.write.data, data)
            await ctx.tick()
        if rom.writable:
            ctx.set(rom.write.enable, 0)
        for cycle, address in enumerate(addresses):
            ctx.set(rom.address, address)
            ctx.set(rom.enable, cycle != pause_at)
            found.append(ctx.get(rom.data))
            await ctx.tick()

    play(rom, bench)
    return found


@pytest.mark.parametrize("latency", [1, 2])
@pytest.mark.parametrize("style", [MemoryStyle.BLOCK, MemoryStyle.DISTRIBUTED])
@pytest.mark.parametrize("writable", [False, True])
def test_a_word_comes_at_the_stated_latency(style: MemoryStyle, latency: int, writable: bool) -> None:
    rom = Rom(WORDS, 9, style=style, latency=latency, writable=writable)
    assert read(rom, ORDER)[latency:] == [WORDS[address] for address in ORDER[:-latency]]


@pytest.mark.parametrize("style", [MemoryStyle.BLOCK, MemoryStyle.DISTRIBUTED])
def test_without_enable_the_word_stays(style: MemoryStyle) -> None:
    rom = Rom(WORDS, 9, style=style, latency=1)
    found = read(rom, ORDER, pause_at=2)
    assert found[1:5] == [WORDS[ORDER[at]] for at in (0, 1, 1, 3)]


@pytest.mark.parametrize("style", [MemoryStyle.BLOCK, MemoryStyle.DISTRIBUTED, MemoryStyle.SPRAM])
def test_written_words_are_read_and_only_they_have_changed(style: MemoryStyle) -> None:
    writes = [(at, 511 - WORDS[at]) for at in range(len(WORDS)) if style is MemoryStyle.SPRAM or at % 3 == 0]
    expected = WORDS.copy()
    for at, word in writes:
        expected[at] = word
    rom = Rom(WORDS, 9, style=style, writable=True)
    assert rom.memories["words"].initial is (style is not MemoryStyle.SPRAM)
    assert read(rom, ORDER, writes=writes)[2:] == [expected[address] for address in ORDER[:-2]]


def test_the_one_port_of_a_huge_ram_reads_nothing_while_it_writes() -> None:
    rom, found = Rom([0] * 20, 9, style=MemoryStyle.SPRAM, latency=1, writable=True), []

    async def bench(ctx):
        for address, data in ((3, 33), (4, 44)):
            ctx.set(rom.write.enable, 1)
            ctx.set(rom.write.address, address)
            ctx.set(rom.write.data, data)
            await ctx.tick()
        ctx.set(rom.write.enable, 0)
        for address, writing in ((3, 0), (4, 1), (4, 0), (3, 0)):
            ctx.set(rom.address, address)
            ctx.set(rom.write.enable, writing)
            ctx.set(rom.write.address, 9)
            await ctx.tick()
            found.append(ctx.get(rom.data))

    play(rom, bench)
    assert found == [33, 33, 44, 33]


def test_equal_words_are_a_constant_unless_they_can_be_written() -> None:
    assert read(Rom([5, 5, 5], 4), [0, 1]) == [5, 5]
    assert read(Rom([5, 5, 5], 4, writable=True), [1, 1, 0, 1], writes=[(1, 9)])[2:] == [9, 9]


def test_a_single_word_that_can_be_written_is_there_at_once() -> None:
    assert read(Rom([5], 4, writable=True), [0, 0]) == [5, 5]
    assert read(Rom([5], 4, writable=True), [0], writes=[(0, 6)]) == [6]


def test_a_single_word_that_is_wide_is_written_by_parts() -> None:
    rom, found = Rom([(1 << 75) - 1], 75, writable=True), []

    async def bench(ctx):
        for part in (0, 2, 1):
            ctx.set(rom.write.enable, 1 << part)
            ctx.set(rom.write.data, 0x7000_0000 + part)
            await ctx.tick()
            found.append(ctx.get(rom.data))

    play(rom, bench)
    high, middle, low = 0x002, 0x7000_0001, 0x7000_0000
    kept, ones = 0x7FF, 0xFFFF_FFFF
    assert found == [
        kept << 64 | ones << 32 | low,
        high << 64 | ones << 32 | low,
        high << 64 | middle << 32 | low,
    ]


@pytest.mark.parametrize(
    ("style", "latency", "flipflops"),
    [
        (MemoryStyle.BLOCK, 1, 0),
        (MemoryStyle.BLOCK, 2, 7),
        (MemoryStyle.DISTRIBUTED, 1, 7),
        (MemoryStyle.DISTRIBUTED, 2, 7 + 5),
    ],
)
def test_a_bill_counts_the_word_s_register_and_that_of_the_address(
    style: MemoryStyle, latency: int, flipflops: int
) -> None:
    """Words of 7 bits at 5 bits of address; a block RAM has one register inside, logic has none."""
    words = np.random.default_rng(0).integers(0, 128, (32, 1))
    bill = Rom.bill("t", words, 7, style=style, latency=latency)
    assert bill.parts.get(Part.FLIPFLOP, 0) == flipflops


@pytest.mark.usefixtures("refused_components")
def test_its_size_says_where_it_is() -> None:
    assert Rom(WORDS, 9).style is MemoryStyle.DISTRIBUTED
    assert Rom(WORDS, 64).style is MemoryStyle.BLOCK


@pytest.mark.usefixtures("refused_components")
def test_a_memory_that_is_never_written_cannot_start_empty() -> None:
    with pytest.raises(ValueError, match="A memory in a large RAM starts with no contents, so it must be writable"):
        Rom([1, 2], 4, style=MemoryStyle.SPRAM)
