"""The AXI4-Stream edges: whole bytes, tlast given and checked."""

import random

import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from hwgen.rtl_templates.streams.axi_stream import AxiStreamInput, AxiStreamOutput, whole_bytes


def simulate(component, bench):
    m = Module()
    m.domains.sync = ClockDomain()
    m.submodules.component = component
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize(("width", "bits"), [(1, 8), (8, 8), (9, 16), (784, 784)])
def test_ports_have_whole_bytes(width, bits):
    assert whole_bytes(width) == bits


def rtl_input(beats, lasts, stall):
    """Give the payloads that pass, and ``frame_error`` after each of them."""
    component = AxiStreamInput(5, beats)
    payloads, errors = [], []

    async def bench(ctx):
        rng = random.Random(1)
        while len(payloads) < len(lasts):
            valid, ready = rng.random() >= stall, rng.random() >= stall
            ctx.set(component.tvalid, valid)
            ctx.set(component.tdata, 0xE0 | len(payloads))
            ctx.set(component.tlast, lasts[len(payloads)] if valid else rng.getrandbits(1))
            ctx.set(component.o.ready, ready)
            assert ctx.get(component.tready) == ready
            assert ctx.get(component.o.valid) == valid
            passed = ctx.get(component.o.payload) if valid and ready else None
            await ctx.tick()
            if passed is not None:
                payloads.append(passed)
                errors.append(ctx.get(component.frame_error))

    simulate(component, bench)
    return payloads, errors


@pytest.mark.parametrize("stall", [0.0, 0.5])
@pytest.mark.parametrize(
    ("beats", "lasts", "first_error"),
    [
        (3, [0, 0, 1] * 4, None),
        (1, [1, 1, 1], None),
        (3, [0, 0, 1, 0, 1, 0, 0, 0, 1], 4),
        (3, [0, 0, 0, 0, 0, 1], 2),
        (1, [1, 0, 1], 1),
    ],
)
def test_a_wrong_tlast_raises_the_flag_for_good_and_moves_no_data(beats, lasts, first_error, stall):
    payloads, errors = rtl_input(beats, lasts, stall)
    assert payloads == list(range(len(lasts)))
    assert errors == [first_error is not None and beat >= first_error for beat in range(len(lasts))]


@pytest.mark.parametrize("stall", [0.0, 0.5])
@pytest.mark.parametrize("beats", [1, 2, 5])
def test_tlast_comes_with_the_last_beat_of_each_frame(beats, stall):
    component = AxiStreamOutput(5, beats)
    seen = []

    async def bench(ctx):
        rng = random.Random(1)
        while len(seen) < 3 * beats:
            valid, ready = rng.random() >= stall, rng.random() >= stall
            ctx.set(component.i.valid, valid)
            ctx.set(component.i.payload, len(seen))
            ctx.set(component.tready, ready)
            assert ctx.get(component.i.ready) == ready
            assert ctx.get(component.tvalid) == valid
            if valid and ready:
                seen.append((ctx.get(component.tdata), ctx.get(component.tlast)))
            await ctx.tick()

    simulate(component, bench)
    assert seen == [(beat, beat % beats == beats - 1) for beat in range(3 * beats)]
