"""The side entrance: frames between the ports make it busy, and it opens the door for whole frames only."""

from hwgen.rtl_templates.cost import Part
from hwgen.rtl_templates.registers.control import Control
from hwgen.rtl_templates.registers.registers import STATUS_BUSY, Register, RegisterMap
from hwgen.rtl_templates.registers.write_bus import Contents
from tests.rtl_templates.playing import play, until

BEATS_IN, BEATS_OUT = 3, 2


def test_frames_are_counted_and_the_door_closes_only_between_them() -> None:
    unit = Control(RegisterMap(7, 1), BEATS_IN, BEATS_OUT)
    axi = unit.axi

    async def bench(ctx):
        async def read(address: int) -> int:
            ctx.set(axi.araddr, 4 * address)
            ctx.set(axi.arvalid, 1)
            await until(ctx, axi.arready, "arready")
            ctx.set(axi.arvalid, 0)
            ctx.set(axi.rready, 1)
            for _ in range(20):
                if ctx.get(axi.rvalid):
                    break
                await ctx.tick()
            value = ctx.get(axi.rdata)
            await ctx.tick()
            return value

        async def write(address: int, value: int) -> None:
            for signal, what in ((axi.awaddr, 4 * address), (axi.wdata, value), (axi.wstrb, 15), (axi.bready, 1)):
                ctx.set(signal, what)
            ctx.set(axi.awvalid, 1)
            ctx.set(axi.wvalid, 1)
            await ctx.tick()
            ctx.set(axi.awvalid, 0)
            ctx.set(axi.wvalid, 0)
            await until(ctx, axi.bvalid, "bvalid")

        async def beats(port: str, count: int, *, stalls: int = 0) -> None:
            ctx.set(getattr(unit, f"{port}_valid"), 1)
            for _ in range(stalls):
                await ctx.tick()
            ctx.set(getattr(unit, f"{port}_ready"), 1)
            await ctx.tick().repeat(count)
            ctx.set(getattr(unit, f"{port}_valid"), 0)
            ctx.set(getattr(unit, f"{port}_ready"), 0)

        async def busy() -> bool:
            return bool(await read(Register.STATUS) & STATUS_BUSY)

        assert ctx.get(unit.open) == 1
        assert not await busy()
        await beats("i", 1, stalls=2)
        assert await busy()
        await write(Register.CONTROL, 0)
        assert (ctx.get(unit.run), ctx.get(unit.open)) == (0, 1)
        await beats("i", BEATS_IN - 1)
        assert ctx.get(unit.open) == 0
        assert await busy()
        await beats("o", 1)
        assert await busy()
        await beats("o", 1, stalls=4)
        assert not await busy()
        counters = [await read(Register.FRAMES_IN + n) for n in range(4)]
        assert counters == [1, 1, 2, 4]
        await write(Register.CONTROL, 0b11)
        assert [await read(Register.FRAMES_IN + n) for n in range(4)] == [0] * 4
        assert ctx.get(unit.open) == 1
        ctx.set(unit.frame_error, 1)
        assert await read(Register.STATUS) == 0b101

    play(unit, bench)


def test_a_frame_that_goes_in_as_another_comes_out_leaves_one_under_way() -> None:
    unit = Control(RegisterMap(7, 1), 1, 1)
    axi, busy = unit.axi, []

    async def bench(ctx):
        async def under_way() -> bool:
            ctx.set(axi.araddr, 4 * Register.STATUS)
            ctx.set(axi.rready, 1)
            ctx.set(axi.arvalid, 1)
            await ctx.tick()
            ctx.set(axi.arvalid, 0)
            for _ in range(20):
                if ctx.get(axi.rvalid):
                    break
                await ctx.tick()
            found = bool(ctx.get(axi.rdata) & STATUS_BUSY)
            await ctx.tick()
            return found

        for ports in ("i", "io", "o"):
            for port in ports:
                ctx.set(getattr(unit, f"{port}_valid"), 1)
                ctx.set(getattr(unit, f"{port}_ready"), 1)
            await ctx.tick()
            for port in ports:
                ctx.set(getattr(unit, f"{port}_valid"), 0)
            busy.append(await under_way())

    play(unit, bench)
    assert busy == [True, True, False]


def test_a_bill_compares_an_address_with_the_registers_and_with_each_memory() -> None:
    """Half a LUT a bit: 6 bits once, twice, and 7 bits three times."""
    memories = ((32, Contents([0] * 8, 8)), (64, Contents([0] * 32, 8)))
    none, one, two = (Control.bill(RegisterMap(7, 20, memories[:count]), 1, 1).parts[Part.OTHER] for count in range(3))
    assert (one - none, two - none) == (6 - 3, 10 - 3)
