"""The register file: what each address means, what may be written, and what outlives a reset."""

from amaranth.hdl import Module, ResetInserter, Signal

from hwgen.rtl_templates.registers.register_bus import WORD_BITS
from hwgen.rtl_templates.registers.registers import MAP_VERSION, Register, RegisterMap, Registers
from hwgen.rtl_templates.registers.write_bus import Contents
from tests.rtl_templates.playing import play

NETWORK_ID = 0x0123456789ABCDEF
NARROW, WIDE = Contents([1, 2, 3, 4, 5], 20), Contents([6, 7, 8], 70)
MAP = RegisterMap(NETWORK_ID, 3, ((32, NARROW), (64, WIDE)))
COUNTS = {"frames_in": 11, "frames_out": 12, "input_stalls": 13, "output_stalls": 14}


def serve(story, shape: RegisterMap = MAP) -> list[tuple[int, int]]:
    """Let a story access the registers; give the writes that reached the memories."""
    unit, reset, written = Registers(shape), Signal(), []
    m = Module()
    m.submodules.unit = ResetInserter(reset)(unit)

    async def bench(ctx):
        async def access(address: int, value: int | None = None, strobe: int = 15) -> tuple[bool, int]:
            ctx.set(unit.bus.start, 1)
            ctx.set(unit.bus.write, value is not None)
            ctx.set(unit.bus.address, address)
            ctx.set(unit.bus.value, value or 0)
            ctx.set(unit.bus.strobe, strobe)
            clears = 0
            for cycle in range(4):
                assert ctx.get(unit.bus.done) == (cycle == 3)
                if ctx.get(unit.write.enable):
                    written.append((ctx.get(unit.write.address), ctx.get(unit.write.data)))
                clears += ctx.get(unit.clear)
                error, found = ctx.get(unit.bus.error), ctx.get(unit.bus.read_value)
                await ctx.tick()
                ctx.set(unit.bus.start, 0)
            assert clears == bool(value is not None and address == Register.CONTROL and strobe & 1 and value & 2)
            return bool(error), found

        async def restart() -> None:
            ctx.set(reset, 1)
            await ctx.tick()
            ctx.set(reset, 0)

        for name, count in COUNTS.items():
            ctx.set(getattr(unit, name), count)
        ctx.set(unit.status, 0b10)
        await story(ctx, unit, access, restart)

    play(m, bench)
    return written


def test_every_address_reads_as_documented() -> None:
    expected = {
        Register.NETWORK_ID: NETWORK_ID & 0xFFFFFFFF,
        Register.NETWORK_ID + 1: NETWORK_ID >> WORD_BITS,
        Register.VERSION: MAP_VERSION,
        Register.STATUS: 0b101,
        Register.CONTROL: 1,
        Register.SCRATCH: 0,
        Register.LOADED_ID: NETWORK_ID & 0xFFFFFFFF,
        Register.LOADED_ID + 1: NETWORK_ID >> WORD_BITS,
        **dict(enumerate(COUNTS.values(), Register.FRAMES_IN)),
        Register.STAGES: 3,
        **{Register.BUSY + stage: 0 for stage in range(3)},
    }

    async def story(ctx, unit, access, restart):
        for address in range(1 << MAP.address_bits):
            error, value = await access(address)
            assert error is (address not in expected)
            assert error or value == expected[address]

    assert serve(story) == []


def test_only_some_can_be_written_by_the_byte() -> None:
    async def story(ctx, unit, access, restart):
        for address in (Register.SCRATCH, Register.LOADED_ID, Register.LOADED_ID + 1):
            assert not (await access(address, 0xFFFFFFFF))[0]
            await access(address, 0x12345678, strobe=0b0101)
            assert await access(address) == (False, 0xFF34FF78)
        for address in (Register.NETWORK_ID, Register.VERSION, Register.STATUS, Register.FRAMES_IN, Register.BUSY):
            before = await access(address)
            assert (await access(address, 5))[0]
            assert await access(address) == before

    assert serve(story) == []


def test_control_starts_clears_and_notes_how_far_the_load_is() -> None:
    async def story(ctx, unit, access, restart):
        assert ctx.get(unit.run) == 1
        assert not (await access(Register.CONTROL, 0x300))[0]
        assert ctx.get(unit.run) == 0
        assert await access(Register.CONTROL) == (False, 0x300)
        await access(Register.CONTROL, 0x501, strobe=0b0001)
        assert await access(Register.CONTROL) == (False, 0x301)
        await access(Register.CONTROL, 0x200, strobe=0b0010)
        assert await access(Register.CONTROL) == (False, 0x201)
        await access(Register.SCRATCH, 77)
        await access(Register.CONTROL, 0b11)
        await restart()
        assert await access(Register.SCRATCH) == (False, 0)
        assert await access(Register.CONTROL) == (False, 1)
        assert await access(Register.LOADED_ID) == (False, NETWORK_ID & 0xFFFFFFFF)

    serve(story)


def test_busy_cycles_are_counted_until_they_are_cleared() -> None:
    async def story(ctx, unit, access, restart):
        for busy, cycles in ((0b001, 3), (0b101, 4), (0b000, 2)):
            ctx.set(unit.busy, busy)
            await ctx.tick().repeat(cycles)
        assert [(await access(Register.BUSY + stage))[1] for stage in range(3)] == [7, 0, 4]
        await access(Register.CONTROL, 0b11)
        assert [(await access(Register.BUSY + stage))[1] for stage in range(3)] == [0, 0, 0]

    serve(story)


def test_whole_words_reach_the_rows_that_there_are() -> None:
    async def story(ctx, unit, access, restart):
        for address in range(32, 1 << MAP.address_bits):
            narrow, wide = 32 <= address < 32 + 5, 64 <= address < 64 + 3 * 4
            assert (await access(address, address))[0] is not (narrow or wide)
        assert (await access(33, 1, strobe=0b0111))[0]

    written = serve(story)
    assert written == [(address, address) for address in (*range(32, 37), *range(64, 76))]


def test_memories_that_start_empty_let_no_frame_in() -> None:
    async def story(ctx, unit, access, restart):
        assert ctx.get(unit.run) == 0
        assert await access(Register.LOADED_ID) == (False, 0)

    serve(story, RegisterMap(NETWORK_ID, 1, ((32, Contents([1, 2], 8, initial=False)),)))
    assert not RegisterMap(1, 1, ((32, NARROW), (64, Contents([1], 8, initial=False)))).loaded


def test_the_map_is_as_wide_as_its_last_word() -> None:
    assert RegisterMap(1, 1).address_bits == 5
    assert RegisterMap(1, 16).address_bits == 5
    assert RegisterMap(1, 17).address_bits == 6
    assert MAP.address_bits == 7
