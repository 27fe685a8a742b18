"""Two masters, one bus: order, routing, and the second kept from writing."""

from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from hwgen.rtl_templates.registers.bus_arbiter import BusArbiter


def rtl(plans, opened_at, delay):
    """Have each master carry out (write, address) accesses; give those of the bus in order, and what each master read."""
    component = BusArbiter(8)
    seen, read = [], ([], [])
    cycle = 0

    async def bench(ctx):
        nonlocal cycle
        masters, left, waiting, answer_in = (component.first, component.second), [list(p) for p in plans], [0, 0], 0
        while any(left) or any(waiting):
            ctx.set(component.closed, cycle < opened_at)
            for number, master in enumerate(masters):
                ctx.set(master.start, 0)
                if left[number] and not waiting[number]:
                    write, address = left[number].pop(0)
                    ctx.set(master.start, 1)
                    ctx.set(master.write, write)
                    ctx.set(master.address, address)
                    ctx.set(master.value, address * 3)
                    waiting[number] = 1
            answer_in = max(0, answer_in - 1)
            if ctx.get(component.bus.start):
                assert answer_in == 0
                bus = component.bus
                assert ctx.get(bus.value) == ctx.get(bus.address) * 3
                seen.append((cycle, ctx.get(bus.write), ctx.get(bus.address)))
                answer_in = delay + 1
            ctx.set(component.bus.done, answer_in == 1)
            ctx.set(component.bus.read_value, ctx.get(component.bus.address) + 1000)
            for number, master in enumerate(masters):
                if ctx.get(master.done):
                    assert waiting[number]
                    waiting[number] = 0
                    read[number].append(ctx.get(master.read_value))
            cycle += 1
            assert cycle < 2000
            await ctx.tick()

    m = Module()
    m.domains.sync = ClockDomain()
    m.submodules.component = component
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return seen, read


def test_reads_pass_while_writes_of_the_second_wait():
    first = [(1, address) for address in range(10)]
    second = [(0, 100), (0, 101), (1, 102), (0, 103)]
    for delay in (1, 4):
        seen, read = rtl((first, second), opened_at=150, delay=delay)
        assert read == ([1000 + address for _, address in first], [1100, 1101, 1102, 1103])
        assert sorted(address for _, _, address in seen) == [*range(10), 100, 101, 102, 103]
        (written,) = [at for at, write, address in seen if write and address >= 100]
        assert written >= 150
        assert all(at < 150 for at, _, address in seen if address in (*range(10), 100, 101))


def test_the_first_comes_first():
    seen, _ = rtl(([(1, 1)], [(1, 2)]), opened_at=0, delay=2)
    assert [address for _, _, address in seen] == [1, 2]
