"""Requests of the host link become accesses of the bus: words gathered from bytes, addresses counted on, errors told."""

import random

import pytest

from hwgen.rtl_templates.registers.register_access import RegisterAccess
from tests.rtl_templates.playing import play, until

ADDRESS_BITS = 5


def request(address: int, values: list[int], *, write: bool, delay: int = 2, errors: tuple[int, ...] = ()):
    """Have one request carried out; give the accesses of the bus, what was read, and whether it is an error."""
    unit, seen, told = RegisterAccess(ADDRESS_BITS, 4), [], []
    memory = b"".join(word.to_bytes(4, "little") for word in (address, *values))
    place = [0]

    async def bench(ctx):
        ctx.set(unit.write, write)
        ctx.set(unit.words, max(1, len(values)))
        ctx.set(unit.start, 1)
        await ctx.tick()
        ctx.set(unit.start, 0)
        assert ctx.get(unit.finished) == 0
        await until(ctx, unit.finished, "finished")
        told.extend([ctx.get(unit.value), ctx.get(unit.error)])

    async def bytes_of_the_memory(ctx):
        while True:
            *_, take = await ctx.tick().sample(unit.take)
            if take:
                ctx.set(unit.byte, memory[place[0]])
                place[0] += 1

    async def bus(ctx):
        while True:
            _, _, start, writes, at, value, strobe = await ctx.tick().sample(
                unit.bus.start, unit.bus.write, unit.bus.address, unit.bus.value, unit.bus.strobe
            )
            if start:
                seen.append((at, value if writes else None))
                assert strobe == 15
                await ctx.tick().repeat(delay)
                ctx.set(unit.bus.done, 1)
                ctx.set(unit.bus.error, at in errors)
                ctx.set(unit.bus.read_value, at * 1000 + 7)
                await ctx.tick()
                ctx.set(unit.bus.done, 0)

    play(unit, bench, bytes_of_the_memory, bus)
    assert place[0] <= len(memory)
    return seen, *told


@pytest.mark.parametrize("delay", [1, 5])
def test_words_are_written_to_addresses_in_a_row(delay: int) -> None:
    values = [random.Random(1).getrandbits(32) for _ in range(4)]
    seen, _, error = request(3 * 4, values, write=True, delay=delay)
    assert seen == list(enumerate(values, 3))
    assert error == 0


def test_one_word_is_read() -> None:
    assert request(9 * 4, [], write=False) == ([(9, None)], 9007, 0)


def test_an_error_of_any_access_is_the_request_s() -> None:
    seen, _, error = request(4, [5, 6, 7], write=True, errors=(2,))
    assert [at for at, _ in seen] == [1, 2, 3]
    assert error == 1


@pytest.mark.parametrize("address", [4 << ADDRESS_BITS, 1 << 31])
@pytest.mark.parametrize("write", [False, True])
def test_an_address_beyond_the_bus_is_an_error_and_no_access(address: int, write: bool) -> None:
    seen, _, error = request(address, [1] * write, write=write)
    assert (seen, error) == ([], 1)


def test_the_words_that_still_fit_are_written_before_the_end_of_the_bus() -> None:
    seen, _, error = request(((1 << ADDRESS_BITS) - 2) * 4, [1, 2, 3], write=True)
    assert seen == [(30, 1), (31, 2)]
    assert error == 1
