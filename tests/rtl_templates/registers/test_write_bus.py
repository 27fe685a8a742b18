"""The bus that writes memories: addresses, parts of wide words, and stations one behind the other."""

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from hwgen.rtl_templates.compute.rom import Rom
from hwgen.rtl_templates.memory import MemoryStyle
from hwgen.rtl_templates.registers.write_bus import Contents, WriteBus, WriteStation, looked_at

ADDRESS_BITS = 9


class Bench(wiring.Component):
    """Two memories on one bus, each behind a station of its own."""

    def __init__(self, bases, memories, style):
        self.bases = bases
        self.contents = memories
        self.roms = {
            name: Rom(memory.words, memory.width, style=style, writable=True) for name, memory in memories.items()
        }
        super().__init__({"i": In(WriteBus(ADDRESS_BITS)), "o": Out(WriteBus(ADDRESS_BITS))})

    def elaborate(self, platform):
        m = Module()
        bus = wiring.flipped(self.i)
        for name, rom in self.roms.items():
            m.submodules[name] = rom
            station = WriteStation(ADDRESS_BITS, {name: self.contents[name]}, {name: self.bases[name]})
            m.submodules[f"{name}_station"] = station
            wiring.connect(m, bus, station.i)
            wiring.connect(m, station.write, rom.write)
            bus = station.o
        wiring.connect(m, bus, wiring.flipped(self.o))
        return m


def rtl(memories, bases, writes, style):
    """Write (address, data) pairs in a row, then read all; give the words and the cycles of the bus."""
    bench = Bench(bases, memories, style)
    words = {}

    async def run(ctx):
        for address, data in writes:
            ctx.set(bench.i.enable, 1)
            ctx.set(bench.i.address, address)
            ctx.set(bench.i.data, data)
            await ctx.tick()
        ctx.set(bench.i.enable, 0)
        await ctx.tick().repeat(len(memories) + 1)
        for name, memory in memories.items():
            words[name] = []
            for address in range(len(memory.words)):
                ctx.set(bench.roms[name].address, address)
                await ctx.tick().repeat(Rom.LATENCY)
                words[name].append(ctx.get(bench.roms[name].data))

    simulator = Simulator(bench)
    simulator.add_clock(1e-6)
    simulator.add_testbench(run)
    simulator.run()
    return words


def ref(memories, bases, writes):
    words = {name: list(memory.words) for name, memory in memories.items()}
    for address, data in writes:
        for name, memory in memories.items():
            row, part = divmod(address - bases[name], 1 << memory.part_address_bits)
            if 0 <= row < len(memory.words) and part < memory.parts:
                mask = (1 << 32) - 1 << 32 * part
                word = words[name][row] & ~mask | data << 32 * part
                words[name][row] = word & (1 << memory.width) - 1
    return words


@pytest.mark.parametrize("style", [MemoryStyle.BLOCK, MemoryStyle.DISTRIBUTED])
def test_each_address_reaches_its_part_of_its_word_alone(style):
    memories = {"wide": Contents([n << 60 | n for n in range(6)], 75), "narrow": Contents([1, 2, 3, 1], 5)}
    bases = {"wide": 64, "narrow": 256}
    writes = [(address, (address * 0x9E3779B1) & 0xFFFFFFFF) for address in range(40, 262)]
    assert rtl(memories, bases, writes, style) == ref(memories, bases, writes)


def test_a_huge_memory_has_what_was_written():
    memories = {"huge": Contents([0] * 7, 48), "single": Contents([5], 40)}
    bases = {"huge": 16, "single": 32}
    writes = [(address, (address * 0x9E3779B1) & 0xFFFFFFFF) for address in range(16, 34)]
    words = rtl(memories, bases, writes, MemoryStyle.SPRAM)
    assert words == ref(memories, bases, writes)


def test_an_image_has_the_parts_of_all_words_in_the_order_of_addresses():
    memory = Contents([0x1_22222222_33333333, 0x4_55555555_66666666], 66)
    assert (memory.parts, memory.part_address_bits, memory.address_bits) == (3, 2, 3)
    assert memory.image() == [0x33333333, 0x22222222, 1, 0, 0x66666666, 0x55555555, 4, 0]


def test_a_base_within_a_memory_is_refused():
    with looked_at(), pytest.raises(ValueError, match="Memory 'm' cannot begin at 3: not a multiple of its size"):
        WriteStation(8, {"m": Contents([1, 2], 8)}, {"m": 3})
